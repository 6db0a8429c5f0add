//! The ledger: executor, state tree and store.
//!
//! This crate knows nothing of proofs: the circuits prove what [`executor`] did, and
//! `docs/protocol.md` is the law for both.
//!
//! | module | content | protocol |
//! |---|---|---|
//! | [`executor`] | operations and their effect, what they post | §5, §6 |
//! | [`state`], [`tree`] | accounts and their Merkle tree | §3 |
//! | [`store`] | RocksDB | |

#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

pub mod error;
pub mod executor;
#[cfg(test)]
#[path = "../../protocol/src/seed.rs"]
mod seed;
pub mod state;
#[cfg(feature = "store")]
pub mod store;
pub mod tree;

pub use error::StateError;
pub use state::State;
