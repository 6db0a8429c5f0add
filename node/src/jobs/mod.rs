//! Proving jobs: what is to be proven, who is at it, and what came of it.
//!
//! The coordinator's database holds the truth. A worker has a job on a **lease**: a number that is never
//! given twice. Whoever reports anything names his lease; a report under an old one changes nothing, so
//! that a worker who was taken for dead cannot fail the job of his successor. A proof counts when the
//! coordinator has verified it, whoever brings it, and from then on nothing undoes it.
//!
//! ```text
//! Queued -> Leased -> Proved -> Verified -> Done
//!   ^         |         |
//!   |         v         v
//!   +---- Retryable <---+        Failed (after the last attempt), Cancelled (by the operator)
//! ```
//!
//! | module | content |
//! |---|---|
//! | [`store`] | the database and its transitions |
//! | [`artifacts`] | inputs and proofs, by the digest of their bytes |

pub mod artifacts;
pub mod store;

use bastion_protocol::CircuitId;
use bastion_prover::artifact::Digest;
use serde::{Deserialize, Serialize};

pub use artifacts::Artifacts;
pub use store::{Jobs, Lease};

/// What is proven. The order is that in which jobs are handed out: blocks first, because somebody waits
/// for them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JobKind {
    /// The proof of a block from those of its batches.
    ProveBlock,
    /// The proof of one batch.
    ProveBatch,
}

/// Names a job: there is one for each thing that can be proven in a circuit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct JobKey {
    /// What is proven.
    pub kind: JobKind,
    /// Number of the batch or of the block.
    pub number: u64,
    /// The circuit.
    pub circuit: CircuitId,
}

impl std::fmt::Display for JobKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let kind = match self.kind {
            JobKind::ProveBlock => "block",
            JobKind::ProveBatch => "batch",
        };
        write!(f, "{kind}-{}-{}", self.number, self.circuit.short())
    }
}

/// Where a job stands. Times are in seconds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JobState {
    /// Waits for a worker.
    Queued,
    /// A worker is at it.
    Leased {
        /// Who.
        worker: String,
        /// The lease.
        lease: u64,
        /// When it ends, unless the worker is heard of.
        until: u64,
        /// When it ends whatever is heard: a worker that hangs may still give signs of life.
        longest: u64,
    },
    /// There is a proof that was not verified yet.
    Proved {
        /// The proof.
        proof: Digest,
    },
    /// The proof holds.
    Verified {
        /// The proof.
        proof: Digest,
    },
    /// What the proof was for is final: input and proof are not needed any more.
    Done {
        /// The proof.
        proof: Digest,
    },
    /// The last attempt failed; the next one is made after a time.
    Retryable {
        /// Why it failed.
        cause: String,
        /// When it may be tried again.
        after: u64,
    },
    /// No attempt is left.
    Failed {
        /// Why the last one failed.
        cause: String,
    },
    /// The operator does not want it any more.
    Cancelled,
}

/// A job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Job {
    /// Its name.
    pub key: JobKey,
    /// What a worker needs.
    pub input: Digest,
    /// Where it stands.
    pub state: JobState,
    /// Attempts that failed.
    pub attempts: u32,
    /// Why, the last first, at most [`store::CAUSES`].
    pub causes: Vec<String>,
}

impl Job {
    /// Whether a worker may have it at a time.
    pub fn waits(&self, now: u64) -> bool {
        match self.state {
            JobState::Queued => true,
            JobState::Retryable { after, .. } => after <= now,
            JobState::Leased { .. }
            | JobState::Proved { .. }
            | JobState::Verified { .. }
            | JobState::Done { .. }
            | JobState::Failed { .. }
            | JobState::Cancelled => false,
        }
    }

    /// The proof, once it holds.
    pub fn proof(&self) -> Option<Digest> {
        match self.state {
            JobState::Verified { proof } | JobState::Done { proof } => Some(proof),
            JobState::Queued
            | JobState::Leased { .. }
            | JobState::Proved { .. }
            | JobState::Retryable { .. }
            | JobState::Failed { .. }
            | JobState::Cancelled => None,
        }
    }
}

/// Why a proof does not count.
#[derive(Debug)]
pub enum Doubt {
    /// It does not hold, and why.
    Refused(String),
    /// It could not be checked: that says nothing about it.
    Unchecked(JobError),
}

/// Why a report or a request about a job changes nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum JobError {
    /// There is no such job.
    #[error("there is no job {job}: ask for one that was added")]
    Unknown {
        /// Its name.
        job: String,
    },
    /// The lease is not the job's any more.
    #[error("lease {lease} of job {job} has ended: stop working on it, and ask for another job")]
    StaleLease {
        /// The job.
        job: String,
        /// The lease.
        lease: u64,
    },
    /// The job has a proof already, or is over.
    #[error("job {job} is {state}: nothing is to be done for it")]
    Over {
        /// The job.
        job: String,
        /// Where it stands.
        state: &'static str,
    },
    /// A job with another input has the same name.
    #[error("job {job} has another input: one thing is proven once in each circuit")]
    OtherInput {
        /// The job.
        job: String,
    },
    /// The proof does not hold.
    #[error("the proof for job {job} does not hold: {why}")]
    Refused {
        /// The job.
        job: String,
        /// The verifier's words.
        why: String,
    },
    /// The database, or a file.
    #[error("jobs in {path}: {why}")]
    Storage {
        /// Where.
        path: String,
        /// What is wrong.
        why: String,
    },
}

#[cfg(test)]
mod tests;
