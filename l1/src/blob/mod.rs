//! Blobs (EIP-4844) on their way to L1: their commitments and proofs, and the transaction that carries them.
//!
//! L1 takes a blob with its KZG commitment and 128 proofs, one for each cell of the extended blob
//! (EIP-7594, since Fusaka). The contract takes a proof of the polynomial's value at one point.
//!
//! What is made here is for sending. Whoever reads blobs checks them with other code (`bastion-audit`).

mod pool;
mod sidecar;

pub use pool::{pool_form, PoolForm};
pub(crate) use sidecar::to_alloy;
pub use sidecar::{PointProof, Sidecar, BLOB_BYTES};

/// Why bytes make no blob, or a blob no proof.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SidecarError {
    /// Bytes of another length than a blob's.
    #[error("a blob of {got} bytes, not {BLOB_BYTES}: pad it with zeros, or put less into it")]
    Length {
        /// Bytes that were given.
        got: usize,
    },
    /// The library for KZG refuses what was given.
    #[error("{what}: {why}: its values must be below the BLS12-381 scalar modulus")]
    Refused {
        /// What was made.
        what: &'static str,
        /// The library's words.
        why: String,
    },
    /// A transaction names other blobs than it carries, or in another order.
    #[error("the transaction names the blobs {named:?}, and carries {carried:?}: name those that it carries by their versioned hashes, in order")]
    OtherBlobs {
        /// Versioned hashes that it names.
        named: Vec<alloy::primitives::B256>,
        /// Versioned hashes of its blobs.
        carried: Vec<alloy::primitives::B256>,
    },
}
