//! Proving the batches of a block in parallel, within a memory budget.

mod budget;
mod limits;
mod memory;

use std::{
    num::NonZeroUsize,
    sync::{
        atomic::{AtomicBool, Ordering},
        Mutex, PoisonError,
    },
};

use rand::rngs::OsRng;
use tracing::info;

pub use budget::ProofCost;
pub use memory::MemoryBudget;

use bastion_protocol::BatchProof;

use crate::srs::Params;
use crate::{
    keys::CircuitKeys, progress::Progress, proof::prove, ProvableCircuit, ProverError, Result,
};

/// How many proofs of this cost run at once: as many as fit, but no more than there are jobs or
/// threads to work on them.
///
/// # Errors
/// [`ProverError::Resources`] if not even one fits.
pub fn slots(
    cost: &ProofCost,
    budget: MemoryBudget,
    jobs: usize,
    threads: usize,
    shape: &str,
) -> Result<NonZeroUsize> {
    let fitting = cost.fitting(budget, threads).ok_or_else(|| ProverError::Resources {
        shape: shape.to_owned(),
        needed: cost.of_one(threads),
        budget,
    })?;
    let useful = NonZeroUsize::new(jobs.min(threads)).unwrap_or(NonZeroUsize::MIN);
    Ok(fitting.min(useful))
}

/// Proves all circuits; the proofs come in the order of the circuits.
///
/// A proof is parallel inside (rayon), so more proofs at once mean better use of many cores, not
/// more threads. The first error stops the rest: proofs under way are finished and dropped,
/// since a prover cannot be interrupted, and no further one is begun.
///
/// # Errors
/// [`ProverError::Resources`] before anything is begun, or the first error of [`prove`].
pub fn prove_all<C: ProvableCircuit + Send>(
    params: &Params,
    keys: &CircuitKeys,
    circuits: Vec<C>,
    budget: MemoryBudget,
    progress: &Progress,
) -> Result<Vec<BatchProof>> {
    prove_each(params, keys, circuits, budget, progress, |_| Ok(()))
}

/// As [`prove_all`]; each proof is given to `finished` as soon as it is made, from the thread that
/// made it.
///
/// # Errors
/// As [`prove_all`], or the first error of `finished`.
pub fn prove_each<C: ProvableCircuit + Send, E: From<ProverError> + Send>(
    params: &Params,
    keys: &CircuitKeys,
    circuits: Vec<C>,
    budget: MemoryBudget,
    progress: &Progress,
    finished: impl Fn(&BatchProof) -> Result<(), E> + Sync,
) -> Result<Vec<BatchProof>, E> {
    let shape = keys.verifier().shape_name();
    let cost = ProofCost::of(keys.verifier());
    let threads = rayon::current_num_threads();
    let slots = slots(&cost, budget, circuits.len(), threads, shape)?;
    info!(slots, jobs = circuits.len(), %budget, per_proof = %cost.per_proof(), "proving");

    let stage = progress.stage("prove", shape, circuits.len() as u64);
    run(circuits, slots, |circuit| {
        let proof = prove(params, keys, circuit, OsRng)?;
        finished(&proof)?;
        stage.advance();
        Ok(proof)
    })
}

/// Runs `work` on all jobs, at most `slots` at a time.
///
/// Threads of its own rather than tasks of rayon's pool: a rayon thread that waits inside one
/// proof would take up another, and there would be more proofs in memory than slots. The work
/// itself goes to the pool.
fn run<J: Send, T: Send, E: Send>(
    jobs: Vec<J>,
    slots: NonZeroUsize,
    work: impl Fn(J) -> Result<T, E> + Sync,
) -> Result<Vec<T>, E> {
    let mut results: Vec<Option<T>> = jobs.iter().map(|_| None).collect();
    let queue = Mutex::new(jobs.into_iter().zip(&mut results));
    let cancelled = AtomicBool::new(false);
    let first_error = Mutex::new(None);

    let worker = || loop {
        if cancelled.load(Ordering::Relaxed) {
            return;
        }
        let next = queue.lock().unwrap_or_else(PoisonError::into_inner).next();
        let Some((job, slot)) = next else { return };
        match work(job) {
            Ok(value) => *slot = Some(value),
            Err(error) => {
                cancelled.store(true, Ordering::Relaxed);
                let mut first = first_error.lock().unwrap_or_else(PoisonError::into_inner);
                first.get_or_insert(error);
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..slots.get() {
            scope.spawn(worker);
        }
    });

    drop(queue);
    match first_error.into_inner().unwrap_or_else(PoisonError::into_inner) {
        Some(error) => Err(error),
        // Without an error every slot has been filled.
        None => Ok(results.into_iter().flatten().collect()),
    }
}

#[cfg(test)]
mod tests;
