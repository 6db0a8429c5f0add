//! The logs of contracts, each with its block in the chain as it is now.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use alloy::eips::BlockNumberOrTag;
use alloy::primitives::{Address, LogData, B256};
use alloy::rpc::types::Filter;

use super::client::Client;
use super::forms::{Log, Logged, Small};
use crate::error::L1Error;
use crate::types::{Event, Pin};

const LOGS: &str = "eth_getLogs";
const RECEIPTS: &str = "eth_getBlockReceipts";

/// The events of contracts in the blocks `from` to `to`, in order.
pub(super) fn events(
    client: &Client,
    from: u64,
    to: u64,
    of: &[Address],
) -> Result<Vec<Event>, L1Error> {
    if of.is_empty() {
        return Err(L1Error::NoContracts);
    }
    match range(client, from, to, of) {
        // A single block can hold more than a node gives at once, but not its receipts.
        Err(error) if error.is_too_much() && from == to => match receipts(client, from, of) {
            Ok(logs) => ordered(client, RECEIPTS, logs),
            // What was wrong first says more than that there are no receipts either.
            Err(second) if second.is_refusal() => Err(error),
            Err(second) => Err(second),
        },
        logs => ordered(client, LOGS, logs?),
    }
}

/// A log of a block.
struct Found {
    number: u64,
    index: u64,
    block: B256,
    removed: bool,
    transaction: B256,
    address: Address,
    data: LogData,
}

/// The log, if it is one that was asked for: of one of these blocks and contracts.
fn found(
    client: &Client,
    method: &str,
    log: Log,
    blocks: &RangeInclusive<u64>,
    of: &[Address],
) -> Result<Found, L1Error> {
    let whole = (log.block_number, log.log_index, log.block_hash, log.transaction_hash);
    let (Some(Small(number)), Some(Small(index)), Some(block), Some(transaction)) = whole else {
        let why = "a log without its block, transaction or place".into();
        return Err(client.malformed(method, why, &format!("{log:?}")));
    };
    if !blocks.contains(&number) || !of.contains(&log.address) || log.topics.len() > 4 {
        let why = format!("a log of block {number} that was not asked for");
        return Err(client.malformed(method, why, &format!("{log:?}")));
    }
    let Log { address, topics, data, removed, .. } = log;
    let data = LogData::new_unchecked(topics, data);
    Ok(Found { number, index, block, removed, transaction, address, data })
}

fn range(client: &Client, from: u64, to: u64, of: &[Address]) -> Result<Vec<Found>, L1Error> {
    let filter = Filter::new().address(of.to_vec()).from_block(from).to_block(to);
    let logs: Vec<Log> = client.ask(LOGS, (filter,))?;
    logs.into_iter().map(|log| found(client, LOGS, log, &(from..=to), of)).collect()
}

fn receipts(client: &Client, number: u64, of: &[Address]) -> Result<Vec<Found>, L1Error> {
    let name = BlockNumberOrTag::Number(number);
    let receipts = client
        .ask::<Option<Vec<Logged>>>(RECEIPTS, (name,))?
        .ok_or_else(|| super::missing(client, &format!("receipts of block {number}")))?;
    let mut logs = Vec::new();
    for receipt in receipts {
        if receipt.block_number.0 != number {
            let why = format!("a receipt of another block than {number}");
            return Err(client.malformed(RECEIPTS, why, &format!("{receipt:?}")));
        }
        for log in receipt.logs.into_iter().filter(|log| of.contains(&log.address)) {
            logs.push(found(client, RECEIPTS, log, &(number..=number), of)?);
        }
    }
    Ok(logs)
}

/// Events in order, with their blocks. Each block must be the one of its number in the chain as it is
/// now.
fn ordered(client: &Client, method: &str, mut logs: Vec<Found>) -> Result<Vec<Event>, L1Error> {
    logs.sort_by_key(|found| (found.number, found.index));
    let twice = |pair: &&[Found]| {
        let [a, b] = pair else { return false };
        (a.number, a.index) == (b.number, b.index)
    };
    if let Some([log, _]) = logs.windows(2).find(twice) {
        let why = format!("log {} of block {} twice", log.index, log.number);
        return Err(client.malformed(method, why, &format!("{:?}", log.data)));
    }
    let mut blocks: BTreeMap<u64, Pin> = BTreeMap::new();
    let mut events = Vec::with_capacity(logs.len());
    for found in logs {
        let block = match blocks.get(&found.number) {
            Some(block) => *block,
            None => super::block(client, found.number)?,
        };
        blocks.insert(found.number, block);
        if found.removed || found.block != block.hash {
            return Err(L1Error::Reorg { block: found.number, common: None });
        }
        events.push(Event {
            address: found.address,
            data: found.data,
            transaction: found.transaction,
            index: found.index,
            block,
        });
    }
    Ok(events)
}
