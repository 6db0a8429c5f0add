//! What is shown of the sentinel.

use std::path::PathBuf;

use bastion_client::types::{Evidence, Findings, Hash, Held, Reason, SentinelStatus};
use bastion_sentinel::findings::{self, Finding};

use super::{Sentinel, FINDINGS};
use crate::error::NodeError;

/// Bytes of findings in an answer at most.
const MOST_BYTES: usize = 1 << 20;

/// The log of findings as a file, to be read while it is written.
#[derive(Debug, Clone)]
pub struct Log {
    path: PathBuf,
    genesis: findings::Hash,
    count: u64,
    head: findings::Hash,
}

impl Log {
    /// Reads entries of the log.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn read(&self, from: u64, limit: usize) -> Result<Findings, NodeError> {
        let (mut found, mut bytes) = (Vec::new(), 0);
        let mut failed = None;
        findings::read(&self.path, self.genesis, |entry| {
            if entry.number < from || entry.number >= self.count || found.len() >= limit {
                return;
            }
            match entry.to_bytes() {
                Ok(entry) if found.is_empty() || bytes + entry.len() <= MOST_BYTES => {
                    bytes += entry.len();
                    found.push(String::from_utf8_lossy(&entry).into_owned());
                }
                // The next answer begins with it.
                Ok(_) => bytes = MOST_BYTES,
                Err(error) => failed = Some(error),
            }
        })?;
        match failed {
            Some(error) => Err(error.into()),
            None => {
                let (count, head) = (self.count, Hash(self.head.0));
                Ok(Findings { findings: found, from, count, head })
            }
        }
    }
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
    /// Numbers for dashboards.
    pub(crate) fn gauges(&self) -> Gauges {
        Gauges {
            held: self.responder.quarantine.len() as u32,
            findings: self.findings.len(),
            drift: self.screener.stats().drift.unwrap_or(0),
            rules_failed: self.rules_failed,
        }
    }

    /// How it stands.
    pub fn status(&self) -> SentinelStatus {
        let stats = self.screener.stats();
        SentinelStatus {
            mode: self.mode.to_string(),
            rules: stats.rules_version,
            model: stats.model_version,
            observed: stats.observed,
            held: self.responder.quarantine.len() as u32,
            findings: self.findings.len(),
            head: Hash(self.findings.head().0),
        }
    }

    /// Where the log of findings is, its first head, and its head and length now.
    pub fn log(&self) -> Log {
        Log {
            path: self.dir.join(FINDINGS),
            genesis: self.genesis,
            count: self.findings.len(),
            head: self.findings.head(),
        }
    }

    /// An operation that is held back.
    pub fn held(&self, operation: &[u8; 32]) -> Option<Held> {
        self.responder.quarantine.get(operation).map(show)
    }

    /// All operations that are held back.
    pub fn all_held(&self) -> Vec<Held> {
        self.responder.quarantine.list().map(show).collect()
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
