//! The whole evaluation: thresholds from the tuning split, figures from every split.

use std::collections::BTreeMap;

use serde::Serialize;

use super::detector::{Detector, Threshold};
use super::evaluate::{evaluate, Report};
use super::{AmountQuantile, Rows, SimulateError, Splits};

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
    all.push((WHOLE, subject.whole()?));
    all.push((BASELINE, Box::new(AmountQuantile::default())));
    Ok(all)
}

/// The lowest thresholds that keep the budget on the tuning split.
fn tune(
    rows: &Rows,
    splits: &Splits,
    subject: &dyn Subject,
    budget: u64,
) -> Result<BTreeMap<&'static str, u16>, SimulateError> {
    let split = splits.splits.iter().find(|split| split.tune);
    let split = split.ok_or_else(|| SimulateError::Plan("no split is for tuning".into()))?;
    split.may_tune()?;
    // Nothing is held while scores are collected.
    let mut quiet: Vec<_> = scorers(subject)?
        .into_iter()
        .map(|(name, inner)| (name, Threshold { inner, threshold: 1001, hold_seconds: 0 }))
        .collect();
    let mut all: Vec<&mut dyn Detector> =
        quiet.iter_mut().map(|(_, detector)| detector as &mut dyn Detector).collect();
    let reports = evaluate(&split.traffic(rows)?, &mut all)?;
    let names = quiet.iter().map(|(name, _)| *name);
    Ok(names.zip(reports).map(|(name, r)| (name, r.honest_scores.threshold(budget))).collect())
}
