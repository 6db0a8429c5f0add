//! Whether the scores of now are spread as they once were: the population stability index.

use serde::{Deserialize, Serialize};

use crate::fixed::log2_q16;

/// Scores of a window.
const WINDOW: usize = 4096;
/// Bins of equal share in the first window.
const BINS: usize = 10;
/// `ln 2` in 65,536ths.
const LN_2: i64 = 45_426;

/// Compares each window of 4,096 scores with the first one.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Drift {
    /// The first window while it fills; empty afterwards.
    first: Vec<u32>,
    /// Upper ends of all bins but the last, and the counts of the first window.
    edges: Vec<u32>,
    reference: [u32; BINS],
    current: [u32; BINS],
    seen: usize,
    index: Option<u32>,
    windows: u64,
}

impl Drift {
    /// The index of the last full window against the first, in thousandths: below 100 the scores are
    /// stable, above 250 the model or the world has changed. `None` until the second window is full.
    #[must_use]
    pub fn index(&self) -> Option<u32> {
        self.index
    }

    /// Windows that were compared.
    #[must_use]
    pub fn windows(&self) -> u64 {
        self.windows
    }

    /// Counts a score.
    pub fn add(&mut self, score: u32) {
        if self.edges.is_empty() {
            self.first.push(score);
            if self.first.len() == WINDOW {
                self.settle();
            }
            return;
        }
        self.current[self.bin(score)] += 1;
        self.seen += 1;
        if self.seen == WINDOW {
            self.index = Some(psi(&self.reference, &self.current));
            self.windows += 1;
            self.current = [0; BINS];
            self.seen = 0;
        }
    }

    fn bin(&self, score: u32) -> usize {
        self.edges.partition_point(|edge| *edge < score)
    }

    fn settle(&mut self) {
        let mut first = std::mem::take(&mut self.first);
        first.sort_unstable();
        self.edges = (1..BINS).map(|i| first[i * WINDOW / BINS]).collect();
        for score in first {
            let bin = self.bin(score);
            self.reference[bin] += 1;
        }
    }
}

/// `sum (p - q) ln(p / q)` in thousandths, with half a count added to each bin.
fn psi(reference: &[u32; BINS], current: &[u32; BINS]) -> u32 {
    let terms = reference.iter().zip(current).map(|(p, q)| {
        // Twice the counts and one: the shares have the same whole, which cancels in the quotient.
        let (p, q) = (u64::from(*p) * 2 + 1, u64::from(*q) * 2 + 1);
        let ln = ((log2_q16(p) - log2_q16(q)) * LN_2) >> 16;
        (p as i64 - q as i64) * ln
    });
    let whole = (2 * WINDOW + BINS) as i64;
    let sum: i64 = terms.sum();
    u32::try_from(((sum / whole).max(0) * 1000) >> 16).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixed::SplitMix;

    fn fed(shift: u32) -> Drift {
        let mut drift = Drift::default();
        let mut rng = SplitMix(9);
        for i in 0..2 * WINDOW {
            let moved = if i < WINDOW { 0 } else { shift };
            drift.add(rng.below(1000) as u32 + moved);
        }
        drift
    }

    #[test]
    fn the_index_is_small_for_the_same_and_large_for_another_spread() {
        assert!(fed(0).index().unwrap() < 20);
        assert!((1000..2000).contains(&fed(200).index().unwrap()), "{:?}", fed(200).index());
        assert!(fed(900).index().unwrap() > 2000);
        assert_eq!((fed(0).windows(), Drift::default().index()), (1, None));
    }

    #[test]
    fn the_index_is_the_formula() {
        let mut p = [WINDOW as u32 / 16; BINS];
        let mut q = p;
        p[0] *= 6;
        q[3] *= 6;
        let real = |a: u32| (f64::from(a) * 2.0 + 1.0) / (2.0 * WINDOW as f64 + 10.0);
        let terms =
            p.iter().zip(&q).map(|(p, q)| (real(*p) - real(*q)) * (real(*p) / real(*q)).ln());
        let exact = 1000.0 * terms.sum::<f64>();
        assert!((f64::from(psi(&p, &q)) - exact).abs() < 3.0, "{exact}");
    }
}
