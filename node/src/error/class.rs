//! What kind of failure an error is.

use std::io::ErrorKind;

use bastion_audit::blob::DataFault;
use bastion_prover::{out_of_space, ErrorClass};

use super::NodeError;

impl NodeError {
    /// What kind of failure it is.
    pub fn class(&self) -> ErrorClass {
        match self {
            Self::Tampered { .. } | Self::Refused { .. } => ErrorClass::Invalid,
            Self::Mismatch { .. } | Self::WrongMark { .. } => ErrorClass::Mismatch,
            Self::Missing { .. } | Self::NoSrs { .. } => ErrorClass::Missing,
            Self::NoManifest { .. } | Self::NoKeys { .. } => ErrorClass::Missing,
            Self::NoData { .. } | Self::NoBackup { .. } => ErrorClass::Missing,
            Self::NoDocuments { .. } | Self::Document(_) => ErrorClass::Missing,
            Self::Malformed { .. } | Self::BadBlob { .. } => ErrorClass::Invalid,
            Self::NoBlob { .. } => ErrorClass::Missing,
            Self::Data { fault, .. } => match **fault {
                DataFault::Missing { .. } => ErrorClass::Missing,
                _ => ErrorClass::Invalid,
            },
            Self::Sentinel(bastion_sentinel::SentinelError::Log { .. }) => ErrorClass::Invalid,
            Self::BlockCount { .. } | Self::Foreign { .. } => ErrorClass::Invalid,
            Self::Receipt { .. } | Self::Unproven(_) => ErrorClass::Invalid,
            Self::NothingFits { .. } | Self::TooLittleMemory { .. } => ErrorClass::Resources,
            Self::Proof(e) => e.into(),
            Self::Prover(e) => e.class(),
            Self::Aggregator(e) => e.class(),
            Self::Io { source, .. } if out_of_space(source) => ErrorClass::Resources,
            Self::Io { source, .. } if source.kind() == ErrorKind::NotFound => ErrorClass::Missing,
            _ => ErrorClass::Failure,
        }
    }
}
