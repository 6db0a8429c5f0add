//! The one error type of the crate, and the exit code each error stands for.

use crate::ErrorClass;
use std::{io, path::PathBuf};

use bastion_protocol::CircuitId;

use crate::{artifact::Digest, schedule::MemoryBudget, srs::Held};

/// Result with [`ProverError`].
pub type Result<T, E = ProverError> = std::result::Result<T, E>;

/// Everything that can go wrong between a circuit and a proof.
///
/// Each message carries the values involved and, where there is one, the remedy.
#[derive(Debug, thiserror::Error)]
pub enum ProverError {
    /// The operating system refused a file operation.
    #[error("cannot {action} {}: {source}{}", path.display(), io_remedy(source))]
    Io {
        /// What was attempted, as a verb: "read", "write", "create directory".
        action: &'static str,
        /// The file or directory concerned.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },

    /// A file that the command needs is not there.
    #[error("{what} not found at {}: {remedy}", path.display())]
    MissingArtifact {
        /// What the file holds, e.g. "SRS".
        what: &'static str,
        /// Where it was looked for.
        path: PathBuf,
        /// How to obtain it.
        remedy: String,
    },

    /// A file is there but its bytes are not what was once written.
    #[error("{what} {} is damaged: {reason}; move it away, and generate or fetch it again", path.display())]
    DamagedArtifact {
        /// What the file holds.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// Which check failed, with values.
        reason: String,
    },

    /// A file or envelope has a format version that this build does not read.
    #[error("{what} has format version {got}, this build reads {expected}: use the matching release or create it again")]
    FormatVersion {
        /// What was read.
        what: &'static str,
        /// The version that this build reads.
        expected: u32,
        /// The version found.
        got: u32,
    },

    /// The circuit has more rows than the SRS has powers.
    #[error("the circuit has 2^{needed} rows, the reference string only 2^{held} powers: run `bastion setup` for its shape with --srs and a ceremony's file of power {needed} or more, or with --unsafe-dev-srs for development")]
    SrsTooSmall {
        /// log2 of the rows of the circuit.
        needed: u32,
        /// log2 of the number of powers held.
        held: u32,
    },

    /// The requested SRS size is outside what the curve and halo2 allow.
    #[error("SRS size k = {k} is outside {min}..={max}", min = crate::srs::MIN_K, max = crate::srs::MAX_K)]
    SrsSize {
        /// log2 of the number of powers that was asked for.
        k: u32,
    },

    /// The SRS is well formed but its points do not belong to one secret.
    #[error("SRS {id} is inconsistent: {reason}; do not use it, fetch the ceremony file again")]
    SrsInconsistent {
        /// Identity of the SRS.
        id: Digest,
        /// The equation that does not hold.
        reason: String,
    },

    /// No reference string in a folder is the one that is needed.
    #[error("no reference string with 2^{needed} powers or more{} in {}, which holds {}", named(identity), dir.display(), listed(held))]
    SrsAbsent {
        /// The folder.
        dir: PathBuf,
        /// log2 of the powers needed.
        needed: u32,
        /// Its identity, if one is prescribed.
        identity: Option<Digest>,
        /// What is there.
        held: Vec<Held>,
    },

    /// A folder that holds the result of one ceremony is given that of another.
    #[error("{} holds the reference string {held} of a ceremony, this one is {got}: give another folder with --cache-dir, so that nothing is proven under the wrong one", dir.display())]
    SrsConflict {
        /// The folder.
        dir: PathBuf,
        /// Identity of the one held.
        held: Digest,
        /// Identity of the one given.
        got: Digest,
    },

    /// A file was given as a ceremony's and cannot be used as one.
    #[error("{} cannot be used as a ceremony's file: {reason}; give a .ptau file or halo2's raw parameters, and if it is one, fetch it again", path.display())]
    NotACeremony {
        /// The file.
        path: PathBuf,
        /// Which check failed, with values.
        reason: String,
    },

    /// A ceremony's file has another hash than the one given for it.
    #[error("{} has the b2sum {got}, expected was {expected}: make sure that this is the hash published for this very file; if it is, fetch the file again", path.display())]
    CeremonyHash {
        /// The file.
        path: PathBuf,
        /// The hash given.
        expected: String,
        /// The hash of the file.
        got: String,
    },

    /// A ceremony's file has too few powers.
    #[error("{} has power {held}, needed is {needed}: give the file of power {needed} or more of the same ceremony", path.display())]
    CeremonyTooSmall {
        /// The file.
        path: PathBuf,
        /// log2 of the powers needed.
        needed: u32,
        /// log2 of the powers that it has.
        held: u32,
    },

    /// Keys cannot be made from the circuit.
    #[error("key generation for shape `{shape}` failed: {reason}")]
    Keygen {
        /// Name of the shape.
        shape: String,
        /// halo2's reason.
        reason: String,
    },

    /// The prover gave up: in practice, a witness that does not satisfy the circuit.
    #[error("proving a circuit of shape `{shape}` failed: {reason}")]
    Proving {
        /// Name of the shape.
        shape: String,
        /// halo2's reason.
        reason: String,
    },

    /// A proof was made, but the verifiers refused it. It has been discarded.
    #[error("the new proof of shape `{shape}` was refused by the {verifier} verifier and discarded: {reason}")]
    SelfCheck {
        /// Name of the shape.
        shape: String,
        /// The verifier that refused it.
        verifier: &'static str,
        /// Its reason.
        reason: String,
    },

    /// A proof artifact that cannot be read as one.
    #[error("malformed proof: {reason}")]
    Malformed {
        /// What is wrong with it.
        reason: String,
    },

    /// The proof is for another circuit.
    #[error("proof is for circuit {got}, this verifier holds circuit {expected}: check that prover and verifier run the same release, shape and SRS")]
    CircuitMismatch {
        /// Circuit of the verifier.
        expected: CircuitId,
        /// Circuit named in the proof.
        got: CircuitId,
    },

    /// The proof does not prove its public inputs.
    #[error("invalid proof: {reason}")]
    Invalid {
        /// The check that failed.
        reason: String,
    },

    /// Not even one proof fits in the memory budget.
    #[error("one proof of shape `{shape}` needs about {needed}, the memory budget is {budget}: raise the budget, use a smaller shape or a bigger machine")]
    Resources {
        /// Name of the shape.
        shape: String,
        /// Estimated peak of one proof, keys and SRS included.
        needed: MemoryBudget,
        /// The budget in force.
        budget: MemoryBudget,
    },

    /// A memory size that cannot be understood.
    #[error(
        "`{input}` is not a memory size: {reason}; write for example 16GiB, 900MB or 8589934592"
    )]
    BadMemorySize {
        /// The text given.
        input: String,
        /// What is wrong with it.
        reason: &'static str,
    },
}

