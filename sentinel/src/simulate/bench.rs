//! The whole evaluation: thresholds from the tuning split, figures from every split.

use std::collections::BTreeMap;

use serde::Serialize;

use super::detector::{Detector, Threshold};
use super::evaluate::{evaluate, Report};
use super::{AmountQuantile, Rows, SimulateError, Splits, Traffic};

/// For how long a threshold holds an operation, in seconds.
pub const HOLD_SECONDS: u64 = 3_600;

/// Detectors by name.
pub type Named = Vec<(&'static str, Box<dyn Detector>)>;

/// What is evaluated. Each split gets fresh detectors.
pub trait Subject {
    /// The detector as it is meant to be used, with decisions of its own.
    ///
    /// # Errors
    /// [`SimulateError::Detector`] if it does not start.
    fn whole(&self) -> Result<Box<dyn Detector>, SimulateError>;

    /// The whole as what scores, for a tuned threshold: where its own decisions need no fine scores, it may
    /// score more finely here.
    ///
    /// # Errors
    /// [`SimulateError::Detector`] if it does not start.
    fn ranked(&self) -> Result<Box<dyn Detector>, SimulateError> {
        self.whole()
    }

    /// Its parts by name, each alone. Only their scores count: thresholds are tuned.
    ///
    /// # Errors
    /// [`SimulateError::Detector`] if one does not start.
    fn components(&self) -> Result<Named, SimulateError> {
        Ok(Vec::new())
    }
}

/// The figures of one split.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SplitReport {
    /// Whether thresholds were set here: then its figures are no measurement.
    pub tuned_here: bool,
    /// Operations, those of the warm-up aside.
    pub operations: u64,
    /// The whole.
    #[serde(flatten)]
    pub whole: Report,
    /// The whole's score with a tuned threshold instead of its own decisions: comparable with the
    /// baseline, which has the same budget.
    pub whole_at_budget: Report,
    /// Amounts that are large for their token.
    pub baseline: Report,
    /// Each part alone.
    pub components: BTreeMap<&'static str, Report>,
}

/// All figures.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Bench {
    /// Of the file of splits.
    pub splits_version: u32,
    /// Honest operations of a million that a tuned threshold may hold on the tuning split.
    pub budget_per_million: u64,
    /// Thresholds as tuned; 1001 holds nothing.
    pub thresholds: BTreeMap<String, u16>,
    /// By split.
    pub splits: BTreeMap<String, SplitReport>,
}

const WHOLE: &str = "whole";
const BASELINE: &str = "baseline";

/// Tunes on the split that is for it, and measures on all.
///
/// # Errors
/// [`SimulateError::Plan`] if no split is for tuning, and those of [`evaluate`].
pub fn bench(rows: &Rows, splits: &Splits, subject: &dyn Subject) -> Result<Bench, SimulateError> {
    let budget = splits.false_quarantines_per_million;
    let thresholds = tune(rows, splits, subject, budget)?;
    let mut reports = BTreeMap::new();
    for split in &splits.splits {
        let traffic = split.traffic(rows)?;
        let mut whole = subject.whole()?;
        let mut tuned: Vec<_> = scorers(subject)?
            .into_iter()
            .map(|(name, inner)| {
                let threshold = thresholds.get(name).copied().unwrap_or(1001);
                (name, Threshold { inner, threshold, hold_seconds: HOLD_SECONDS })
            })
            .collect();
        let mut all: Vec<&mut dyn Detector> = vec![&mut *whole];
        all.extend(tuned.iter_mut().map(|(_, detector)| detector as &mut dyn Detector));
        let mut figures = evaluate(&traffic, &mut all)?.into_iter();
        let names = tuned.iter().map(|(name, _)| *name);
        let Some(whole) = figures.next() else { continue };
        let mut components: BTreeMap<&'static str, Report> = names.zip(figures).collect();
        let (Some(baseline), Some(whole_at_budget)) =
            (components.remove(BASELINE), components.remove(WHOLE))
        else {
            continue;
        };
        let report = SplitReport {
            tuned_here: split.tune,
            operations: (traffic.planned().len() - traffic.warm_up()) as u64,
            whole,
            whole_at_budget,
            baseline,
            components,
        };
        reports.insert(split.name.clone(), report);
    }
    let thresholds = thresholds.into_iter().map(|(name, t)| (name.to_owned(), t)).collect();
    Ok(Bench {
        splits_version: splits.version,
        budget_per_million: budget,
        thresholds,
        splits: reports,
    })
}

fn scorers(subject: &dyn Subject) -> Result<Named, SimulateError> {
    let mut all = subject.components()?;
    all.push((WHOLE, subject.ranked()?));
    all.push((BASELINE, Box::new(AmountQuantile::default())));
    Ok(all)
}

/// Parts of the budget for which thresholds are tried.
const RUNGS: [u64; 5] = [1, 2, 4, 8, 16];

/// The lowest thresholds that keep the budget on the tuning split.
///
/// What is held is learned later, so a detector that holds finds more unusual than one that does not. A
/// first run without holds tells the thresholds of parts of the budget; a second one tries them. If none
/// keeps the budget, it is the highest of them.
fn tune(
    rows: &Rows,
    splits: &Splits,
    subject: &dyn Subject,
    budget: u64,
) -> Result<BTreeMap<&'static str, u16>, SimulateError> {
    let split = splits.splits.iter().find(|split| split.tune);
    let split = split.ok_or_else(|| SimulateError::Plan("no split is for tuning".into()))?;
    split.may_tune()?;
    let traffic = split.traffic(rows)?;
    let quiet = scorers(subject)?.into_iter().map(|(name, inner)| (name, 1001, inner)).collect();
    let mut tried = Vec::new();
    for (_, name, report) in with_thresholds(&traffic, quiet)? {
        let rungs = RUNGS.map(|part| (name, report.honest_scores.threshold(budget / part)));
        tried.extend(rungs);
    }
    tried.sort_unstable();
    tried.dedup();
    let mut holding = Vec::new();
    for (name, threshold) in &tried {
        let found = scorers(subject)?.into_iter().find(|(other, _)| other == name);
        holding.extend(found.map(|(_, inner)| (*name, *threshold, inner)));
    }
    let mut best = BTreeMap::new();
    for (threshold, name, report) in with_thresholds(&traffic, holding)?.into_iter().rev() {
        // From the highest down: the first stays, lower ones as long as they keep the budget.
        if report.false_quarantines_per_million <= budget as f64 || !best.contains_key(name) {
            best.insert(name, threshold);
        }
    }
    Ok(best)
}

type Tried = Vec<(&'static str, u16, Box<dyn Detector>)>;

/// Evaluates detectors with thresholds, in one run.
fn with_thresholds(
    traffic: &Traffic,
    tried: Tried,
) -> Result<Vec<(u16, &'static str, Report)>, SimulateError> {
    let names: Vec<_> = tried.iter().map(|(name, threshold, _)| (*threshold, *name)).collect();
    let hold_seconds = HOLD_SECONDS;
    let mut detectors: Vec<_> = tried
        .into_iter()
        .map(|(_, threshold, inner)| Threshold { inner, threshold, hold_seconds })
        .collect();
    let mut all: Vec<&mut dyn Detector> =
        detectors.iter_mut().map(|detector| detector as &mut dyn Detector).collect();
    let reports = evaluate(traffic, &mut all)?;
    Ok(names.into_iter().zip(reports).map(|((t, name), report)| (t, name, report)).collect())
}
