//! Counts over the whole network, by minute.

use bastion_protocol::Kind;
use serde::{Deserialize, Serialize};

/// Counts of the last `slots` periods.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counter {
    /// Length of a period in milliseconds.
    period_ms: u64,
    /// Number of the period, and its sum.
    slots: Vec<(u64, u128)>,
}

impl Counter {
    /// A counter of so many periods, at least one of each.
    #[must_use]
    pub fn new(period_ms: u64, slots: usize) -> Self {
        Self { period_ms: period_ms.max(1), slots: vec![(0, 0); slots.max(1)] }
    }

    /// Adds to the period of a time.
    pub fn add(&mut self, at_ms: u64, amount: u128) {
        let period = at_ms / self.period_ms;
        let place = (period % self.slots.len() as u64) as usize;
        let slot = &mut self.slots[place];
        if slot.0 != period {
            *slot = (period, 0);
        }
        slot.1 = slot.1.saturating_add(amount);
    }

    /// The sum of the periods that a window until now touches, and no more than are kept.
    #[must_use]
    pub fn sum(&self, now_ms: u64, window_ms: u64) -> u128 {
        let last = now_ms / self.period_ms;
        let first = now_ms.saturating_sub(window_ms) / self.period_ms;
        let count = (last - first + 1).min(self.slots.len() as u64);
        let periods = (last + 1).saturating_sub(count)..=last;
        let kept = periods.map(|period| {
            let slot = self.slots[(period % self.slots.len() as u64) as usize];
            if slot.0 == period {
                slot.1
            } else {
                0
            }
        });
        kept.fold(0, u128::saturating_add)
    }
}

/// How many operations of each kind there were, by minute over a day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Network {
    kinds: Vec<Counter>,
}

impl Default for Network {
    fn default() -> Self {
        Self { kinds: Kind::ALL.map(|_| Counter::new(60_000, 1440)).to_vec() }
    }
}

impl Network {
    /// Counts an operation.
    pub(crate) fn learn(&mut self, kind: Kind, now_ms: u64) {
        if let Some(counter) = self.kinds.get_mut(kind as usize) {
            counter.add(now_ms, 1);
        }
    }

    /// Operations of a kind in a window until now, to whole minutes; at most a day.
    #[must_use]
    pub fn count(&self, kind: Kind, now_ms: u64, window_ms: u64) -> i128 {
        let sum = self.kinds.get(kind as usize).map_or(0, |c| c.sum(now_ms, window_ms));
        i128::try_from(sum).unwrap_or(i128::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_periods_do_not_count() {
        let mut counter = Counter::new(10, 4);
        counter.add(5, 1);
        counter.add(15, 2);
        counter.add(39, 4);
        assert_eq!(counter.sum(39, 9), 4);
        assert_eq!(counter.sum(39, 25), 6);
        assert_eq!(counter.sum(39, 1000), 7);
        // The first period's place is taken by the fifth.
        counter.add(40, 8);
        assert_eq!((counter.sum(40, 1000), counter.sum(400, 1000)), (14, 0));
    }
}
