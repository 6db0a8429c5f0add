//! Exit codes: what the code of an error is, for every command.
//!
//! | code | meaning |
//! |---|---|
//! | 0 | ok |
//! | 1 | failure: refused rows, an L1 that refuses, anything else |
//! | 2 | usage: a flag, a variable or a setting that cannot be |
//! | 3 | a proof, or what it is about, does not hold |
//! | 4 | another version or circuit |
//! | 5 | a file, folder or artifact is missing or unusable |
//! | 6 | not enough memory or disk |

use std::error::Error;
use std::io::{self, ErrorKind};
use std::path::PathBuf;

use bastion_aggregator::AggregatorError;
use bastion_circuits::CircuitError;
use bastion_client::error::Distrust;
use bastion_client::ClientError;
use bastion_contract::ContractError;
use bastion_l1::L1Error;
use bastion_node::NodeError;
use bastion_prover::{ErrorClass, ProverError};
use bastion_state::executor::Rejection;
use bastion_state::StateError;

/// Any other failure.
pub(crate) const FAILURE: u8 = 1;
/// The command line itself.
pub(crate) const USAGE: u8 = 2;
const INVALID: u8 = 3;
/// A promise that was broken.
pub(crate) const BROKEN: u8 = INVALID;
const MISMATCH: u8 = 4;
pub(crate) const MISSING: u8 = 5;
const RESOURCES: u8 = 6;

/// Lines that a message lists at most.
pub(crate) const SHOWN: usize = 10;

