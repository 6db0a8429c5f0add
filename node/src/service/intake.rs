//! Entries of the L1 queue for the sequencer: deposits and forced exits in final blocks, in order.
//!
//! The sequencer's log counts the entries that it has taken, so none is taken twice, and one that is
//! offered again is passed over. The cursor only spares reading old blocks again.

use std::path::Path;
use std::time::Duration;

use alloy_primitives::{Address, U256};
use alloy_sol_types::{SolCall, SolEventInterface};
use bastion_audit::chain::element;
use bastion_contract::rollup::IRollup::{self, IRollupEvents as Told};
use bastion_l1::{Chunk, Cursor, Failover, Finality, Indexer, ReadL1};
use bastion_protocol::ops::{Deposit, ForcedExit, Op};
use bastion_protocol::queue::roll_queue;
use bastion_protocol::Address as L2Address;
use serde::{Deserialize, Serialize};
use tracing::info;

use crate::database::{Database, Rows};
use crate::error::NodeError;
use crate::sequencer::{Refusal, Service};

const SCHEMA: u32 = 1;
const FAMILY: &str = "intake";
const CURSOR: &[u8] = b"cursor";
/// How long to wait when the sequencer has much to do.
const BUSY: Duration = Duration::from_millis(100);

/// Follows the queue of a rollup.
pub struct Intake {
    l1: Failover,
    contract: Address,
    indexer: Indexer,
    /// Entries before the cursor, and what binds them.
    taken: Taken,
    database: Database,
    service: Service,
}

/// The queue as far as it was read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Taken {
    entries: u64,
    roll: [u8; 32],
    /// How often the contract has taken commits back: the epoch of receipts.
    reverts: u32,
}

impl Intake {
    /// Follows the queue of the rollup at `contract`, deployed in the L1 block `first`, with its own
    /// database at `path`.
    ///
    /// # Errors
    /// [`NodeError::Database`] if it cannot be opened.
    pub fn open(
        path: &Path,
        l1: Failover,
        contract: Address,
        first: u64,
        finality: Finality,
        service: Service,
    ) -> Result<Self, NodeError> {
        let database = Database::open(path, &[FAMILY], SCHEMA)?;
        let stored: Option<(Cursor, Taken)> = database.get(FAMILY, CURSOR)?;
        let (indexer, taken) = match stored {
            Some((cursor, taken)) => (Indexer::resume(cursor, vec![contract], finality), taken),
            None => (Indexer::from_block(first, vec![contract], finality), Taken::default()),
        };
        let intake = Self { l1, contract, indexer, taken, database, service };
        intake.tell_epoch(taken.reverts)?;
        Ok(intake)
    }

    /// Hands over what came in the next final blocks; whether there were any.
    ///
    /// # Errors
    /// If L1 does not answer, or tells less or something else than the contract counts: it is tried again
    /// by the next call. [`bastion_l1::L1Error::Reorg`] if blocks that were final are gone.
    pub fn step(&mut self) -> Result<bool, NodeError> {
        let (contract, taken) = (self.contract, self.taken);
        let mut found = (taken, Vec::new());
        let chunk = self.indexer.next_checked(&mut self.l1, |l1, chunk| {
            found = read(contract, taken, chunk)?;
            check(l1, contract, &found.0, chunk)
        })?;
        let Some(chunk) = chunk else {
            return Ok(false);
        };
        let (now, ops) = found;
        if now.reverts > taken.reverts {
            info!(epoch = now.reverts, "the contract took commits back");
        }
        self.tell_epoch(now.reverts)?;
        if !ops.is_empty() {
            info!(entries = ops.len(), from = taken.entries, "taken from the L1 queue");
            self.hand_over(taken.entries, ops)?;
        }
        let mut rows = Rows::default();
        self.database.put(&mut rows, FAMILY, CURSOR, &(chunk.cursor, now))?;
        self.database.write(rows)?;
        self.taken = now;
        Ok(true)
    }

    fn tell_epoch(&self, epoch: u32) -> Result<(), NodeError> {
        while let Err(refusal) = self.service.set_epoch(epoch) {
            match refusal {
                Refusal::Busy => std::thread::sleep(BUSY),
                _ => return Err(NodeError::Stopped),
            }
        }
        Ok(())
    }

