//! The API on a real socket over a real sequencer.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod admin;
mod blobs;
mod document;
mod events;
mod orders;
mod raw;
mod reading;
mod refusing;
mod rewards;
mod sentinel;
mod world;
