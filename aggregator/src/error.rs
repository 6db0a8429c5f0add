//! Errors of this crate, and the exit code that each stands for.

use bastion_prover::ErrorClass;
use std::path::PathBuf;

use bastion_contract::ContractError;
use bastion_protocol::CircuitId;
use bastion_prover::{out_of_space, ProverError};

use crate::shape::{MAX_K, MIN_K};

/// Why a block could not be proven or verified.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AggregatorError {
    /// A block circuit that cannot exist.
    #[error("no block circuit has {batches} batches at k = {k}: choose at least one batch and k in {MIN_K}..={MAX_K}")]
    BadShape {
        /// Batches asked for.
        batches: usize,
        /// log2 of the rows asked for.
        k: u32,
    },
    /// Not as many proofs as the circuit aggregates.
    #[error("the block circuit aggregates {expected} batches, {got} proofs were given: fill the block with empty batches")]
    WrongNumber {
        /// Batches of the circuit.
        expected: usize,
        /// Proofs given.
        got: usize,
    },
    /// Neighbours that do not fit each other.
    #[error("batch {batch}: `{input}` does not continue the batch before it")]
    BrokenChain {
        /// The later batch, counted from 0.
        batch: usize,
        /// The public input.
        input: &'static str,
    },
    /// The proof of a batch is not one.
    #[error("batch {batch}: {source}")]
    Child {
        /// The batch, counted from 0.
        batch: usize,
        /// What is wrong with its proof.
        source: ProverError,
    },
    /// Proof and keys are of different circuits.
    #[error("the {what} circuit is {got}, the keys at hand are for {expected}: use the release, shape and SRS that made it")]
    CircuitMismatch {
        /// Which circuit: "block" or "batch".
        what: &'static str,
        /// Circuit at hand.
        expected: CircuitId,
        /// Circuit of the proof or key given.
        got: CircuitId,
    },
    /// A file or envelope of a version that this build does not read.
    #[error("{what} has format version {got}, this build reads {expected}: use the matching release or create it again")]
    FormatVersion {
        /// What was read.
        what: &'static str,
        /// Version that this build reads.
        expected: u32,
        /// Version found.
        got: u32,
    },
    /// A proof that does not hold.
    #[error("the block proof is invalid: {0}")]
    Invalid(String),
    /// Keys cannot be made from the circuit.
    #[error("making the keys of {shape} failed: {reason}")]
    Keygen {
        /// Name of the block shape.
        shape: String,
        /// halo2's reason.
        reason: String,
    },
    /// halo2 gave up or panicked.
    #[error("proving the block failed: {0}")]
    Proving(String),
    /// A proof was made but does not verify. It has been discarded.
    #[error("the new block proof was refused and discarded: {0}")]
    SelfCheck(String),
    /// A stored file is not what was written.
    #[error("{} is damaged: {reason}; move it away, and make it again with `bastion setup`", path.display())]
    Damaged {
        /// The file or folder.
        path: PathBuf,
        /// Which check failed.
        reason: String,
    },
    /// Of the SRS or of files.
    #[error(transparent)]
    Prover(#[from] ProverError),
    /// Of the verifier contract.
    #[error(transparent)]
    Contract(#[from] ContractError),
}

impl AggregatorError {
    /// What kind of failure it is.
    pub fn class(&self) -> ErrorClass {
        match self {
            Self::Invalid(_) | Self::BrokenChain { .. } => ErrorClass::Invalid,
            Self::CircuitMismatch { .. } | Self::FormatVersion { .. } => ErrorClass::Mismatch,
            Self::Damaged { .. } => ErrorClass::Missing,
            Self::Child { source, .. } => source.class(),
            Self::Prover(error) => error.class(),
            Self::Contract(
                ContractError::SolcMissing { .. } | ContractError::SolcVersion { .. },
            ) => ErrorClass::Missing,
            Self::Contract(ContractError::SolcProcess(e)) => match e.kind() {
                std::io::ErrorKind::NotFound => ErrorClass::Missing,
                _ => ErrorClass::Failure,
            },
            Self::Contract(ContractError::TemporaryFile(e)) if out_of_space(e) => {
                ErrorClass::Resources
            }
            Self::BadShape { .. }
            | Self::WrongNumber { .. }
            | Self::Keygen { .. }
            | Self::Proving(_)
            | Self::SelfCheck(_)
            | Self::Contract(_) => ErrorClass::Failure,
        }
    }

    pub(crate) fn io(action: &'static str, path: &std::path::Path, source: std::io::Error) -> Self {
        Self::Prover(ProverError::Io { action, path: path.to_owned(), source })
    }

    pub(crate) fn damaged(path: &std::path::Path, reason: impl Into<String>) -> Self {
        Self::Damaged { path: path.to_owned(), reason: reason.into() }
    }
}

/// The message of a panic that was caught.
pub(crate) fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied());
    format!("panic: {}", text.unwrap_or("no message"))
}
