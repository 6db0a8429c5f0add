//! Errors of this crate.

use std::io::ErrorKind;

use bastion_aggregator::AggregatorError;
use bastion_circuits::CircuitError;
use bastion_contract::ContractError;
use bastion_prover::schedule::MemoryBudget;
use bastion_prover::ProverError;
use bastion_state::executor::Rejection;
use bastion_state::StateError;

/// Why the pipeline stopped.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NodeError {
    /// A line of the input.
    #[error("line {line} of the input: {why}")]
    Input {
        /// Line, counted from 1.
        line: usize,
        /// What is wrong with it.
        why: String,
    },
    /// An operation that an empty batch cannot hold.
    #[error("{place} does not fit an empty batch of shape `{shape}`: use a larger shape")]
    DoesNotFit {
        /// Where it stands in the input.
        place: String,
        /// The shape.
        shape: String,
    },
    /// A batch that no proof exists of, found before any proving.
    #[error("batch {batch} of the block: {why}")]
    Unprovable {
        /// Number of the batch in its block.
        batch: usize,
        /// The operation at fault, and the rules that it breaks.
        why: CircuitError,
    },
    /// Posted data that goes on after its last batch.
    #[error("posted data has {bytes} bytes after its last batch")]
    TrailingData {
        /// Bytes too many.
        bytes: usize,
    },
    /// The context itself is refused.
    #[error("{0}")]
    Rejected(Rejection),
    /// A file of a block folder is missing.
    #[error("{path} is missing: run `bastion prove` to make it")]
    Missing {
        /// The file.
        path: String,
    },
    /// No reference string.
    #[error("no reference string for k = {k} in {dir}: run `bastion setup --shape {shape} --unsafe-dev-srs`, or point --cache-dir at the one that made the proofs")]
    NoSrs {
        /// The cache.
        dir: String,
        /// log2 of its size.
        k: u32,
        /// The shape that needs it.
        shape: String,
    },
    /// The folder for new blocks already holds some.
    #[error("{path} already holds blocks: choose another folder")]
    FolderInUse {
        /// The folder.
        path: String,
    },
    /// A chain whose money a development SRS would put at risk.
    #[error("chain {chain_id} is no development chain, and whoever made the reference string {srs} may forge proofs under it: use the result of a ceremony")]
    UnsafeSrs {
        /// The chain.
        chain_id: u64,
        /// Identity of the SRS.
        srs: String,
    },
    /// A policy that no rollup can be run under.
    #[error("policy: {0}")]
    Policy(String),
    /// The documents of the second verifier are missing.
    #[error("no verifier's documents in {dir}: run `bastion setup --shape {shape}` with the reference string of the proofs, or point --cache-dir at the cache that made them")]
    NoDocuments {
        /// The folder.
        dir: String,
        /// The shape.
        shape: String,
    },
    /// A file of a block folder cannot be read as what it is.
    #[error("{path}: {why}")]
    Malformed {
        /// The file.
        path: String,
        /// What is wrong with it.
        why: String,
    },
    /// A proof, public input or data byte is not what was proven.
    #[error("block {block}: {what} does not match the proof; the folder was changed after it was proven")]
    Tampered {
        /// Number of the block.
        block: usize,
        /// What differs.
        what: &'static str,
    },
    /// The second verifier refuses a proof.
    #[error("block {block}: {proof} does not hold: {why}")]
    Refused {
        /// Number of the block.
        block: usize,
        /// Which proof.
        proof: String,
        /// Why.
        why: bastion_audit::Refused,
    },
    /// A verifier's document is not usable.
    #[error(transparent)]
    Document(#[from] bastion_audit::BadDescription),
    /// A folder that was made for something else.
    #[error("{what} is {found}, expected {expected}: use the version that made the folder, or prove again")]
    Mismatch {
        /// What differs.
        what: &'static str,
        /// What the folder says.
        found: String,
        /// What this build says.
        expected: String,
    },
    /// What L1 tells does not fit together.
    #[error("history of {contract}: {why} (is it a Bastion rollup, and does the node keep all of its history?)")]
    History {
        /// The contract.
        contract: String,
        /// What does not fit.
        why: String,
    },
    /// Speed cannot be measured.
    #[error("the speed of this machine cannot be measured: {0}")]
    Measuring(String),
    /// A number of batches that no block has.
    #[error("a block has {least} to {most} batches, not {batches}")]
    NoSuchBlock {
        /// The number.
        batches: usize,
        /// The least.
        least: usize,
        /// The most.
        most: usize,
    },
    /// No shape fits the machine.
    #[error("no shape fits into {memory}: a block of shape `{shape}`, the least demanding, takes {needed}; give more memory (--memory, BASTION_MEMORY)")]
    NothingFits {
        /// Memory that proving may use.
        memory: MemoryBudget,
        /// The least demanding shape.
        shape: String,
        /// What it takes.
        needed: MemoryBudget,
    },
    /// The L1 refused, or does not answer.
    #[error("L1: {0}")]
    L1(String),
    /// Of the aggregator.
    #[error(transparent)]
    Aggregator(#[from] AggregatorError),
    /// Of the contracts.
    #[error(transparent)]
    Contract(#[from] ContractError),
    /// Of the state.
    #[error(transparent)]
    State(#[from] StateError),
    /// Of the circuit.
    #[error(transparent)]
    Circuit(#[from] CircuitError),
    /// Of the prover.
    #[error(transparent)]
    Prover(#[from] ProverError),
    /// Of reading or writing a file.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: String,
        /// The cause.
        source: std::io::Error,
    },
}

impl NodeError {
    pub(crate) fn input(line: usize, why: impl ToString) -> Self {
        Self::Input {
            line,
            why: why.to_string(),
        }
    }

    /// The exit code of the command line (see its help).
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Tampered { .. } | Self::Refused { .. } => 3,
            Self::Mismatch { .. } => 4,
            Self::Missing { .. } | Self::NoSrs { .. } => 5,
            Self::NoDocuments { .. } | Self::Document(_) => 5,
            Self::Malformed { .. } | Self::TrailingData { .. } => 3,
            Self::NothingFits { .. } => 6,
            Self::Prover(e) => e.exit_code(),
            Self::Aggregator(e) => e.exit_code(),
            Self::Io { source, .. } if source.kind() == ErrorKind::StorageFull => 6,
            _ => 1,
        }
    }
}
