//! Predicted speed and memory of shapes on a machine, and the best of them.
//!
//! A prediction is counts times unit costs: the multi-scalar multiplications, transforms and gates
//! of each proof (`work`), at what they cost on one core of this machine (`units`), spread over
//! cores by Amdahl's law. How many batches are proven at once follows from memory as when proving
//! ([`bastion_prover::schedule::slots`]).

mod cost;
mod plan;
mod predict;
mod units;
mod work;

#[cfg(test)]
mod tests;

use std::num::NonZeroUsize;
use std::ops::RangeInclusive;

use bastion_prover::schedule::MemoryBudget;
use serde::Serialize;

use crate::error::NodeError;
pub use cost::{Cost, Prices};
pub use plan::MemoryPlan;
pub use predict::Prediction;
use predict::Predictor;
pub use units::UnitCosts;
pub use work::CoreSeconds;

/// Most batches of a block: so many of `standard` fill the six blobs that a block may take.
pub const MAX_BATCHES: u8 = 24;
/// Batches that a block may have.
pub const BATCHES: RangeInclusive<usize> = 1..=MAX_BATCHES as usize;
/// Throughputs that differ by less than this part are a tie, and the block with fewer transfers
/// wins: it is proven sooner and takes less memory.
const TIE: f64 = 0.03;

/// A machine to predict for.
#[derive(Clone, Copy, Debug)]
pub struct Machine {
    /// Cores.
    pub cores: NonZeroUsize,
    /// Memory that proving may use.
    pub memory: MemoryBudget,
}

impl Machine {
    /// The cores of this machine, as rayon counts them, with an amount of memory for proving.
    pub fn here(memory: MemoryBudget) -> Self {
        let cores = NonZeroUsize::new(rayon::current_num_threads());
        Self { cores: cores.unwrap_or(NonZeroUsize::MIN), memory }
    }
}

/// The named shapes on a machine.
#[derive(Clone, Debug, Serialize)]
pub struct Comparison {
    /// Cores.
    pub cores: usize,
    /// Memory that proving may use, in bytes.
    pub memory_bytes: u64,
    /// Costs on one core of the machine that predicts.
    pub units: UnitCosts,
    /// By what prices the best is the cheapest; null if it is the fastest.
    pub prices: Option<Prices>,
    /// Each named shape, by size, with the number of batches that suits it best.
    pub shapes: Vec<Prediction>,
}

impl Comparison {
    /// Compares the named shapes, with `batches` batches a block or as many as is best: for the highest throughput, or
    /// at some prices for the lowest cost of a transfer.
    ///
    /// # Errors
    /// [`NodeError::NoSuchBlock`] for a number of batches outside of [`BATCHES`].
    pub fn new(
        machine: Machine,
        units: UnitCosts,
        batches: Option<usize>,
        prices: Option<Prices>,
    ) -> Result<Self, NodeError> {
        let range = match batches {
            None => BATCHES,
            Some(n) if BATCHES.contains(&n) => n..=n,
            Some(n) => {
                return Err(NodeError::NoSuchBlock {
                    batches: n,
                    least: *BATCHES.start(),
                    most: *BATCHES.end(),
                })
            }
        };
        Ok(Self::over(machine, units, &range, prices))
    }

    fn over(
        machine: Machine,
        units: UnitCosts,
        batches: &RangeInclusive<usize>,
        prices: Option<Prices>,
    ) -> Self {
        let cores = machine.cores.get();
        let mut groups = Predictor::new(machine, units).all(batches);
        for p in groups.iter_mut().flatten() {
            p.cost = prices.map(|prices| prices.cost(p, cores));
        }
        let mut recommended = best(groups.iter().flatten()).cloned();
        if let Some(best) = &mut recommended {
            best.recommended = true;
        }
        let row = |group: Vec<Prediction>| {
            let here = recommended.iter().find(|r| group.iter().any(|p| p.shape == r.shape));
            here.or_else(|| best(&group)).or_else(|| least_demanding(&group)).cloned()
        };
        let shapes = groups.into_iter().filter_map(row).collect();
        Self { cores, memory_bytes: machine.memory.0, units, prices, shapes }
    }

    /// The recommended shape.
    ///
    /// # Errors
    /// [`NodeError::NothingFits`] with what the least demanding shape takes.
    pub fn recommended(&self) -> Result<&Prediction, NodeError> {
        if let Some(best) = self.shapes.iter().find(|p| p.recommended) {
            return Ok(best);
        }
        let least = least_demanding(&self.shapes);
        Err(NodeError::NothingFits {
            memory: MemoryBudget(self.memory_bytes),
            shape: least.map_or_else(String::new, |p| p.shape.clone()),
            needed: MemoryBudget(least.map_or(0, |p| p.least_memory_bytes)),
        })
    }
}

/// The prediction with the highest throughput among those that fit, or with the lowest cost if there are prices; of
/// a tie, the one with fewest transfers in a block.
fn best<'p>(all: impl IntoIterator<Item = &'p Prediction>) -> Option<&'p Prediction> {
    let fitting: Vec<_> = all.into_iter().filter(|p| p.usable()).collect();
    let rates = fitting.iter().map(|p| p.merit());
    let tie = rates.fold(0.0, f64::max) * (1.0 - TIE);
    let tied = fitting.into_iter().filter(|p| p.merit() >= tie);
    tied.min_by_key(|p| p.transfers)
}

fn least_demanding(all: &[Prediction]) -> Option<&Prediction> {
    all.iter().min_by_key(|p| p.least_memory_bytes)
}

/// Machines of which [`matrix`] tells the best shape: cores, and GiB of memory.
const MACHINES: ([usize; 3], [u64; 3]) = ([2, 16, 64], [8, 24, 128]);

/// The best shape for a machine of the matrix.
#[derive(Clone, Debug, Serialize)]
pub struct MatrixEntry {
    /// Cores.
    pub cores: usize,
    /// GiB of memory, four fifths of which proving may use.
    pub memory_gib: u64,
    /// The shape, if any fits.
    pub best: Option<Prediction>,
}

/// The best shapes for nine machines, each core of which is as fast as one of this machine.
pub fn matrix(units: UnitCosts) -> Vec<MatrixEntry> {
    let (cores, memories) = MACHINES;
    let mut entries = Vec::new();
    for cores in cores.into_iter().filter_map(NonZeroUsize::new) {
        for memory_gib in memories {
            // What MemoryBudget::available leaves to a machine that does nothing else.
            let memory = MemoryBudget((memory_gib << 30) / 5 * 4);
            let comparison = Comparison::over(Machine { cores, memory }, units, &BATCHES, None);
            entries.push(MatrixEntry {
                cores: cores.get(),
                memory_gib,
                best: comparison.shapes.into_iter().find(|p| p.recommended),
            });
        }
    }
    entries
}
