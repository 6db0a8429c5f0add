//! Errors of this crate.

use bastion_contract::ContractError;
use bastion_prover::ProverError;

/// Why a block could not be proven or verified.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AggregatorError {
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
        /// The later batch.
        batch: usize,
        /// The public input.
        input: &'static str,
    },
    /// A block proof for another circuit.
    #[error("the proof is for block circuit {got}, this one is {expected}: use the version that made it")]
    CircuitMismatch {
        /// Circuit at hand.
        expected: String,
        /// Circuit of the proof.
        got: String,
    },
    /// Bytes that are no block proof.
    #[error("block proof: {0}")]
    Malformed(String),
    /// A proof that does not hold.
    #[error("the block proof is invalid: {0}")]
    Invalid(String),
    /// halo2 gave up or panicked.
    #[error("proving the block failed: {0}")]
    Proving(String),
    /// Of the batch proofs, the SRS or files.
    #[error(transparent)]
    Prover(#[from] ProverError),
    /// Of the verifier contract.
    #[error(transparent)]
    Contract(#[from] ContractError),
}

impl AggregatorError {
    /// The exit code of the command line.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Malformed(_) | Self::Invalid(_) | Self::BrokenChain { .. } => 3,
            Self::CircuitMismatch { .. } => 4,
            Self::Prover(e) => e.exit_code(),
            _ => 1,
        }
    }
}
