//! A data folder made of L1 data alone, from which a node goes on when its own is lost.
//!
//! What was accepted and never committed is not on L1: its receipts are broken, and whoever has the
//! operations may send them again ([`later_operations`]).

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bastion_audit::chain::Block;
use bastion_audit::{History, Replay};
use bastion_protocol::data::BatchData;
use bastion_protocol::ops::{Op, SignedOp};
use bastion_protocol::records::{L2Posted, RecordError, Section};
use bastion_prover::artifact::Digest;
use bastion_state::state::State;
use bastion_state::store::Store;
use serde::Serialize;

use super::manifest::Rollup;
use crate::coordinator::blocks::BlockInfo;
use crate::coordinator::verifiers::Verifiers;
use crate::coordinator::{Clock, Coordinator};
use crate::error::NodeError;
use crate::sequencer::{Base, Log, LogReader};
use crate::settle::block_hash;

/// What a data folder was made of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Rebuilt {
    /// The folder.
    pub folder: String,
    /// Its last block.
    pub block: u64,
    /// Batches since genesis.
    pub batches: u64,
    /// Entries of the L1 queue that are processed.
    pub queue: u64,
    /// Accounts.
    pub accounts: usize,
}

/// Makes the data folder `data` of a history that was audited and found clean, and of the state that the
/// audit rebuilt.
///
/// # Errors
/// [`NodeError::InTheWay`] if there is a data folder, [`NodeError::CannotGoOn`] if blocks are on their way
/// or the rollup has ended, [`NodeError::Mismatch`] if the history is another rollup's.
pub fn rebuild(
    data: &Path,
    rollup: &Rollup,
    verifiers: Verifiers,
    history: &History,
    replay: &Replay,
) -> Result<Rebuilt, NodeError> {
    can_go_on(data, rollup, history)?;
    // Into a folder beside it first: half a data folder would be taken for a whole one.
    let mut half = data.as_os_str().to_owned();
    half.push(".rebuilding");
    let half = PathBuf::from(half);
    let io = |path: &Path, source| NodeError::Io { path: path.display().to_string(), source };
    match fs::remove_dir_all(&half) {
        Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
            return Err(io(&half, source));
        }
        _ => {}
    }
    let sequencer = half.join("sequencer");
    fs::create_dir_all(&sequencer).map_err(|source| io(&sequencer, source))?;

    let accounts = replay.accounts().map(|(index, account)| (index, *account));
    let state = State::with_accounts(accounts, replay.openings().copied())?;
    let clock: Clock = Arc::new(super::run::wall_clock);
    let epoch = history.reverts;
    let made = super::run::wall_clock();
    let mut base = Base { time: history.genesis_time, epoch, made, ..Base::default() };
    let mut queue = 0;
    let infos = history.blocks.iter().map(|block| {
        let info = info(block, base.block + 1, base.batches, &verifiers)?;
        base.block += 1;
        base.batches += u64::from(block.header.batches);
        (base.time, queue) = (block.header.time, block.processed);
        Ok((base.block, info))
    });
    let infos = infos.collect::<Result<Vec<_>, NodeError>>()?;
    let coordinator = Coordinator::open(&half, verifiers, clock)?;
    for (number, info) in &infos {
        coordinator.adopt(*number, info)?;
    }
    // L1 drops them: the node goes on keeping them.
    for blob in history.blocks.iter().flat_map(|block| &block.blobs) {
        if let Some(bytes) = &blob.bytes {
            coordinator.blobs().put(&blob.versioned_hash, bytes)?;
        }
    }
    drop(coordinator);
    drop(Store::restore(&sequencer.join("state"), &state, base.batches)?);
    let (chain_id, contract) = (rollup.chain_id, rollup.contract);
    drop(Log::begin_at(&sequencer.join("log"), chain_id, contract, base, queue)?);
    // The lost node may have promised places of the blocks to come.
    Log::mark_restored(&sequencer.join("log"))?;
    fs::rename(&half, data).map_err(|source| io(data, source))?;
    Ok(Rebuilt {
        folder: data.display().to_string(),
        block: base.block,
        batches: base.batches,
        queue,
        accounts: replay.accounts().count(),
    })
}

