//! Errors of everything in this crate but the rules of the ledger, which are
//! [`Rejection`](crate::executor::Rejection)s.

use bastion_protocol::ProtocolError;
use thiserror::Error;

/// What can go wrong with states and their storage.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StateError {
    /// A value that the protocol does not know.
    #[error(transparent)]
    Protocol(#[from] ProtocolError),
    /// The account index is already taken or listed twice.
    #[error("account {0} is listed twice")]
    DuplicateAccount(u32),
    /// The database refused to open or to write.
    #[error("store at {path}: {why}")]
    Store {
        /// Directory of the database.
        path: String,
        /// Cause and remedy.
        why: String,
    },
    /// The database holds something else than its metadata says.
    #[error("store is corrupt: {0}; restore a backup or rebuild the state from L1 data")]
    Corrupt(String),
}
