//! A node's present and its past: all that is read of the past belongs to one block of one chain.

use alloy::eips::{BlockId, RpcBlockHash};
use alloy::primitives::{Address, Bytes, B256, U256};
use alloy::providers::Provider;
use alloy::rpc::types::TransactionRequest;
use alloy::transports::TransportError;
use serde_json::json;

use super::client::Node;
use super::forms::{Step, Time, Trace, Transaction};
use super::{block, find, logs, missing, RpcL1};
use crate::chain::{ReadL1, ReadLogs};
use crate::error::L1Error;
use crate::span::Span;
use crate::types::{At, Called, Event, Pin};

/// Blocks of history at most: more than any chain has, and few enough to be asked for.
const LONGEST_HISTORY: u64 = 1 << 32;

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

async fn call(
    node: &Node,
    to: Address,
    data: Bytes,
    block: BlockId,
) -> Result<Bytes, TransportError> {
    let mut call = TransactionRequest::default().to(to).input(data.into());
    call.normalize_data();
    node.call(call.into()).block(block).await
}

impl RpcL1 {
    /// What state was at the pinned block.
    fn state(
        &mut self,
        pin: &Pin,
        read: impl Fn(&RpcL1, BlockId) -> Result<Bytes, L1Error>,
    ) -> Result<Bytes, L1Error> {
        let gone = |host: &str| L1Error::MissingHistory {
            host: host.into(),
            what: format!("state of block {}", pin.number),
        };
        if self.state_by != StateBy::Number {
            // Without the second part alloy would not write the object of EIP-1898.
            let by_hash = RpcBlockHash::from_hash(pin.hash, Some(false));
            match read(self, BlockId::Hash(by_hash)) {
                Ok(answer) => {
                    self.state_by = StateBy::Hash;
                    return Ok(answer);
                }
                Err(e)
                    if self.state_by == StateBy::Unknown && e.is_refusal() && !e.is_passing() => {}
                Err(e) if e.is_pruned() => return Err(gone(self.client.host())),
                Err(e) => return Err(e),
            }
        }
        match read(self, BlockId::number(pin.number)) {
            Ok(answer) => {
                self.state_by = StateBy::Number;
                Ok(answer)
            }
            Err(e) if e.is_pruned() => Err(gone(self.client.host())),
            Err(e) => Err(e),
        }
    }

    fn call(&self, to: Address, data: Bytes, block: BlockId) -> Result<Bytes, L1Error> {
        self.client.wait("eth_call", call(self.client.node(), to, data, block))
    }

    fn code_of(&self, account: Address, block: BlockId) -> Result<Bytes, L1Error> {
        let code = self.client.node().get_code_at(account).block_id(block);
        self.client.wait("eth_getCode", code)
    }

    fn traces(&self, transaction: B256) -> Result<Vec<Trace>, L1Error> {
        let first = self.client.ask("trace_transaction", (transaction,));
        // The first of the two is what most nodes have; geth has the second, in the same form.
        first.or_else(|first| {
            let tracer = (transaction, json!({ "tracer": "flatCallTracer" }));
            self.client.ask("debug_traceTransaction", tracer).map_err(|second| L1Error::NoTraces {
                first: Box::new(first),
                second: Box::new(second),
            })
        })
    }
}

impl ReadLogs for RpcL1 {
    fn block(&mut self, at: At) -> Result<Option<Pin>, L1Error> {
        let name = self.name(at);
        match (at, find(&self.client, name)) {
            // A node that is behind has no finalized block either, and says it in other words.
            (At::Finalized | At::Safe, Err(error)) if error.is_unknown_tag() => Ok(None),
            (At::Number(_), Ok(None)) => Ok(None),
            (_, Ok(None)) => Err(missing(&self.client, &format!("a block `{name}`"))),
            (_, found) => found,
        }
    }

    fn logs(&mut self, from: u64, to: u64, of: &[Address]) -> Result<Vec<Event>, L1Error> {
        logs::events(&self.client, from, to, of)
    }
}

impl ReadL1 for RpcL1 {
    fn chain_id(&self) -> u64 {
        self.chain_id
    }

    fn now(&mut self) -> Result<u64, L1Error> {
        // The latest block may be old where blocks are made on demand; not all nodes tell of the
        // next one.
        for name in ["pending", "latest"] {
            let found: Option<Time> = self.client.ask("eth_getBlockByNumber", (name, false))?;
            if let Some(block) = found {
                return Ok(block.timestamp.0);
            }
        }
        Err(missing(&self.client, "a latest block"))
    }

