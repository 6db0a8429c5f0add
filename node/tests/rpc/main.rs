//! How history is read from L1: from nodes that are busy, wrong, behind or reorganized, and of
//! rollups whose calls came through other contracts.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../../../l1/tests/support/anvil.rs"]
mod anvil;
mod reading;
mod relayed;
#[path = "../../../l1/tests/support/server.rs"]
mod server;
mod world;

/// Time of the chains.
const TIME: u64 = 1_800_000_000;
