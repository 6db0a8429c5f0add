//! The screener as a detector, whole and in parts.

use super::bench::{Named, Subject};
use super::detector::{tail, Detector, Finding};
use super::SimulateError;
use crate::rules::RuleSet;
use crate::{Candidate, Config, Decision, Reason, Screener, SentinelError, Verdict};

/// Which of a verdict's reasons count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Whole,
    /// Those of detectors whose name begins so.
    Of(&'static str),
}

/// A screener that is evaluated.
pub struct Screening {
    screener: Screener,
    part: Part,
}

/// How much a reason's score is worth beside the others, in thousandths: an alert of a model is a hint,
/// a rule is known, an invariant is certain.
fn weight(reason: &Reason) -> u64 {
    let kinds = [("invariant.", 1000), ("rule.", 900), ("graph.", 500), ("model.", 400)];
    let found = kinds.iter().find(|(prefix, _)| reason.detector.starts_with(prefix));
    found.map_or(500, |(_, weight)| *weight)
}

/// Reasons as if they were independent: what remains of doubt is the product of what each leaves.
fn fused<'r>(reasons: impl Iterator<Item = &'r Reason>) -> u16 {
    let doubt = reasons.fold(1_000_000_000u64, |doubt, reason| {
        let sure = u64::from(reason.score.min(1000)) * weight(reason);
        doubt / 1000 * (1_000_000 - sure) / 1000
    });
    (1000 - doubt / 1_000_000).min(1000) as u16
}

/// The score of a reason by itself. Models name their rank more finely than their score does.
fn alone(reason: &Reason) -> u16 {
    let rank = reason.evidence.iter().find(|(name, _)| name == "rank_ppm");
    let rank = rank.and_then(|(_, value)| value.parse::<u64>().ok());
    rank.map_or(reason.score, |rank| tail(1_000_000u64.saturating_sub(rank)))
}

impl Screening {
    /// The whole, from the empty state on.
    ///
    /// # Errors
    /// [`SentinelError::Setting`].
    pub fn new(config: Config, rules: RuleSet) -> Result<Self, SentinelError> {
        Ok(Self { screener: Screener::empty(config, rules)?, part: Part::Whole })
    }

    fn of(config: Config, rules: RuleSet, part: &'static str) -> Result<Self, SentinelError> {
        Ok(Self { screener: Screener::empty(config, rules)?, part: Part::Of(part) })
    }

    fn judge(&self, verdict: &Verdict) -> Finding {
        match self.part {
            Part::Whole => {
                Finding { score: fused(verdict.reasons.iter()), decision: verdict.decision }
            }
            Part::Of(name) => {
                let reasons = verdict.reasons.iter().filter(|r| r.detector.starts_with(name));
                let score = reasons.map(alone).max().unwrap_or(0);
                Finding { score, decision: Decision::Allow }
            }
        }
    }
}

impl Detector for Screening {
    fn screen(&mut self, candidate: &Candidate<'_>) -> Finding {
        let verdict = self.screener.screen(candidate);
        self.judge(&verdict)
    }

    fn observe(&mut self, candidate: &Candidate<'_>) {
        self.screener.observe(candidate);
    }
}

/// The screener with the rules that come with it.
pub struct Built {
    config: Config,
    rules: RuleSet,
}

impl Built {
    /// With these settings.
    ///
    /// # Errors
    /// [`SentinelError`] if settings or rules do not load.
    pub fn new(config: Config) -> Result<Self, SentinelError> {
        config.check()?;
        Ok(Self { config, rules: RuleSet::builtin()? })
    }
}

fn boxed(made: Result<Screening, SentinelError>) -> Result<Box<dyn Detector>, SimulateError> {
    match made {
        Ok(screening) => Ok(Box::new(screening)),
        Err(e) => Err(SimulateError::Detector(e.to_string())),
    }
}

impl Subject for Built {
    fn whole(&self) -> Result<Box<dyn Detector>, SimulateError> {
        boxed(Screening::new(self.config, self.rules.clone()))
    }

    fn components(&self) -> Result<Named, SimulateError> {
        // Models alone say their rank of every operation, not only where it is an alert.
        let ranks = Config { model_alert: 1, ..self.config };
        let none = RuleSet::empty;
        let part = |name, config, rules| boxed(Screening::of(config, rules, name));
        Ok(vec![
            ("invariants", part("invariant.", self.config, none())?),
            ("rules", part("rule.", self.config, self.rules.clone())?),
            ("half_space", part("model.half-space", ranks, none())?),
            ("robust", part("model.robust", ranks, none())?),
            ("taint", part("graph.", self.config, none())?),
        ])
    }
}
