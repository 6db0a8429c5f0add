//! Bastion's state: field, hash, keys, operations, accounts, tree, executor and store.
//!
//! Everything here is plain Rust over `Fr`, the BN254 scalar field. This crate knows nothing of
//! proofs: the circuits prove what [`executor`] did, and `docs/protocol.md` is the law for both.
//!
//! | module | content | protocol |
//! |---|---|---|
//! | [`hash`] | Poseidon2, `compress`, `chain` | §1 |
//! | [`keys`] | BabyJubJub keys and signatures | §2 |
//! | [`account`], [`tree`], [`state`] | leaves, Merkle tree, ledger | §3 |
//! | [`policy`] | limits and guardian | §4 |
//! | [`ops`], [`codec`], [`executor`] | operations, their encoding and their effect | §5 |
//! | [`data`] | posted data, queue, exit tree | §6, §8 |
//! | [`store`] | RocksDB | |

#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

pub mod account;
pub mod address;
pub mod codec;
pub mod data;
pub mod error;
pub mod executor;
pub mod field;
pub mod hash;
pub mod keys;
pub mod ops;
pub mod policy;
#[cfg(test)]
mod seed;
pub mod state;
#[cfg(feature = "store")]
pub mod store;
pub mod tree;

pub use account::Account;
pub use address::Address;
/// The BN254 scalar field.
pub use ark_bn254::Fr;
pub use error::StateError;
pub use policy::{Policy, TokenLimits};
pub use state::{Opening, State};

/// Exclusive upper bound of times, deadlines and delays, which are u40 seconds.
pub const TIME_BOUND: u64 = 1 << 40;

/// Token number.
pub type Token = u16;
/// Account index: the position of its leaf.
pub type Index = u32;
