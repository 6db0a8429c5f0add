//! The keys of a worker, and proving with them.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use bastion_aggregator::{aggregate, BlockKeys};
use bastion_circuits::witness::{checked, generate_witness};
use bastion_circuits::{CircuitError, Shape};
use bastion_protocol::CircuitId;
use bastion_prover::progress::Progress;
use bastion_prover::schedule::MemoryBudget;
use bastion_prover::srs::{Srs, SrsChoice};

use crate::coordinator::input::{read_block_input, BatchInput};
use crate::error::NodeError;
use crate::jobs::{JobKey, JobKind};
use crate::pipeline::{BatchProver, Cache};

/// Keys of a shape, and of blocks of some sizes.
pub struct WorkerKeys {
    srs: Srs,
    batch: BatchProver,
    blocks: Vec<BlockKeys>,
    budget: MemoryBudget,
    /// Seconds that a job of each kind took, smoothed.
    usual: Mutex<BTreeMap<JobKind, f64>>,
}

impl WorkerKeys {
    /// Loads the keys for blocks of the `sizes` from a cache, or makes those that are missing.
    ///
    /// # Errors
    /// If they cannot be made, or the reference string is missing.
    pub fn open(
        shape: &Shape,
        sizes: &[u32],
        cache: &Cache,
        choice: SrsChoice,
        budget: MemoryBudget,
        progress: &Progress,
    ) -> Result<Self, NodeError> {
        let sizes: Vec<usize> = sizes.iter().map(|size| *size as usize).collect();
        let (srs, batch, blocks) = cache.provers(shape, &sizes, choice, progress)?;
        Ok(Self { srs, batch, blocks, budget, usual: Mutex::default() })
    }

    /// The circuits whose jobs it can do.
    pub fn circuits(&self) -> Vec<(JobKind, CircuitId)> {
        let blocks = self.blocks.iter().map(|keys| keys.verifier.circuit_id);
        let blocks = blocks.map(|circuit| (JobKind::ProveBlock, circuit));
        let batch = (JobKind::ProveBatch, self.batch.keys().circuit_id());
        blocks.chain([batch]).collect()
    }

    /// The keys of block circuits, for their verifiers.
    pub fn blocks(&self) -> &[BlockKeys] {
        &self.blocks
    }

    /// The batch prover.
    pub fn batch(&self) -> &BatchProver {
        &self.batch
    }

    /// Proves a job's input. What comes out was verified.
    ///
    /// # Errors
    /// [`NodeError::NoKeys`] for a circuit that it lacks; [`NodeError::Unprovable`] with the broken
    /// rules; or those of the prover.
    pub fn prove(&self, job: &JobKey, input: &[u8]) -> Result<Vec<u8>, NodeError> {
        match job.kind {
            JobKind::ProveBatch if self.batch.keys().circuit_id() == job.circuit => {
                self.prove_batch(job, input)
            }
            JobKind::ProveBlock => {
                let own = |keys: &&BlockKeys| keys.verifier.circuit_id == job.circuit;
                let keys = self.blocks.iter().find(own).ok_or_else(|| self.no_keys(job))?;
                let proofs = read_block_input(input)?;
                let proof = aggregate(keys, self.batch.keys().verifier(), &proofs, &self.srs)?;
                Ok(proof.to_json()?)
            }
            JobKind::ProveBatch => Err(self.no_keys(job)),
        }
    }

    fn prove_batch(&self, job: &JobKey, input: &[u8]) -> Result<Vec<u8>, NodeError> {
        let input = BatchInput::from_bytes(input)?;
        let (shape, link) = (self.batch.shape(), input.link()?);
        let circuit = generate_witness(shape, &input.trace, &link)?;
        let progress = Progress::silent();
        let made = self.batch.prove(vec![circuit], &self.srs, self.budget, &progress);
        let proof = match made {
            Ok(proofs) => proofs.into_iter().next().ok_or_else(|| self.no_keys(job))?,
            Err(error) => {
                // The prover cannot tell which rule the witness breaks; the rules can.
                if let Err(why @ CircuitError::Unprovable { .. }) =
                    checked(shape, &input.trace, &link)
                {
                    return Err(NodeError::Unprovable { batch: job.number as usize, why });
                }
                return Err(error);
            }
        };
        Ok(proof.to_json()?)
    }

    fn no_keys(&self, job: &JobKey) -> NodeError {
        NodeError::NoKeys { circuit: job.circuit }
    }

    /// Seconds that a job of a kind usually takes.
    pub fn usual(&self, kind: JobKind) -> Option<f64> {
        self.usual.lock().unwrap_or_else(PoisonError::into_inner).get(&kind).copied()
    }

    /// Notes what one took.
    pub fn took(&self, kind: JobKind, seconds: f64) {
        let mut usual = self.usual.lock().unwrap_or_else(PoisonError::into_inner);
        let smoothed = usual.get(&kind).map_or(seconds, |old| 0.7 * old + 0.3 * seconds);
        usual.insert(kind, smoothed);
    }
}
