//! What those who watch ask for: jobs, batches and blocks as they stand, and counters.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use bastion_protocol::blob::{from_blobs, Posted};
use bastion_protocol::data::{read_batches, BatchData};
use bastion_protocol::{BlockProof, Index};
use bastion_prover::artifact::Digest;

use super::blocks::{BatchInfo, BlockInfo};
use super::events::JobProgress;
use super::{Coordinator, WorkerInfo};
use crate::blobs::keep::{file_name, Keep};
use crate::error::NodeError;
use crate::jobs::{Job, JobKey, JobKind};

/// When jobs changed last, as far as this process saw it.
#[derive(Debug)]
pub(super) struct Changes {
    opened: u64,
    at: Mutex<BTreeMap<JobKey, u64>>,
}

impl Changes {
    pub(super) fn new(opened: u64) -> Self {
        Self { opened, at: Mutex::default() }
    }

    pub(super) fn note(&self, key: JobKey, now: u64) {
        self.at.lock().unwrap_or_else(PoisonError::into_inner).insert(key, now);
    }

    pub(super) fn forget(&self, key: &JobKey) {
        self.at.lock().unwrap_or_else(PoisonError::into_inner).remove(key);
    }

    fn get(&self, key: &JobKey) -> u64 {
        let at = self.at.lock().unwrap_or_else(PoisonError::into_inner);
        at.get(key).copied().unwrap_or(self.opened)
    }
}

impl Coordinator {
    /// A job.
    pub fn job(&self, key: &JobKey) -> Option<Job> {
        self.lock().jobs.get(key).ok().cloned()
    }

    /// Since when a job is in its state, in seconds; when the coordinator was opened if that was before.
    pub fn since(&self, key: &JobKey) -> u64 {
        self.changes.get(key)
    }

    /// Goes through all jobs. Nothing changes meanwhile, so it must not take long.
    pub fn fold_jobs<T>(&self, start: T, mut step: impl FnMut(&mut T, &Job)) -> T {
        let mut sum = start;
        self.lock().jobs.all().for_each(|job| step(&mut sum, job));
        sum
    }

    /// All jobs.
    pub fn jobs(&self) -> Vec<Job> {
        self.lock().jobs.all().cloned().collect()
    }

    /// The input of a job, if there is such a job.
    pub fn input_of(&self, key: &JobKey) -> Option<Digest> {
        self.lock().jobs.get(key).ok().map(|job| job.input)
    }

    /// The jobs that wait for a worker now.
    pub fn waiting(&self) -> Vec<JobKey> {
        let now = (self.clock)();
        let inner = self.lock();
        inner.jobs.all().filter(|job| job.waits(now)).map(|job| job.key).collect()
    }

    /// How far the jobs are that workers are at.
    pub fn progress(&self) -> BTreeMap<JobKey, JobProgress> {
        self.lock().progress.clone()
    }

    /// The workers that were heard of lately.
    pub fn workers(&self) -> BTreeMap<String, WorkerInfo> {
        self.lock().workers.clone()
    }

    /// Why nothing more should be accepted, if too many jobs failed in a row.
    pub fn breaker(&self) -> Option<String> {
        let inner = self.lock();
        let kinds = [(JobKind::ProveBatch, "batch"), (JobKind::ProveBlock, "block")];
        let open = kinds.into_iter().find(|(kind, _)| inner.jobs.breaker_is_open(*kind));
        open.map(|(_, name)| {
            format!(
                "{name} proofs failed {} times in a row: see `bastion job list`, mend the cause, and \
                 grant a failed job new attempts with `bastion job retry`",
                crate::jobs::store::BREAKER
            )
        })
    }

    /// A sealed batch.
    ///
    /// # Errors
    /// [`NodeError::Database`].
    pub fn batch(&self, number: u64) -> Result<Option<BatchInfo>, NodeError> {
        self.lock().blocks.batch(number)
    }

    /// A sealed block.
    ///
    /// # Errors
    /// [`NodeError::Database`].
    pub fn block(&self, number: u64) -> Result<Option<BlockInfo>, NodeError> {
        self.lock().blocks.block(number)
    }

