//! The sequencer: one writer that executes operations in order and promises each its place.
//!
//! | step of [`Sequencer::sequence`] | where |
//! |---|---|
//! | an operation that was accepted before gets its receipt again | [`LogReader::find`] |
//! | signatures are checked in parallel, many by one equation | `signatures` |
//! | operations are executed in order; full batches are closed, and their orders cleared | `open` |
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
pub use log::{Appended, Base, BatchRow, Entry, Log, LogReader, Restored};
pub use open::Packing;
pub use sealer::{Sealed, Sealer};
pub use service::{Refusal, Reply, Running, Service};
pub use signer::{ReceiptSigner, SignedReceipt};

use std::collections::{HashMap, HashSet};
use std::path::Path;

use bastion_protocol::ops::{Op, SignedOp};
use bastion_protocol::receipt::operation_hash;
use bastion_protocol::{Index, Policy, Receipt};
use bastion_sentinel::{Candidate, Reason};
use bastion_state::executor::{Checked, ClosedBatch, OpTrace, Rejection};
use bastion_state::state::State;
use bastion_state::store::Store;
use rayon::prelude::*;

use crate::error::NodeError;
use crate::sentinel::rewards::{Ask, At, Taken};
use crate::sentinel::{lock, wall_ms, Entries, Watch};
use crate::service::Control;
use open::Current;

/// The answer to one operation.
pub type Answer = Result<SignedReceipt, Decline>;

/// Why an operation has no receipt.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Decline {
    /// It cannot be executed, and leaves no mark.
    #[error(transparent)]
    Rejected(#[from] Rejection),
    /// The sentinel holds it back. It is executed later by itself, unless it cannot be by then.
    #[error(
        "held back until {until} (seconds since 1970) by {}; nothing needs to be sent again, and a forced \
         exit on L1 needs nobody's leave", detectors(.reasons)
    )]
    Held {
        /// When it is released.
        until: u64,
        /// What the sentinel found.
        reasons: Vec<Reason>,
    },
    /// The auction of the open batch has no room for an order and its quotes. The batch goes on without it.
    #[error("the auction of this batch has no room for the order: send it again when the batch has closed")]
    AuctionFull,
    /// The sentinel refuses it, and it leaves no mark.
    #[error("refused by {}; a forced exit on L1 needs nobody's leave", detectors(.reasons))]
    Refused {
        /// What the sentinel found.
        reasons: Vec<Reason>,
    },
}

fn detectors(reasons: &[Reason]) -> String {
    let names: Vec<&str> = reasons.iter().map(|reason| &*reason.detector).collect();
    names.join(", ")
}

/// A closed batch with its place.
#[derive(Debug)]
pub struct Closed {
    /// Its number since genesis.
    pub number: u64,
    /// Its row in the log.
    pub row: BatchRow,
    /// What it did.
    pub batch: ClosedBatch,
    /// What its operations did when they were accepted, if that was something else: before there were prices, an
    /// order held all of its amount back. Only of batches that are executed again at the start.
    accepted: Option<Vec<OpTrace>>,
}

impl Closed {
    /// What its operations did when they were accepted, quotes aside.
    fn accepted(&self) -> impl Iterator<Item = &OpTrace> {
        let all = self.accepted.as_deref().unwrap_or(self.batch.ops());
        all.iter().filter(|trace| trace.quote.is_none())
    }
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
    /// Who is asked before an operation is included.
    sentinel: Option<Watch>,
    /// Whether anything is accepted: while nothing is, what was held back waits on.
    control: Control,
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
    /// [`NodeError::Restored`] if the log may be older than what was promised ([`Log::mark_restored`]). If log or
    /// store cannot be opened, are of another rollup, or do not fit one another.
    pub fn open(
        dir: &Path,
        signer: ReceiptSigner,
        packing: Packing,
        policy: Policy,
    ) -> Result<(Self, Sealer), NodeError> {
        packing.check()?;
        policy.check()?;
        let log = Log::open(&dir.join("log"), signer.chain_id(), signer.contract())?;
        log.must_be_current()?;
        let (store, mut state) = Store::open(&dir.join("state"))?;
        let domain = bastion_protocol::header::domain(signer.chain_id(), signer.contract());
        let sealer = Sealer::new(state.take_tree(), store)?;
        let (current, closed) =
            Current::replay(&log, &mut state, sealer.batches(), domain, &packing.room())?;
        let sequencer = Self {
            state,
            log,
            signer,
            packing,
            policy,
            current,
            sentinel: None,
            control: Control::default(),
            closed,
            stopped: false,
        };
        Ok((sequencer, sealer))
    }

