//! The screener: all detectors, their memory, and how their findings make a verdict.

mod config;
mod memory;
mod stats;

#[cfg(test)]
mod tests;

pub use config::Config;
pub use memory::Memory;
pub use stats::Stats;

use bastion_protocol::Kind;
use bastion_state::executor::OpTrace;
use bastion_state::State;

use crate::features::{Feature, View};
use crate::fixed::PPM;
use crate::invariants;
use crate::invariants::item;
use crate::ledger::Ledger;
use crate::model::vector;
use crate::rules::{kind_name, Action, RuleSet};
use crate::{Candidate, Decision, Input, Reason, SentinelError, Verdict};

/// Decides about operations before they are included.
///
/// [`screen`](Self::screen) changes nothing. [`observe`](Self::observe) takes in what was included, in
/// order. Nothing else changes what the screener knows, and it reads no clock and draws no numbers: the
/// same calls make the same verdicts, bit for bit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Screener {
    config: Config,
    rules: RuleSet,
    memory: Memory,
}

impl Screener {
    /// A screener that begins at a state. What accounts hold there counts as deposited.
    ///
    /// # Errors
    /// [`SentinelError::Setting`].
    pub fn new(config: Config, rules: RuleSet, state: &State) -> Result<Self, SentinelError> {
        Self::with_ledger(config, rules, Ledger::of(state))
    }

    /// A screener that begins at the empty state.
    ///
    /// # Errors
    /// [`SentinelError::Setting`].
    pub fn empty(config: Config, rules: RuleSet) -> Result<Self, SentinelError> {
        Self::with_ledger(config, rules, Ledger::default())
    }

    fn with_ledger(config: Config, rules: RuleSet, ledger: Ledger) -> Result<Self, SentinelError> {
        config.check()?;
        let memory = Memory::new(&config, ledger)?;
        Ok(Self { config, rules, memory })
    }

    /// A screener that goes on with the memory of another, of the same settings.
    ///
    /// # Errors
    /// [`SentinelError::Setting`].
    pub fn restore(config: Config, rules: RuleSet, memory: Memory) -> Result<Self, SentinelError> {
        config.check()?;
        Ok(Self { config, rules, memory })
    }

    /// The memory, to store it.
    #[must_use]
    pub fn memory(&self) -> &Memory {
        &self.memory
    }

    /// The rules in force.
    #[must_use]
    pub fn rules(&self) -> &RuleSet {
        &self.rules
    }

    /// Puts other rules in force from the next operation on. The memory stays.
    pub fn set_rules(&mut self, rules: RuleSet) {
        self.rules = rules;
    }

    /// The decision about an operation. It changes nothing.
    #[must_use]
    pub fn screen(&self, candidate: &Candidate<'_>) -> Verdict {
        self.judge(&Input::of(candidate))
    }

    /// Takes in an operation that was included. The state may be the one before it or after it.
    pub fn observe(&mut self, candidate: &Candidate<'_>) {
        self.learn(&Input::of(candidate));
    }

    /// [`observe`](Self::observe) of a recorded input.
    pub fn learn(&mut self, input: &Input) {
        self.memory.learn(input, &self.rules.lists);
    }

    /// Takes back operations of a batch that L1 dropped, in the order in which they were observed. The
    /// totals of deposits, exits and balances are exact again. What was learned about habits stays.
    ///
    /// # Errors
    /// [`SentinelError::TakenBack`] if they were never observed; nothing changed.
    pub fn take_back(&mut self, ops: &[OpTrace]) -> Result<(), SentinelError> {
        let mut ledger = self.memory.ledger.clone();
        ops.iter().rev().try_for_each(|op| ledger.take_back(op))?;
        self.memory.ledger = ledger;
        Ok(())
    }

