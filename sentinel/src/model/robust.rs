//! Robust averages: how far each feature lies from its running mean, in mean deviations.
//!
//! Steps are clipped (Huber), so single outliers do not move mean or deviation much. A second opinion of
//! another kind than the trees: it sees extreme values, not empty regions.

use serde::{Deserialize, Serialize};

use super::SCORE_MAX;

/// Bits after the point of means and deviations.
const POINT: u32 = 8;
/// Each step is a 64th of the distance.
const STEP: u32 = 6;
/// Distances count up to so many sixteenths of a deviation.
const CAP: i64 = 256;

/// Running mean and mean deviation of each feature.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Robust {
    moments: Vec<(i64, i64)>,
    started: bool,
}

impl Robust {
    /// A model that knows nothing.
    #[must_use]
    pub fn new(features: usize) -> Self {
        Self { moments: vec![(0, 0); features], started: false }
    }

    /// How unusual a vector is, from 0 to [`SCORE_MAX`]: the mean over the features of the squares of
    /// their capped distances. So one extreme value counts more than many that are a little off.
    #[must_use]
    pub fn score(&self, x: &[i32]) -> u32 {
        if !self.started || self.moments.is_empty() {
            return 0;
        }
        let squares = self.moments.iter().zip(x).map(|((mean, deviation), x)| {
            let distance = ((i64::from(*x) << POINT) - mean).abs();
            // At least two units, so that a constant feature does not explode.
            let z = (distance * 16 / (deviation + (2 << POINT))).min(CAP);
            z * z
        });
        let sum: i64 = squares.sum();
        // The largest square is 65,536.
        ((sum / self.moments.len() as i64).unsigned_abs() as u32).min(SCORE_MAX)
    }

    /// Learns a vector.
    pub fn learn(&mut self, x: &[i32]) {
        for ((mean, deviation), x) in self.moments.iter_mut().zip(x) {
            let x = i64::from(*x) << POINT;
            if !self.started {
                *mean = x;
                continue;
            }
            let most = 4 * *deviation + (8 << POINT);
            let distance = (x - *mean).clamp(-most, most);
            *mean += distance >> STEP;
            *deviation += (distance.abs() - *deviation) >> STEP;
        }
        self.started = true;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixed::SplitMix;

    #[test]
    fn extremes_score_high_and_do_not_move_the_mean() {
        let mut model = Robust::new(2);
        let mut rng = SplitMix(1);
        for _ in 0..1000 {
            model.learn(&[500 + rng.below(21) as i32, 100]);
        }
        let before = model.moments.clone();
        let (usual, extreme) = (model.score(&[510, 100]), model.score(&[1000, 100]));
        assert!(usual < 200 && extreme > 20_000, "{usual} {extreme}");
        model.learn(&[1023, 1023]);
        assert!((model.moments[0].0 - before[0].0).abs() < 2 << POINT);
        assert!((model.moments[1].0 - before[1].0).abs() < 2 << POINT);
    }
}
