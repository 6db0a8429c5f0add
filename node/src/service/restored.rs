//! A data folder that may be older than what was promised goes on when the contract has taken the promised blocks
//! back ([`Log::mark_restored`]).

use std::path::Path;

use alloy_primitives::{Address, Bytes, U256};
use alloy_sol_types::SolCall;
use bastion_contract::governance::IGovernance;
use bastion_contract::rollup::IRollup;
use bastion_l1::{At, Finality, Indexer, L1Error, ReadL1};
use bastion_protocol::ops::Op;
use bastion_protocol::records::L1Record;
use bastion_protocol::times::OPERATOR_DEADLINE;
use serde::Serialize;
use tracing::info;

use super::intake::{self, Taken};
use super::manifest::Rollup;
use crate::error::NodeError;
use crate::exodus::view;
use crate::sequencer::{Log, LogReader};

/// Lets the sequencer of a data folder sign again if its log was restored and a new epoch has begun in final blocks
/// of L1. Does nothing for any other log.
///
/// # Errors
/// [`NodeError::Restored`] if no epoch has begun; [`NodeError::Log`]; those of L1.
pub fn go_on(
    data: &Path,
    rollup: &Rollup,
    l1: &mut impl ReadL1,
    finality: Finality,
) -> Result<(), NodeError> {
    let path = data.join("sequencer/log");
    if !path.is_dir() {
        return Ok(());
    }
    let mut log = Log::open(&path, rollup.chain_id, rollup.contract)?;
    if log.restored()?.is_none() {
        return Ok(());
    }
    let reverts = follow(l1, rollup, finality)?.reverts;
    let count = u32::try_from(reverts.len()).unwrap_or(u32::MAX);
    let Some(mark) = log.looked_at(count)? else {
        return Ok(());
    };
    let Some(epoch) = mark.new_epoch(&reverts) else {
        return Err(NodeError::Restored { from: mark.from });
    };
    log.begin_epoch(epoch)?;
    info!(epoch, "what was promised after the restored copy is void; the sequencer goes on");
    Ok(())
}

/// What the contract's events say in final blocks.
struct Followed {
    /// The last block that stayed, for each revert.
    reverts: Vec<u64>,
    /// Entries of the queue.
    queue: Vec<Op>,
}

fn follow(
    l1: &mut impl ReadL1,
    rollup: &Rollup,
    finality: Finality,
) -> Result<Followed, NodeError> {
    let contract = Address::from(rollup.contract.0);
    let mut indexer = Indexer::from_block(rollup.first_block, vec![contract], finality);
    let (mut taken, mut reverts, mut queue) = (Taken::default(), Vec::new(), Vec::new());
    while let Some(chunk) = indexer.next(l1)? {
        let (now, ops) = intake::read(contract, taken, &chunk)?;
        taken = now;
        reverts.extend(intake::reverts(contract, &chunk)?);
        queue.extend(ops);
    }
    Ok(Followed { reverts, queue })
}

/// What begins a new epoch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NewEpoch {
    /// The contract.
    pub contract: String,
    /// The last block that stays.
    pub to: u64,
    /// The calls, in order, which an operator sends.
    pub calls: Vec<Bytes>,
}

/// The calls by which the contract takes back every block that is not proven. If none is committed, a block is
/// committed first that nobody will prove.
///
/// # Errors
/// [`NodeError::CannotGoOn`] if the marked log in `data` needs blocks taken back that are proven; those of L1.
pub fn new_epoch(
    data: &Path,
    rollup: &Rollup,
    l1: &mut impl ReadL1,
    finality: Finality,
) -> Result<NewEpoch, NodeError> {
    let contract = Address::from(rollup.contract.0);
    let committed = view(l1, contract, &IRollup::committedCall {})?;
    let proven = view(l1, contract, &IRollup::provenCall {})?;
    let path = data.join("sequencer/log");
    if path.is_dir() {
        let mark = LogReader::open_read_only(&path)?.restored()?;
        if let Some(mark) = mark.filter(|mark| mark.from <= proven) {
            let why = format!(
                "the contract has proven block {proven}, and the data folder ends before block {}: make one from \
                 L1 (`bastion audit --node-data DIR`; docs/operate.md, section 9.3)",
                mark.from
            );
            return Err(NodeError::CannotGoOn { why });
        }
    }
    let mut calls = Vec::new();
    if committed == proven {
        calls.push(block_of_nothing(rollup, l1, finality, committed)?);
    }
    calls.push(IRollup::revertCommitsCall {}.abi_encode().into());
    Ok(NewEpoch { contract: contract.to_string(), to: proven, calls })
}

/// A block that changes nothing and that nobody proves. It holds an entry of the queue if the contract asks for one.
fn block_of_nothing(
    rollup: &Rollup,
    l1: &mut impl ReadL1,
    finality: Finality,
    last: u64,
) -> Result<Bytes, NodeError> {
    let contract = Address::from(rollup.contract.0);
    let latest = l1.block(At::Latest)?.ok_or(L1Error::NoNamed { name: "latest" })?;
    let root = view(l1, contract, &IRollup::committedRootCall {})?;
    let last = view(l1, contract, &IRollup::blocksCall { number: U256::from(last) })?;
    let governance = Address::from(rollup.governance.0);
    let policy = view(l1, governance, &IGovernance::policyRootCall {})?;
    let mut counts = [0_u8; 8];
    let mut record = Vec::new();
    let queued: U256 = view(l1, contract, &IRollup::queueLengthCall {})?;
    if U256::from(last.processed) < queued {
        let next = last.processed + 1;
        let entry = view(l1, contract, &IRollup::entriesCall(U256::from(next)))?;
        // A little early: the call is sent later.
        if latest.time.saturating_sub(entry.queuedAt) > OPERATOR_DEADLINE / 2 {
            let queue = follow(l1, rollup, finality)?.queue;
            let op = usize::try_from(last.processed).ok().and_then(|place| queue.get(place));
            let found =
                op.and_then(|op| L1Record::of(op, 0)).ok_or_else(|| NodeError::CannotGoOn {
                    why: format!(
                        "entry {next} of the queue waits, and final blocks of L1 do not show it"
                    ),
                })?;
            (counts[1], record) = (1, found.to_bytes());
        }
    }
    let header = IRollup::Header {
        oldRoot: root,
        newRoot: root,
        policyRoot: policy,
        time: latest.time,
        cOut: U256::ZERO,
        batches: 1,
    };
    let data = [&counts[..], &record].concat().into();
    Ok(IRollup::commitCall { header, data }.abi_encode().into())
}
