//! One shape on one machine.

use std::ops::RangeInclusive;

use bastion_circuits::core::WIDTH;
use bastion_circuits::Shape;
use bastion_protocol::records::Section;
use serde::Serialize;

use super::cost::Cost;
use super::plan::MemoryPlan;
use super::units::UnitCosts;
use super::work::{works, CoreSeconds, Work};
use super::Machine;

/// Part of a proof's core-seconds that only one core can work on (recorded on two cores: an
/// aggregation of 15.1 core-seconds in 8.3 s, two batch proofs of 60.0 together in 30.9 s).
const SERIAL: f64 = 0.06;
/// What an aggregation does beside its proof, on one core, in compressions of the executor: it reads
/// the proofs of the batches and verifies its own (recorded: 0.8 to 1.4 s at 9.7 us).
const BESIDE: f64 = 120_000.0;
/// Compressions that executing and compiling a transfer take as long as, on one core (recorded:
/// 2.5 s and 2.6 s for 2,680 transfers).
const EXECUTION: f64 = 310.0;
/// Bytes that the data of a block may have: L1 nodes pass on transactions of up to 128 KiB, and
/// the header takes some of it.
const POSTED: u64 = 126 << 10;

/// What a shape is predicted to do.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Prediction {
    /// Name of the shape.
    pub shape: String,
    /// log2 of the rows of a batch.
    pub k: u32,
    /// Transfers in a full batch.
    pub transfers_per_batch: usize,
    /// Cells of the circuit, blanks included, for each of them.
    pub cells_per_transfer: usize,
    /// Batches in a block.
    pub batches: usize,
    /// Transfers in a block.
    pub transfers: usize,
    /// Bytes that a block posts.
    pub posted_bytes: u64,
    /// Batches that are proven at once; 0 if not even one fits.
    pub at_once: usize,
    /// Memory that the block takes with so many at once, in bytes.
    pub memory_bytes: u64,
    /// Memory that it takes with one at a time, in bytes.
    pub least_memory_bytes: u64,
    /// Seconds to execute the block and fill its witnesses.
    pub execute_seconds: f64,
    /// Seconds of the batch proofs.
    pub prove_seconds: f64,
    /// Seconds of the aggregation.
    pub aggregate_seconds: f64,
    /// Seconds from a block's operations to its proof.
    pub latency_seconds: f64,
    /// Transfers per second.
    pub transfers_per_second: f64,
    /// What a transfer of a full block costs; null without prices.
    pub cost: Option<Cost>,
    /// Whether the machine has the memory.
    pub fits_memory: bool,
    /// Whether an L1 transaction takes the block's data in calldata.
    pub fits_l1: bool,
    /// Whether it is the best of those that fit.
    pub recommended: bool,
}

impl Prediction {
    /// What is to be as high as possible: transfers for a unit of money, or a second if nothing has a price.
    pub(super) fn merit(&self) -> f64 {
        self.cost.map_or(self.transfers_per_second, |cost| 1.0 / cost.total)
    }

    /// Whether machine and L1 can take it: in calldata, or in blobs where these have a price.
    pub fn usable(&self) -> bool {
        self.fits_memory && self.is_taken()
    }

    /// Whether a transaction takes its data.
    pub fn is_taken(&self) -> bool {
        self.fits_l1 || self.cost.is_some_and(|cost| cost.blobs > 0)
    }
}

/// Predicts for one machine.
pub(super) struct Predictor {
    machine: Machine,
    units: UnitCosts,
}

impl Predictor {
    pub(super) fn new(machine: Machine, units: UnitCosts) -> Self {
        Self { machine, units }
    }

    /// Every named shape, with each of these numbers of batches.
    pub(super) fn all(&self, batches: &RangeInclusive<usize>) -> Vec<Vec<Prediction>> {
        let works = works();
        let blocks = || works.blocks.iter().filter(|(n, _)| batches.contains(n));
        let of = |(shape, transfers, work): &(Shape, usize, Work)| {
            blocks().map(|(n, block)| self.predict(shape, *transfers, work, *n, block)).collect()
        };
        works.batches.iter().map(of).collect()
    }

    fn predict(
        &self,
        shape: &Shape,
        each: usize,
        batch: &Work,
        batches: usize,
        block: &Work,
    ) -> Prediction {
        let cores = self.machine.cores.get();
        let plan = MemoryPlan::of(shape, batches, batch, block, cores);
        let at_once = plan.at_once(self.machine.memory);

        let transfers = each * batches;
        let posted_bytes = (transfers * Section::L2.record_len()) as u64;
        let execute_seconds = transfers as f64 * EXECUTION * self.units.compression;
        let prove = batch.core_seconds(&self.units);
        let prove_seconds = spread(prove, batches, at_once.max(1), cores);
        let aggregate_seconds =
            spread(block.core_seconds(&self.units), 1, 1, cores) + BESIDE * self.units.compression;
        let latency_seconds = execute_seconds + prove_seconds + aggregate_seconds;
        Prediction {
            shape: shape.name.clone(),
            k: shape.k,
            transfers_per_batch: each,
            cells_per_transfer: ((WIDTH + 1) << shape.k) / each.max(1),
            batches,
            transfers,
            posted_bytes,
            at_once,
            memory_bytes: plan.total(at_once.max(1)),
            least_memory_bytes: plan.least().0,
            execute_seconds,
            prove_seconds,
            aggregate_seconds,
            latency_seconds,
            transfers_per_second: transfers as f64 / latency_seconds,
            fits_memory: at_once > 0,
            cost: None,
            fits_l1: posted_bytes <= POSTED,
            recommended: false,
        }
    }
}

/// Seconds of `jobs` proofs, `at_once` side by side: Amdahl's law for each, the cores shared.
fn spread(one: CoreSeconds, jobs: usize, at_once: usize, cores: usize) -> f64 {
    let rounds = jobs.div_ceil(at_once) as f64;
    one.total() * (SERIAL * rounds + (1.0 - SERIAL) * jobs as f64 / cores as f64)
}
