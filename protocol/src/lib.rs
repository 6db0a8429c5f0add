//! What both sides of a wire agree on: an operator and its wallets, a prover and its verifiers, the
//! rollup and its contract.
//!
//! Plain Rust over `Fr`, the BN254 scalar field: no storage, no proof system, no input or output.
//! `docs/protocol.md` is the law; each fact of it that code needs has its home here.
//!
//! | module | content | protocol |
//! |---|---|---|
//! | [`field`], [`hash`] | elements and their encodings, Poseidon2, `compress`, `chain` | §1 |
//! | [`keys`] | BabyJubJub keys and signatures | §2 |
//! | [`account`], [`path`] | leaves, Merkle paths | §3 |
//! | [`policy`], [`limiter`] | limits, guardian, the rule of the bridge | §4, §5 |
//! | [`kinds`], [`ops`], [`codec`] | kinds of operations, operations, their encoding | §5 |
//! | [`limit`], [`quote`] | limit prices of orders, quotes of auctions | §5 |
//! | [`records`], [`data`] | posted records, words, their polynomial | §6 |
//! | [`order`] | the tree over a batch's operations, proofs that one has its place | §6 |
//! | [`blob`] | records as the coefficients of a blob's polynomial, and its point | §6 |
//! | [`header`], [`inputs`] | what a block claims, public inputs of proofs | §7 |
//! | [`proofs`] | proofs as they are stored and sent | §9 |
//! | [`times`] | deadlines and delays of the contracts | §10 |
//! | [`receipt`] | the operator's signed promise of a place | §13 |
//! | [`queue`], [`exits`] | the queue's rolling hash, the tree of exits | §8 |
//! | [`blind`] | orders that get their place before anybody knows them | §16 |
//! | [`memo`], [`watcher`] | what is claimed with a block, what watchers sign | §14, §15 |

#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

pub mod account;
pub mod address;
pub mod blind;
pub mod blob;
pub mod codec;
pub mod data;
pub mod error;
pub mod exits;
pub mod field;
pub mod hash;
pub mod header;
pub mod inputs;
pub mod keys;
pub mod kinds;
pub mod limit;
pub mod limiter;
pub mod memo;
pub mod ops;
pub mod order;
pub mod path;
pub mod policy;
pub mod proofs;
pub mod queue;
pub mod quote;
pub mod receipt;
pub mod records;
#[cfg(test)]
mod seed;
pub mod times;
pub mod watcher;

pub use account::Account;
pub use address::Address;
/// The BN254 scalar field.
pub use ark_bn254::Fr;
pub use error::ProtocolError;
pub use header::Header;
pub use inputs::PublicInputs;
pub use kinds::Kind;
pub use limit::Limit;
pub use memo::Memo;
pub use policy::{Policy, TokenLimits};
pub use proofs::{BatchProof, BlockProof, CircuitId};
pub use quote::Quote;
pub use receipt::Receipt;

/// Exclusive upper bound of times, deadlines and delays, which are u40 seconds.
pub const TIME_BOUND: u64 = 1 << 40;

/// Token number.
pub type Token = u16;
/// Account index: the position of its leaf.
pub type Index = u32;
/// Key hash and exit address behind an owner.
pub type Opening = (Fr, Address);
