//! Recursion: the proofs of a block's batches become one proof for the EVM.
//!
//! | module | content |
//! |---|---|
//! | [`circuit`] | verifies N batch proofs and links their public inputs |
//! | [`keys`] | its keys, cached on disk |
//! | [`proof`] | proving a block, and verifying block proofs natively |
#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

pub mod circuit;
pub mod error;
pub mod keys;
pub mod proof;

pub use circuit::{BlockShape, LINKS, LIMBS, PUBLIC_INPUTS};
pub use error::AggregatorError;
pub use keys::{BlockKeys, BlockVerifier};
pub use proof::{aggregate, verify, BlockProof};