    /// Number of the last sealed block, 0 if there is none.
    ///
    /// # Errors
    /// [`NodeError::Database`].
    pub fn last_block(&self) -> Result<u64, NodeError> {
        self.lock().blocks.last_block()
    }

    /// Number of the last block that is final, with all before it.
    ///
    /// # Errors
    /// [`NodeError::Database`].
    pub fn last_final(&self) -> Result<u64, NodeError> {
        self.lock().blocks.last_final()
    }

    /// Number of sealed batches.
    ///
    /// # Errors
    /// [`NodeError::Database`].
    pub fn batches(&self) -> Result<u64, NodeError> {
        self.lock().blocks.batches()
    }

    /// Entries of the log before `before` that touched an account, newest first.
    ///
    /// # Errors
    /// [`NodeError::Database`].
    pub fn touching(&self, index: Index, before: u64, limit: usize) -> Result<Vec<u64>, NodeError> {
        self.lock().blocks.touching(index, before, limit)
    }

    /// The posted data of a block, those in calldata.
    ///
    /// # Errors
    /// [`NodeError::Job`] if it is missing or damaged.
    pub fn data(&self, block: &BlockInfo) -> Result<Vec<u8>, NodeError> {
        Ok(self.artifacts.get(&block.data)?)
    }

    /// Blobs of this node's blocks.
    pub fn blobs(&self) -> &Keep {
        &self.blobs
    }

    /// The blobs of a block, in order; none if all of its data are in calldata.
    ///
    /// # Errors
    /// [`NodeError::NoBlob`] if one is missing, [`NodeError::BadBlob`] if one is damaged.
    pub fn blobs_of(&self, block: &BlockInfo) -> Result<Vec<Vec<u8>>, NodeError> {
        let read = |hash: &[u8; 32]| {
            let missing = || NodeError::NoBlob {
                hash: file_name(hash),
                why: format!("the folder {} does not have it", self.blobs.dir().display()),
            };
            self.blobs.get(hash)?.ok_or_else(missing)
        };
        block.blobs.iter().map(read).collect()
    }

    /// The records of a block's batches.
    ///
    /// # Errors
    /// As [`Self::data`] and [`Self::blobs_of`].
    pub fn records(&self, block: &BlockInfo) -> Result<Vec<BatchData>, NodeError> {
        let (data, count) = (self.data(block)?, block.header.batches);
        let blobs = self.blobs_of(block)?;
        match blobs.is_empty() {
            true => Ok(read_batches(&data, count)?),
            false => {
                let coefficients = from_blobs(blobs.iter().map(Vec::as_slice))?;
                Ok(Posted::read(&data, count)?.complete(&coefficients)?)
            }
        }
    }

    /// The proof of a block, once it holds and until it is not needed any more.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn proof(&self, number: u64) -> Result<Option<BlockProof>, NodeError> {
        let inner = self.lock();
        let Some(block) = inner.blocks.block(number)? else {
            return Ok(None);
        };
        let proof = inner.jobs.get(&block.block_job(number)).ok().and_then(Job::proof);
        let Some(proof) = proof.filter(|_| block.final_at.is_none()) else {
            return Ok(None);
        };
        Ok(Some(BlockProof::from_json(&self.proofs.get(&proof)?)?))
    }
}

/// Counts an attempt that failed: `refused` if its proof did not hold, `worker` if the worker said so,
/// `fatal` if it also said that nobody need try again, `lost` if it was not heard of.
pub(super) fn count_failure(class: &'static str) {
    metrics::counter!("bastion_job_failures_total", "class" => class).increment(1);
}

pub(super) fn count_lease_loss() {
    metrics::counter!("bastion_lease_losses_total").increment(1);
    count_failure("lost");
}

pub(super) fn count_proof(kind: JobKind, seconds: u64) {
    let kind = match kind {
        JobKind::ProveBatch => "batch",
        JobKind::ProveBlock => "block",
    };
    metrics::histogram!("bastion_proving_seconds", "kind" => kind).record(seconds as f64);
}
