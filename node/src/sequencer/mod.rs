//! The sequencer: one writer that executes operations in order and promises each its place.
//!
//! | step of [`Sequencer::sequence`] | where |
//! |---|---|
//! | an operation that was accepted before gets its receipt again | [`LogReader::find`] |
//! | signatures are checked in parallel, many by one equation | `signatures` |
//! | operations are executed in order; full batches are closed | `open` |
//! | receipts are signed in parallel | `signer` |
//! | operations and receipts are written, synced once | [`Log::append`] |
//! | the receipts are handed out | |
//!
//! A full batch leaves as a [`ClosedBatch`]: hashing the tree takes longer than a receipt may, so a
//! [`Sealer`] does it elsewhere. If the log cannot be written, the sequencer stops: what it has executed
//! is not on disk, and nobody was told. It starts again from the log.

mod ledger;
mod log;
mod open;
mod sealer;
mod service;
mod signatures;
mod signer;

pub use ledger::{AccountAt, Ledger};
pub use log::{Appended, BatchRow, Entry, Log, LogReader};
pub use open::Packing;
pub use sealer::{Sealed, Sealer};
pub use service::{Refusal, Reply, Running, Service};
pub use signer::{ReceiptSigner, SignedReceipt};

use std::collections::{HashMap, HashSet};
use std::path::Path;

use bastion_protocol::ops::{Op, SignedOp};
use bastion_protocol::receipt::{operation_hash, words_hash};
use bastion_protocol::{Policy, Receipt};
use bastion_state::executor::{Checked, ClosedBatch, Rejection};
use bastion_state::state::State;
use bastion_state::store::Store;
use rayon::prelude::*;

use crate::error::NodeError;
use open::Current;

/// The answer to one operation.
pub type Answer = Result<SignedReceipt, Rejection>;

/// A closed batch with its place.
#[derive(Debug)]
pub struct Closed {
    /// Its number since genesis.
    pub number: u64,
    /// Its row in the log.
    pub row: BatchRow,
    /// What it did.
    pub batch: ClosedBatch,
}

/// The sequencer.
#[derive(Debug)]
pub struct Sequencer {
    /// Without its tree, which the sealer has.
    state: State,
    log: Log,
    signer: ReceiptSigner,
    packing: Packing,
    policy: Policy,
    current: Current,
    /// Closed since they were last taken; some may not be in the log yet.
    closed: Vec<Closed>,
    /// Set when memory and log may differ.
    stopped: bool,
}

impl Sequencer {
    /// Opens the sequencer of the data folder `dir`, as the last one left it: what the state store
    /// lacks is executed again from the log, and comes out of [`Sequencer::take_closed`] again.
    ///
    /// # Errors
    /// If log or store cannot be opened, are of another rollup, or do not fit one another.
    pub fn open(
        dir: &Path,
        signer: ReceiptSigner,
        packing: Packing,
        policy: Policy,
    ) -> Result<(Self, Sealer), NodeError> {
        packing.check()?;
        policy.check()?;
        let log = Log::open(&dir.join("log"), signer.chain_id(), signer.contract())?;
        let (store, mut state) = Store::open(&dir.join("state"))?;
        let domain = bastion_protocol::header::domain(signer.chain_id(), signer.contract());
        let sealer = Sealer::new(state.take_tree(), store)?;
        let (current, closed) = Current::replay(&log, &mut state, sealer.batches(), domain)?;
        let sequencer =
            Self { state, log, signer, packing, policy, current, closed, stopped: false };
        Ok((sequencer, sealer))
    }

    /// The accounts, as of the last operation. They have no tree.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// The log.
    pub fn log(&self) -> &Log {
        &self.log
    }

    /// The next block to open takes this policy.
    ///
    /// # Errors
    /// [`NodeError::Protocol`] for a policy that cannot be proven or enforced; then the one before stays.
    pub fn set_policy(&mut self, policy: Policy) -> Result<(), NodeError> {
        policy.check()?;
        self.policy = policy;
        Ok(())
    }

    /// Receipts of blocks that open from now on have this epoch: how often the contract has taken commits
    /// back. It never falls.
    pub fn set_epoch(&mut self, epoch: u32) {
        self.current.set_epoch(epoch);
    }

