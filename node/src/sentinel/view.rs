//! What is shown of the sentinel.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, TryLockError};

use bastion_client::types::{Bytes, Evidence, Findings, Hash, Held, Reason, SentinelStatus};
use bastion_protocol::ops::Op;
use bastion_sentinel::findings::{self, Entry, Finding};
use bastion_sentinel::screener::Stats;
use bastion_sentinel::SentinelError;

use super::{wall_ms, Sentinel, FINDINGS};
use crate::error::NodeError;

/// For how long numbers are shown, in milliseconds.
const FRESH_MS: u64 = 1_000;
/// Entries of the log of findings that are read without the file.
pub(super) const RECENT: usize = 1_024;
/// Bytes of findings in an answer at most.
const MOST_BYTES: usize = 1 << 20;

/// The log of findings, to be read while it is written.
#[derive(Debug, Clone)]
pub struct Log {
    path: PathBuf,
    genesis: findings::Hash,
    count: u64,
    head: findings::Hash,
    /// The last entries that were asked for, if memory has them all.
    recent: Option<Vec<String>>,
    /// Who reads the file, which may be long: one at a time.
    reader: Arc<Mutex<()>>,
}

impl Log {
    /// Reads entries of the log; `None` while somebody else reads its older part.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn read(self, from: u64, limit: usize) -> Result<Option<Findings>, NodeError> {
        let (count, head) = (self.count, Hash(self.head.0));
        let found = match self.recent {
            Some(found) => found,
            None => match self.reader.try_lock() {
                Err(TryLockError::WouldBlock) => return Ok(None),
                // Nothing is kept under the lock that a panic could leave half done.
                Ok(_) | Err(TryLockError::Poisoned(_)) => self.read_file(from, limit)?,
            },
        };
        Ok(Some(Findings { findings: found, from, count, head }))
    }

    fn read_file(&self, from: u64, limit: usize) -> Result<Vec<String>, NodeError> {
        let (mut found, mut failed) = (Vec::new(), None);
        findings::read(&self.path, self.genesis, |entry| {
            if entry.number < from || entry.number >= self.count || found.len() >= limit {
                return;
            }
            match text(entry) {
                Ok(text) => found.push(text),
                Err(error) => failed = Some(error),
            }
        })?;
        match failed {
            Some(error) => Err(error.into()),
            None => Ok(bounded(found)),
        }
    }
}

/// The canonical text of an entry.
pub(super) fn text(entry: &Entry) -> Result<String, SentinelError> {
    Ok(String::from_utf8_lossy(&entry.to_bytes()?).into_owned())
}

/// As many entries as fit an answer, the first in any case.
fn bounded(entries: Vec<String>) -> Vec<String> {
    let mut bytes = 0;
    let fits = |(place, entry): &(usize, String)| {
        bytes += entry.len();
        *place == 0 || bytes <= MOST_BYTES
    };
    entries.into_iter().enumerate().take_while(fits).map(|(_, entry)| entry).collect()
}

/// Numbers for dashboards.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Gauges {
    pub(crate) held: u32,
    pub(crate) findings: u64,
    pub(crate) drift: u32,
    pub(crate) rules_failed: bool,
}

impl Sentinel {
    /// Where the screener stands, as of the last second: whoever asks often must not keep it busy.
    fn stats(&mut self) -> Stats {
        let now = wall_ms();
        match &self.shown {
            Some((at, stats)) if now.saturating_sub(*at) < FRESH_MS => stats.clone(),
            _ => {
                let stats = self.screener.stats();
                self.shown = Some((now, stats.clone()));
                stats
            }
        }
    }

    /// Numbers for dashboards.
    pub(crate) fn gauges(&mut self) -> Gauges {
        Gauges {
            held: self.responder.quarantine.len() as u32,
            findings: self.findings.len(),
            drift: self.stats().drift.unwrap_or(0),
            rules_failed: self.rules_failed,
        }
    }

    /// How it stands.
    pub fn status(&mut self) -> SentinelStatus {
        let stats = self.stats();
        SentinelStatus {
            mode: self.mode.to_string(),
            rules: self.screener.rules().version.clone(),
            model: stats.model_version,
            observed: stats.observed,
            held: self.responder.quarantine.len() as u32,
            findings: self.findings.len(),
            head: Hash(self.findings.head().0),
        }
    }

    /// The log of findings, for who wants `limit` entries from a number on.
    pub fn log(&self, from: u64, limit: usize) -> Log {
        let first = self.findings.len().saturating_sub(self.recent.len() as u64);
        let recent = from.checked_sub(first).map(|skip| {
            let skip = usize::try_from(skip).unwrap_or(usize::MAX);
            bounded(self.recent.iter().skip(skip).take(limit).cloned().collect())
        });
        Log {
            path: self.dir.join(FINDINGS),
            genesis: self.genesis,
            count: self.findings.len(),
            head: self.findings.head(),
            recent,
            reader: self.reader.clone(),
        }
    }

    /// An operation that is held back.
    pub fn held(&self, operation: &[u8; 32]) -> Option<Held> {
        self.responder.quarantine.get(operation).map(show)
    }

    /// All operations that are held back, with their bytes: for the operator.
    pub fn all_held(&self) -> Vec<Held> {
        let whole = |held: &bastion_sentinel::response::Held| Held {
            bytes: Some(Bytes(Op::Signed(held.op).to_bytes())),
            ..show(held)
        };
        self.responder.quarantine.list().map(whole).collect()
    }

    /// Lets an operation go; `false` if it is not held back.
    ///
    /// # Errors
    /// If that cannot be written.
    pub fn release(&mut self, operation: &[u8; 32]) -> Result<bool, NodeError> {
        let released = self.responder.quarantine.release(operation).is_ok();
        self.sync()?;
        Ok(released)
    }

    /// Forgets an operation that is held back; `false` if it is not.
    ///
    /// # Errors
    /// If that cannot be written.
    pub fn forget(&mut self, operation: &[u8; 32], now_ms: u64) -> Result<bool, NodeError> {
        let dropped = self.responder.quarantine.drop_op(operation, "by the operator").is_ok();
        if dropped {
            let operation = findings::Hash(*operation);
            self.write(
                now_ms,
                Finding::Released { operation, by: "dropped by the operator".into() },
            );
        }
        self.sync()?;
        Ok(dropped)
    }
}

fn show(held: &bastion_sentinel::response::Held) -> Held {
    Held {
        operation: Hash(held.hash),
        account: held.account(),
        until: held.until_ms.div_ceil(1_000),
        reasons: shown(&held.verdict.reasons),
        bytes: None,
    }
}

/// Reasons as they are shown.
pub(crate) fn shown(reasons: &[bastion_sentinel::Reason]) -> Vec<Reason> {
    let shown = |reason: &bastion_sentinel::Reason| Reason {
        detector: reason.detector.clone(),
        version: reason.version.clone(),
        score: reason.score,
        evidence: reason
            .evidence
            .iter()
            .map(|(name, value)| Evidence { name: name.clone(), value: value.clone() })
            .collect(),
    };
    reasons.iter().map(shown).collect()
}
