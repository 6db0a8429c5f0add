//! Plays labelled traffic to detectors and measures what they say.

mod attacks;
mod precision;
mod report;
mod tally;

use std::collections::BinaryHeap;
use std::time::Instant;

use bastion_state::executor::OpTrace;

pub use precision::Scores;
pub use report::{Delay, FamilyReport, Latency, LookAlikeReport, Report};

use super::detector::Detector;
use super::{play, SimulateError, Step, Traffic};
use crate::{Candidate, Decision};
use tally::Tally;

/// An operation in quarantine.
struct Held {
    until: u64,
    number: usize,
    trace: OpTrace,
    hash: [u8; 32],
    arrived_ms: u64,
}

impl PartialEq for Held {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Held {}

impl PartialOrd for Held {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

/// The first to be released is the greatest.
impl Ord for Held {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (other.until, other.number).cmp(&(self.until, self.number))
    }
}

/// One detector at work.
struct Run<'d> {
    detector: &'d mut dyn Detector,
    tally: Tally,
    held: BinaryHeap<Held>,
}

/// Plays the traffic once and measures each detector on it; each sees it as if it were alone. Reports
/// are in the order of the detectors.
///
/// The evaluation is open: what is held is in the state of later operations all the same, as if it had
/// been released at once. See the README for what that means.
///
/// # Errors
/// Those of [`play`].
pub fn evaluate(
    traffic: &Traffic,
    detectors: &mut [&mut dyn Detector],
) -> Result<Vec<Report>, SimulateError> {
    let mut runs: Vec<Run<'_>> = Vec::new();
    for detector in detectors {
        runs.push(Run {
            detector: &mut **detector,
            tally: Tally::default(),
            held: BinaryHeap::new(),
        });
    }
    play(traffic, |step| {
        let measured = step.number >= traffic.warm_up();
        runs.iter_mut().for_each(|run| run.take(step, measured));
        Ok(())
    })?;
    Ok(runs.into_iter().map(|run| run.tally.finish()).collect())
}

impl Run<'_> {
    fn take(&mut self, step: &Step<'_>, measured: bool) {
        let candidate = &step.candidate;
        self.release(candidate);
        let start = Instant::now();
        let finding = self.detector.screen(candidate);
        let mut nanoseconds = start.elapsed().as_nanos();
        // The queue of L1 cannot be held: the chain must take it.
        let until = match finding.decision {
            Decision::Allow => None,
            Decision::Quarantine { until } => Some(until),
            Decision::Reject => Some(u64::MAX),
        };
        match until.filter(|_| !candidate.trace.kind.is_l1()) {
            Some(until) => self.hold(step, until),
            None => {
                let start = Instant::now();
                self.detector.observe(candidate);
                nanoseconds += start.elapsed().as_nanos();
            }
        }
        if measured {
            self.tally.take(step, &finding, nanoseconds as u64);
        }
    }

    fn hold(&mut self, step: &Step<'_>, until: u64) {
        let Candidate { trace, hash, arrived_ms, .. } = step.candidate;
        if until < u64::MAX {
            let (trace, number) = (trace.clone(), step.number);
            self.held.push(Held { until, number, trace, hash, arrived_ms });
        }
    }

    /// What was held long enough is included now, and the detector learns from it.
    fn release(&mut self, now: &Candidate<'_>) {
        while self.held.peek().is_some_and(|held| held.until <= now.time) {
            if let Some(held) = self.held.pop() {
                let Held { trace, hash, arrived_ms, .. } = &held;
                let (hash, arrived_ms) = (*hash, *arrived_ms);
                self.detector.observe(&Candidate { trace, hash, arrived_ms, ..*now });
            }
        }
    }
}
