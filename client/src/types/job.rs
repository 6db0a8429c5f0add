//! Proving jobs, and what the node does on L1.

use serde::{Deserialize, Serialize};

use super::text::Hash;

/// What a job proves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum ProofKind {
    /// A batch.
    ProveBatch,
    /// A block, from the proofs of its batches.
    ProveBlock,
}

/// Where a job stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum JobState {
    /// It waits for a worker.
    Queued,
    /// A worker is at it.
    Leased,
    /// There is a proof that was not verified yet.
    Proved,
    /// Its proof holds.
    Verified,
    /// What it was for is final.
    Done,
    /// The last attempt failed; another will be made.
    Retryable,
    /// No attempt is left.
    Failed,
    /// The operator took it back.
    Cancelled,
}

impl JobState {
    /// All states.
    pub const ALL: [Self; 8] = [
        Self::Queued,
        Self::Leased,
        Self::Proved,
        Self::Verified,
        Self::Done,
        Self::Retryable,
        Self::Failed,
        Self::Cancelled,
    ];

    /// The state in a word, as in JSON.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Leased => "leased",
            Self::Proved => "proved",
            Self::Verified => "verified",
            Self::Done => "done",
            Self::Retryable => "retryable",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }
}

/// A proving job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Job {
    /// Its name, such as `batch-12-1a2b3c4d`.
    pub key: String,
    /// What it proves.
    pub kind: ProofKind,
    /// Number of the batch or block.
    pub number: u64,
    /// The circuit.
    pub circuit: String,
    /// Where it stands.
    pub state: JobState,
    /// The worker that is at it.
    pub worker: Option<String>,
    /// Attempts that failed.
    pub attempts: u32,
    /// Why, the last first.
    pub causes: Vec<String>,
    /// Since when it is in its state; the node's start if that was before it.
    pub since: u64,
}

/// Jobs: those of blocks first, by number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Jobs {
    /// The jobs.
    pub jobs: Vec<Job>,
}

/// How far a worker is with a job.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Progress {
    /// The job.
    pub job: String,
    /// The worker.
    pub worker: String,
    /// What is being done.
    pub stage: String,
    /// The part that is done, from 0 to 1.
    pub part: f64,
    /// Seconds until it is done, if there is an estimate.
    pub eta_seconds: Option<u64>,
}

/// Something that the node wants to happen on L1.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Intent {
    /// Its name, such as `commit 7`.
    pub name: String,
    /// Where it stands, in a word: pending, sent, mined, final, failed, superseded or cancelled.
    pub state: String,
    /// When it was asked for.
    pub time: u64,
    /// The nonce of the attempts that are on their way.
    pub nonce: Option<u64>,
    /// Hashes of all attempts, oldest first.
    pub attempts: Vec<Hash>,
    /// Why it failed.
    pub cause: Option<String>,
}

/// What the node wants to happen on L1, oldest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Intents {
    /// The intents.
    pub intents: Vec<Intent>,
}
