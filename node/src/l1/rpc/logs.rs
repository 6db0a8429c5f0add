//! The logs of contracts, in requests as large as the node allows.

use std::collections::BTreeMap;

use alloy_primitives::{Address, LogData};
use serde_json::json;

use super::answer::{Header, Log, Receipt};
use super::transport::Client;
use crate::error::NodeError;
use crate::l1::{Event, Pin};

/// Blocks in the first request; what public nodes commonly allow.
const FIRST_SPAN: u64 = 10_000;
/// Blocks in any request.
const MAX_SPAN: u64 = 1 << 20;
/// Requests that must succeed after a refusal before a longer one is tried.
const CALM: u32 = 8;

/// The events of contracts from block `since` to the pinned one, in order.
pub(super) fn events(
    client: &Client,
    since: u64,
    pin: &Pin,
    of: &[Address],
) -> Result<Vec<Event>, NodeError> {
    if since > pin.number {
        return Err(NodeError::L1(format!(
            "history is read up to block {}, and block {since}, from which on it is read, comes after it",
            pin.number
        )));
    }
    let mut logs = Vec::new();
    let mut from = since;
    let mut span = Span::default();
    while from <= pin.number {
        let to = from.saturating_add(span.blocks - 1).min(pin.number);
        match range(client, from, to, of) {
            Ok(found) => {
                logs.extend(found);
                from = to + 1;
                span.good();
            }
            Err(e) if e.failure.is_too_much() && to > from => span.refused(to - from + 1),
            // A single block can hold more than a node gives at once, but not its receipts.
            Err(e) if e.failure.is_too_much() => {
                let receipts = receipts(client, from, of);
                logs.extend(receipts.map_err(|_| NodeError::from(e))?);
                from += 1;
                span.good();
            }
            Err(e) => return Err(e.into()),
        }
    }
    ordered(client, logs)
}

/// How many blocks the next request covers.
struct Span {
    blocks: u64,
    /// Successes that a longer request must wait for.
    wait: u32,
}

impl Default for Span {
    fn default() -> Self {
        Self { blocks: FIRST_SPAN, wait: 0 }
    }
}

impl Span {
    fn good(&mut self) {
        if self.wait > 0 {
            self.wait -= 1;
        } else {
            self.blocks = (2 * self.blocks).min(MAX_SPAN);
        }
    }

    fn refused(&mut self, asked: u64) {
        self.blocks = (asked / 2).max(1);
        self.wait = CALM;
    }
}

fn range(client: &Client, from: u64, to: u64, of: &[Address]) -> Result<Vec<Log>, super::RpcError> {
    let filter = json!([{
        "address": of,
        "fromBlock": format!("{from:#x}"),
        "toBlock": format!("{to:#x}"),
    }]);
    let found: Vec<Log> = client.read("eth_getLogs", filter)?;
    let foreign = |log: &&Log| {
        let inside = (from..=to).contains(&log.block_number.0);
        !inside || !of.contains(&log.address) || log.topics.len() > 4
    };
    if let Some(log) = found.iter().find(foreign) {
        let failure = super::Failure::Malformed {
            why: format!("a log of block {} that was not asked for", log.block_number.0),
            body: format!("{log:?}"),
        };
        return Err(client.error("eth_getLogs", 1, failure));
    }
    Ok(found)
}

fn receipts(client: &Client, block: u64, of: &[Address]) -> Result<Vec<Log>, NodeError> {
    let number = format!("{block:#x}");
    let receipts: Option<Vec<Receipt>> = client.read("eth_getBlockReceipts", json!([number]))?;
    let receipts =
        receipts.ok_or_else(|| super::pruned(client, &format!("receipts of block {block}")))?;
    let logs = receipts.into_iter().flat_map(|r| r.logs);
    Ok(logs.filter(|log| of.contains(&log.address)).collect())
}

/// Events in order, with the times of their blocks. Each block must be the one of its number in the
/// chain as it is now.
fn ordered(client: &Client, mut logs: Vec<Log>) -> Result<Vec<Event>, NodeError> {
    logs.sort_by_key(|log| (log.block_number, log.log_index));
    let twice = |pair: &[Log]| {
        let [a, b] = pair else { return false };
        (a.block_number, a.log_index) == (b.block_number, b.log_index)
    };
    if logs.windows(2).any(twice) {
        return Err(NodeError::L1(format!("{} tells of the same log twice", client.host())));
    }
    let mut blocks: BTreeMap<u64, Header> = BTreeMap::new();
    let mut events = Vec::with_capacity(logs.len());
    for log in logs {
        let number = log.block_number.0;
        let block = match blocks.get(&number) {
            Some(block) => *block,
            None => super::block(client, number)?,
        };
        blocks.insert(number, block);
        if log.removed || log.block_hash != block.hash {
            return Err(NodeError::ChainChanged { block: number });
        }
        events.push(Event {
            address: log.address,
            data: LogData::new_unchecked(log.topics, log.data),
            transaction: log.transaction_hash,
            time: block.timestamp.0,
        });
    }
    Ok(events)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_halves_when_refused_and_grows_when_all_is_calm() {
        let mut span = Span::default();
        span.good();
        assert_eq!(span.blocks, 2 * FIRST_SPAN);
        span.refused(300);
        assert_eq!(span.blocks, 150);
        for _ in 0..CALM {
            span.good();
            assert_eq!(span.blocks, 150);
        }
        span.good();
        assert_eq!(span.blocks, 300);
        span.refused(1);
        assert_eq!(span.blocks, 1);
        span.wait = 0;
        for _ in 0..40 {
            span.good();
        }
        assert_eq!(span.blocks, MAX_SPAN);
    }
}