    /// From now on the sentinel is asked before an operation is included. It is shown first what was
    /// executed again at the start. `now` is the sequencer's time: what was included while nobody watched is
    /// taken now.
    ///
    /// # Errors
    /// [`NodeError::Sentinel`] if it cannot write.
    pub fn watched_by(&mut self, watch: Watch, now: u64) -> Result<(), NodeError> {
        {
            let mut sentinel = lock(&watch);
            // What was included while the sentinel was off.
            let begin = self.log.base()?.first_entry();
            let missed = sentinel.rewards_from().map_or(u64::MAX, |from| from.max(begin));
            for entry in missed..self.first_replayed() {
                if let Some(found) = self.log.entry(entry)? {
                    sentinel.missed(entry, &found);
                }
            }
            let closed = self.closed.iter().flat_map(|closed| {
                closed.accepted().map(move |trace| (trace, closed.row.context.time))
            });
            let open = self.current.accepted().map(|trace| (trace, self.current.time()));
            for (entry, (trace, time)) in (self.first_replayed()..).zip(closed.chain(open)) {
                let arrived_ms = self.log.arrived_ms(entry)?.unwrap_or(time.saturating_mul(1_000));
                let hash = operation_hash(&trace.op);
                let (state, policy) = (&self.state, &self.policy);
                let candidate = Candidate { trace, state, policy, hash, time, arrived_ms };
                sentinel.catch_up(entry, &candidate);
            }
            sentinel.appended(self.current.time().max(now));
            sentinel.sync()?;
            sentinel.remember()?;
        }
        self.sentinel = Some(watch);
        Ok(())
    }

    /// The entries that the sentinel is opened with.
    ///
    /// # Errors
    /// [`NodeError::Log`] if the log cannot be read.
    pub fn entries(&self) -> Result<Entries, NodeError> {
        let (first, next) = (self.first_replayed(), self.log.next());
        Ok(Entries { begin: self.log.base()?.first_entry(), first, next })
    }

    /// The first entry that was executed again at the start; the next one if none was.
    pub fn first_replayed(&self) -> u64 {
        let closed = self.closed.first().map(|closed| closed.row.first);
        closed.or_else(|| self.current.first()).unwrap_or(self.log.next())
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
        let arrived_ms = self.sentinel.as_ref().map_or(now.saturating_mul(1_000), |_| wall_ms());
        let mut appended = Appended { queue, arrived_ms, ..Appended::default() };
        let mut promised: Vec<(u64, Receipt)> = Vec::with_capacity(items.len());
        let mut declined: Vec<Option<Decline>> = Vec::with_capacity(items.len());
        for item in items {
            let first = self.log.next() + promised.len() as u64;
            match self.execute(item, now, first, &mut appended)? {
                Ok(receipt) => {
                    promised.push(receipt);
                    declined.push(None);
                }
                // The queue has no gaps: without this entry nothing after it can be posted.
                Err(Decline::Rejected(rejection)) if queue.is_some() => {
                    return Err(NodeError::Rejected(rejection))
                }
                Err(decline) => declined.push(Some(decline)),
            }
        }
        self.current.forget_empty(&mut appended);
        let signer = &self.signer;
        let signed = promised.par_iter().map(|(_, receipt)| signer.sign(*receipt));
        let signed: Vec<SignedReceipt> = signed.collect::<Result<_, _>>()?;
        let mut receipts = promised.into_iter().map(|(batch, _)| batch).zip(signed);
        let mut answers = Vec::with_capacity(items.len());
        for (item, declined) in items.iter().zip(declined) {
            let answer = match declined {
                Some(decline) => Err(decline),
                None => {
                    let (batch, receipt) = receipts.next().ok_or(NodeError::Stopped)?;
                    appended.entries.push(Entry { batch, op: item.op, receipt: receipt.clone() });
                    Ok(receipt)
                }
            };
            answers.push(answer);
        }
        self.append(&appended, now)?;
        self.stopped = false;
        Ok(answers)
    }