/// Errors of the command line.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CliError {
    /// A file given on the command line cannot be read as what it must be.
    #[error("{what} {}: {why}", path.display())]
    BadFile {
        /// What it should be.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// Arguments that each can be, but not together.
    #[error("{0}")]
    Usage(String),
    /// No verifier whose proofs an audit could count.
    #[error("the contract's verifiers have the code {registered}, and none of those in {} has: make one by `bastion setup` with the shape and reference string of the rollup, or name its folder by --verifier", folder.display())]
    NoVerifier {
        /// Hashes of the code that the contract has or had.
        registered: String,
        /// The folder of the cache.
        folder: PathBuf,
    },
    /// Something that was looked at is not as it must be.
    #[error("{count} of these are not as they must be: what helps stands beside each")]
    Unfit {
        /// How many.
        count: usize,
    },
    /// Verdicts that came out otherwise than the log says.
    #[error("{count} verdicts came out otherwise than the log of findings says")]
    Differ {
        /// How many.
        count: usize,
    },
    /// A report that the contract would refuse.
    #[error("nothing to report: {why}")]
    NoFault {
        /// Why.
        why: String,
    },
    /// A block that L1 may take back.
    #[error("block {block} is not final on L1 and may be taken back, so it decides nothing: ask again when it is final")]
    NotFinal {
        /// The block.
        block: u64,
    },
    /// Blocks for another chain.
    #[error("the blocks in {} are for chain {blocks}, and the node is of chain {node}: give the URL of a node of chain {blocks}", dir.display())]
    OtherChain {
        /// The folder of blocks.
        dir: PathBuf,
        /// Their chain.
        blocks: u64,
        /// The node's.
        node: u64,
    },
    /// Operations of the input that must not run.
    #[error("{count} operations were refused (--skip-invalid leaves them out):\n{list}")]
    Refused {
        /// How many.
        count: usize,
        /// The first of them.
        list: String,
    },
    /// An input without operations.
    #[error("{} holds no operations{}", path.display(), left_out(.refused))]
    NoOperations {
        /// The input.
        path: PathBuf,
        /// What was left out, a line each.
        refused: Vec<String>,
    },
    /// A result could not be written to standard output.
    #[error("the result cannot be written to standard output: {0}")]
    Output(#[source] io::Error),
}

/// The first of what was left out, and how many more there are.
fn left_out(lines: &[String]) -> String {
    if lines.is_empty() {
        return String::new();
    }
    let more = lines.len().saturating_sub(SHOWN);
    let first = lines.iter().take(SHOWN).map(|line| format!("\n{line}"));
    let more = (more > 0).then(|| format!("\nand {more} more"));
    let listed: String = first.chain(more).collect();
    format!(" that can run; left out were:{listed}")
}

/// The exit code of an error: that of the first of its causes that has one of its own.
pub(crate) fn code(error: &eyre::Report) -> u8 {
    error.chain().map(of_cause).find(|code| *code != FAILURE).unwrap_or(FAILURE)
}

fn of_cause(cause: &(dyn Error + 'static)) -> u8 {
    if let Some(error) = cause.downcast_ref::<CliError>() {
        return of_cli(error);
    }
    if let Some(error) = cause.downcast_ref::<NodeError>() {
        return of_node(error);
    }
    if let Some(error) = cause.downcast_ref::<ClientError>() {
        return of_client(error);
    }
    if let Some(error) = cause.downcast_ref::<Distrust>() {
        return of_distrust(error);
    }
    if let Some(error) = cause.downcast_ref::<L1Error>() {
        return of_l1(error);
    }
    if let Some(error) = cause.downcast_ref::<AggregatorError>() {
        return of_aggregator(error);
    }
    if let Some(error) = cause.downcast_ref::<ProverError>() {
        return of_class(error.class());
    }
    if let Some(error) = cause.downcast_ref::<StateError>() {
        return of_state(error);
    }
    if let Some(error) = cause.downcast_ref::<ContractError>() {
        return of_contract(error);
    }
    cause.downcast_ref::<io::Error>().map_or(FAILURE, of_io)
}

fn of_class(class: ErrorClass) -> u8 {
    match class {
        ErrorClass::Failure => FAILURE,
        ErrorClass::Invalid => INVALID,
        ErrorClass::Mismatch => MISMATCH,
        ErrorClass::Missing => MISSING,
        ErrorClass::Resources => RESOURCES,
    }
}

fn of_cli(error: &CliError) -> u8 {
    match error {
        CliError::BadFile { .. } | CliError::Usage(_) => USAGE,
        CliError::NoVerifier { .. } => MISSING,
        CliError::Differ { .. } => INVALID,
        CliError::OtherChain { .. } => MISMATCH,
        // What it stands for is in its cause.
        CliError::Output(_) | CliError::Refused { .. } | CliError::NoOperations { .. } => FAILURE,
        CliError::Unfit { .. } | CliError::NoFault { .. } | CliError::NotFinal { .. } => FAILURE,
    }
}

/// An error that is passed on as it is does not show as a cause: it is looked for here.
fn of_node(error: &NodeError) -> u8 {
    match error {
        NodeError::Aggregator(error) => of_aggregator(error),
        NodeError::Contract(error) => of_contract(error),
        NodeError::L1(error) => of_l1(error),
        NodeError::State(error) => of_state(error),
        NodeError::Circuit(CircuitError::UnknownShape { .. })
        | NodeError::NoSuchBlock { .. }
        | NodeError::Rejected(Rejection::TimeOutOfRange(_)) => USAGE,
        error => of_class(error.class()),
    }
}

fn of_l1(error: &L1Error) -> u8 {
    match error {
        L1Error::BadUrl { .. } => USAGE,
        L1Error::Contract(error) => of_contract(error),
        _ => FAILURE,
    }
}

fn of_client(error: &ClientError) -> u8 {
    match error {
        ClientError::Url { .. } | ClientError::Token => USAGE,
        ClientError::Distrust(error) => of_distrust(error),
        ClientError::File { source, .. } => of_io(source),
        ClientError::NoKeyFile { .. } | ClientError::Locked { .. } => MISSING,
        _ => FAILURE,
    }
}

fn of_distrust(error: &Distrust) -> u8 {
    match error {
        Distrust::OtherRollup { .. } => MISMATCH,
        _ => INVALID,
    }
}

fn of_aggregator(error: &AggregatorError) -> u8 {
    match error {
        AggregatorError::Contract(error) => of_contract(error),
        error => of_class(error.class()),
    }
}

fn of_contract(error: &ContractError) -> u8 {
    match error {
        ContractError::SolcMissing { .. } | ContractError::SolcVersion { .. } => MISSING,
        _ => FAILURE,
    }
}

fn of_state(error: &StateError) -> u8 {
    match error {
        // The database passes the system's words on.
        StateError::Store { why, .. }
            if ["No space left", "quota exceeded"].iter().any(|w| why.contains(w)) =>
        {
            RESOURCES
        }
        StateError::Corrupt(_) => INVALID,
        _ => FAILURE,
    }
}

fn of_io(error: &io::Error) -> u8 {
    match error.kind() {
        ErrorKind::NotFound => MISSING,
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::OutOfMemory => RESOURCES,
        _ => FAILURE,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use bastion_prover::schedule::MemoryBudget;
    use eyre::WrapErr;

    fn io(kind: ErrorKind) -> io::Error {
        io::Error::from(kind)
    }

    fn node_io(kind: ErrorKind) -> NodeError {
        NodeError::Io { path: "x".into(), source: io(kind) }
    }

    fn prover_io(kind: ErrorKind) -> ProverError {
        ProverError::Io { action: "write", path: "x".into(), source: io(kind) }
    }

    #[test]
    fn a_full_disk_and_a_missing_file_have_their_codes_wherever_they_are_met() {
        for (kind, expected) in [
            (ErrorKind::StorageFull, 6),
            (ErrorKind::QuotaExceeded, 6),
            (ErrorKind::NotFound, 5),
            (ErrorKind::PermissionDenied, 1),
        ] {
            let reports = [
                eyre::Report::new(io(kind)),
                Err::<(), _>(io(kind)).wrap_err("policy x").unwrap_err(),
                node_io(kind).into(),
                NodeError::from(prover_io(kind)).into(),
                NodeError::from(AggregatorError::from(prover_io(kind))).into(),
                NodeError::from(AggregatorError::from(ContractError::SolcProcess(io(kind)))).into(),
                Err::<(), _>(node_io(kind)).wrap_err("more").unwrap_err(),
                CliError::Output(io(kind)).into(),
            ];
            for report in reports {
                assert_eq!(code(&report), expected, "{report:?}");
            }
        }
        let full = StateError::Store {
            path: "x".into(),
            why: "IO error: No space left on device: While appending".into(),
        };
        assert_eq!(code(&NodeError::from(full).into()), 6);
    }

    #[test]
    fn every_class_of_error_has_its_code() {
        let budget = MemoryBudget(1);
        let errors: Vec<(NodeError, u8)> = vec![
            (
                NodeError::Circuit(CircuitError::UnknownShape {
                    name: "x".into(),
                    known: "y".into(),
                }),
                2,
            ),
            (NodeError::Rejected(Rejection::TimeOutOfRange(1)), 2),
            (NodeError::Rejected(Rejection::TreeFull), 1),
            (NodeError::from(StateError::Corrupt("x".into())), 3),
            (NodeError::Mismatch { what: "x", found: "y".into(), expected: "z".into() }, 4),
            (NodeError::from(ContractError::SolcMissing { folder: "x".into() }), 5),
            (
                NodeError::TooLittleMemory {
                    what: "x",
                    batches: 1,
                    shape: "y".into(),
                    needed: budget,
                    budget,
                },
                6,
            ),
            (NodeError::NoBlob { hash: "x".into(), why: "y".into() }, 5),
            (NodeError::BadBlob { hash: "x".into(), from: "y".into(), why: "z".into() }, 3),
            (NodeError::L1(L1Error::Client { why: "x".into() }), 1),
            (NodeError::L1(L1Error::BadUrl { why: "x".into() }), 2),
            (NodeError::L1(ContractError::SolcMissing { folder: "x".into() }.into()), 5),
        ];
        for (error, expected) in errors {
            let text = error.to_string();
            assert_eq!(code(&error.into()), expected, "{text}");
        }
        let bad = CliError::BadFile { what: "configuration", path: "x".into(), why: "y".into() };
        assert_eq!(code(&bad.into()), 2);
        assert_eq!(code(&eyre::eyre!("x")), 1);
    }
}
