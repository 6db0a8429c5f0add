//! Kinds of failure, as a caller tells them apart.

use bastion_protocol::proofs::ProofError;

/// What an error means to whoever started the work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorClass {
    /// Anything else.
    Failure,
    /// A proof, or what it is about, does not hold.
    Invalid,
    /// Another version or circuit.
    Mismatch,
    /// A file or an artifact is missing or unusable.
    Missing,
    /// Not enough memory or disk.
    Resources,
}

impl From<&ProofError> for ErrorClass {
    fn from(error: &ProofError) -> Self {
        match error {
            ProofError::FormatVersion { .. } => Self::Mismatch,
            _ => Self::Invalid,
        }
    }
}
