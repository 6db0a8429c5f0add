//! What can be evaluated.

use crate::{Candidate, Decision};

/// What a detector says about an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Finding {
    /// How suspicious it is, from 0 (nothing found) to 1000.
    pub score: u16,
    /// What to do with it.
    pub decision: Decision,
}

/// The score of an operation that so many of a million are at least as unusual as: 1000 for none, 0 for
/// all, by the logarithm between, so that the rarest are told apart best.
#[must_use]
pub fn tail(per_million: u64) -> u16 {
    // Sixteenths of a doubling.
    let log = |n: u64| {
        n.checked_ilog2().map_or(0, |whole| {
            let fraction = if whole >= 4 { n >> (whole - 4) } else { n << (4 - whole) };
            whole * 16 + (fraction & 15) as u32
        })
    };
    let (all, part) = (log(1_000_001), log(per_million.min(1_000_000) + 1));
    (1000 - 1000 * part / all) as u16
}

/// Anything that screens operations.
pub trait Detector {
    /// Judges an operation that is not included yet. It must not learn from it.
    fn screen(&mut self, candidate: &Candidate<'_>) -> Finding;

    /// Learns from an operation that is included: at once if it was allowed, and when its time is over
    /// if it was held.
    fn observe(&mut self, candidate: &Candidate<'_>);
}

impl<D: Detector + ?Sized> Detector for Box<D> {
    fn screen(&mut self, candidate: &Candidate<'_>) -> Finding {
        (**self).screen(candidate)
    }

    fn observe(&mut self, candidate: &Candidate<'_>) {
        (**self).observe(candidate);
    }
}

/// A detector of two functions over what they share.
pub struct FromFns<T, S, O> {
    /// What they share.
    pub shared: T,
    /// See [`Detector::screen`].
    pub screen: S,
    /// See [`Detector::observe`].
    pub observe: O,
}

impl<T, S, O> Detector for FromFns<T, S, O>
where
    S: FnMut(&mut T, &Candidate<'_>) -> Finding,
    O: FnMut(&mut T, &Candidate<'_>),
{
    fn screen(&mut self, candidate: &Candidate<'_>) -> Finding {
        (self.screen)(&mut self.shared, candidate)
    }

    fn observe(&mut self, candidate: &Candidate<'_>) {
        (self.observe)(&mut self.shared, candidate);
    }
}

/// Something that scores, and lets a threshold decide.
pub struct Threshold<D> {
    /// What scores. Of its decisions only a rejection stands.
    pub inner: D,
    /// From which score on an operation is held; above 1000: never.
    pub threshold: u16,
    /// For how many seconds.
    pub hold_seconds: u64,
}

impl<D: Detector> Detector for Threshold<D> {
    fn screen(&mut self, candidate: &Candidate<'_>) -> Finding {
        let Finding { score, decision } = self.inner.screen(candidate);
        let until = candidate.time.saturating_add(self.hold_seconds);
        let decision = match decision {
            // What cannot be is never included, whatever the threshold.
            Decision::Reject => Decision::Reject,
            _ if score >= self.threshold => Decision::Quarantine { until },
            Decision::Allow | Decision::Quarantine { .. } => Decision::Allow,
        };
        Finding { score, decision }
    }

    fn observe(&mut self, candidate: &Candidate<'_>) {
        self.inner.observe(candidate);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rare_operations_are_told_apart() {
        assert_eq!((tail(0), tail(1_000_000), tail(u64::MAX)), (1000, 0, 0));
        let scores = [0, 1, 2, 5, 10, 100, 1_000, 10_000, 100_000, 500_000, 900_000].map(tail);
        assert!(scores.windows(2).all(|pair| pair[0] > pair[1]), "{scores:?}");
    }
}
