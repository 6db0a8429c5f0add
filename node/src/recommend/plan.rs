//! Memory of a block, stage by stage.

use bastion_aggregator::BlockShape;
use bastion_circuits::core::{Layout, WIDTH};
use bastion_circuits::Shape;
use bastion_prover::schedule::{slots, MemoryBudget};

use super::work::Work;
use crate::error::NodeError;
use crate::worker::admission::Admission;

/// Bytes of a grid's cell: the value, and whether it was assigned.
const CELL: u64 = 33;
/// Memory of the process beside proofs and keys, and of building a block's circuit for each of its
/// batches (recorded: a block of two `small` batches takes 0.7 GB to prove and 0.9 GB to aggregate).
const PROCESS: u64 = 128 << 20;
const BUILDING: u64 = 96 << 20;

/// What the stages of a block take: witness, batch proofs, aggregation, and the keys before them.
#[derive(Clone, Debug)]
pub struct MemoryPlan {
    shape: String,
    batches: usize,
    threads: usize,
    batch: Work,
    block: Work,
    /// What is held throughout, beside the batch circuit's keys.
    rest: u64,
}

impl MemoryPlan {
    /// The plan of a block of `batches` batches on this machine.
    pub fn new(shape: &Shape, batches: usize) -> Self {
        let block = Work::block(BlockShape::for_batches(batches));
        let threads = rayon::current_num_threads();
        Self::of(shape, batches, &Work::batch(shape), &block, threads)
    }

    pub(super) fn of(
        shape: &Shape,
        batches: usize,
        batch: &Work,
        block: &Work,
        threads: usize,
    ) -> Self {
        let grids = (Layout::rows_of_shape(shape) * WIDTH * batches) as u64 * CELL;
        // What the process holds beside the batch proofs is not theirs.
        // Buffers through which keys were read stay with the allocator: up to as much again.
        let reading = batch.memory.shared(0).0;
        Self {
            shape: shape.name.clone(),
            batches,
            threads,
            rest: PROCESS + grids + block.memory.shared(0).0 + reading,
            batch: batch.clone(),
            block: block.clone(),
        }
    }

    /// What the block takes with so many batch proofs at once.
    pub(super) fn total(&self, at_once: usize) -> u64 {
        let proving = self.batch.memory.per_proof().0.saturating_mul(at_once as u64);
        let aggregating = self.block.memory.per_proof().0 + BUILDING * self.batches as u64;
        // Grows with the number of threads, which may be any.
        let shared = self.batch.memory.shared(self.threads).0;
        shared.saturating_add(self.rest).saturating_add(proving.max(aggregating))
    }

    /// What it takes with one batch proof at a time.
    pub fn least(&self) -> MemoryBudget {
        MemoryBudget(self.total(1))
    }

    /// What making its keys takes.
    pub fn keys(&self) -> MemoryBudget {
        let batch = self.batch.memory.of_keys().0;
        let building = BUILDING * self.batches as u64;
        let block = self.batch.memory.shared(0).0 + self.block.memory.of_keys().0 + building;
        MemoryBudget(PROCESS + batch.max(block))
    }

    /// What a budget leaves to the batch proofs.
    pub fn for_proofs(&self, budget: MemoryBudget) -> MemoryBudget {
        MemoryBudget(budget.0.saturating_sub(self.rest))
    }

    /// How many batches a budget lets prove at once; 0 if it does not hold the block.
    pub(super) fn at_once(&self, budget: MemoryBudget) -> usize {
        if self.total(1) > budget.0 {
            return 0;
        }
        let free = self.for_proofs(budget);
        let slots = slots(&self.batch.memory, free, self.batches, self.threads, &self.shape);
        slots.map_or(0, |n| n.get())
    }

    /// Checks that a budget holds the block, before any of the work.
    ///
    /// # Errors
    /// [`NodeError::TooLittleMemory`] with what the block takes.
    pub fn require(&self, budget: MemoryBudget) -> Result<(), NodeError> {
        match self.at_once(budget) {
            0 => Err(self.too_little("a block", self.least(), budget)),
            _ => Ok(()),
        }
    }

    /// Checks that a budget holds the making of the keys, before any of the work.
    ///
    /// # Errors
    /// [`NodeError::TooLittleMemory`] with what they take.
    pub fn require_keys(&self, budget: MemoryBudget) -> Result<(), NodeError> {
        match self.keys() {
            needed if needed > budget => {
                Err(self.too_little("making the keys of a block", needed, budget))
            }
            _ => Ok(()),
        }
    }

    /// How a worker that holds the keys admits jobs: by what each takes beside the keys.
    pub fn admission(&self, budget: MemoryBudget, slots: usize) -> Admission {
        let keys = self.batch.memory.shared(self.threads).0.saturating_add(self.rest);
        let free = MemoryBudget(budget.0.saturating_sub(keys));
        let block = self.block.memory.per_proof().0 + BUILDING * self.batches as u64;
        Admission::new(free, self.batch.memory.per_proof(), MemoryBudget(block), slots)
    }

    fn too_little(
        &self,
        what: &'static str,
        needed: MemoryBudget,
        budget: MemoryBudget,
    ) -> NodeError {
        NodeError::TooLittleMemory {
            what,
            batches: self.batches,
            shape: self.shape.clone(),
            needed,
            budget,
        }
    }
}
