//! What workers and coordinator say to one another.

use bastion_protocol::CircuitId;
use bastion_prover::artifact::Digest;
use serde::{Deserialize, Serialize};

use crate::coordinator::events::JobProgress;
use crate::coordinator::Assignment;
use crate::jobs::{JobKey, JobKind};

/// A worker's request.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum Ask {
    /// For a job of one of the circuits.
    Lease {
        /// Who.
        worker: String,
        /// Its circuits.
        circuits: Vec<(JobKind, CircuitId)>,
    },
    /// To put an input into the store, which lacks it.
    Input {
        /// The input.
        input: Digest,
    },
    /// A sign of life.
    Heartbeat {
        /// Who.
        worker: String,
        /// The job.
        job: JobKey,
        /// Its lease.
        lease: u64,
        /// How far it is.
        progress: JobProgress,
    },
    /// A proof is in the store.
    Complete {
        /// Who.
        worker: String,
        /// The job.
        job: JobKey,
        /// Its lease.
        lease: u64,
        /// The proof.
        proof: Digest,
    },
    /// There is no proof.
    Fail {
        /// Who.
        worker: String,
        /// The job.
        job: JobKey,
        /// Its lease.
        lease: u64,
        /// Why.
        cause: String,
        /// Whether another attempt may help.
        retryable: bool,
    },
}

/// The coordinator's answer.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum Reply {
    /// Done; a job, if one was asked for and there is one.
    Done(Option<Assignment>),
    /// No: the job is not the worker's, or needs nothing.
    Refused(String),
    /// Not now.
    Failed(String),
}