    fn code(&mut self, account: Address) -> Result<Bytes, L1Error> {
        self.code_of(account, BlockId::latest())
    }

    fn nonce(&mut self, account: Address) -> Result<u64, L1Error> {
        self.client.small("eth_getTransactionCount", (account, "latest"))
    }

    fn balance(&mut self, account: Address) -> Result<U256, L1Error> {
        Ok(self.client.quantity("eth_getBalance", (account, "latest"))?.0)
    }

    fn view(&mut self, to: Address, data: Bytes) -> Result<Bytes, L1Error> {
        self.call(to, data, BlockId::latest())
    }

    fn pin(&mut self) -> Result<Pin, L1Error> {
        let name = self.name(self.at);
        match find(&self.client, name) {
            Ok(Some(pin)) => Ok(pin),
            Err(error) if !error.is_unknown_block() => Err(error),
            Ok(None) | Err(_) => {
                Err(L1Error::NoBlock { host: self.client.host().into(), name: name.to_string() })
            }
        }
    }

    fn hold(&mut self, pin: &Pin) -> Result<(), L1Error> {
        if block(&self.client, pin.number)?.hash != pin.hash {
            return Err(L1Error::Reorg { block: pin.number, common: None });
        }
        Ok(())
    }

    fn view_at(&mut self, pin: &Pin, to: Address, data: Bytes) -> Result<Bytes, L1Error> {
        self.state(pin, |l1, block| l1.call(to, data.clone(), block))
    }

    fn code_at(&mut self, pin: &Pin, account: Address) -> Result<Bytes, L1Error> {
        self.state(pin, |l1, block| l1.code_of(account, block))
    }

    fn events(&mut self, pin: &Pin, of: &[Address]) -> Result<Vec<Event>, L1Error> {
        if self.since > pin.number {
            return Err(L1Error::NothingToRead { first: self.since, last: pin.number });
        }
        if pin.number - self.since >= LONGEST_HISTORY {
            let most = LONGEST_HISTORY;
            return Err(L1Error::TooMuchToRead { first: self.since, last: pin.number, most });
        }
        let mut events = Vec::new();
        let mut from = self.since;
        let mut span = Span::default();
        loop {
            let to = span.end(from, pin.number);
            match self.logs(from, to, of) {
                Ok(found) => {
                    events.extend(found);
                    if to == pin.number {
                        return Ok(events);
                    }
                    from = to + 1;
                    span.good();
                }
                Err(e) if e.is_too_much() && to > from => span.refused(to - from + 1),
                Err(e) => return Err(e),
            }
        }
    }

    fn called(&mut self, transaction: B256) -> Result<Called, L1Error> {
        let found: Option<Transaction> =
            self.client.ask("eth_getTransactionByHash", (transaction,))?;
        let found = found
            .filter(|found| found.hash == transaction)
            .ok_or_else(|| missing(&self.client, &format!("transaction {transaction}")))?;
        Ok(Called { to: found.to, input: found.input })
    }

    fn inner_calls(&mut self, transaction: B256, to: Address) -> Result<Vec<Bytes>, L1Error> {
        let traces = self.traces(transaction)?;
        let failed: Vec<&[u32]> =
            traces.iter().filter(|t| t.error.is_some()).map(|t| &t.trace_address[..]).collect();
        // What a failed call did was undone, whatever became of the calls inside it.
        let lasting = |at: &[u32]| !failed.iter().any(|failed| at.starts_with(failed));
        let mut calls = Vec::new();
        for trace in &traces {
            match trace.kind {
                Step::Call => {}
                Step::Create | Step::Suicide | Step::Reward => continue,
            }
            let action = &trace.action;
            let whole = action.call_type.as_ref().zip(action.to).zip(action.input.as_ref());
            let Some(((call_type, called), input)) = whole else {
                let why = "a call without its kind, contract or calldata".into();
                return Err(self.client.malformed(
                    "trace_transaction",
                    why,
                    &format!("{action:?}"),
                ));
            };
            if call_type == "call" && called == to && lasting(&trace.trace_address) {
                calls.push(input.clone());
            }
        }
        Ok(calls)
    }
}