    /// Takes signed operations in order, at a time in seconds, and answers each. A rejected operation
    /// leaves no mark; one that was accepted before gets the same receipt again.
    ///
    /// # Errors
    /// [`NodeError::Log`] if they cannot be written: then none of them has an answer, and
    /// [`NodeError::Stopped`] from then on.
    pub fn sequence(&mut self, ops: &[SignedOp], now: u64) -> Result<Vec<Answer>, NodeError> {
        let log = &self.log;
        let known = ops.par_iter().map(|op| {
            let op = Op::Signed(*op);
            let hash = operation_hash(&op);
            let known = log.find(&hash)?.map(|(_, entry)| entry.receipt);
            Ok((op, hash, known))
        });
        let known: Vec<(Op, [u8; 32], Option<SignedReceipt>)> =
            known.collect::<Result<_, NodeError>>()?;
        let mut seen = HashSet::new();
        let fresh = known.iter().filter(|(_, hash, known)| known.is_none() && seen.insert(*hash));
        let (fresh, hashes): (Vec<Op>, Vec<[u8; 32]>) =
            fresh.map(|(op, hash, _)| (*op, *hash)).unzip();
        let checked = signatures::check(&self.state, self.current.domain(), &fresh);
        let items = fresh.iter().zip(&hashes).zip(checked);
        let items = items.map(|((op, hash), checked)| Item { op: *op, hash: *hash, checked });
        let given = self.run(&items.collect::<Vec<_>>(), now, None)?;
        let given: HashMap<[u8; 32], Answer> = hashes.into_iter().zip(given).collect();
        let answer = |(_, hash, known): (Op, [u8; 32], Option<SignedReceipt>)| {
            known.map(Ok).or_else(|| given.get(&hash).cloned()).ok_or(NodeError::Stopped)
        };
        known.into_iter().map(answer).collect()
    }

    /// Takes entries of the L1 queue, of which the first has the number `from` (counted from 0), at a
    /// time in seconds. Those that were taken before are passed over. A batch that has signed operations
    /// is closed first: L1 operations come first in theirs.
    ///
    /// # Errors
    /// [`NodeError::QueueGap`] if entries before `from` were not taken; [`NodeError::Rejected`] for an
    /// entry that cannot be executed, and [`NodeError::Stopped`] from then on: nothing of the call is
    /// written, because a log without the entry could never be proven. The contract takes no such entry.
    /// Those of [`Sequencer::sequence`].
    pub fn take_from_queue(&mut self, from: u64, ops: &[Op], now: u64) -> Result<(), NodeError> {
        let taken = self.log.queue();
        let Some(done) = taken.checked_sub(from) else {
            return Err(NodeError::QueueGap { expected: taken, got: from });
        };
        let rest = ops.get(done as usize..).unwrap_or_default();
        if rest.is_empty() {
            return Ok(());
        }
        let items: Vec<Item> = rest
            .iter()
            .map(|op| Item { op: *op, hash: operation_hash(op), checked: None })
            .collect();
        self.run(&items, now, Some(from + ops.len() as u64)).map(drop)
    }

