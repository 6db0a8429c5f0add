//! What a node's answers become, and what is sent to it: against nodes that are busy, wrong, behind or
//! reorganized, and against anvil.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../support/anvil.rs"]
mod anvil;
mod blobs;
mod client;
mod reading;
mod sending;
#[path = "../support/server.rs"]
mod server;

/// Time of the chains.
const TIME: u64 = 1_800_000_000;
