//! Changes of the quarantine's content, which its journal repeats.

use std::collections::BTreeSet;
use std::path::Path;

use super::{Quarantine, Record};
use crate::response::{Ending, Held, ResponseError};

/// Moves the end of a held operation forward to a time.
fn end_by(by_end: &mut BTreeSet<(u64, u64)>, number: u64, held: &mut Held, latest_ms: u64) {
    let earlier = held.until_ms.min(latest_ms);
    if by_end.remove(&(held.until_ms, number)) {
        by_end.insert((earlier, number));
    }
    held.until_ms = earlier;
}

impl Quarantine {
    /// Repeats the records of a journal.
    pub(super) fn replay(&mut self, path: &Path, records: &[Vec<u8>]) -> Result<(), ResponseError> {
        for (i, bytes) in records.iter().enumerate() {
            let damaged = |why: String| ResponseError::Damaged {
                path: path.to_owned(),
                at: 0,
                why: format!("record {i}: {why}"),
            };
            let record = serde_json::from_slice(bytes).map_err(|e| damaged(e.to_string()))?;
            if !self.apply(record) {
                return Err(damaged("it does not follow from those before".into()));
            }
        }
        self.shorten();
        Ok(())
    }

    /// Whether the record fits what is held.
    fn apply(&mut self, record: Record) -> bool {
        match record {
            Record::Held { held, ready } => {
                let (number, fits) = (
                    held.number,
                    held.number >= self.next && !self.numbers.contains_key(&held.hash),
                );
                if fits {
                    self.insert(*held);
                }
                if let (true, Some(ending)) = (fits, ready) {
                    self.set_ready(number, ending);
                }
                fits
            }
            Record::Ready { hash, ending } => {
                let number = self.numbers.get(&hash).copied();
                number.inspect(|number| self.set_ready(*number, ending)).is_some()
            }
            Record::Left { hash, ending } => {
                // Without a held one it comes from a compacted file.
                if let Some(number) = self.numbers.get(&hash).copied() {
                    self.remove(number);
                }
                self.remember(hash, ending);
                true
            }
            Record::RuleEnded { detector } => {
                self.rule_ended(&detector);
                true
            }
            Record::Clock { now_ms, latest_ms } => {
                self.clamp(now_ms, latest_ms);
                true
            }
        }
    }

    pub(super) fn insert(&mut self, held: Held) {
        let number = held.number;
        self.next = number.saturating_add(1);
        self.numbers.insert(held.hash, number);
        self.by_account.entry(held.account()).or_default().insert(number);
        self.by_end.insert((held.until_ms, number));
        self.held.insert(number, held);
    }

    pub(super) fn remove(&mut self, number: u64) -> Option<Held> {
        let held = self.held.remove(&number)?;
        self.numbers.remove(&held.hash);
        self.by_end.remove(&(held.until_ms, number));
        self.ready.remove(&number);
        if let Some(numbers) = self.by_account.get_mut(&held.account()) {
            numbers.remove(&number);
            if numbers.is_empty() {
                self.by_account.remove(&held.account());
            }
        }
        Some(held)
    }

    /// Remembers how an operation left; the oldest are forgotten.
    pub(super) fn remember(&mut self, hash: [u8; 32], ending: Ending) {
        if self.left.insert(hash, ending).is_none() {
            self.order.push_back(hash);
        }
        while self.order.len() > self.limits.remembered {
            if let Some(oldest) = self.order.pop_front() {
                self.left.remove(&oldest);
            }
        }
    }

    pub(super) fn make_ready(&mut self, number: u64, ending: Ending) {
        if let (Some(held), false) = (self.held.get(&number), self.ready.contains_key(&number)) {
            let record = Record::Ready { hash: held.hash, ending: ending.clone() };
            self.record(&record);
            self.set_ready(number, ending);
        }
    }

    fn set_ready(&mut self, number: u64, ending: Ending) {
        if let Some(held) = self.held.get(&number) {
            self.by_end.remove(&(held.until_ms, number));
            self.ready.entry(number).or_insert(ending);
        }
    }

    /// Marks a detector's reasons as ended, and returns how many operations are released by that.
    pub(super) fn rule_ended(&mut self, detector: &str) -> usize {
        let mut free = Vec::new();
        for (number, held) in &mut self.held {
            if held.verdict.reasons.iter().any(|r| r.detector == detector) {
                held.ended.insert(detector.to_owned());
                if held.nobody_asks() && !self.ready.contains_key(number) {
                    free.push(*number);
                }
            }
        }
        free.iter().for_each(|number| self.set_ready(*number, Ending::Rule));
        free.len()
    }

    /// If the clock went back, operations from its future would be held too long: they begin anew.
    pub(super) fn turn_back(&mut self, now_ms: u64) {
        if self.held.values().next_back().is_some_and(|last| last.arrived_ms > now_ms) {
            let latest_ms = now_ms.saturating_add(self.limits.longest_ms);
            self.record(&Record::Clock { now_ms, latest_ms });
            self.clamp(now_ms, latest_ms);
        }
    }

    fn clamp(&mut self, now_ms: u64, latest_ms: u64) {
        for (number, held) in &mut self.held {
            if held.arrived_ms > now_ms {
                held.arrived_ms = now_ms;
                end_by(&mut self.by_end, *number, held, latest_ms);
            }
        }
    }

    /// What is held from before obeys a maximum that is shorter now.
    fn shorten(&mut self) {
        for (number, held) in &mut self.held {
            let latest = held.arrived_ms.saturating_add(self.limits.longest_ms);
            end_by(&mut self.by_end, *number, held, latest);
        }
    }

    /// Rewrites the journal by what is held and remembered now.
    pub(super) fn compact(&mut self) -> Result<(), ResponseError> {
        let left = self.order.iter().filter_map(|hash| {
            self.left.get(hash).map(|ending| Record::Left { hash: *hash, ending: ending.clone() })
        });
        let held = self.held.values().map(|held| Record::Held {
            held: Box::new(held.clone()),
            ready: self.ready.get(&held.number).cloned(),
        });
        let records: Result<Vec<_>, _> = left.chain(held).map(|record| record.to_bytes()).collect();
        self.journal.rewrite(records?)?;
        self.compacted = self.journal.length();
        Ok(())
    }
}
