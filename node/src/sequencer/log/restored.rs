//! A log that may be older than what was promised.
//!
//! Receipts that were given after a copy of the log was made are not in the copy. A sequencer that went on from it
//! would sign a second receipt for the same place, which costs its bond (protocol section 13.4). So whoever puts a
//! copy in place marks it, and a marked log is opened by nobody until the contract has taken back every block whose
//! places may have been promised: that makes the lost receipts void, and begins an epoch that none of them has.

use std::path::Path;

use rocksdb::WriteBatch;
use serde::{Deserialize, Serialize};

use super::{Log, LogReader, META};
use crate::error::NodeError;

const RESTORED: &[u8] = b"restored";
const LEAST_EPOCH: &[u8] = b"least_epoch";

/// The mark of a log that may be older than what was promised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Restored {
    /// The first block of which places may have been promised that the log does not have.
    pub from: u64,
    /// How often the contract had taken blocks back when this was first looked at: the lost receipts have this
    /// epoch or an earlier one. None if nobody has looked yet.
    pub since: Option<u32>,
}

impl Restored {
    /// The epoch in which the sequencer may sign again, if there is one: some revert since has taken the first of
    /// these blocks back. `reverts` has the last block that stayed, for each revert so far.
    pub fn new_epoch(&self, reverts: &[u64]) -> Option<u32> {
        let since = usize::try_from(self.since?).ok()?;
        let voided = reverts.iter().skip(since).any(|to| *to < self.from);
        voided.then(|| u32::try_from(reverts.len()).unwrap_or(u32::MAX))
    }
}

impl LogReader {
    /// The mark of [`Log::mark_restored`].
    ///
    /// # Errors
    /// [`NodeError::Log`] if the log cannot be read.
    pub fn restored(&self) -> Result<Option<Restored>, NodeError> {
        self.get(META, RESTORED)?.map(|bytes| self.decode(&bytes)).transpose()
    }

    /// The least epoch of receipts that are signed from now on.
    pub(in crate::sequencer) fn least_epoch(&self) -> Result<u32, NodeError> {
        let bytes = self.get(META, LEAST_EPOCH)?;
        bytes.map_or(Ok(0), |bytes| self.decode(&bytes))
    }

    /// Refuses a log that is marked.
    pub(in crate::sequencer) fn must_be_current(&self) -> Result<(), NodeError> {
        match self.restored()? {
            None => Ok(()),
            Some(Restored { from, .. }) => Err(NodeError::Restored { from }),
        }
    }
}

impl Log {
    /// Marks the log at `path`, whatever rollup it is of: receipts may have been given that it does not have.
    ///
    /// # Errors
    /// [`NodeError::Log`] if there is none, or a node has it.
    pub fn mark_restored(path: &Path) -> Result<Restored, NodeError> {
        if !path.is_dir() {
            return Err(NodeError::NoData { path: path.display().to_string() });
        }
        let log = Self(Self::database(path)?);
        let from = match log.last_batch()? {
            None => log.base()?.block + 1,
            Some((_, row)) => row.block + u64::from(row.ends_block),
        };
        // A mark that is there already may be of an older copy.
        let from = log.restored()?.map_or(from, |before| before.from.min(from));
        let mark = Restored { from, since: None };
        log.keep(&mark)?;
        Ok(mark)
    }

    /// Notes how often the contract had taken blocks back when the mark was first looked at.
    ///
    /// # Errors
    /// [`NodeError::Log`] if it cannot be written.
    pub fn looked_at(&mut self, since: u32) -> Result<Option<Restored>, NodeError> {
        let Some(mut mark) = self.restored()? else {
            return Ok(None);
        };
        if mark.since.is_none() {
            mark.since = Some(since);
            self.keep(&mark)?;
        }
        Ok(Some(mark))
    }

    /// Takes the mark away: from now on receipts have this epoch or a later one, those of the open block too.
    ///
    /// # Errors
    /// [`NodeError::Log`] if it cannot be written.
    pub fn begin_epoch(&mut self, epoch: u32) -> Result<(), NodeError> {
        let least = self.least_epoch()?.max(epoch);
        let mut batch = WriteBatch::default();
        batch.put_cf(self.family(META)?, LEAST_EPOCH, self.encode(&least)?);
        batch.delete_cf(self.family(META)?, RESTORED);
        self.write(batch)
    }

    fn keep(&self, mark: &Restored) -> Result<(), NodeError> {
        let mut batch = WriteBatch::default();
        batch.put_cf(self.family(META)?, RESTORED, self.encode(mark)?);
        self.write(batch)
    }
}
