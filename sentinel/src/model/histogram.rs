//! Ranks of scores among those that came before.

use serde::{Deserialize, Serialize};

use crate::fixed::PPM;

/// Bins, each 64 scores wide.
const BINS: usize = 1024;
/// When so many scores are counted, all counts are halved: old scores fade.
const FULL: u64 = 1 << 17;

/// Counts of scores.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Histogram {
    bins: Vec<u32>,
    total: u64,
}

impl Default for Histogram {
    fn default() -> Self {
        Self::new()
    }
}

fn bin(score: u32) -> usize {
    (score as usize / 64).min(BINS - 1)
}

impl Histogram {
    /// No scores yet.
    #[must_use]
    pub fn new() -> Self {
        Self { bins: vec![0; BINS], total: 0 }
    }

    /// Counts a score.
    pub fn add(&mut self, score: u32) {
        self.bins[bin(score)] += 1;
        self.total += 1;
        if self.total >= FULL {
            self.bins.iter_mut().for_each(|b| *b /= 2);
            self.total = self.bins.iter().map(|b| u64::from(*b)).sum();
        }
    }

    /// Share of the counted scores that lie in a lower bin, in parts per million; 0 if there are
    /// none.
    #[must_use]
    pub fn rank(&self, score: u32) -> u32 {
        let below: u64 = self.bins[..bin(score)].iter().map(|b| u64::from(*b)).sum();
        // At most a million.
        (below * PPM / self.total.max(1)) as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_are_shares_below() {
        let mut histogram = Histogram::new();
        assert_eq!(histogram.rank(65_535), 0);
        for score in 0..1000 {
            histogram.add(score * 64);
        }
        assert_eq!(
            (histogram.rank(0), histogram.rank(500 * 64), histogram.rank(65_535)),
            (0, 500_000, 1_000_000)
        );
        for _ in 0..2 * FULL {
            histogram.add(0);
        }
        assert!(histogram.total < FULL && histogram.rank(64) > 990_000);
    }
}
