//! A node over JSON-RPC, with accounts that the node holds (anvil, hardhat).
//!
//! | module | content |
//! |---|---|
//! | `endpoint` | the URL, and what of it may be shown |
//! | `transport` | requests, retries, checks of an answer |
//! | `failure` | why a request failed, and what follows |
//! | `answer` | the types of answers |
//! | `logs` | events in requests as large as the node allows |
//! | `past` | history as of one block |
//! | `send` | transactions |

mod answer;
mod endpoint;
mod failure;
mod logs;
mod past;
mod send;
mod transport;

pub use failure::{Failure, RpcError};
pub use past::At;
pub use transport::Options;

use alloy_primitives::{Address, Bytes, U256};
use serde_json::{json, Value};

use crate::error::NodeError;
use crate::l1::{Past, L1};
use answer::{Header, Quantity, Time};
use past::StateBy;
use transport::Client;

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
    pub fn connect(url: &str) -> Result<Self, NodeError> {
        Self::with(url, Options::default())
    }

    /// Connects to a node that is asked in a given way.
    ///
    /// # Errors
    /// As [`Self::connect`].
    pub fn with(url: &str, options: Options) -> Result<Self, NodeError> {
        let client = Client::new(url, options)?;
        let chain_id: Quantity = client.read("eth_chainId", json!([]))?;
        Ok(Self {
            client,
            chain_id: chain_id.0,
            since: 0,
            at: At::default(),
            state_by: StateBy::Unknown,
        })
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
}

/// The block of a number in the chain as it is now.
fn block(client: &Client, number: u64) -> Result<Header, NodeError> {
    let asked = json!([format!("{number:#x}"), false]);
    let found: Option<Header> = client.read("eth_getBlockByNumber", asked)?;
    let found = found.ok_or_else(|| pruned(client, &format!("block {number}")))?;
    if found.number.0 != number {
        return Err(NodeError::L1(format!(
            "{} gives block {} for block {number}",
            client.host(),
            found.number.0
        )));
    }
    Ok(found)
}

fn pruned(client: &Client, what: &str) -> NodeError {
    NodeError::Pruned { host: client.host().into(), what: what.into() }
}

impl L1 for RpcL1 {
    fn chain_id(&self) -> u64 {
        self.chain_id
    }

    fn now(&mut self) -> Result<u64, NodeError> {
        // The latest block may be old where blocks are made on demand; not all nodes tell of the
        // next one.
        for name in ["pending", "latest"] {
            let asked = json!([name, false]);
            let found: Option<Time> = self.client.read("eth_getBlockByNumber", asked)?;
            if let Some(block) = found {
                return Ok(block.timestamp.0);
            }
        }
        Err(pruned(&self.client, "a latest block"))
    }

    fn code(&mut self, account: Address) -> Result<Bytes, NodeError> {
        Ok(self.client.read("eth_getCode", json!([account, "latest"]))?)
    }

    fn nonce(&mut self, account: Address) -> Result<u64, NodeError> {
        let asked = json!([account, "latest"]);
        let count: Quantity = self.client.read("eth_getTransactionCount", asked)?;
        Ok(count.0)
    }

    fn deploy(&mut self, from: Address, code: Bytes) -> Result<(Address, u64), NodeError> {
        let receipt = send::transact(&self.client, from, json!({ "data": code }))?;
        let address = receipt
            .contract_address
            .ok_or_else(|| NodeError::L1("the receipt names no contract".into()))?;
        Ok((address, receipt.gas_used.0))
    }

    fn send(
        &mut self,
        from: Address,
        to: Address,
        wei: U256,
        data: Bytes,
    ) -> Result<u64, NodeError> {
        send::impersonate(&self.client, from);
        let value = format!("{wei:#x}");
        let tx = json!({ "to": to, "value": value, "data": data });
        Ok(send::transact(&self.client, from, tx)?.gas_used.0)
    }

    fn view(&mut self, to: Address, data: Bytes) -> Result<Bytes, NodeError> {
        send::view(&self.client, to, &data)
    }

    fn fund(&mut self, account: Address, wei: U256) -> Result<(), NodeError> {
        // Room for gas.
        let needed = wei.saturating_add(U256::from(10).pow(U256::from(18)));
        if send::balance(&self.client, account)?.0 < needed {
            let params = json!([account, format!("{needed:#x}")]);
            let _: Value = self.client.read("anvil_setBalance", params)?;
        }
        Ok(())
    }

    fn balance(&mut self, account: Address) -> Result<U256, NodeError> {
        Ok(send::balance(&self.client, account)?.0)
    }

    fn advance(&mut self, seconds: u64) -> Result<(), NodeError> {
        let _: Value = self.client.once("evm_increaseTime", json!([format!("{seconds:#x}")]))?;
        let _: Value = self.client.once("evm_mine", json!([]))?;
        Ok(())
    }

    fn past(&mut self) -> &mut dyn Past {
        self
    }
}
