//! Half-space trees (Tan, Ting and Liu, 2011), in integers.
//!
//! The shape of the trees depends on a seed alone, never on data. Each node counts the vectors of the
//! window before (its mass). A vector that falls where there was little mass is unusual. Learning and
//! scoring cost one comparison for each tree and level. Shape, masses and scores are those of
//! `river.anomaly.HalfSpaceTrees` for the same splits.

use serde::{Deserialize, Serialize};

use super::SCORE_MAX;
use crate::fixed::SplitMix;
use crate::SentinelError;

/// Size of the model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HalfSpaceConfig {
    /// Trees, 1 to 256.
    pub trees: usize,
    /// Comparisons in each, 1 to 12.
    pub height: usize,
    /// Vectors of a window, 10 to 1,000,000.
    pub window: u32,
    /// What the shapes are made from.
    pub seed: u64,
}

impl Default for HalfSpaceConfig {
    fn default() -> Self {
        Self { trees: 25, height: 8, window: 1000, seed: 1 }
    }
}

/// One split: to the left if the feature is below the threshold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Split {
    /// Number of the feature.
    pub feature: u8,
    /// The threshold.
    pub threshold: i32,
}

/// The trees. Memory: `trees * 2^(height + 1)` nodes of 8 bytes, and half as many splits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HalfSpace {
    config: HalfSpaceConfig,
    /// Inner nodes of each tree: the children of `i` are `2i + 1` and `2i + 2`.
    splits: Vec<Split>,
    /// Masses of the window before, and of this one.
    last: Vec<u32>,
    current: Vec<u32>,
    seen: u32,
    ready: bool,
}

fn check(
    name: &'static str,
    value: u64,
    low: u64,
    high: u64,
    range: &'static str,
) -> Result<(), SentinelError> {
    match (low..=high).contains(&value) {
        true => Ok(()),
        false => Err(SentinelError::Setting { name, value, range }),
    }
}

impl HalfSpaceConfig {
    fn check(&self) -> Result<(), SentinelError> {
        check("trees", self.trees as u64, 1, 256, "1..=256")?;
        check("height", self.height as u64, 1, 12, "1..=12")?;
        check("window", self.window.into(), 10, 1_000_000, "10..=1000000")
    }

    fn inner(&self) -> usize {
        (1 << self.height) - 1
    }

    fn nodes(&self) -> usize {
        (1 << (self.height + 1)) - 1
    }
}

impl HalfSpace {
    /// Trees over vectors of so many features with values from 0 to `limit - 1`.
    ///
    /// # Errors
    /// [`SentinelError::Setting`].
    pub fn new(
        config: HalfSpaceConfig,
        features: usize,
        limit: i32,
    ) -> Result<Self, SentinelError> {
        config.check()?;
        check("features", features as u64, 1, 255, "1..=255")?;
        let mut rng = SplitMix(config.seed);
        let mut splits = Vec::with_capacity(config.trees * config.inner());
        for _ in 0..config.trees {
            grow(&mut splits, &mut rng, config.inner(), features, limit.max(1));
        }
        Self::with_splits(config, splits)
    }

    /// Trees of a given shape: `2^height - 1` splits for each, in the order of the levels.
    ///
    /// # Errors
    /// [`SentinelError::Setting`].
    pub fn with_splits(config: HalfSpaceConfig, splits: Vec<Split>) -> Result<Self, SentinelError> {
        config.check()?;
        let expected = (config.trees * config.inner()) as u64;
        let count = splits.len() as u64;
        check("splits", count, expected, expected, "trees * (2^height - 1)")?;
        let masses = vec![0; config.trees * config.nodes()];
        Ok(Self { config, splits, last: masses.clone(), current: masses, seen: 0, ready: false })
    }

    /// Calls `visit` with each node of a tree that a vector passes, from the root, and its depth, until
    /// `visit` says that it is enough.
    fn walk(&self, tree: usize, x: &[i32], mut visit: impl FnMut(usize, usize) -> bool) {
        let (inner, nodes) = (self.config.inner(), self.config.nodes());
        let mut node = 0;
        for depth in 0..=self.config.height {
            if visit(tree * nodes + node, depth) || depth == self.config.height {
                return;
            }
            let split = self.splits[tree * inner + node];
            // A feature that is missing counts as 0.
            let value = x.get(usize::from(split.feature)).copied().unwrap_or(0);
            node = 2 * node + 1 + usize::from(value >= split.threshold);
        }
    }

    /// The sum over the trees of mass times `2^depth`, where the walk ends at little mass or a leaf.
    /// Small for an unusual vector. `None` during the first window.
    #[must_use]
    pub fn mass(&self, x: &[i32]) -> Option<u64> {
        if !self.ready {
            return None;
        }
        let mut sum = 0;
        for tree in 0..self.config.trees {
            self.walk(tree, x, |node, depth| {
                let mass = u64::from(self.last[node]);
                sum += mass << depth;
                // A tenth of the window, as in the paper.
                mass * 10 < u64::from(self.config.window)
            });
        }
        Some(sum)
    }