fn can_go_on(data: &Path, rollup: &Rollup, history: &History) -> Result<(), NodeError> {
    if data.exists() {
        return Err(NodeError::InTheWay { path: data.display().to_string() });
    }
    let own = (rollup.chain_id, rollup.contract);
    if own != (history.chain_id, history.contract) {
        let shown = |(chain, contract): (u64, bastion_protocol::Address)| {
            format!("{contract} on chain {chain}")
        };
        return Err(NodeError::Mismatch {
            what: "rollup of the manifest",
            found: shown(own),
            expected: shown((history.chain_id, history.contract)),
        });
    }
    if history.exodus.is_some() {
        let why = "exodus has begun, in which everybody leaves by `bastion exodus`".into();
        return Err(NodeError::CannotGoOn { why });
    }
    let (committed, finals) = (history.counters.committed, history.counters.finalized);
    match committed == finals {
        true => Ok(()),
        false => Err(NodeError::CannotGoOn {
            why: format!(
                "blocks {} to {committed} are committed and not final. What is proven is finalized by \
                 anybody. What is not can be proven only from the lost data folder: a day after its commit \
                 anybody takes it back (`revertCommits`). Then run this again",
                finals + 1
            ),
        }),
    }
}

/// How many operations a batch has: an L1 operation has one record, some L2 operations have two.
fn operations(batch: &BatchData) -> Result<u32, RecordError> {
    let mut count = batch.section(Section::L1).len();
    let mut records = batch.section(Section::L2);
    while L2Posted::take(&mut records)?.is_some() {
        count += 1;
    }
    Ok(u32::try_from(count).unwrap_or(u32::MAX))
}

/// What the coordinator keeps of a final block.
fn info(
    block: &Block,
    number: u64,
    first_batch: u64,
    verifiers: &Verifiers,
) -> Result<BlockInfo, NodeError> {
    let header = block.header;
    let (batch_circuit, block_circuit) = verifiers.circuits(header.batches)?;
    let data = block
        .read(header.domain)
        .map_err(|fault| NodeError::Data { block: number, fault: Box::new(fault) })?;
    let operations = data.batches.iter().map(operations).sum::<Result<u32, _>>();
    let operations = operations.map_err(|why| NodeError::Records { block: number, why })?;
    let at = block.finalized_at.unwrap_or(block.committed_at);
    Ok(BlockInfo {
        header,
        first_batch,
        operations,
        data: Digest::of(&block.data),
        data_bytes: block.data.len() as u64,
        blobs: block.versioned_hashes(),
        hash: block_hash(&data.inputs).0,
        statements: Vec::new(),
        inputs: Vec::new(),
        batch_circuit,
        block_circuit,
        sealed_at: header.time,
        proven_at: Some(block.proving.as_ref().map_or(at, |proving| proving.time)),
        final_at: Some(at),
    })
}

/// The signed operations that an old data folder has in blocks after `block`, in order.
///
/// # Errors
/// [`NodeError::NoData`] if it is none, [`NodeError::Log`] if it cannot be read.
pub fn later_operations(data: &Path, block: u64) -> Result<Vec<SignedOp>, NodeError> {
    let path = data.join("sequencer/log");
    if !path.is_dir() {
        return Err(NodeError::NoData { path: data.display().to_string() });
    }
    let log = LogReader::open_read_only(&path)?;
    let rows = log.batches(0)?;
    let Some((_, row)) = rows.iter().find(|(_, row)| row.block > block) else {
        return Ok(Vec::new());
    };
    let signed = |op: Op| match op {
        Op::Signed(op) => Some(Ok(op)),
        // The queue on L1 has them, and quotes are the operator's.
        Op::Deposit(_) | Op::ForcedExit(_) | Op::Quote(_) | Op::Noop => None,
    };
    let entries = log.entries(row.first)?;
    let found = entries.filter_map(|entry| match entry {
        Ok(entry) => signed(entry.op),
        Err(error) => Some(Err(error)),
    });
    found.collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use bastion_protocol::records::value_record;
    use bastion_protocol::Quote;

    use super::*;

    /// A quote has two L2 records and is one operation.
    #[test]
    fn operations_are_counted_and_not_records() {
        let mut batch = BatchData::default();
        for token in 0..3 {
            let quote = Quote::price(token, 0, 5).unwrap();
            let records = [quote.record().to_bytes(), value_record(quote.value)];
            batch.records[Section::L2 as usize].extend(records);
        }
        assert_eq!(operations(&batch), Ok(3));
        batch.records[Section::L1 as usize].push(vec![0]);
        assert_eq!(operations(&batch), Ok(4));
        batch.records[Section::L2 as usize].pop();
        assert_eq!(operations(&batch), Err(RecordError::NoValue));
    }
}
