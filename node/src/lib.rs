//! The operator's pipeline: operations in, executed blocks, proofs, files, L1.
//!
//! | module | content |
//! |---|---|
//! | [`workload`] | operations from CSV and JSON lines |
//! | [`mod@bench`] | times of the stages, and the floor |
//! | [`block`] | batches of a block, its data and public inputs |
//! | [`blind`] | a batch of orders that nobody knows before it is closed |
//! | [`blobs`] | blobs of committed blocks: who has them, and where they are kept |
//! | [`block_store`] | a folder of proven blocks |
//! | [`pipeline`] | from blocks to proofs |
//! | [`check`] | native verification, from a verifier's folder |
//! | [`jobs`] | proving jobs: leases, attempts, proofs |
//! | [`api`] | the HTTP API |
//! | [`coordinator`] | from sealed batches to proven blocks |
//! | [`history`] | what L1 tells, collected for an audit |
//! | [`market`] | the market of the demo's auction: orders, what they got, receipts, a broken one |
//! | [`nats`] | workers on other machines |
//! | [`second_verifier`] | verification by the second verifier |
//! | [`recommend`] | predicted speed and memory of shapes, and the best for a machine |
//! | [`deploy`], [`settle`] | deploys and drives the contracts |
//! | [`sequencer`] | operations in, receipts out: the single writer and its log |
//! | [`service`] | the node as a service |
//! | [`slashing`] | shows the contract that a receipt was broken |
//! | [`submit`] | brings a folder of blocks to a node, from wherever an attempt stopped |
//! | [`work`] | batch proofs of a run that was cut short |
//! | [`worker`] | does proving jobs |
//! | [`code`] | the code that the contracts must have |
//! | [`exodus`] | everybody leaves by L1 data alone |
#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

pub mod api;
pub mod bench;
pub mod blind;
pub mod blobs;
pub mod block;
pub mod block_store;
pub mod check;
pub mod code;
pub mod coordinator;
mod database;
pub mod deploy;
pub mod devnet;
pub mod error;
pub mod exodus;
pub mod history;
pub mod inclusion;
pub mod jobs;
pub mod market;
pub mod nats;
pub mod pipeline;
pub mod posted;
pub mod posting;
pub mod recommend;
pub mod second_verifier;
pub mod sentinel;
pub mod sequencer;
pub mod service;
pub mod settle;
pub mod slashing;
pub mod submit;
pub mod work;
pub mod worker;
pub mod workload;

pub use error::NodeError;
