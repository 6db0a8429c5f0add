//! What those who watch ask for: single jobs, since when they are in their state, counters.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use super::Coordinator;
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
