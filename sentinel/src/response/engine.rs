//! Findings in, decisions out.
//!
//! The engine is deterministic: the same findings at the same times make the same decisions. Its memory is
//! bounded, and what it spent survives a restart.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use serde::{Deserialize, Serialize};

use super::budget::Spent;
use super::{Action, Budget, Finding, Playbook, Playbooks, ResponseError, Step, Subject};

mod state;
#[cfg(test)]
mod tests;

pub use state::EngineState;

/// Most windows of findings that are counted at a time, over all playbooks. The one that had no finding for
/// the longest time makes room.
pub const MAX_WINDOWS: usize = 10_000;

/// What becomes of an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It is to be done now.
    Do,
    /// The playbook only says what it would have done.
    DryRun,
    /// The budget is used up: a person decides.
    OverBudget,
    /// The playbook leaves it to a person.
    NeedsPerson,
    /// The same was done to the same account or token a while ago.
    CoolingDown,
}

impl Outcome {
    /// Whether a person is asked.
    #[must_use]
    pub fn asks_person(self) -> bool {
        matches!(self, Self::OverBudget | Self::NeedsPerson)
    }

    /// The outcome in words, before or after an action's.
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Self::Do => "done",
            Self::DryRun => "would have been done (dry run)",
            Self::OverBudget => "needs a person: the budget is used up",
            Self::NeedsPerson => "needs a person",
            Self::CoolingDown => "not repeated so soon",
        }
    }
}

/// A decision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Decided {
    /// The playbook that asked.
    pub playbook: String,
    /// What for.
    pub action: Action,
    /// What becomes of it.
    pub outcome: Outcome,
    /// Whom findings were counted for.
    pub subject: Subject,
    /// The finding that was the last one needed.
    pub finding: Finding,
    /// When, in milliseconds since 1970.
    pub at_ms: u64,
}

/// Times of findings that one playbook counts for one subject.
type Windows = BTreeMap<(String, Subject), VecDeque<u64>>;

/// Turns findings into decisions.
#[derive(Debug, Clone)]
pub struct Engine {
    playbooks: Playbooks,
    budget: Budget,
    spent: Spent,
    windows: Windows,
    /// The windows by the time of their last finding.
    oldest: BTreeSet<(u64, String, Subject)>,
}

impl Engine {
    /// An engine that has spent nothing.
    ///
    /// # Errors
    /// Those of [`Budget::check`].
    pub fn new(playbooks: Playbooks, budget: Budget) -> Result<Self, ResponseError> {
        budget.check()?;
        let (spent, windows, oldest) = Default::default();
        Ok(Self { playbooks, budget, spent, windows, oldest })
    }

    /// Its playbooks.
    #[must_use]
    pub fn playbooks(&self) -> &Playbooks {
        &self.playbooks
    }

    /// Other playbooks from now on. What was spent stays spent, and a playbook of the same name goes on
    /// counting.
    pub fn set_playbooks(&mut self, playbooks: Playbooks) {
        self.playbooks = playbooks;
        let names: BTreeSet<&str> = self.playbooks.list().iter().map(|p| p.name.as_str()).collect();
        self.windows.retain(|(name, _), _| names.contains(name.as_str()));
        self.oldest.retain(|(_, name, _)| names.contains(name.as_str()));
    }

    /// The decisions about a finding, in the order of the playbooks and their steps. Save the state before
    /// you act on them: a crash in between then loses an action, and never a bound.
    pub fn on_finding(&mut self, finding: &Finding, now_ms: u64) -> Vec<Decided> {
        let mut decided = Vec::new();
        for i in 0..self.playbooks.list().len() {
            let playbook = &self.playbooks.list()[i];
            let Some(subject) = playbook.matches(finding) else { continue };
            if playbook.when.count > 1 {
                let (name, count) = (playbook.name.clone(), playbook.when.count as usize);
                let span = playbook.when.within.saturating_mul(1000);
                if !self.count(name, subject, now_ms, span, count) {
                    continue;
                }
            }
            let playbook = &self.playbooks.list()[i];
            for step in &playbook.steps {
                let Some(action) = action(step, finding) else { continue };
                let outcome = outcome(playbook, &mut self.spent, &self.budget, &action, now_ms);
                decided.push(Decided {
                    playbook: playbook.name.clone(),
                    action,
                    outcome,
                    subject,
                    finding: finding.clone(),
                    at_ms: now_ms,
                });
            }
        }
        decided
    }

    /// Counts a finding, and returns whether there are enough. Then counting begins anew.
    fn count(
        &mut self,
        name: String,
        subject: Subject,
        now_ms: u64,
        span: u64,
        count: usize,
    ) -> bool {
        let key = (name, subject);
        let mut times = self.windows.remove(&key).unwrap_or_default();
        if let Some(last) = times.back() {
            self.oldest.remove(&(*last, key.0.clone(), subject));
        }
        times.iter_mut().for_each(|time| *time = (*time).min(now_ms));
        times.retain(|time| now_ms - *time < span);
        times.push_back(now_ms);
        if times.len() >= count {
            return true;
        }
        self.put(key, times);
        false
    }

    /// Keeps a window; the oldest ones make room.
    fn put(&mut self, key: (String, Subject), times: VecDeque<u64>) {
        let Some(last) = times.back().copied() else { return };
        self.oldest.insert((last, key.0.clone(), key.1));
        self.windows.insert(key, times);
        while self.windows.len() > MAX_WINDOWS {
            let Some((_, name, subject)) = self.oldest.pop_first() else { return };
            self.windows.remove(&(name, subject));
        }
    }
}

/// The action of a step, if the finding has what it needs.
fn action(step: &Step, finding: &Finding) -> Option<Action> {
    match step {
        Step::Quarantine(seconds) => {
            finding.operation.map(|_| Action::Quarantine { seconds: *seconds })
        }
        Step::Freeze(seconds) => {
            finding.account.map(|account| Action::Freeze { account, seconds: *seconds })
        }
        Step::Tighten { token, percent } => {
            token.or(finding.token).map(|token| Action::Tighten { token, percent: *percent })
        }
        Step::PauseCommits => Some(Action::PauseCommits),
        Step::Alert(channel) => Some(Action::Alert { channel: channel.clone() }),
    }
}

fn outcome(
    playbook: &Playbook,
    spent: &mut Spent,
    budget: &Budget,
    action: &Action,
    now_ms: u64,
) -> Outcome {
    if playbook.dry_run {
        return Outcome::DryRun;
    }
    match action {
        // Nobody could be asked otherwise.
        Action::Alert { .. } => Outcome::Do,
        _ if playbook.needs_person => Outcome::NeedsPerson,
        Action::Quarantine { .. }
        | Action::Freeze { .. }
        | Action::Tighten { .. }
        | Action::PauseCommits => spent.spend(budget, action, now_ms),
    }
}