    /// Appends to the log, then writes what the sentinel holds back, lets go, and has learned. In this
    /// order: what it lets go must not be lost between the two, and it must not know of more than the log
    /// has. Nobody is told of anything before both are on disk.
    fn append(&mut self, appended: &Appended, now: u64) -> Result<(), NodeError> {
        self.log.append(appended)?;
        let Some(watch) = &self.sentinel else {
            return Ok(());
        };
        let mut sentinel = lock(watch);
        sentinel.appended(now);
        sentinel.sync()?;
        sentinel.keep()
    }

    /// While this control accepts nothing, nothing that was held back is executed.
    pub fn controlled_by(&mut self, control: Control) {
        self.control = control;
    }

    /// Where the chain stands at a time.
    fn at(&self, now: u64) -> At<'_> {
        let time = match self.current.in_a_block() {
            true => self.current.time(),
            false => now,
        };
        let policy = self.current.policy().unwrap_or(&self.policy);
        At { state: &self.state, policy, time, now }
    }

    /// Takes a call about rewards.
    ///
    /// # Errors
    /// [`NodeError::NoRewards`], [`NodeError::Treasury`] if it is refused; others if it cannot be written.
    pub fn ask(&mut self, ask: Ask, now: u64) -> Result<Taken, NodeError> {
        let watch = self.sentinel.as_ref().ok_or(NodeError::NoRewards)?;
        lock(watch).ask(ask, self.at(now))
    }

    /// Executes what the sentinel lets go, what the guardian of the node has signed, and payments to watchers.
    ///
    /// # Errors
    /// As [`Sequencer::sequence`].
    pub fn run_due(&mut self, now: u64) -> Result<(), NodeError> {
        let Some(watch) = self.sentinel.clone() else {
            return Ok(());
        };
        let due = lock(&watch).due(wall_ms(), self.at(now), self.control.accepting().is_ok())?;
        if due.is_empty() {
            return Ok(());
        }
        let mut answers = self.sequence(&due, now)?;
        // Nobody has to send again what was held back: the batch ends for it.
        loop {
            let full = |answer: &Answer| matches!(answer, Err(Decline::AuctionFull));
            let waiting: Vec<usize> = (0..due.len()).filter(|n| full(&answers[*n])).collect();
            if waiting.is_empty() {
                break;
            }
            self.close(false)?;
            let ops: Vec<SignedOp> = waiting.iter().map(|n| due[*n]).collect();
            let again = self.sequence(&ops, now)?;
            let none = again.iter().all(full);
            waiting.into_iter().zip(again).for_each(|(n, answer)| answers[n] = answer);
            if none {
                break;
            }
        }
        let mut sentinel = lock(&watch);
        for (op, answer) in due.iter().zip(&answers) {
            sentinel.was_executed(op, answer.as_ref().err(), wall_ms());
        }
        sentinel.sync()
    }

    /// Signs a freeze of an account for so many seconds, or its end, by the guardian's key of the node. A
    /// freeze may be because of a watcher's report, which then answers for it.
    ///
    /// # Errors
    /// [`NodeError::Freeze`] if there is no key, no such account, or the policy allows none now;
    /// [`NodeError::Treasury`] if the report asks for none.
    pub fn sign_as_guardian(
        &self,
        index: Index,
        seconds: Option<u64>,
        report: Option<u64>,
        now: u64,
    ) -> Result<SignedOp, NodeError> {
        let none = |why: &str| NodeError::Freeze { account: index, why: why.into() };
        let guardian = self.sentinel.as_ref().and_then(|watch| lock(watch).guardian().cloned());
        let guardian = guardian
            .ok_or_else(|| none("this node has no guardian's key (sentinel.guardian-key-file)"))?;
        let account = self.state.account(index).ok_or_else(|| none("there is no such account"))?;
        let (_, exit) = self.state.opening(account.owner).ok_or_else(|| none("it has no owner"))?;
        let At { policy, time, .. } = self.at(now);
        let Some(seconds) = seconds else {
            return guardian.unfreeze((index, account, exit), time);
        };
        let op = guardian.freeze((index, account, exit), seconds, policy, time)?;
        if let (Some(report), Some(watch)) = (report, &self.sentinel) {
            lock(watch).order(report, &op, now)?;
        }
        Ok(op)
    }

    /// Executes one operation, which will be entry number `first`; its batch, and its receipt without
    /// a signature.
    fn execute(
        &mut self,
        item: &Item,
        now: u64,
        first: u64,
        appended: &mut Appended,
    ) -> Result<Result<(u64, Receipt), Decline>, NodeError> {
        let Item { op, hash: operation, checked } = *item;
        // Twice: the batch may be full, and then the next one is empty.
        for _ in 0..2 {
            let room = &self.packing.room();
            self.current.begin(&mut self.state, &self.policy, now, first, appended)?;
            let trace = match self.current.execute(&self.state, &op, checked.as_ref()) {
                Err(rejection) => return Ok(Err(rejection.into())),
                Ok(None) => return Err(NodeError::Stopped),
                Ok(Some(trace)) => trace,
            };
            // Before anybody looks at it: closing a batch clears its orders, and accounts hold something else then.
            if !self.current.has_room(&trace, room) {
                if self.current.goes_on_without(&trace, &self.packing, now) {
                    return Ok(Err(Decline::AuctionFull));
                }
                self.close_batch(false, appended)?;
                continue;
            }
            if let Some(watch) = &self.sentinel {
                let candidate = self.candidate(&trace, operation, appended.arrived_ms);
                let admitted = lock(watch).admit(&candidate);
                if let Err(decline) = admitted {
                    return Ok(Err(decline));
                }
            }
            // Only a Noop has none, and nobody sends one. Prices do not change it.
            let leaf = trace.leaf().unwrap_or_default();
            let included = self.current.include(&mut self.state, trace, checked, room);
            let place = included.ok_or(NodeError::Stopped)?;
            if let Some(watch) = &self.sentinel {
                lock(watch).included(first);
            }
            let (epoch, time) = (self.current.epoch(), self.current.time());
            let receipt = Receipt { epoch, place, operation, leaf, time };
            return Ok(Ok((self.current.number(), receipt)));
        }
        let shape = self.packing.shape.name.clone();
        Err(NodeError::DoesNotFit { place: hex::encode(operation), shape })
    }

    fn candidate<'a>(
        &'a self,
        trace: &'a OpTrace,
        hash: [u8; 32],
        arrived_ms: u64,
    ) -> Candidate<'a> {
        let policy = self.current.policy().unwrap_or(&self.policy);
        let (state, time) = (&self.state, self.current.time());
        Candidate { trace, state, policy, hash, time, arrived_ms }
    }

    fn close_batch(&mut self, block: bool, appended: &mut Appended) -> Result<(), NodeError> {
        let closed = self.current.close(&mut self.state, &self.packing.sizes, block, appended)?;
        self.closed.extend(closed);
        Ok(())
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
        let next = self.log.next();
        self.close_batch(block, &mut appended)?;
        while block && self.current.in_a_block() {
            self.current.begin(&mut self.state, &self.policy, 0, next, &mut appended)?;
            self.close_batch(block, &mut appended)?;
        }
        self.append(&appended, 0)?;
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
