//! What happens, for those who watch.

use serde::{Deserialize, Serialize};

use crate::jobs::JobKey;

/// Something changed. Whoever hears of it asks for the rest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A batch was sealed.
    Batch(u64),
    /// A block is in another stage.
    Block(u64),
    /// A job is in another state.
    Job(JobKey),
    /// A worker has come further with a job.
    Progress {
        /// The job.
        job: JobKey,
        /// Who.
        worker: String,
        /// How far.
        progress: JobProgress,
    },
}

/// How far a job is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobProgress {
    /// What is being done.
    pub stage: String,
    /// Thousandths of the job that are done, by what such a job took before.
    pub per_mille: u32,
    /// Seconds until it is done, if there is an estimate.
    pub eta_seconds: Option<u64>,
}
