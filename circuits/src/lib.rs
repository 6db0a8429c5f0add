//! Bastion: the batch circuit.
//!
//! One proof covers one batch of operations (`docs/protocol.md`). The circuit is a stack of logical
//! tables in the same [`core::WIDTH`] advice columns, tied together by one LogUp bus; it has no
//! copy constraints and no lookup argument. Every table is plain data ([`core::RowBlock`]): named
//! constraints over the cells of a row-block, and the tuples the block puts on the bus. The halo2
//! circuit, the witness checker and the cost model all read that one description.
//!
//! | module | content |
//! |---|---|
//! | [`core`] | expressions, bus, blocks, grid, layout: what every table is made of |
//! | `hash`, `nodes`, `accounts`, `ranges`, `signatures`, `ops`, `limiter`, `policy`, `head` | one table each, with its README |
//! | [`auction`] | tables for orders and their prices |
//! | [`blob`] | tables for data in blobs (EIP-4844) |
//! | [`witness`] | from an executed batch to a filled grid |
//! | [`check`] | finds the violated constraints of a grid, by name |
//! | [`circuit`] | the halo2 circuit |
//! | [`cost`] | what an operation costs |
#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

pub mod accounts;
pub mod auction;
pub mod blob;
pub mod check;
pub mod circuit;
pub mod core;
pub mod cost;
pub mod error;
pub mod hash;
pub mod head;
pub mod limiter;
pub mod mutate;
pub mod nodes;
pub mod ops;
pub mod policy;
pub mod ranges;
pub mod shape;
pub mod signatures;
pub mod tables;
pub mod witness;

pub use circuit::BatchCircuit;
pub use error::CircuitError;
pub use halo2_proofs::halo2curves::bn256::Fr;
pub use head::PublicInputs;
pub use shape::{Shape, Slots};

#[cfg(test)]
mod readme_tests;
