//! What a worker asks and reports. Two coordinators answer: the one in the same process, and one over
//! NATS ([`crate::nats`]).

use std::sync::Arc;
use std::time::Duration;

use bastion_protocol::CircuitId;
use bastion_prover::artifact::Digest;

use crate::coordinator::events::JobProgress;
use crate::coordinator::{Assignment, Coordinator};
use crate::error::NodeError;
use crate::jobs::{JobError, JobKey, JobKind};

/// Why the coordinator did not do what a worker asked.
#[derive(Debug, thiserror::Error)]
pub enum DeskError {
    /// It said no: the job is not the worker's any more, or needs no proof.
    #[error("{0}")]
    Refused(String),
    /// It did not answer, or its answer is none.
    #[error("the coordinator does not answer: {0}")]
    Unreachable(String),
}

/// A coordinator, as its workers see it. All calls wait for the answer.
pub trait Desk: Send + Sync {
    /// Asks for a job of one of the circuits.
    ///
    /// # Errors
    /// [`DeskError`].
    fn lease(
        &self,
        worker: &str,
        circuits: &[(JobKind, CircuitId)],
    ) -> Result<Option<Assignment>, DeskError>;
    /// The input of a job, of which the digest is checked.
    ///
    /// # Errors
    /// [`DeskError`].
    fn input(&self, input: &Digest) -> Result<Vec<u8>, DeskError>;
    /// Gives a sign of life.
    ///
    /// # Errors
    /// [`DeskError::Refused`] if the lease has ended.
    fn heartbeat(
        &self,
        worker: &str,
        job: &JobKey,
        lease: u64,
        progress: JobProgress,
    ) -> Result<(), DeskError>;
    /// Brings a proof.
    ///
    /// # Errors
    /// [`DeskError`].
    fn complete(
        &self,
        worker: &str,
        job: &JobKey,
        lease: u64,
        proof: Vec<u8>,
    ) -> Result<(), DeskError>;
    /// Reports a failure, and whether another attempt may help.
    ///
    /// # Errors
    /// [`DeskError`].
    fn fail(
        &self,
        worker: &str,
        job: &JobKey,
        lease: u64,
        cause: &str,
        retryable: bool,
    ) -> Result<(), DeskError>;
    /// Waits until there may be a job, at most for a time.
    fn wait(&self, most: Duration);
}

impl Desk for Arc<Coordinator> {
    fn lease(
        &self,
        worker: &str,
        circuits: &[(JobKind, CircuitId)],
    ) -> Result<Option<Assignment>, DeskError> {
        let accepts = |key: &JobKey| circuits.contains(&(key.kind, key.circuit));
        Ok(Coordinator::lease(self, worker, accepts)?)
    }

    fn input(&self, input: &Digest) -> Result<Vec<u8>, DeskError> {
        Ok(self.artifact(input)?)
    }

    fn heartbeat(
        &self,
        worker: &str,
        job: &JobKey,
        lease: u64,
        progress: JobProgress,
    ) -> Result<(), DeskError> {
        Ok(Coordinator::heartbeat(self, worker, job, lease, Some(progress))?)
    }

    fn complete(
        &self,
        worker: &str,
        job: &JobKey,
        lease: u64,
        proof: Vec<u8>,
    ) -> Result<(), DeskError> {
        Coordinator::complete(self, worker, job, lease, &proof).map_err(|error| match error {
            NodeError::Job(error) => error.into(),
            other => DeskError::Unreachable(other.to_string()),
        })
    }

    fn fail(
        &self,
        worker: &str,
        job: &JobKey,
        lease: u64,
        cause: &str,
        retryable: bool,
    ) -> Result<(), DeskError> {
        Ok(Coordinator::fail(self, worker, job, lease, cause, retryable)?)
    }

    fn wait(&self, most: Duration) {
        self.wait_for_work(most);
    }
}

impl From<JobError> for DeskError {
    fn from(error: JobError) -> Self {
        match error {
            JobError::Storage { .. } => Self::Unreachable(error.to_string()),
            _ => Self::Refused(error.to_string()),
        }
    }
}