    fn hand_over(&self, from: u64, ops: Vec<Op>) -> Result<(), NodeError> {
        loop {
            let answer = match self.service.take_from_queue(from, ops.clone()) {
                Err(Refusal::Busy) => {
                    std::thread::sleep(BUSY);
                    continue;
                }
                Err(_) => return Err(NodeError::Stopped),
                Ok(answer) => answer.blocking_recv().map_err(|_| NodeError::Stopped)?,
            };
            return answer.map_err(|refusal| match refusal {
                Refusal::QueueGap { expected, got } => NodeError::QueueGap { expected, got },
                Refusal::Busy | Refusal::TooMany { .. } | Refusal::Stopped => NodeError::Stopped,
            });
        }
    }
}

/// The last blocks that stayed when the contract took others back, as a chunk shows.
pub(super) fn reverts(contract: Address, chunk: &Chunk) -> Result<Vec<u64>, NodeError> {
    let wrong = |why: String| NodeError::History { contract: contract.to_string(), why };
    let mut found = Vec::new();
    for event in &chunk.events {
        let told = Told::decode_raw_log(event.data.topics(), &event.data.data);
        if let Told::Reverted(e) = told.map_err(|e| wrong(format!("an event: {e}")))? {
            found.push(e.to.saturating_to());
        }
    }
    Ok(found)
}

/// The entries of a chunk, and the queue after them.
pub(super) fn read(
    contract: Address,
    mut taken: Taken,
    chunk: &Chunk,
) -> Result<(Taken, Vec<Op>), NodeError> {
    let wrong = |why: String| NodeError::History { contract: contract.to_string(), why };
    let mut ops = Vec::new();
    for event in &chunk.events {
        let told = Told::decode_raw_log(event.data.topics(), &event.data.data);
        let (entry, op) = match told.map_err(|e| wrong(format!("an event: {e}")))? {
            Told::Deposited(e) => {
                let keyhash = element(&e.keyhash.0);
                let keyhash = keyhash.ok_or_else(|| wrong("a key hash is no element".into()))?;
                let exit = L2Address(e.exit.into_array());
                let deposit = Deposit { token: e.token, amount: e.amount, keyhash, exit };
                (e.entry, Op::Deposit(deposit))
            }
            Told::ForcedExitRequested(e) => {
                let exit = L2Address(e.exit.into_array());
                (e.entry, Op::ForcedExit(ForcedExit { index: e.index, token: e.token, exit }))
            }
            Told::Reverted(_) => {
                taken.reverts = taken.reverts.saturating_add(1);
                continue;
            }
            _ => continue,
        };
        (taken.entries, taken.roll) = (taken.entries + 1, roll_queue(taken.roll, &op));
        if entry != U256::from(taken.entries) {
            let why = format!("entry {entry} of its queue follows {} entries", taken.entries - 1);
            return Err(wrong(why));
        }
        ops.push(op);
    }
    Ok((taken, ops))
}

/// The contract must have counted what the logs show, as of the chunk's last block.
fn check(
    l1: &mut Failover,
    contract: Address,
    taken: &Taken,
    chunk: &Chunk,
) -> Result<(), NodeError> {
    let pin = chunk.pin();
    let mut view = |call: Vec<u8>| l1.view_at(&pin, contract, call.into());
    let answer = |e: alloy_sol_types::Error| NodeError::History {
        contract: contract.to_string(),
        why: e.to_string(),
    };
    let length = view(IRollup::queueLengthCall {}.abi_encode())?;
    let length = IRollup::queueLengthCall::abi_decode_returns(&length).map_err(answer)?;
    if length != U256::from(taken.entries) {
        return Err(NodeError::Incomplete {
            contract: contract.to_string(),
            what: "queue entries",
            counted: length.to_string(),
            found: taken.entries.to_string(),
        });
    }
    let entry = view(IRollup::entriesCall(length).abi_encode())?;
    let entry = IRollup::entriesCall::abi_decode_returns(&entry).map_err(answer)?;
    match entry.roll.0 == taken.roll {
        true => Ok(()),
        false => Err(NodeError::History {
            contract: contract.to_string(),
            why: "the entries of its queue in the logs are others than it recorded".into(),
        }),
    }
}