    /// Executes, signs, appends.
    fn run(
        &mut self,
        items: &[Item],
        now: u64,
        queue: Option<u64>,
    ) -> Result<Vec<Answer>, NodeError> {
        if self.stopped {
            return Err(NodeError::Stopped);
        }
        if items.is_empty() {
            return Ok(Vec::new());
        }
        self.current.check(&mut self.state, &self.policy, now)?;
        // From here on memory is ahead of the log.
        self.stopped = true;
        let mut appended = Appended { queue, ..Appended::default() };
        let mut promised: Vec<(u64, Receipt)> = Vec::with_capacity(items.len());
        let mut rejected: Vec<Option<Rejection>> = Vec::with_capacity(items.len());
        for item in items {
            let first = self.log.next() + promised.len() as u64;
            match self.execute(item, now, first, &mut appended)? {
                Ok(receipt) => {
                    promised.push(receipt);
                    rejected.push(None);
                }
                // The queue has no gaps: without this entry nothing after it can be posted.
                Err(rejection) if queue.is_some() => return Err(NodeError::Rejected(rejection)),
                Err(rejection) => rejected.push(Some(rejection)),
            }
        }
        self.current.forget_empty(&mut appended);
        let signer = &self.signer;
        let signed = promised.par_iter().map(|(_, receipt)| signer.sign(*receipt));
        let signed: Vec<SignedReceipt> = signed.collect::<Result<_, _>>()?;
        let mut receipts = promised.into_iter().map(|(batch, _)| batch).zip(signed);
        let mut answers = Vec::with_capacity(items.len());
        for (item, rejected) in items.iter().zip(rejected) {
            let answer = match rejected {
                Some(rejection) => Err(rejection),
                None => {
                    let (batch, receipt) = receipts.next().ok_or(NodeError::Stopped)?;
                    appended.entries.push(Entry { batch, op: item.op, receipt: receipt.clone() });
                    Ok(receipt)
                }
            };
            answers.push(answer);
        }
        self.log.append(&appended)?;
        self.stopped = false;
        Ok(answers)
    }

    /// Executes one operation, which will be entry number `first`; its batch, and its receipt without
    /// a signature.
    fn execute(
        &mut self,
        item: &Item,
        now: u64,
        first: u64,
        appended: &mut Appended,
    ) -> Result<Result<(u64, Receipt), Rejection>, NodeError> {
        let Item { op, hash: operation, checked } = *item;
        // Twice: the batch may be full, and then the next one is empty.
        for _ in 0..2 {
            let slots = &self.packing.shape.slots;
            self.current.begin(&mut self.state, &self.policy, now, first, appended)?;
            match self.current.push(&mut self.state, &op, checked.as_ref(), slots) {
                Err(rejection) => return Ok(Err(rejection)),
                Ok(Some(place)) => {
                    let records = self.current.last_records();
                    let words = words_hash(records.iter().map(Vec::as_slice));
                    let (epoch, time) = (self.current.epoch(), self.current.time());
                    let receipt = Receipt { epoch, place, operation, words, time };
                    return Ok(Ok((self.current.number(), receipt)));
                }
                Ok(None) => self.close_batch(false, appended),
            }
        }
        let shape = self.packing.shape.name.clone();
        Err(NodeError::DoesNotFit { place: hex::encode(operation), shape })
    }

    fn close_batch(&mut self, block: bool, appended: &mut Appended) {
        let closed = self.current.close(&self.state, &self.packing.sizes, block, appended);
        self.closed.extend(closed);
    }

    /// Closes what its time is up for ([`Packing`]): a batch that has waited long enough, or a whole
    /// block, which is filled with empty batches.
    ///
    /// # Errors
    /// As [`Sequencer::sequence`].
    pub fn tick(&mut self, now: u64) -> Result<(), NodeError> {
        if self.stopped {
            return Err(NodeError::Stopped);
        }
        let block = self.current.block_is_due(&self.packing, now);
        if !block && !self.current.batch_is_due(&self.packing, now) {
            return Ok(());
        }
        self.close(block)
    }

    /// Closes the open batch, or the whole block that is open.
    ///
    /// # Errors
    /// As [`Sequencer::sequence`].
    pub fn close(&mut self, block: bool) -> Result<(), NodeError> {
        if self.stopped {
            return Err(NodeError::Stopped);
        }
        self.stopped = true;
        let mut appended = Appended::default();
        self.close_batch(block, &mut appended);
        while block && self.current.in_a_block() {
            let first = self.log.next();
            self.current.begin(&mut self.state, &self.policy, 0, first, &mut appended)?;
            self.close_batch(block, &mut appended);
        }
        self.log.append(&appended)?;
        self.stopped = false;
        Ok(())
    }

    /// The batches that were closed since the last call, in order. All of them are in the log.
    pub fn take_closed(&mut self) -> Vec<Closed> {
        match self.stopped {
            true => Vec::new(),
            false => std::mem::take(&mut self.closed),
        }
    }
}

/// An operation on its way.
struct Item {
    op: Op,
    hash: [u8; 32],
    /// Evidence that its signature holds.
    checked: Option<Checked>,
}

#[cfg(test)]
mod tests;
