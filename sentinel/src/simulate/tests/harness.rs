use std::collections::HashSet;

use super::*;
use crate::Decision;

/// Families without operations of the queue, so that a perfect detector can be perfect.
fn mixed() -> Traffic {
    let families = [Family::Drain, Family::KeyTheft, Family::LimitProbing, Family::PeelChain];
    let kinds = vec![LookAlike::WhaleMove, LookAlike::Rebalancing];
    let plan = Plan { look_alikes: kinds, ..plan(&families, 2, 60) };
    Traffic::new(&rows(), &plan).unwrap()
}

/// Knows the truth by the time of arrival.
struct Oracle {
    truth: HashSet<(u64, u32)>,
    score: u16,
    seen: usize,
}

impl Oracle {
    fn new(traffic: &Traffic, score: u16) -> Self {
        let bad = traffic.planned().iter().filter(|op| op.label.part().is_some());
        Self { truth: bad.map(|op| (op.at_ms, op.account)).collect(), score, seen: 0 }
    }
}

impl Detector for Oracle {
    fn screen(&mut self, c: &Candidate<'_>) -> Finding {
        let account = c.trace.accesses[0].unwrap().index;
        let bad = self.truth.contains(&(c.arrived_ms, account)) && self.score > 0;
        let decision = match bad {
            true => Decision::Quarantine { until: c.time + 3_600 },
            false => Decision::Allow,
        };
        Finding { score: if bad { self.score } else { 0 }, decision }
    }

    fn observe(&mut self, _: &Candidate<'_>) {
        self.seen += 1;
    }
}

#[test]
fn a_perfect_detector_has_all_and_a_blind_one_nothing() {
    let traffic = mixed();
    let (mut perfect, mut blind) = (Oracle::new(&traffic, 900), Oracle::new(&traffic, 0));
    let reports = evaluate(&traffic, &mut [&mut perfect, &mut blind]).unwrap();
    assert_eq!(reports[0].families.len(), 4);
    for (report, expected) in reports.iter().zip([1.0, 0.0]) {
        for family in report.families.values().chain([&report.all]) {
            let FamilyReport { precision, recall, average_precision, money_saved, .. } = *family;
            let got = [precision, recall, average_precision, money_saved, family.operation_recall];
            assert_eq!(got, [expected; 5], "{report:?}");
        }
        assert_eq!(report.false_quarantines_per_million, 0.0);
        assert_eq!(report.honest_delayed.users, 0);
        assert_eq!(report.queue_alerts, 0);
        assert!(report.latency_us.median <= report.latency_us.p99);
    }
    // A drain has one operation before the one that leaves; a peel chain has dozens.
    assert!(reports[0].families["peel_chain"].lead_operations >= 24.0);
    assert!(reports[0].families["drain"].lead_seconds >= 60.0);
    assert_eq!(reports[1].all.lead_seconds, 0.0);
    // What is allowed is learned at once.
    assert_eq!(blind.seen, traffic.planned().len());
}

/// Holds everything: recall is full, precision is the part of attacks, and everybody waits.
#[test]
fn a_detector_that_holds_everything_pays_for_it() {
    let traffic = mixed();
    let hold = |_: &mut (), c: &Candidate<'_>| Finding {
        score: 500,
        decision: Decision::Quarantine { until: c.time + 60 },
    };
    let mut all = FromFns { shared: (), screen: hold, observe: |_: &mut (), _: &Candidate<'_>| {} };
    let mut never = Threshold { inner: Oracle::new(&traffic, 10), threshold: 11, hold_seconds: 1 };
    let reports = evaluate(&traffic, &mut [&mut all, &mut never]).unwrap();
    let report = &reports[0];
    assert_eq!((report.all.recall, report.all.money_saved), (1.0, 1.0));
    assert_eq!(report.false_quarantines_per_million, 1e6);
    let share =
        report.all.operations as f64 / (report.all.operations + report.honest_operations) as f64;
    assert!((report.all.precision - share).abs() < 1e-12);
    assert!((report.all.average_precision - share).abs() < 1e-12);
    let delay = report.honest_delayed;
    assert_eq!((delay.users, delay.held), (delay.of_users, report.honest_operations));
    assert_eq!((delay.median_seconds, delay.longest_seconds, delay.rejected), (60, 60, 0));
    assert!(report.queue_alerts > 0);
    assert_eq!(report.honest_scores.threshold(0), 501);
    // Scores count without a decision; decisions do not without a score.
    let report = &reports[1];
    assert_eq!((report.all.average_precision, report.all.recall), (1.0, 0.0));
}

#[test]
fn the_report_has_the_promised_fields() {
    let traffic = mixed();
    let mut baseline =
        Threshold { inner: AmountQuantile::default(), threshold: 990, hold_seconds: 600 };
    let report = evaluate(&traffic, &mut [&mut baseline]).unwrap().remove(0);
    let json = serde_json::to_value(&report).unwrap();
    for path in [
        "/families/drain/precision",
        "/families/drain/recall",
        "/families/drain/average_precision",
        "/families/drain/lead_operations",
        "/families/drain/lead_seconds",
        "/families/drain/money_saved",
        "/false_quarantines_per_million",
        "/honest_delayed/users",
        "/latency_us/median",
        "/latency_us/p99",
    ] {
        assert!(json.pointer(path).is_some_and(serde_json::Value::is_number), "{path}");
    }
}

/// The honest score low, attacks high; its one part sees nothing.
struct Known(Vec<Traffic>);

impl Subject for Known {
    fn whole(&self) -> Result<Box<dyn Detector>, SimulateError> {
        let mut oracle = Oracle::new(&self.0[0], 700);
        self.0.iter().for_each(|t| oracle.truth.extend(Oracle::new(t, 0).truth));
        Ok(Box::new(oracle))
    }

    fn components(&self) -> Result<Named, SimulateError> {
        Ok(vec![("nothing", Box::new(Oracle::new(&self.0[0], 0)))])
    }
}

#[test]
fn thresholds_come_from_the_tuning_split_and_all_splits_are_measured() {
    let mut splits = Splits::committed().unwrap();
    splits.splits.truncate(2);
    for (split, seed) in splits.splits.iter_mut().zip(5..) {
        split.plan = Plan { seed, ..plan(&[Family::Drain, Family::LimitProbing], 1, 50) };
    }
    let traffic = splits.splits.iter().map(|s| s.traffic(&rows()).unwrap()).collect();
    let figures = bench(&rows(), &splits, &Known(traffic)).unwrap();
    // Nothing honest has a score, so the lowest threshold keeps the budget.
    assert_eq!(figures.thresholds["whole"], 1);
    assert_eq!(figures.splits.len(), 2);
    let json = serde_json::to_value(&figures).unwrap();
    for (name, split) in &figures.splits {
        assert_eq!(split.tuned_here, name == "tuning");
        assert_eq!((split.whole.all.recall, split.whole_at_budget.all.recall), (1.0, 1.0));
        assert_eq!(split.components["nothing"].all.recall, 0.0);
        for path in ["families/drain/recall", "baseline/families/drain/recall"] {
            assert!(json.pointer(&format!("/splits/{name}/{path}")).is_some(), "{path}");
        }
    }
    splits.splits.remove(0);
    let error = bench(&rows(), &splits, &Known(vec![mixed()])).unwrap_err();
    assert!(matches!(error, SimulateError::Plan(_)), "{error}");
}
