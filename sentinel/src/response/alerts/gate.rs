//! Which alerts go out: no repetitions, and not too many.

use std::collections::{BTreeMap, VecDeque};

use super::{Alert, Event, Severity};

const MINUTE_MS: u64 = 60_000;
/// Most keys that are remembered.
const MAX_KEYS: usize = 4096;

/// What becomes of an alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pass {
    /// It goes out. So many were held back since the last one that did.
    Go(u64),
    /// It is a repetition.
    Repeated,
    /// There were too many.
    Limited,
}

/// The gate of a channel.
#[derive(Debug)]
pub(super) struct Gate {
    quiet_ms: u64,
    per_minute: usize,
    /// The last event of each key, and when.
    keys: BTreeMap<String, (Event, u64)>,
    /// When alerts went out within the last minute: critical ones, and others.
    sent: [VecDeque<u64>; 2],
    held_back: u64,
}

impl Gate {
    pub(super) fn new(quiet: u64, per_minute: u32) -> Self {
        Self {
            quiet_ms: quiet.saturating_mul(1000),
            per_minute: per_minute as usize,
            keys: BTreeMap::new(),
            sent: Default::default(),
            held_back: 0,
        }
    }

    pub(super) fn pass(&mut self, alert: &Alert) -> Pass {
        let now = alert.at_ms;
        // A clock that goes back makes nothing quiet for longer.
        let recent = |at: u64, span: u64| now.abs_diff(at) < span;
        if let Some((event, at)) = self.keys.get(&alert.key) {
            if *event == alert.event && recent(*at, self.quiet_ms) {
                self.held_back += 1;
                return Pass::Repeated;
            }
        }
        let sent = &mut self.sent[usize::from(alert.severity == Severity::Critical)];
        sent.retain(|at| recent(*at, MINUTE_MS));
        if sent.len() >= self.per_minute {
            self.held_back += 1;
            return Pass::Limited;
        }
        sent.push_back(now);
        self.keys.insert(alert.key.clone(), (alert.event, now));
        if self.keys.len() > MAX_KEYS {
            self.keys.retain(|_, (_, at)| recent(*at, self.quiet_ms));
        }
        if self.keys.len() > MAX_KEYS {
            // One repetition more is better than memory without bound.
            let oldest =
                self.keys.iter().min_by_key(|(_, (_, at))| *at).map(|(key, _)| key.clone());
            oldest.and_then(|key| self.keys.remove(&key));
        }
        Pass::Go(std::mem::take(&mut self.held_back))
    }

    /// The alert did not arrive after all: the next of its key is no repetition.
    pub(super) fn forget(&mut self, alert: &Alert) {
        if self.keys.get(&alert.key) == Some(&(alert.event, alert.at_ms)) {
            self.keys.remove(&alert.key);
        }
    }
}

#[cfg(test)]
mod tests;
