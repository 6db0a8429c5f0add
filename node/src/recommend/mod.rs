//! Predicted speed and memory of shapes on a machine, and the best of them.
//!
//! A prediction is counts times unit costs: the multi-scalar multiplications, transforms and gates
//! of each proof (`work`), at what they cost on one core of this machine (`units`), spread over
//! cores by Amdahl's law. How many batches are proven at once follows from memory as when proving
//! ([`slots`]).

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
pub use predict::Prediction;
use predict::Predictor;
pub use units::UnitCosts;
pub use work::CoreSeconds;

/// Batches that a block may have.
pub const BATCHES: RangeInclusive<usize> = 1..=8;
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
        Self {
            cores: cores.unwrap_or(NonZeroUsize::MIN),
            memory,
        }
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
    /// Each named shape, by size, with the number of batches that suits it best.
    pub shapes: Vec<Prediction>,
}

impl Comparison {
    /// Compares the named shapes, with `batches` batches a block or as many as is best.
    ///
    /// # Errors
    /// [`NodeError::NoSuchBlock`] for a number of batches outside of [`BATCHES`].
    pub fn new(
        machine: Machine,
        units: UnitCosts,
        batches: Option<usize>,
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
        let mut shapes = Vec::new();
        for all in Predictor::new(machine, units).all(&range) {
            let best = best(&all).or_else(|| least_demanding(&all));
            shapes.extend(best.and_then(|i| all.into_iter().nth(i)));
        }
        if let Some(best) = best(&shapes).and_then(|i| shapes.get_mut(i)) {
            best.recommended = true;
        }
        Ok(Self {
            cores: machine.cores.get(),
            memory_bytes: machine.memory.0,
            units,
            shapes,
        })
    }

    /// The recommended shape.
    ///
    /// # Errors
    /// [`NodeError::NothingFits`] with what the least demanding shape takes.
    pub fn recommended(&self) -> Result<&Prediction, NodeError> {
        if let Some(best) = self.shapes.iter().find(|p| p.recommended) {
            return Ok(best);
        }
        let least = least_demanding(&self.shapes).and_then(|i| self.shapes.get(i));
        Err(NodeError::NothingFits {
            memory: MemoryBudget(self.memory_bytes),
            shape: least.map_or_else(String::new, |p| p.shape.clone()),
            needed: MemoryBudget(least.map_or(0, |p| p.least_memory_bytes)),
        })
    }
}

/// The place of the prediction with the highest throughput among those that fit; of a tie, the one
/// with fewest transfers in a block.
fn best(all: &[Prediction]) -> Option<usize> {
    let fitting = || all.iter().enumerate().filter(|(_, p)| p.usable());
    let most = fitting()
        .map(|(_, p)| p.transfers_per_second)
        .fold(0.0, f64::max);
    fitting()
        .filter(|(_, p)| p.transfers_per_second >= most * (1.0 - TIE))
        .min_by_key(|(_, p)| p.transfers)
        .map(|(i, _)| i)
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

/// The best shapes for nine machines with the cores of this one.
///
/// # Errors
/// None in fact: all numbers of batches are tried.
pub fn matrix(units: UnitCosts) -> Result<Vec<MatrixEntry>, NodeError> {
    let (cores, memories) = MACHINES;
    let mut entries = Vec::new();
    for cores in cores.into_iter().filter_map(NonZeroUsize::new) {
        for memory_gib in memories {
            // What MemoryBudget::available leaves to a machine that does nothing else.
            let memory = MemoryBudget((memory_gib << 30) / 5 * 4);
            let comparison = Comparison::new(Machine { cores, memory }, units, None)?;
            entries.push(MatrixEntry {
                cores: cores.get(),
                memory_gib,
                best: comparison.shapes.into_iter().find(|p| p.recommended),
            });
        }
    }
    Ok(entries)
}

fn least_demanding(all: &[Prediction]) -> Option<usize> {
    let by_memory = all.iter().enumerate();
    by_memory
        .min_by_key(|(_, p)| p.least_memory_bytes)
        .map(|(i, _)| i)
}
