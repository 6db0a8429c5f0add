//! Models that learn what is usual. They only ever say how unusual an operation is.

mod drift;
mod half_space;
mod histogram;
mod robust;
mod vector;

pub use drift::Drift;
pub use half_space::{HalfSpace, HalfSpaceConfig, Split};
pub use histogram::Histogram;
pub use robust::Robust;
pub use vector::{vector, FEATURES, LIMIT};

use bastion_protocol::hash::keccak;
use serde::{Deserialize, Serialize};

use crate::features::Scores;
use crate::SentinelError;

/// Scores of a model are from 0 to this.
pub const SCORE_MAX: u32 = 65_535;
/// Operations before a model's opinion counts.
const WARM_UP: u64 = 2000;

/// Both models and what is known of their scores.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Models {
    half_space: HalfSpace,
    robust: Robust,
    half_space_scores: Histogram,
    robust_scores: Histogram,
    drift: Drift,
    learned: u64,
    version: [u8; 32],
}

impl Models {
    /// Models that know nothing.
    ///
    /// # Errors
    /// [`SentinelError::Setting`].
    pub fn new(config: HalfSpaceConfig) -> Result<Self, SentinelError> {
        let half_space = HalfSpace::new(config, FEATURES, LIMIT)?;
        let version = keccak(&[
            b"bastion-sentinel/models/v2",
            &config.seed.to_be_bytes(),
            &(config.trees as u64).to_be_bytes(),
            &(config.height as u64).to_be_bytes(),
            &u64::from(config.window).to_be_bytes(),
        ]);
        Ok(Self {
            half_space,
            robust: Robust::new(FEATURES),
            half_space_scores: Histogram::new(),
            robust_scores: Histogram::new(),
            drift: Drift::default(),
            learned: 0,
            version,
        })
    }

    /// How unusual a vector is: the share of earlier ones with a lower score, in parts per million. Zeros
    /// for the first 2,000.
    #[must_use]
    pub fn scores(&self, x: &[i32; FEATURES]) -> Scores {
        if self.learned < WARM_UP {
            return Scores::default();
        }
        let half_space = self.half_space.score(x);
        Scores {
            half_space: half_space.map_or(0, |s| self.half_space_scores.rank(s)),
            robust: self.robust_scores.rank(self.robust.score(x)),
        }
    }

    /// Learns a vector.
    pub fn learn(&mut self, x: &[i32; FEATURES]) {
        if let Some(score) = self.half_space.score(x) {
            self.half_space_scores.add(score);
            self.drift.add(score);
        }
        self.robust_scores.add(self.robust.score(x));
        self.half_space.learn(x);
        self.robust.learn(x);
        self.learned += 1;
        let mut bytes = [0u8; FEATURES * 4];
        for (place, value) in bytes.chunks_exact_mut(4).zip(x) {
            place.copy_from_slice(&value.to_be_bytes());
        }
        self.version = keccak(&[&self.version, &bytes]);
    }

    /// The version: a hash chain over the settings and all that was learned, in order. The state of both
    /// models is a function of what it commits to.
    #[must_use]
    pub fn version(&self) -> [u8; 32] {
        self.version
    }

    /// Operations learned.
    #[must_use]
    pub fn learned(&self) -> u64 {
        self.learned
    }

    /// How far the scores have moved from where they were.
    #[must_use]
    pub fn drift(&self) -> &Drift {
        &self.drift
    }

    /// Takes the scores of now as the ones to compare with from here on.
    pub fn rebase_drift(&mut self) {
        self.drift = Drift::default();
    }
}
