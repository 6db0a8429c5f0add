//! The screener as a detector, whole and in parts.

use std::collections::HashSet;

use super::bench::{Named, Subject};
use super::detector::{tail, Detector, Finding};
use super::SimulateError;
use crate::rules::RuleSet;
use crate::{Candidate, Config, Decision, Reason, Screener, SentinelError, Verdict};

const HALF_SPACE: &str = "model.half-space";
const ROBUST: &str = "model.robust";

/// Which of a verdict's reasons count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Whole,
    /// Those of detectors whose name begins so.
    Of(&'static str),
    /// What both models agree on.
    Both,
}

/// A screener that is evaluated.
///
/// What breaks an invariant is never learned, by no part: a chain would not include it, and totals that
/// contain forged money would make every later operation look forged.
pub struct Screening {
    screener: Screener,
    part: Part,
    broken: HashSet<[u8; 32]>,
}

/// How much a group of reasons is worth beside the others, in thousandths: a model is a hint, a rule is
/// known, an invariant is certain.
const WEIGHTS: [(&str, u64); 4] =
    [("invariant.", 1000), ("rule.", 900), ("model.", 800), ("graph.", 500)];

/// One score of all reasons: each group has the score of its highest, the models together their mean, and
/// groups count as if they were independent. What remains of doubt is the product of what each leaves.
fn fused(reasons: &[Reason]) -> u16 {
    let doubt = WEIGHTS.iter().fold(1_000_000_000u64, |doubt, (group, weight)| {
        let scores = || reasons.iter().filter(|r| r.detector.starts_with(group)).map(alone);
        let score = match *group {
            "model." => scores().map(u64::from).sum::<u64>() / 2,
            _ => scores().map(u64::from).max().unwrap_or(0),
        };
        doubt / 1000 * (1_000_000 - score.min(1000) * weight) / 1000
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
        Self::of(config, rules, Part::Whole)
    }

    fn of(config: Config, rules: RuleSet, part: Part) -> Result<Self, SentinelError> {
        let screener = Screener::empty(config, rules)?;
        Ok(Self { screener, part, broken: HashSet::new() })
    }
}

impl Detector for Screening {
    fn screen(&mut self, candidate: &Candidate<'_>) -> Finding {
        let Verdict { decision, reasons } = self.screener.screen(candidate);
        let invariants = "invariant.";
        let broken = reasons.iter().any(|r| r.detector.starts_with(invariants));
        if broken {
            self.broken.insert(candidate.hash);
        }
        let scores = |name| reasons.iter().filter(move |r| r.detector.starts_with(name)).map(alone);
        match self.part {
            Part::Whole => Finding { score: fused(&reasons), decision },
            Part::Of(name) => Finding {
                score: scores(name).max().unwrap_or(0),
                decision: match broken && name == invariants {
                    true => Decision::Reject,
                    false => Decision::Allow,
                },
            },
            Part::Both => {
                let (first, second) = (scores(HALF_SPACE).max(), scores(ROBUST).max());
                let score = first.min(second).unwrap_or(0);
                Finding { score, decision: Decision::Allow }
            }
        }
    }

    fn observe(&mut self, candidate: &Candidate<'_>) {
        if !self.broken.remove(&candidate.hash) {
            self.screener.observe(candidate);
        }
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

    /// Models say their rank of every operation, not only where it is an alert.
    fn ranks(&self) -> Config {
        Config { model_alert: 1, ..self.config }
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

    fn ranked(&self) -> Result<Box<dyn Detector>, SimulateError> {
        boxed(Screening::new(self.ranks(), self.rules.clone()))
    }

    fn components(&self) -> Result<Named, SimulateError> {
        let ranks = self.ranks();
        let none = RuleSet::empty;
        let part = |part, config, rules| boxed(Screening::of(config, rules, part));
        Ok(vec![
            ("invariants", part(Part::Of("invariant."), self.config, none())?),
            ("rules", part(Part::Of("rule."), self.config, self.rules.clone())?),
            ("half_space", part(Part::Of(HALF_SPACE), ranks, none())?),
            ("robust", part(Part::Of(ROBUST), ranks, none())?),
            ("both_models", part(Part::Both, ranks, none())?),
            ("taint", part(Part::Of("graph."), self.config, none())?),
        ])
    }
}
