//! The API of a Bastion node, from the side of its users.
//!
//! | module | content |
//! |---|---|
//! | [`types`] | every answer of the API |
//! | [`receipt`] | signed receipts, and who signed them |
//! | [`blind`] | blind orders: what owners check before they reveal them |
//! | [`check`] | what a user checks of a node's answers |
//! | [`http`] | a client over HTTP |
//! | [`keys`] | key files, encrypted |
//! | [`error`] | what can go wrong |
//!
//! A node is not trusted: a receipt counts when [`check::receipt`] has recovered the sequencer's address
//! from it, a balance when [`check::account`] has found its leaf under the root.
#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

pub mod blind;
pub mod check;
pub mod error;
#[cfg(feature = "http")]
pub mod http;
#[cfg(feature = "keys")]
pub mod keys;
pub mod receipt;
pub mod types;

pub use blind::{SignedBlind, SignedClosing};
pub use error::ClientError;
#[cfg(feature = "http")]
pub use http::{Admin, Client};
pub use receipt::SignedReceipt;
