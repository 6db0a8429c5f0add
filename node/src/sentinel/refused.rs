//! What was refused lately: whoever sends it again gets the same answer, and leaves no further entry.

use std::collections::{HashMap, VecDeque};

use crate::sequencer::Decline;

/// Operations that are remembered.
const MOST: usize = 4_096;
/// How long what the rules refuse is remembered, in milliseconds: its cause may pass.
const BY_RULE_MS: u64 = 60_000;
/// How long what found no room is.
const NO_ROOM_MS: u64 = 10_000;
/// Entries about refusals in an hour: an operation that is refused costs its sender nothing.
const ENTRIES: u32 = 10_000;
const HOUR_MS: u64 = 3_600_000;

/// The last operations that were refused.
#[derive(Debug, Default)]
pub(super) struct Refused {
    answers: HashMap<[u8; 32], (Decline, u64)>,
    order: VecDeque<[u8; 32]>,
    hour: u64,
    entries: u32,
}

impl Refused {
    /// The answer that an operation got before.
    pub(super) fn get(&self, hash: &[u8; 32], now_ms: u64) -> Option<Decline> {
        let (decline, until) = self.answers.get(hash)?;
        (now_ms < *until).then(|| decline.clone())
    }

    /// Remembers an answer.
    pub(super) fn by_rule(&mut self, hash: [u8; 32], decline: &Decline, now_ms: u64) {
        self.put(hash, decline, now_ms.saturating_add(BY_RULE_MS));
    }

    /// Remembers, for a while, what found no room.
    pub(super) fn for_room(&mut self, hash: [u8; 32], decline: &Decline, now_ms: u64) {
        self.put(hash, decline, now_ms.saturating_add(NO_ROOM_MS));
    }

    fn put(&mut self, hash: [u8; 32], decline: &Decline, until: u64) {
        if self.answers.insert(hash, (decline.clone(), until)).is_none() {
            self.order.push_back(hash);
        }
        if self.order.len() > MOST {
            if let Some(oldest) = self.order.pop_front() {
                self.answers.remove(&oldest);
            }
        }
    }

    /// Whether one more refusal may have an entry in this hour.
    pub(super) fn may_write(&mut self, now_ms: u64) -> bool {
        let hour = now_ms / HOUR_MS;
        if self.hour != hour {
            (self.hour, self.entries) = (hour, 0);
        }
        self.entries = self.entries.saturating_add(1);
        self.entries <= ENTRIES
    }

    /// Forgets everything: other rules are in force.
    pub(super) fn clear(&mut self) {
        (self.answers, self.order) = (HashMap::new(), VecDeque::new());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_bounded_in_number_and_time() {
        let mut refused = Refused::default();
        let decline = Decline::Refused { reasons: Vec::new() };
        let hash = |n: u64| {
            let mut hash = [0; 32];
            hash[..8].copy_from_slice(&n.to_be_bytes());
            hash
        };
        for n in 0..MOST as u64 + 1 {
            refused.by_rule(hash(n), &decline, 0);
        }
        assert_eq!(refused.answers.len(), MOST);
        assert!(refused.get(&hash(0), 1).is_none() && refused.get(&hash(1), 1).is_some());
        assert!(refused.get(&hash(1), BY_RULE_MS).is_none());
        refused.for_room(hash(7), &decline, 0);
        assert!(refused.get(&hash(7), NO_ROOM_MS).is_none());
        assert_eq!(refused.order.len(), MOST);
        refused.clear();
        assert!(refused.get(&hash(2), 1).is_none());
    }

    #[test]
    fn entries_are_bounded_by_the_hour() {
        let mut refused = Refused::default();
        assert!((0..ENTRIES).all(|_| refused.may_write(1)));
        assert!(!refused.may_write(2));
        assert!(refused.may_write(HOUR_MS));
    }
}
