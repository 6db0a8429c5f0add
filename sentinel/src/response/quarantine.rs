//! Operations that are held back for a while.
//!
//! A quarantine delays, and never refuses by itself: each operation is released when its time is over,
//! and no operation is held twice. Its owner sees why and until when.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::path::Path;

use bastion_protocol::ops::SignedOp;
use bastion_protocol::Index;

use super::record::Record;
use super::{Ending, Full, Held, Journal, ResponseError};
use crate::{Decision, Verdict};

/// No configuration holds an operation longer: 24 hours, in milliseconds.
pub const HARD_LIMIT_MS: u64 = 24 * 3_600_000;
/// Most operations that are released at a time: a sequencer may have to close a batch for each of them.
pub const MOST_DUE: usize = 64;
/// Most bytes of a held operation's record.
const MAX_RECORD: usize = 64 << 10;
/// Most bytes of the reason of a drop.
const MAX_WHY: usize = 1024;
/// Bytes that wait in memory before they are written without being asked.
const MAX_PENDING: usize = 4 << 20;
/// The file is not compacted below this length.
const COMPACT_FROM: u64 = 1 << 20;

mod limits;
mod replay;
#[cfg(test)]
mod tests;

pub use limits::Limits;

/// The operations that are held, and a memory of those that were.
#[derive(Debug)]
pub struct Quarantine {
    limits: Limits,
    journal: Journal,
    /// Bytes of an unfinished write that were cut off on opening.
    cut: u64,
    /// Length of the file after it was last compacted.
    compacted: u64,
    /// A record could not be added: the next `sync` says so.
    failed: Option<ResponseError>,
    held: BTreeMap<u64, Held>,
    numbers: HashMap<[u8; 32], u64>,
    by_account: BTreeMap<Index, BTreeSet<u64>>,
    /// Those whose time is not over, by the end of it.
    by_end: BTreeSet<(u64, u64)>,
    /// Those that leave with the next `due`.
    ready: BTreeMap<u64, Ending>,
    next: u64,
    left: HashMap<[u8; 32], Ending>,
    /// The hashes that left, oldest first.
    order: VecDeque<[u8; 32]>,
}

impl Quarantine {
    /// Opens or creates a quarantine at a path, and reads its journal. More than the limits now allow may
    /// be held from before; nothing is lost by that.
    ///
    /// # Errors
    /// [`ResponseError::Limit`], and those of [`Journal::open`].
    pub fn open(path: &Path, limits: Limits) -> Result<Self, ResponseError> {
        limits.check()?;
        let (journal, replay) = Journal::open(path)?;
        let mut new = Self {
            limits,
            compacted: journal.length(),
            journal,
            cut: replay.cut,
            failed: None,
            held: BTreeMap::new(),
            numbers: HashMap::new(),
            by_account: BTreeMap::new(),
            by_end: BTreeSet::new(),
            ready: BTreeMap::new(),
            next: 0,
            left: HashMap::new(),
            order: VecDeque::new(),
        };
        new.replay(path, &replay.records)?;
        Ok(new)
    }

    /// Bytes of an unfinished write that a crash left, and that were cut off on opening. Nothing of it was
    /// promised to be durable.
    #[must_use]
    pub fn cut(&self) -> u64 {
        self.cut
    }

    /// How many operations are held.
    #[must_use]
    pub fn len(&self) -> usize {
        self.held.len()
    }

