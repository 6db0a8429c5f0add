//! How many jobs are done at once: as many as the memory holds, weighed by their kind.

use std::sync::{Mutex, PoisonError};

use bastion_prover::schedule::MemoryBudget;

use crate::jobs::JobKind;

/// Memory of a worker.
#[derive(Debug)]
pub struct Admission {
    batch: u64,
    block: u64,
    slots: usize,
    free: Mutex<u64>,
}

/// A look at the memory that is free: nobody else takes of it meanwhile.
pub struct Room<'a> {
    admission: &'a Admission,
    free: std::sync::MutexGuard<'a, u64>,
}

/// Memory that a job has, until this is dropped.
pub struct Held<'a> {
    admission: &'a Admission,
    bytes: u64,
}

impl Admission {
    /// Admits what fits `budget`: what a job of each kind takes beside the keys, and at most `slots` jobs.
    /// A single job is always admitted.
    pub fn new(
        budget: MemoryBudget,
        batch: MemoryBudget,
        block: MemoryBudget,
        slots: usize,
    ) -> Self {
        let least = batch.0.max(block.0);
        let free = Mutex::new(budget.0.max(least));
        Self { batch: batch.0, block: block.0, slots: slots.max(1), free }
    }

    /// Jobs at once at most.
    pub fn slots(&self) -> usize {
        self.slots
    }

    /// The room that is there, if it holds a job of any kind.
    pub fn enter(&self) -> Option<Room<'_>> {
        let free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        let room = Room { admission: self, free };
        (!room.kinds().is_empty()).then_some(room)
    }

    fn weight(&self, kind: JobKind) -> u64 {
        match kind {
            JobKind::ProveBlock => self.block,
            JobKind::ProveBatch => self.batch,
        }
    }
}

impl<'a> Room<'a> {
    /// Kinds of which a job fits.
    pub fn kinds(&self) -> Vec<JobKind> {
        let all = [JobKind::ProveBlock, JobKind::ProveBatch];
        all.into_iter().filter(|kind| self.admission.weight(*kind) <= *self.free).collect()
    }

    /// Takes what a job of a kind needs.
    pub fn take(mut self, kind: JobKind) -> Held<'a> {
        let bytes = self.admission.weight(kind).min(*self.free);
        *self.free -= bytes;
        Held { admission: self.admission, bytes }
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        *self.admission.free.lock().unwrap_or_else(PoisonError::into_inner) += self.bytes;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BATCH: JobKind = JobKind::ProveBatch;
    const BLOCK: JobKind = JobKind::ProveBlock;

    #[test]
    fn jobs_are_admitted_by_weight() {
        let admission = Admission::new(MemoryBudget(10), MemoryBudget(4), MemoryBudget(7), 4);
        assert_eq!(admission.enter().unwrap().kinds(), [BLOCK, BATCH]);
        let first = admission.enter().unwrap().take(BATCH);
        assert_eq!(admission.enter().unwrap().kinds(), [BATCH]);
        let second = admission.enter().unwrap().take(BATCH);
        assert!(admission.enter().is_none());
        drop(first);
        assert_eq!(admission.enter().unwrap().kinds(), [BATCH]);
        drop(second);
        let _block = admission.enter().unwrap().take(BLOCK);
        assert!(admission.enter().is_none());
    }

    #[test]
    fn one_job_is_always_admitted() {
        let admission = Admission::new(MemoryBudget(1), MemoryBudget(4), MemoryBudget(7), 0);
        assert_eq!(admission.slots(), 1);
        let _held = admission.enter().unwrap().take(BLOCK);
        assert!(admission.enter().is_none());
    }
}
