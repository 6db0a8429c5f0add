//! What can go wrong in a simulation.

use bastion_protocol::{Index, ProtocolError};
use bastion_state::executor::Rejection;

/// Why traffic cannot be made, played or evaluated.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SimulateError {
    /// A row of transfers that cannot be read.
    #[error("line {line}: {why}; the columns are block,tx_index,trace_index,token,from,to,amount")]
    Row {
        /// Line, from 1.
        line: usize,
        /// What is wrong.
        why: String,
    },
    /// There is nothing to resample.
    #[error("no usable transfer among the rows: give a file with at least one")]
    NoRows,
    /// More tokens than numbers.
    #[error("more than 65,536 tokens: leave some out")]
    Tokens,
    /// The plan asks for something that makes no sense.
    #[error("plan: {0}")]
    Plan(String),
    /// The file of splits does not read.
    #[error("splits: {0}")]
    Splits(#[from] serde_json::Error),
    /// No such split.
    #[error("no split `{0}`")]
    NoSuchSplit(String),
    /// Thresholds are set on the tuning split alone.
    #[error("split `{0}` is for measuring: tune on a split with `tune` set")]
    NoTuning(String),
    /// An attack that finds no money where its script expects it.
    #[error("operation {operation}: account of person {person} is empty; choose another seed")]
    Broke {
        /// Which operation.
        operation: usize,
        /// Whose account.
        person: u32,
    },
    /// A detector that does not start.
    #[error("the detector does not start: {0}")]
    Detector(String),
    /// The executor refused an operation.
    #[error("operation {operation}: {source}")]
    Rejected {
        /// Which operation.
        operation: usize,
        /// Why.
        source: Rejection,
    },
    /// An operation did not fit into an empty batch.
    #[error("operation {0} fits into no batch")]
    DoesNotFit(usize),
    /// What was planned and what was executed differ.
    #[error("operation {operation}: account {index} is not as planned")]
    Diverged {
        /// Which operation.
        operation: usize,
        /// Where.
        index: Index,
    },
    /// An operation that has no encoding.
    #[error(transparent)]
    Protocol(#[from] ProtocolError),
}
