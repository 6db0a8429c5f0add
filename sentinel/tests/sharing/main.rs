//! Sharing of intelligence over the network: our server, two of our servers, and the peers that others
//! have made.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod chain;
mod interop;
mod measure;
mod server;
mod two;
