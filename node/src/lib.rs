//! The operator's pipeline: operations in, executed blocks, proofs, files, L1.
//!
//! | module | content |
//! |---|---|
//! | [`workload`] | operations from CSV and JSON lines |
//! | [`block`] | batches of a block, its data and public inputs |
//! | [`dir`] | a folder of proven blocks |
//! | [`pipeline`] | from blocks to proofs |
#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

pub mod block;
pub mod dir;
pub mod error;
pub mod pipeline;
pub mod workload;

pub use error::NodeError;
