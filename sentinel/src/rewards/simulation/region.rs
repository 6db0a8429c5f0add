//! Where honesty is the best reply.

use super::{
    day::{Day, Kind},
    play::play,
    Knob, Strategy, World,
};
use crate::rewards::{Params, RewardError};

/// How a simulation is run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Study {
    /// The world.
    pub world: World,
    /// Samples of a quiet epoch; epochs with an attack have four times as many.
    pub samples: u32,
    /// Seed of all chances.
    pub seed: u64,
}

impl Default for Study {
    fn default() -> Self {
        Self { world: World::default(), samples: 64, seed: 1 }
    }
}

/// A deviation against honesty.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Margin {
    /// The deviation.
    pub strategy: Strategy,
    /// Its mean profit per epoch.
    pub profit: f64,
    /// By how much honesty is better, per epoch.
    pub margin: f64,
    /// Standard error of the margin.
    pub error: f64,
}

impl Margin {
    /// Whether honesty is better by more than two standard errors.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.margin > 0.0 && self.margin > 2.0 * self.error
    }
}

/// What honesty and each deviation earn under some parameters.
#[derive(Debug, Clone, PartialEq)]
pub struct Region {
    /// Mean profit per epoch of an honest watcher.
    pub honest: f64,
    /// The deviations.
    pub margins: Vec<Margin>,
}

impl Region {
    /// Whether honesty is the best reply in every role.
    #[must_use]
    pub fn inside(&self) -> bool {
        self.margins.iter().all(Margin::holds)
    }

    /// The deviations that pay, or that are not shown to lose.
    pub fn broken(&self) -> impl Iterator<Item = &Margin> {
        self.margins.iter().filter(|margin| !margin.holds())
    }
}

/// Whether honesty is the best reply for every role in the default world.
///
/// # Errors
/// [`RewardError::Overflow`] for amounts that 128 bits do not hold.
pub fn is_best_reply(params: &Params) -> Result<Region, RewardError> {
    Study::default().region(params)
}

impl Study {
    /// Honesty against every covered deviation. The parameters need not pass [`Params::check`].
    ///
    /// # Errors
    /// [`RewardError::Overflow`].
    pub fn region(&self, params: &Params) -> Result<Region, RewardError> {
        self.compare(params, &Strategy::COVERED)
    }

    /// Honesty against some deviations, all on the same samples.
    ///
    /// # Errors
    /// [`RewardError::Overflow`].
    pub fn compare(&self, params: &Params, deviations: &[Strategy]) -> Result<Region, RewardError> {
        let mut honest_mean = 0.0;
        let zero = |s: &Strategy| Margin { strategy: *s, profit: 0.0, margin: 0.0, error: 0.0 };
        // `error` holds the variance until the end.
        let mut margins: Vec<Margin> = deviations.iter().map(zero).collect();
        for kind in Kind::ALL {
            let weight = kind.weight(&self.world, params);
            let n = kind.samples(self.samples.max(2));
            let count = f64::from(n);
            let mut sums = vec![(0.0, 0.0); margins.len()];
            for k in 0..n {
                let day = Day::draw(&self.world, params, kind, self.seed, (k, n));
                let honest = play(&self.world, params, Strategy::Honest, &day)?;
                honest_mean += weight * honest / count;
                for (margin, (sum, squares)) in margins.iter_mut().zip(&mut sums) {
                    let profit = play(&self.world, params, margin.strategy, &day)?;
                    margin.profit += weight * profit / count;
                    *sum += honest - profit;
                    *squares += (honest - profit).powi(2);
                }
            }
            for (margin, (sum, squares)) in margins.iter_mut().zip(sums) {
                let variance: f64 = (squares - sum * sum / count) / (count - 1.0);
                margin.margin += weight * sum / count;
                margin.error += weight * weight * variance.max(0.0) / count;
            }
        }
        for margin in &mut margins {
            margin.error = margin.error.sqrt();
        }
        Ok(Region { honest: honest_mean, margins })
    }

    /// The regions over values of one parameter, the others as in `base`.
    ///
    /// # Errors
    /// [`RewardError::Overflow`].
    pub fn sweep(
        &self,
        base: &Params,
        knob: Knob,
        values: &[u64],
    ) -> Result<Vec<(u64, Region)>, RewardError> {
        values.iter().map(|v| Ok((*v, self.region(&knob.set(base, *v))?))).collect()
    }
}
