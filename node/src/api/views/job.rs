//! Jobs as the API shows them.

use bastion_client::types::status::JobCounts;
use bastion_client::types::{Job, JobState, Progress, ProofKind};

use crate::api::problem::Fault;
use crate::api::Backend;
use crate::coordinator::events::JobProgress;
use crate::jobs::{self, JobKey, JobKind};

/// Jobs of an answer at most: those of the highest numbers.
pub const MOST_JOBS: usize = 1_000;

impl Backend {
    /// A job, if there is one.
    pub(in crate::api) fn job(&self, key: &JobKey) -> Option<Job> {
        let coordinator = &self.parts.coordinator;
        coordinator.job(key).map(|job| self.show_job(&job))
    }

    fn show_job(&self, job: &jobs::Job) -> Job {
        use jobs::JobState as S;
        let worker = match &job.state {
            S::Leased { worker, .. } => Some(worker.clone()),
            S::Queued
            | S::Proved { .. }
            | S::Verified { .. }
            | S::Done { .. }
            | S::Retryable { .. }
            | S::Failed { .. }
            | S::Cancelled => None,
        };
        Job {
            key: job.key.to_string(),
            kind: match job.key.kind {
                JobKind::ProveBatch => ProofKind::ProveBatch,
                JobKind::ProveBlock => ProofKind::ProveBlock,
            },
            number: job.key.number,
            circuit: format!("0x{}", job.key.circuit),
            state: state(job),
            worker,
            attempts: job.attempts,
            causes: job.causes.clone(),
            since: self.parts.coordinator.since(&job.key),
        }
    }

    /// The last jobs, all or those in one state.
    pub(in crate::api) fn jobs(&self, wanted: Option<JobState>) -> Vec<Job> {
        let mut found: Vec<jobs::Job> = self.parts.coordinator.fold_jobs(Vec::new(), |all, job| {
            if wanted.is_none_or(|wanted| state(job) == wanted) {
                all.push(job.clone());
            }
        });
        found.sort_by_key(|job| std::cmp::Reverse((job.key.number, job.key)));
        found.truncate(MOST_JOBS);
        found.sort_by_key(|job| job.key);
        found.iter().map(|job| self.show_job(job)).collect()
    }

    /// The job of a name.
    ///
    /// # Errors
    /// [`Fault::not_found`].
    pub(in crate::api) fn job_named(&self, name: &str) -> Result<JobKey, Fault> {
        let coordinator = &self.parts.coordinator;
        let found = coordinator.fold_jobs(None, |found, job| {
            if found.is_none() && job.key.to_string() == name {
                *found = Some(job.key);
            }
        });
        found.ok_or_else(|| Fault::not_found(format!("job {name}")))
    }

    /// How many jobs are in each state.
    pub(in crate::api) fn job_counts(&self) -> JobCounts {
        self.parts.coordinator.fold_jobs(JobCounts::default(), |counts, job| match state(job) {
            JobState::Queued | JobState::Retryable => counts.queued += 1,
            JobState::Leased | JobState::Proved => counts.leased += 1,
            JobState::Failed => counts.failed += 1,
            JobState::Verified | JobState::Done => counts.done += 1,
            JobState::Cancelled => {}
        })
    }
}

/// The state of a job.
pub(in crate::api) fn state(job: &jobs::Job) -> JobState {
    match job.state {
        jobs::JobState::Queued => JobState::Queued,
        jobs::JobState::Leased { .. } => JobState::Leased,
        jobs::JobState::Proved { .. } => JobState::Proved,
        jobs::JobState::Verified { .. } => JobState::Verified,
        jobs::JobState::Done { .. } => JobState::Done,
        jobs::JobState::Retryable { .. } => JobState::Retryable,
        jobs::JobState::Failed { .. } => JobState::Failed,
        jobs::JobState::Cancelled => JobState::Cancelled,
    }
}

/// How far a worker is.
pub(in crate::api) fn progress(job: &JobKey, worker: &str, progress: &JobProgress) -> Progress {
    Progress {
        job: job.to_string(),
        worker: worker.into(),
        stage: progress.stage.clone(),
        part: f64::from(progress.per_mille.min(1_000)) / 1_000.0,
        eta_seconds: progress.eta_seconds,
    }
}
