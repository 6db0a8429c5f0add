//! Recursion: the proofs of a block's batches become one proof for the EVM.
//!
//! | module | content |
//! |---|---|
//! | [`chip`] | sums of points and the transcript's permutation as tables on a bus |
//! | [`mod@verify`] | snark-verifier's algebra over the chip |
//! | [`shape`] | public inputs and sizes |
//! | [`circuit`] | verifies N batch proofs and links their public inputs |
//! | [`keys`] | its keys, cached on disk |
//! | [`proof`] | proving a block, and verifying block proofs natively |
//! | [`verifier`] | the folder with contract, description and manifest of a block circuit |
//!
//! No block proof leaves this crate before it was verified, accumulated pairing included, and
//! bytes from outside lead to an [`AggregatorError`], never to a panic.
#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

pub mod chip;
pub mod circuit;
pub mod description;
pub mod error;
pub mod keys;
pub mod proof;
pub mod shape;
mod store;
pub mod verifier;
pub mod verify;

#[cfg(test)]
mod test_circuit;
#[cfg(test)]
mod tests;

pub use error::AggregatorError;
pub use keys::{BlockKeys, BlockVerifier};
pub use proof::{aggregate, verify};
pub use shape::{BlockShape, LIMBS, PUBLIC_INPUTS};
