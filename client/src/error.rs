//! What can go wrong between a user and a node.

use std::path::PathBuf;

use bastion_protocol::{Address, Index, ProtocolError};

use crate::types::operation::Rejection;
use crate::types::{Hash, Held, Problem};

/// An answer that does not hold. The node is at fault, or is not the one that it should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Distrust {
    /// A receipt that the sequencer did not sign.
    #[error("{signer} signed the receipt, not the sequencer {sequencer}: do not rely on it")]
    Signer {
        /// Who did.
        signer: String,
        /// Who should have.
        sequencer: Address,
    },
    /// A receipt of something else.
    #[error("the receipt is of operation {named}, not of {expected}: do not rely on it")]
    OtherOperation {
        /// What was sent.
        expected: Hash,
        /// What the receipt names.
        named: Hash,
    },
    /// A Merkle proof that does not hold.
    #[error("the proof of account {index} does not hold: {why}; ask another node")]
    Path {
        /// The account.
        index: Index,
        /// What is wrong.
        why: String,
    },
    /// An inclusion that is not what was promised.
    #[error(
        "the inclusion of operation {operation} does not hold: {why}; keep the receipt as evidence"
    )]
    Inclusion {
        /// The operation.
        operation: Hash,
        /// What is wrong.
        why: String,
    },
    /// A blind receipt that does not keep what its owner counts on.
    #[error("the blind receipt does not hold: {why}; do not reveal the order")]
    Blind {
        /// What is wrong.
        why: String,
    },
    /// A closing before which nothing should be revealed.
    #[error("the closing of the batch does not hold: {why}; do not reveal the order, and keep the receipt as evidence")]
    Closing {
        /// What is wrong.
        why: String,
    },
    /// An answer about another rollup.
    #[error("the node is of {what} {found}, not {expected}: choose another node")]
    OtherRollup {
        /// What differs.
        what: &'static str,
        /// The node's.
        found: String,
        /// The user's.
        expected: String,
    },
}

/// What can go wrong.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// A token that no request can carry.
    #[error("the operator's token has characters that no header can carry: take it from the file that the node made")]
    Token,
    /// An address that is no URL of a node.
    #[error("{url:?} is no URL of a node: {why}; give one such as http://127.0.0.1:8000")]
    Url {
        /// What was given, without a password.
        url: String,
        /// What is wrong with it.
        why: String,
    },
    /// The node cannot be asked.
    #[error("the node at {node} does not answer {request}: {why}")]
    Unreachable {
        /// Its host.
        node: String,
        /// What was asked.
        request: String,
        /// What went wrong.
        why: String,
    },
    /// The node answers with an error.
    #[error("the node refuses {request}: {problem}")]
    Refused {
        /// What was asked.
        request: String,
        /// Its answer.
        problem: Box<Problem>,
        /// Seconds after which it may be asked again, if it says so.
        retry_after: Option<u64>,
    },
    /// The answer is not what the API says.
    #[error(
        "the node at {node} answers {request} with something else than this version knows: {why}"
    )]
    Malformed {
        /// Its host.
        node: String,
        /// What was asked.
        request: String,
        /// What is wrong.
        why: String,
    },
    /// An operation that was not executed.
    #[error("the operation was rejected: {} ({})", .0.message, .0.code)]
    Rejected(Rejection),
    /// An operation that is held back. It is executed by itself later.
    #[error(
        "the operation is held back until {} (seconds since 1970): {}; it is executed by itself then, and \
         a forced exit on L1 needs nobody's leave", .0.until, .0.why()
    )]
    Held(Box<Held>),
    /// An answer that does not hold.
    #[error(transparent)]
    Distrust(#[from] Distrust),
    /// Waiting took too long.
    #[error("operation {operation} is {status} after {seconds} seconds: it goes on without you; ask again later")]
    NotYet {
        /// The operation.
        operation: Hash,
        /// Where it stands.
        status: String,
        /// How long was waited.
        seconds: u64,
    },
    /// Values that the protocol does not know.
    #[error(transparent)]
    Protocol(#[from] ProtocolError),
    /// A file that cannot be read or written.
    #[error("cannot {action} {}: {source}", path.display())]
    File {
        /// What was tried.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// The system's words.
        #[source]
        source: std::io::Error,
    },
    /// A file that is there already.
    #[error("{} exists and is not overwritten: choose another name, or move it away", path.display())]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// A file that is no key file of this version.
    #[error("{} is no key file: {why}", path.display())]
    NoKeyFile {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// A key file that does not open.
    #[error("{} does not open: the password is wrong, or the file was altered", path.display())]
    Locked {
        /// The file.
        path: PathBuf,
    },
    /// There is no password, or none that could be used.
    #[error("password: {why}")]
    Password {
        /// What is wrong.
        why: String,
    },
    /// The system gives no randomness, or too little memory.
    #[error("cannot encrypt: {why}")]
    Crypto {
        /// What is wrong.
        why: String,
    },
}

impl ClientError {
    /// The code of the node's answer, if it answered with an error.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        match self {
            Self::Refused { problem, .. } => Some(&problem.code),
            Self::Rejected(rejection) => Some(&rejection.code),
            _ => None,
        }
    }
}
