//! What may be done without a person.

use std::collections::{BTreeMap, VecDeque};

use serde::{Deserialize, Serialize};

use super::{Action, Outcome, ResponseError, Subject};

const HOUR_MS: u64 = 3_600_000;
const DAY_MS: u64 = 24 * HOUR_MS;

/// What may be done without a person. An action beyond it becomes a question to one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct Budget {
    /// Freezes within any hour, 100 at most.
    pub freezes_per_hour: u32,
    /// Tightenings within any day, 100 at most.
    pub tightenings_per_day: u32,
    /// Pauses within any day, 10 at most.
    pub pauses_per_day: u32,
    /// Seconds after a freeze in which the same account is not frozen again, and after a tightening in which
    /// the same token is not tightened again; a week at most.
    pub cooldown: u64,
}

impl Default for Budget {
    fn default() -> Self {
        Self { freezes_per_hour: 10, tightenings_per_day: 4, pauses_per_day: 1, cooldown: 6 * 3600 }
    }
}

impl Budget {
    /// Checks the ranges.
    ///
    /// # Errors
    /// [`ResponseError::Limit`].
    pub fn check(&self) -> Result<(), ResponseError> {
        let bounds = [
            ("freezes-per-hour", self.freezes_per_hour.into(), 100),
            ("tightenings-per-day", self.tightenings_per_day.into(), 100),
            ("pauses-per-day", self.pauses_per_day.into(), 10),
            ("cooldown", self.cooldown, 7 * 86_400),
        ];
        let bad = bounds.into_iter().find(|(_, value, most)| value > most);
        bad.map_or(Ok(()), |(what, value, most)| {
            Err(ResponseError::Limit { what, value, least: 0, most })
        })
    }
}

/// What was spent of a budget.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Spent {
    freezes: VecDeque<u64>,
    tightenings: VecDeque<u64>,
    pauses: VecDeque<u64>,
    /// Until when an account or token is left alone. Text cannot be keyed by it, so that it is a list there.
    #[serde(with = "pairs")]
    cooling: BTreeMap<Subject, u64>,
}

/// Forgets times that are over. One from the future, which a clock set back leaves, counts as now.
fn passed(times: &mut VecDeque<u64>, now_ms: u64, span: u64) -> usize {
    times.iter_mut().for_each(|time| *time = (*time).min(now_ms));
    times.retain(|time| now_ms - *time < span);
    times.len()
}

impl Spent {
    /// What an action costs is taken, if it is there. Freezes, tightenings and pauses cost something.
    pub(super) fn spend(&mut self, budget: &Budget, action: &Action, now_ms: u64) -> Outcome {
        let (times, span, most, subject) = match action {
            Action::Freeze { account, .. } => (
                &mut self.freezes,
                HOUR_MS,
                budget.freezes_per_hour,
                Some(Subject::Account(*account)),
            ),
            Action::Tighten { token, .. } => (
                &mut self.tightenings,
                DAY_MS,
                budget.tightenings_per_day,
                Some(Subject::Token(*token)),
            ),
            Action::PauseCommits => (&mut self.pauses, DAY_MS, budget.pauses_per_day, None),
            Action::Quarantine { .. } | Action::Alert { .. } => return Outcome::Do,
        };
        let cooldown = budget.cooldown.saturating_mul(1000);
        let latest = now_ms.saturating_add(cooldown);
        self.cooling.retain(|_, until| {
            *until = (*until).min(latest);
            *until > now_ms
        });
        if subject.is_some_and(|subject| self.cooling.contains_key(&subject)) {
            return Outcome::CoolingDown;
        }
        if passed(times, now_ms, span) >= most as usize {
            return Outcome::OverBudget;
        }
        times.push_back(now_ms);
        if let (Some(subject), true) = (subject, cooldown > 0) {
            self.cooling.insert(subject, latest);
        }
        Outcome::Do
    }

    /// How many times and cooldowns are kept.
    #[cfg(test)]
    pub(super) fn size(&self) -> usize {
        self.freezes.len() + self.tightenings.len() + self.pauses.len() + self.cooling.len()
    }
}

/// A map as a list of pairs.
mod pairs {
    use std::collections::BTreeMap;

    use serde::{Deserialize, Deserializer, Serializer};

    use super::Subject;

    pub fn serialize<S: Serializer>(map: &BTreeMap<Subject, u64>, s: S) -> Result<S::Ok, S::Error> {
        s.collect_seq(map)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(
        d: D,
    ) -> Result<BTreeMap<Subject, u64>, D::Error> {
        Ok(Vec::<(Subject, u64)>::deserialize(d)?.into_iter().collect())
    }
}
