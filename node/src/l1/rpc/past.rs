//! A node's past: all that is read belongs to one block of one chain.

use alloy_primitives::{Address, Bytes, B256};
use serde::de::DeserializeOwned;
use serde_json::{json, Value};

use super::answer::{Header, Trace, Transaction};
use super::{block, logs, pruned, RpcL1};
use crate::error::NodeError;
use crate::l1::{Called, Event, Past, Pin, DEV_CHAIN_IDS};

/// The block as of which history is read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum At {
    /// The last finalized block, on development chains the latest.
    #[default]
    Settled,
    /// The latest block: what it holds may still change.
    Latest,
    /// The last block that the node calls safe.
    Safe,
    /// The last block that the node calls finalized.
    Finalized,
    /// A block by its number.
    Number(u64),
}

impl std::str::FromStr for At {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "latest" => Ok(Self::Latest),
            "safe" => Ok(Self::Safe),
            "finalized" => Ok(Self::Finalized),
            number => {
                let hex = number.strip_prefix("0x").map(|d| u64::from_str_radix(d, 16));
                let number = hex.unwrap_or_else(|| number.parse());
                let number = number.map_err(|_| "give latest, safe, finalized or a block's number");
                Ok(Self::Number(number?))
            }
        }
    }
}

/// How state is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum StateBy {
    /// Not known yet.
    Unknown,
    /// By the block's hash (EIP-1898).
    Hash,
    /// By its number: the node knows no other way.
    Number,
}

impl RpcL1 {
    /// What state was at the pinned block.
    fn state<T: DeserializeOwned>(
        &mut self,
        pin: &Pin,
        method: &'static str,
        what: &Value,
    ) -> Result<T, NodeError> {
        let gone = || pruned(&self.client, &format!("state of block {}", pin.number));
        if self.state_by != StateBy::Number {
            let hash = json!([what, { "blockHash": pin.hash }]);
            match self.client.read(method, hash) {
                Ok(answer) => {
                    self.state_by = StateBy::Hash;
                    return Ok(answer);
                }
                Err(e) if e.failure.is_refusal() && self.state_by == StateBy::Unknown => {}
                Err(e) if e.failure.is_pruned() => return Err(gone()),
                Err(e) => return Err(e.into()),
            }
        }
        let number = json!([what, format!("{:#x}", pin.number)]);
        match self.client.read(method, number) {
            Ok(answer) => {
                self.state_by = StateBy::Number;
                Ok(answer)
            }
            Err(e) if e.failure.is_pruned() => Err(gone()),
            Err(e) => Err(e.into()),
        }
    }

    fn traces(&self, transaction: B256) -> Result<Vec<Trace>, NodeError> {
        let flat = json!([transaction, { "tracer": "flatCallTracer" }]);
        let first = self.client.read("trace_transaction", json!([transaction]));
        // The first of the two is what most nodes have; geth has the second.
        first.or_else(|first| {
            self.client.read("debug_traceTransaction", flat).map_err(|second| {
                NodeError::L1(format!("the node gives no traces: {first}; {second}"))
            })
        })
    }
}

impl Past for RpcL1 {
    fn pin(&mut self) -> Result<Pin, NodeError> {
        let at = match self.at {
            At::Settled if DEV_CHAIN_IDS.contains(&self.chain_id) => At::Latest,
            At::Settled => At::Finalized,
            at => at,
        };
        let name = match at {
            At::Latest => "latest".to_string(),
            At::Safe => "safe".to_string(),
            At::Settled | At::Finalized => "finalized".to_string(),
            At::Number(number) => format!("{number:#x}"),
        };
        let asked = json!([name, false]);
        let found: Result<Option<Header>, _> = self.client.read("eth_getBlockByNumber", asked);
        let header = match found {
            Ok(Some(header)) => header,
            Err(e) if !e.failure.is_refusal() => return Err(e.into()),
            Ok(None) | Err(_) => {
                return Err(NodeError::L1(format!(
                    "{} has no block `{name}`: choose another as of which to read (--at)",
                    self.client.host()
                )))
            }
        };
        Ok(Pin { number: header.number.0, hash: header.hash, time: header.timestamp.0 })
    }

    fn hold(&mut self, pin: &Pin) -> Result<(), NodeError> {
        if block(&self.client, pin.number)?.hash != pin.hash {
            return Err(NodeError::ChainChanged { block: pin.number });
        }
        Ok(())
    }

    fn view_at(&mut self, pin: &Pin, to: Address, data: Bytes) -> Result<Bytes, NodeError> {
        self.state(pin, "eth_call", &json!({ "to": to, "data": data }))
    }

    fn code_at(&mut self, pin: &Pin, account: Address) -> Result<Bytes, NodeError> {
        self.state(pin, "eth_getCode", &json!(account))
    }

    fn events(&mut self, pin: &Pin, of: &[Address]) -> Result<Vec<Event>, NodeError> {
        logs::events(&self.client, self.since, pin, of)
    }

    fn called(&mut self, transaction: B256) -> Result<Called, NodeError> {
        let found: Option<Transaction> =
            self.client.read("eth_getTransactionByHash", json!([transaction]))?;
        let found = found
            .filter(|found| found.hash == transaction)
            .ok_or_else(|| pruned(&self.client, &format!("transaction {transaction}")))?;
        Ok(Called { to: found.to, input: found.input })
    }

    fn inner_calls(&mut self, transaction: B256, to: Address) -> Result<Vec<Bytes>, NodeError> {
        let traces = self.traces(transaction)?;
        let failed: Vec<Vec<usize>> =
            traces.iter().filter(|t| t.error.is_some()).map(|t| t.trace_address.clone()).collect();
        // What a failed call did was undone, whatever became of the calls inside it.
        let lasting = |t: &Trace| !failed.iter().any(|at| t.trace_address.starts_with(at));
        Ok(traces
            .into_iter()
            .filter(|t| {
                t.action.call_type.as_deref() == Some("call")
                    && t.action.to == Some(to)
                    && lasting(t)
            })
            .map(|t| t.action.input)
            .collect())
    }
}