impl ProverError {
    /// What kind of failure it is.
    pub fn class(&self) -> ErrorClass {
        match self {
            Self::Malformed { .. } | Self::Invalid { .. } => ErrorClass::Invalid,
            Self::FormatVersion { .. }
            | Self::CircuitMismatch { .. }
            | Self::SrsConflict { .. } => ErrorClass::Mismatch,
            Self::MissingArtifact { .. }
            | Self::DamagedArtifact { .. }
            | Self::SrsTooSmall { .. }
            | Self::SrsAbsent { .. }
            | Self::NotACeremony { .. }
            | Self::CeremonyHash { .. }
            | Self::CeremonyTooSmall { .. }
            | Self::SrsInconsistent { .. } => ErrorClass::Missing,
            Self::Resources { .. } => ErrorClass::Resources,
            Self::Io { source, .. } if out_of_space(source) => ErrorClass::Resources,
            Self::Io { .. }
            | Self::SrsSize { .. }
            | Self::Keygen { .. }
            | Self::Proving { .. }
            | Self::SelfCheck { .. }
            | Self::BadMemorySize { .. } => ErrorClass::Failure,
        }
    }

    pub(crate) fn io(action: &'static str, path: &std::path::Path, source: io::Error) -> Self {
        Self::Io { action, path: path.to_owned(), source }
    }
}

fn named(identity: &Option<Digest>) -> String {
    identity.map_or(String::new(), |id| format!(" and the identity {id}"))
}

fn listed(held: &[Held]) -> String {
    let held: Vec<String> = held.iter().map(ToString::to_string).collect();
    match held.is_empty() {
        true => "none".into(),
        false => held.join("; "),
    }
}

/// Whether an operation failed for want of room: the disk is full, or the user's share of it.
pub fn out_of_space(source: &io::Error) -> bool {
    matches!(source.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}

fn io_remedy(source: &io::Error) -> &'static str {
    match source.kind() {
        _ if out_of_space(source) => {
            ": free some space and run again; an older file is kept as it was"
        }
        io::ErrorKind::PermissionDenied => ": check the owner and the mode",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    #[test]
    fn messages_carry_values_and_remedy() {
        let error = ProverError::SrsTooSmall { needed: 18, held: 16 };
        assert_eq!(
            error.to_string(),
            "the circuit has 2^18 rows, the reference string only 2^16 powers: run `bastion setup` \
             for its shape with --srs and a ceremony's file of power 18 or more, or with \
             --unsafe-dev-srs for development"
        );
        assert_eq!(error.class(), ErrorClass::Missing);

        let full = io::Error::from(io::ErrorKind::StorageFull);
        let error = ProverError::io("write", Path::new("/data/batch.pk"), full);
        assert!(error.to_string().contains("/data/batch.pk"));
        assert!(error.to_string().contains("older file is kept"));
        assert_eq!(error.class(), ErrorClass::Resources);
    }

    #[test]
    fn classes_tell_the_kinds_apart() {
        let id = CircuitId::from(Digest::of(b"a"));
        let mismatch = ProverError::CircuitMismatch { expected: id, got: id };
        assert_eq!(mismatch.class(), ErrorClass::Mismatch);
        let invalid = ProverError::Invalid { reason: "pairing".into() };
        assert_eq!(invalid.class(), ErrorClass::Invalid);
        let proving = ProverError::Proving { shape: "tiny".into(), reason: "lookup".into() };
        assert_eq!(proving.class(), ErrorClass::Failure);
    }
}
