//! L1: reading it, sending to it, following its logs.
//!
//! | module | content |
//! |---|---|
//! | [`chain`] | the traits: [`ReadLogs`], [`ReadL1`], [`SendL1`], [`DevChain`] |
//! | [`types`] | blocks, events, calls |
//! | [`rpc`] | a node over HTTP, by alloy |
//! | [`embedded`] | a chain in memory |
//! | [`indexer`] | follows the logs of contracts over final blocks |
//! | [`error`], [`revert`], [`nonce`], [`asked`] | what went wrong, with values |
//! | [`fault`] | why a node refuses a signed transaction |
//! | [`blob`] | a blob's commitment and proofs, and the transaction that carries it |
//! | [`txmgr`] | an account's transactions, brought to the end whatever happens |
//! | `classify` | what follows from an error |
//! | `foreign` | words of somebody else, fit to be shown |
//! | `span` | how many blocks a request for logs covers |
#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

pub mod asked;
pub mod blob;
pub mod chain;
mod classify;
#[cfg(feature = "devchain")]
pub mod embedded;
pub mod error;
pub mod fault;
mod foreign;
pub mod indexer;
pub mod nonce;
pub mod revert;
pub mod rpc;
mod span;
pub mod txmgr;
pub mod types;

pub use asked::Asked;
pub use chain::{DevChain, ReadL1, ReadLogs, SendL1};
#[cfg(feature = "devchain")]
pub use embedded::EmbeddedL1;
pub use error::L1Error;
pub use fault::SendFault;
pub use indexer::{Chunk, Cursor, Finality, Indexer};
pub use nonce::NonceFault;
pub use revert::Revert;
pub use rpc::{Failover, FailoverOptions, Options, RpcL1, Web};
pub use txmgr::TxManager;
pub use types::{
    At, Call, Called, Event, Market, Pin, Receipt, DEV_CHAIN_ID, DEV_CHAIN_IDS, DEV_OPERATOR,
};