    /// Whether none is held.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.held.is_empty()
    }

    /// Holds an operation until the verdict's end, or as long as the limits allow. One that is held already
    /// stays as it is: its end never moves away.
    ///
    /// # Errors
    /// [`Full`]: the operation is not held.
    pub fn hold(
        &mut self,
        op: &SignedOp,
        hash: [u8; 32],
        now_ms: u64,
        verdict: &Verdict,
    ) -> Result<Held, Full> {
        self.turn_back(now_ms);
        if let Some(held) = self.get(&hash) {
            return Ok(held.clone());
        }
        match self.left.get(&hash) {
            Some(Ending::Dropped { why }) => return Err(Full::Dropped { why: why.clone() }),
            Some(Ending::Time | Ending::Admin | Ending::Rule) => return Err(Full::Released),
            None => {}
        }
        let until = match verdict.decision {
            Decision::Quarantine { until } => until.saturating_mul(1000),
            Decision::Allow | Decision::Reject => return Err(Full::NotAsked),
        };
        if self.held.len() >= self.limits.count {
            return Err(Full::Count { limit: self.limits.count });
        }
        let account = op.body.account;
        let of_account = self.by_account.get(&account).map_or(0, BTreeSet::len);
        if of_account >= self.limits.per_account {
            return Err(Full::Account { account, limit: self.limits.per_account });
        }
        let held = Held {
            number: self.next,
            op: *op,
            hash,
            arrived_ms: now_ms,
            until_ms: until.clamp(now_ms, now_ms.saturating_add(self.limits.longest_ms)),
            verdict: verdict.clone(),
            ended: BTreeSet::new(),
        };
        let record = Record::Held { held: Box::new(held.clone()), ready: None };
        let bytes = record.to_bytes().map_or(usize::MAX, |bytes| bytes.len());
        if bytes > MAX_RECORD {
            return Err(Full::Long { bytes, limit: MAX_RECORD });
        }
        self.record(&record);
        self.insert(held.clone());
        Ok(held)
    }

    /// Whether an operation was held and released: it is not held again.
    #[must_use]
    pub fn is_released(&self, hash: &[u8; 32]) -> bool {
        self.left.get(hash).is_some_and(|ending| !matches!(ending, Ending::Dropped { .. }))
    }

    /// How an operation's quarantine ended, if it did and is remembered.
    #[must_use]
    pub fn ending(&self, hash: &[u8; 32]) -> Option<&Ending> {
        self.left.get(hash)
    }

    /// A held operation.
    #[must_use]
    pub fn get(&self, hash: &[u8; 32]) -> Option<&Held> {
        self.numbers.get(hash).and_then(|number| self.held.get(number))
    }

    /// All held operations, in the order of arrival.
    pub fn list(&self) -> impl Iterator<Item = &Held> {
        self.held.values()
    }

    /// The held operations of an account, in the order of arrival.
    pub fn of_account(&self, account: Index) -> impl Iterator<Item = &Held> {
        self.by_account.get(&account).into_iter().flatten().filter_map(|n| self.held.get(n))
    }

    /// When the next operation is released, if none is before: for a timer.
    #[must_use]
    pub fn next_due_ms(&self) -> Option<u64> {
        match self.ready.is_empty() {
            true => self.by_end.first().map(|(end, _)| *end),
            false => Some(0),
        }
    }

    /// Takes what is released, in the order of arrival, at most `MOST_DUE` at a time. A crash before the next [`Quarantine::sync`] brings
    /// it back, and it is released once more: include the operations durably, then sync.
    pub fn due(&mut self, now_ms: u64) -> Vec<SignedOp> {
        self.turn_back(now_ms);
        while let Some((end, number)) =
            self.by_end.first().copied().filter(|(end, _)| *end <= now_ms)
        {
            self.by_end.remove(&(end, number));
            self.ready.insert(number, Ending::Time);
        }
        let mut out = Vec::new();
        while out.len() < MOST_DUE {
            let Some((number, ending)) = self.ready.pop_first() else { break };
            if let Some(held) = self.remove(number) {
                self.record(&Record::Left { hash: held.hash, ending: ending.clone() });
                self.remember(held.hash, ending);
                out.push(held.op);
            }
        }
        out
    }

    /// Releases an operation: the next [`Quarantine::due`] takes it.
    ///
    /// # Errors
    /// [`ResponseError::NotHeld`].
    pub fn release(&mut self, hash: &[u8; 32]) -> Result<(), ResponseError> {
        let number = self.number(hash)?;
        self.make_ready(number, Ending::Admin);
        Ok(())
    }

    /// Drops an operation for good, and returns it. The same operation is not taken again.
    ///
    /// # Errors
    /// [`ResponseError::NotHeld`].
    pub fn drop_op(&mut self, hash: &[u8; 32], why: &str) -> Result<Held, ResponseError> {
        let number = self.number(hash)?;
        let held = self.remove(number).ok_or_else(|| not_held(hash))?;
        let end = why.floor_char_boundary(MAX_WHY);
        let ending = Ending::Dropped { why: why[..end].to_owned() };
        self.record(&Record::Left { hash: *hash, ending: ending.clone() });
        self.remember(*hash, ending);
        Ok(held)
    }

    /// A detector's rule has ended: operations that no other detector asked for are released. Returns how
    /// many.
    pub fn release_by_detector(&mut self, detector: &str) -> usize {
        self.record(&Record::RuleEnded { detector: detector.to_owned() });
        self.rule_ended(detector)
    }

    /// Writes and syncs everything up to here. Nothing is durable before. Compacts the file if it has grown.
    ///
    /// # Errors
    /// [`ResponseError::File`], and [`ResponseError::Broken`] for ever after: what is held is still here, but
    /// not on the disk.
    pub fn sync(&mut self) -> Result<(), ResponseError> {
        if let Some(error) = self.failed.take() {
            return Err(error);
        }
        self.journal.sync()?;
        match self.journal.length() > COMPACT_FROM.max(self.compacted.saturating_mul(4)) {
            true => self.compact(),
            false => Ok(()),
        }
    }

    fn number(&self, hash: &[u8; 32]) -> Result<u64, ResponseError> {
        self.numbers.get(hash).copied().ok_or_else(|| not_held(hash))
    }

    /// Adds a record. What fails is told by the next `sync`.
    fn record(&mut self, record: &Record) {
        let mut add = || {
            self.journal.record(&record.to_bytes()?)?;
            match self.journal.pending() > MAX_PENDING {
                true => self.journal.sync(),
                false => Ok(()),
            }
        };
        if let Err(error) = add() {
            self.failed.get_or_insert(error);
        }
    }
}

fn not_held(hash: &[u8; 32]) -> ResponseError {
    ResponseError::NotHeld { hash: hex::encode(hash) }
}