    /// [`screen`](Self::screen) of a recorded input.
    #[must_use]
    pub fn judge(&self, input: &Input) -> Verdict {
        if input.kind() == Kind::Noop {
            return Verdict { decision: Decision::Allow, reasons: Vec::new() };
        }
        let mut reasons = invariants::check(input, &self.memory.ledger);
        let broken = !reasons.is_empty();
        let view = View::new(input, &self.memory, &self.rules.lists);
        let scores = input.kind().by_owner().then(|| self.memory.models.scores(&vector(&view)));
        let view = view.with(scores.unwrap_or_default());
        let mut asked = Asked {
            decision: if broken { Decision::Reject } else { Decision::Allow },
            lane: input.is_exit_lane(),
            now: self.memory.now(input) / 1000,
        };
        self.judge_rules(&view, &mut asked, &mut reasons);
        self.judge_models(&view, &mut asked, &mut reasons);
        self.judge_taint(input, &view, &mut reasons);
        Verdict { decision: asked.decision, reasons }
    }

    fn judge_rules(&self, view: &View<'_>, asked: &mut Asked, reasons: &mut Vec<Reason>) {
        let values = self.rules.values(view);
        for (number, rule) in self.rules.rules().iter().enumerate() {
            let Some(action) = rule.action() else { continue };
            let spec = &rule.spec;
            let value = |feature| values.of(number, feature, spec.window);
            if !rule.condition.holds_with(&value) {
                continue;
            }
            let mut evidence: Vec<_> = rule
                .condition
                .features()
                .iter()
                .map(|f| (f.name().to_owned(), shown(*f, value(*f))))
                .collect();
            evidence.push(item("window", spec.window));
            evidence.push(item("action", asked.ask(action)));
            reasons.push(Reason {
                detector: rule.detector.clone(),
                version: self.rules.version.clone(),
                score: spec.severity.score(),
                evidence,
            });
        }
    }

    fn judge_models(&self, view: &View<'_>, asked: &mut Asked, reasons: &mut Vec<Reason>) {
        let (half_space, robust) =
            (view.value(Feature::HalfSpace, 1), view.value(Feature::Robust, 1));
        let alert = i128::from(self.config.model_alert.max(1));
        let hold = half_space.min(robust) >= i128::from(self.config.model_hold);
        for (name, rank) in [("model.half-space", half_space), ("model.robust", robust)] {
            if rank < alert && !hold {
                continue;
            }
            let action = match hold {
                true => asked.ask(Action::Quarantine(self.config.model_hold_seconds)),
                false => asked.ask(Action::Alert),
            };
            reasons.push(Reason {
                detector: name.into(),
                version: hex::encode(self.memory.models.version()),
                // At most 1000.
                score: (rank * 1000 / i128::from(PPM)) as u16,
                evidence: vec![item("rank_ppm", rank), item("action", action)],
            });
        }
    }

    fn judge_taint(&self, input: &Input, view: &View<'_>, reasons: &mut Vec<Reason>) {
        let Some(mark) = view.taint().filter(|m| m.ppm >= self.config.taint_alert) else { return };
        if input.sent() == 0 {
            return;
        }
        reasons.push(Reason {
            detector: "graph.taint".into(),
            version: self.rules.version.clone(),
            score: (u64::from(mark.ppm) * 1000 / PPM) as u16,
            evidence: vec![
                item("taint_ppm", mark.ppm),
                item("hops", mark.hops),
                item("action", "alert"),
            ],
        });
    }
}

/// What the detectors asked for so far.
struct Asked {
    decision: Decision,
    lane: bool,
    now: u64,
}

impl Asked {
    /// Adds a wish, and tells what becomes of it: on the exit lane a suspicion is an alert and no more.
    fn ask(&mut self, action: Action) -> String {
        let (wish, text) = match action {
            Action::Alert => return "alert".into(),
            Action::Quarantine(s) => (
                Decision::Quarantine { until: self.now.saturating_add(s) },
                format!("quarantine {s}"),
            ),
            Action::Reject => (Decision::Reject, "reject".into()),
        };
        if self.lane {
            return format!("alert (exit lane; {text} elsewhere)");
        }
        // By derivation: allow, quarantine by its end, reject.
        self.decision = self.decision.max(wish);
        text
    }
}

/// A value as evidence: kinds by their names.
fn shown(feature: Feature, value: i128) -> String {
    let kind = usize::try_from(value).ok().and_then(|i| Kind::ALL.get(i));
    match (feature, kind) {
        (Feature::Kind, Some(kind)) => kind_name(*kind).into(),
        _ => value.to_string(),
    }
}
