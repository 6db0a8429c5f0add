//! A node over JSON-RPC, by alloy's provider. It sends from accounts that the node holds (anvil, hardhat),
//! and what was signed elsewhere.
//!
//! | module | content |
//! |---|---|
//! | `endpoint` | the URL, and what of it may be shown |
//! | `transport` | one request over HTTP |
//! | `retry` | requests that only read, again |
//! | `answer` | what a body is |
//! | `forms` | what of an answer is read |
//! | `client` | alloy's provider, for code that waits |
//! | `logs` | events, each with its block |
//! | `past` | history as of one block |
//! | `send` | transactions from accounts of the node, and the powers of development nodes |
//! | `raw` | transactions that were signed here: what sending them takes |
//! | `web` | what others than nodes of L1 answer to GET |
//! | `failover` | several nodes of one chain as one |
//!
//! All calls wait for the node's answer, and must not be made in an asynchronous task.

mod answer;
mod client;
mod endpoint;
mod failover;
mod forms;
mod logs;
mod past;
mod raw;
mod retry;
mod send;
mod transport;
mod web;

pub use failover::{Failover, FailoverOptions};
pub use web::Web;

use std::time::Duration;

use crate::error::L1Error;
use crate::types::{At, Pin, DEV_CHAIN_IDS};
use alloy::eips::BlockNumberOrTag;
use client::Client;
use forms::Header;
use past::StateBy;

/// How a node is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// How often a request that only reads is repeated after a failure that may pass.
    pub retries: u32,
    /// Bytes of an answer at most where answers grow with what happened on the chain: logs, receipts,
    /// traces, a transaction. Other answers have at most 32 MiB. Reading one takes a few times its
    /// length in memory.
    pub max_answer: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self { retries: 5, max_answer: 1 << 30 }
    }
}

/// A node.
pub struct RpcL1 {
    client: Client,
    chain_id: u64,
    /// Block from which on history is read.
    since: u64,
    at: At,
    state_by: StateBy,
}

impl std::fmt::Debug for RpcL1 {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RpcL1")
            .field("host", &self.client.host())
            .field("chain_id", &self.chain_id)
            .field("since", &self.since)
            .field("at", &self.at)
            .finish_non_exhaustive()
    }
}

impl RpcL1 {
    /// Connects to a node.
    ///
    /// # Errors
    /// If the URL is none, or the node does not answer.
    pub fn connect(url: &str) -> Result<Self, L1Error> {
        Self::with(url, Options::default())
    }

    /// Connects to a node that is asked in a given way.
    ///
    /// # Errors
    /// As [`Self::connect`].
    pub fn with(url: &str, options: Options) -> Result<Self, L1Error> {
        Self::with_patience(url, options, transport::RESPOND)
    }

    /// Connects to a node that must begin each answer within a time.
    fn with_patience(url: &str, options: Options, respond: Duration) -> Result<Self, L1Error> {
        let client = Client::new(url, options, respond)?;
        let chain_id = client.small("eth_chainId", ())?;
        Ok(Self { client, chain_id, since: 0, at: At::default(), state_by: StateBy::Unknown })
    }

    /// Reads history from a block on, such as that of the deployment, instead of from the first.
    #[must_use]
    pub fn since(self, block: u64) -> Self {
        Self { since: block, ..self }
    }

    /// Reads history as of a block.
    #[must_use]
    pub fn at(self, at: At) -> Self {
        Self { at, ..self }
    }

    /// The name that the node knows a block by.
    fn name(&self, at: At) -> BlockNumberOrTag {
        match at {
            At::Settled if DEV_CHAIN_IDS.contains(&self.chain_id) => BlockNumberOrTag::Latest,
            At::Settled | At::Finalized => BlockNumberOrTag::Finalized,
            At::Latest => BlockNumberOrTag::Latest,
            At::Safe => BlockNumberOrTag::Safe,
            At::Number(number) => BlockNumberOrTag::Number(number),
        }
    }
}

/// A block of a name in the chain as it is now.
fn find(client: &Client, name: BlockNumberOrTag) -> Result<Option<Pin>, L1Error> {
    const METHOD: &str = "eth_getBlockByNumber";
    let Some(header) = client.ask::<Option<Header>>(METHOD, (name, false))? else {
        return Ok(None);
    };
    let pin = Pin { number: header.number.0, hash: header.hash, time: header.timestamp.0 };
    match name {
        BlockNumberOrTag::Number(number) if number != pin.number => {
            let why = format!("it gives block {} for block {number}", pin.number);
            Err(client.malformed(METHOD, why, &format!("{pin:?}")))
        }
        _ => Ok(Some(pin)),
    }
}

/// The block of a number in the chain as it is now.
fn block(client: &Client, number: u64) -> Result<Pin, L1Error> {
    let found = find(client, BlockNumberOrTag::Number(number))?;
    found.ok_or_else(|| missing(client, &format!("block {number}")))
}

fn missing(client: &Client, what: &str) -> L1Error {
    L1Error::MissingHistory { host: client.host().into(), what: what.into() }
}