    /// The largest [`mass`](Self::mass) there can be.
    #[must_use]
    pub fn largest_mass(&self) -> u64 {
        self.config.trees as u64 * u64::from(self.config.window) * self.config.nodes() as u64
    }

    /// How unusual a vector is, from 0 to [`SCORE_MAX`]; `None` during the first window.
    #[must_use]
    pub fn score(&self, x: &[i32]) -> Option<u32> {
        let mass = self.mass(x)?;
        let usual =
            u128::from(mass) * u128::from(SCORE_MAX) / u128::from(self.largest_mass().max(1));
        Some(SCORE_MAX - (usual as u32).min(SCORE_MAX))
    }

    /// Counts a vector. At the end of a window its masses become those that scores use.
    pub fn learn(&mut self, x: &[i32]) {
        let mut current = std::mem::take(&mut self.current);
        for tree in 0..self.config.trees {
            self.walk(tree, x, |node, _| {
                current[node] += 1;
                false
            });
        }
        self.current = current;
        self.seen += 1;
        if self.seen >= self.config.window {
            std::mem::swap(&mut self.last, &mut self.current);
            self.current.fill(0);
            self.seen = 0;
            self.ready = true;
        }
    }
}

/// Random splits of one tree: a feature in proportion to what is left of its range, and a threshold in
/// the middle 70 percent of it. Ranges are in 65,536ths.
fn grow(splits: &mut Vec<Split>, rng: &mut SplitMix, inner: usize, features: usize, limit: i32) {
    let full = (0i64, i64::from(limit) << 16);
    let mut boxes = vec![vec![full; features]];
    for node in 0..inner {
        let ranges = boxes[node].clone();
        let width = |r: &(i64, i64)| (r.1 - r.0).unsigned_abs();
        let mut draw = rng.below(ranges.iter().map(width).sum());
        let mut feature = 0;
        for (i, range) in ranges.iter().enumerate() {
            feature = i;
            if draw < width(range) {
                break;
            }
            draw -= width(range);
        }
        let (a, b) = ranges[feature];
        let padding = (b - a) * 15 / 100;
        let span = (b - a - 2 * padding).unsigned_abs();
        let at = a + padding + rng.below(span.max(1)) as i64;
        // A value is below `at` exactly if it is below the next integer.
        let threshold = (at + 65_535).div_euclid(65_536) as i32;
        splits.push(Split { feature: feature as u8, threshold });
        for side in [(a, at), (at, b)] {
            let mut child = ranges.clone();
            child[feature] = side;
            boxes.push(child);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(height: usize, window: u32) -> HalfSpaceConfig {
        HalfSpaceConfig { trees: 10, height, window, seed: 7 }
    }

    #[test]
    fn what_lies_apart_scores_higher() {
        let mut model = HalfSpace::new(config(6, 100), 2, 1024).unwrap();
        let mut rng = SplitMix(3);
        let mut near = || [480 + rng.below(64) as i32, 480 + rng.below(64) as i32];
        for _ in 0..200 {
            assert_eq!(model.mass(&near()).is_some(), model.ready);
            let x = near();
            model.learn(&x);
        }
        assert!(model.score(&[20, 1000]).unwrap() > model.score(&near()).unwrap() + 500);
    }

    #[test]
    fn the_shape_depends_on_the_seed_alone() {
        let make =
            |seed| HalfSpace::new(HalfSpaceConfig { seed, ..config(8, 100) }, 12, 1024).unwrap();
        assert_eq!(make(5), make(5));
        assert_ne!(make(5).splits, make(6).splits);
        let splits = make(5).splits;
        assert!(splits.iter().all(|s| (0..=1024).contains(&s.threshold) && s.feature < 12));
    }

    #[test]
    fn masses_of_a_level_sum_to_the_window() {
        let mut model = HalfSpace::new(config(3, 50), 3, 16).unwrap();
        let mut rng = SplitMix(1);
        for _ in 0..50 {
            let x = [0; 3].map(|_: i32| rng.below(16) as i32);
            model.learn(&x);
        }
        for tree in 0..10 {
            let masses = &model.last[tree * 15..(tree + 1) * 15];
            for level in [0..1, 1..3, 3..7, 7..15] {
                assert_eq!(masses[level].iter().sum::<u32>(), 50);
            }
        }
    }

    #[test]
    fn settings_have_ranges() {
        for bad in [
            HalfSpaceConfig { trees: 0, ..config(3, 50) },
            HalfSpaceConfig { trees: 257, ..config(3, 50) },
            config(0, 50),
            config(13, 50),
            config(3, 9),
        ] {
            assert!(matches!(HalfSpace::new(bad, 3, 16), Err(SentinelError::Setting { .. })));
        }
        assert!(HalfSpace::with_splits(config(3, 50), vec![]).is_err());
        assert!(HalfSpace::new(config(3, 50), 0, 16).is_err());
    }
}
