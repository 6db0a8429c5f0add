use super::*;
use crate::{Config, Decision};

/// Counts what a detector rejects, by whether it was forged.
struct Counting {
    inner: Box<dyn Detector>,
    rejected: u32,
}

impl Detector for Counting {
    fn screen(&mut self, candidate: &Candidate<'_>) -> Finding {
        let finding = self.inner.screen(candidate);
        self.rejected += u32::from(finding.decision == Decision::Reject);
        finding
    }

    fn observe(&mut self, candidate: &Candidate<'_>) {
        self.inner.observe(candidate);
    }
}

/// The forged trace is rejected by the whole and by the invariants alone, with whatever threshold, and
/// nobody else is.
#[test]
fn what_is_forged_is_rejected_and_poisons_nothing() {
    let traffic = Traffic::new(&rows(), &plan(&[Family::BridgeForgery], 2, 150)).unwrap();
    let built = Built::new(Config::default()).unwrap();
    let (_, invariants) = built.components().unwrap().remove(0);
    let inner = Threshold { inner: built.ranked().unwrap(), threshold: 1001, hold_seconds: 60 };
    let all: [Box<dyn Detector>; 3] = [built.whole().unwrap(), invariants, Box::new(inner)];
    let mut counting = all.map(|inner| Counting { inner, rejected: 0 });
    let mut detectors: Vec<&mut dyn Detector> =
        counting.iter_mut().map(|c| c as &mut dyn Detector).collect();
    let reports = evaluate(&traffic, &mut detectors).unwrap();
    for (report, counting) in reports.iter().zip(&counting) {
        assert!(counting.rejected > 0);
        assert_eq!(report.honest_delayed.rejected, 0);
        assert!(report.families["bridge_forgery"].recall >= 0.5);
    }
}

#[test]
fn every_part_starts_and_has_a_name_of_its_own() {
    let built = Built::new(Config::default()).unwrap();
    let parts = built.components().unwrap();
    let names: Vec<&str> = parts.iter().map(|(name, _)| *name).collect();
    assert_eq!(names, ["invariants", "rules", "half_space", "robust", "both_models", "taint"]);
    let bad = Config { accounts: 0, ..Config::default() };
    assert!(Built::new(bad).is_err());
}
