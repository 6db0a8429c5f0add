//! The manager of transactions and the failover, against anvil, and against nodes that misbehave in front
//! of it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../support/anvil.rs"]
mod anvil;
mod blobs;
mod crash;
mod failover;
mod limits;
mod operator;
mod reports;
mod rig;
#[path = "../support/server.rs"]
mod server;

/// Time of the chains, and of the first steps.
const TIME: u64 = 1_800_000_000;
