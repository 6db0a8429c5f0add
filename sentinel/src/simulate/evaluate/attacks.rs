//! How far each attack came.

use std::collections::{BTreeMap, BTreeSet};

use bastion_protocol::Token;

use crate::simulate::label::{Family, Part, Role};
use crate::simulate::stage::TRUNK;
use crate::simulate::Planned;

/// One attack as it goes on. A branch that was stopped stays so: the hold is noticed before it ends.
#[derive(Debug, Clone)]
pub(super) struct Course {
    pub(super) family: Family,
    /// Operations so far, without bystanders.
    operations: u64,
    stopped: BTreeSet<u16>,
    first_hold: Option<(u64, u64)>,
    gone: Option<(u64, u64)>,
    /// By token: what is lost if nobody acts, and how much of it was saved.
    stake: BTreeMap<Token, (u128, u128)>,
}

impl Course {
    pub(super) fn new(family: Family) -> Self {
        Self {
            family,
            operations: 0,
            stopped: BTreeSet::new(),
            first_hold: None,
            gone: None,
            stake: BTreeMap::new(),
        }
    }

    pub(super) fn take(&mut self, planned: &Planned, part: Part, held: bool) {
        self.operations += 1;
        let now = (self.operations, planned.at_ms);
        if held {
            self.stopped.insert(part.lane);
            self.first_hold.get_or_insert(now);
        }
        if part.role == Role::Lose {
            self.gone = Some(now);
            let stopped = self.stopped.contains(&TRUNK) || self.stopped.contains(&part.lane);
            let (stake, saved) = self.stake.entry(planned.token).or_default();
            *stake = stake.saturating_add(planned.loses);
            if stopped {
                *saved = saved.saturating_add(planned.loses);
            }
        }
    }

    /// Whether an operation was held before the last money was gone, and how long before: in operations
    /// of the attack and in seconds.
    pub(super) fn lead(&self) -> Option<(f64, f64)> {
        let ((held, held_ms), (gone, gone_ms)) = (self.first_hold?, self.gone?);
        let before = gone.checked_sub(held)?;
        Some((before as f64, gone_ms.saturating_sub(held_ms) as f64 / 1000.0))
    }

    /// The part of the value at stake that was saved: the mean over tokens, which have no common unit.
    pub(super) fn saved(&self) -> f64 {
        let parts = self.stake.values().filter(|(stake, _)| *stake > 0);
        let parts: Vec<f64> = parts.map(|(stake, saved)| *saved as f64 / *stake as f64).collect();
        match parts.len() {
            0 => 0.0,
            n => parts.iter().sum::<f64>() / n as f64,
        }
    }
}
