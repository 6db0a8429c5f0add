//! Commitment and proofs of a blob.

use alloy::eips::eip4844::{kzg_to_versioned_hash, Blob, Bytes48};
use alloy::eips::eip7594::BlobTransactionSidecarEip7594;
use alloy::primitives::B256;
use c_kzg::{ethereum_kzg_settings, KzgSettings};

use super::SidecarError;

/// Bytes of a blob.
pub const BLOB_BYTES: usize = 131_072;

/// A blob with what L1 asks for beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sidecar {
    blob: Blob,
    commitment: Bytes48,
    cell_proofs: Vec<Bytes48>,
}

/// A value of a blob's polynomial, with the proof for the precompile of EIP-4844.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PointProof {
    /// The value, big-endian.
    pub value: B256,
    /// The KZG proof.
    pub proof: Bytes48,
}

/// The published setup of Ethereum. Without tables for cells: they take 96 MiB, and a blob is made once in
/// a block.
fn settings() -> &'static KzgSettings {
    ethereum_kzg_settings(0)
}

fn refused(what: &'static str) -> impl FnOnce(c_kzg::Error) -> SidecarError {
    move |error| SidecarError::Refused { what, why: error.to_string() }
}

/// The blob as the library has it.
fn library_blob(blob: &Blob) -> Box<c_kzg::Blob> {
    Box::new(c_kzg::Blob::new(blob.0))
}

impl Sidecar {
    /// Makes commitment and cell proofs of the 131,072 bytes of a blob.
    ///
    /// # Errors
    /// [`SidecarError::Length`]; [`SidecarError::Refused`] for values that are not below the modulus.
    pub fn new(blob: &[u8]) -> Result<Self, SidecarError> {
        let length = |_| SidecarError::Length { got: blob.len() };
        let blob = Blob::try_from(blob).map_err(length)?;
        let native = library_blob(&blob);
        let commitment = settings().blob_to_kzg_commitment(&native);
        let commitment = commitment.map_err(refused("the commitment of a blob"))?;
        let proofs = settings().compute_cells_and_kzg_proofs(&native);
        let (_, proofs) = proofs.map_err(refused("the cell proofs of a blob"))?;
        let bytes = |bytes: c_kzg::Bytes48| Bytes48::from(bytes.into_inner());
        Ok(Self {
            blob,
            commitment: bytes(commitment.to_bytes()),
            cell_proofs: proofs.iter().map(|proof| bytes(proof.to_bytes())).collect(),
        })
    }

    /// The bytes of the blob.
    #[must_use]
    pub fn blob(&self) -> &[u8] {
        self.blob.as_slice()
    }

    /// The KZG commitment.
    #[must_use]
    pub fn commitment(&self) -> Bytes48 {
        self.commitment
    }

    /// The proofs of the 128 cells (EIP-7594).
    #[must_use]
    pub fn cell_proofs(&self) -> &[Bytes48] {
        &self.cell_proofs
    }

    /// The hash by which transactions and the opcode BLOBHASH name the blob.
    #[must_use]
    pub fn versioned_hash(&self) -> B256 {
        kzg_to_versioned_hash(self.commitment.as_slice())
    }

    /// The value of the blob's polynomial at `z`, which is below the modulus, and its proof.
    ///
    /// # Errors
    /// [`SidecarError::Refused`] for a point that is not below the modulus.
    pub fn point_proof(&self, z: B256) -> Result<PointProof, SidecarError> {
        let point = c_kzg::Bytes32::new(z.0);
        let made = settings().compute_kzg_proof(&library_blob(&self.blob), &point);
        let (proof, value) = made.map_err(refused("the proof of a blob's value"))?;
        Ok(PointProof {
            value: B256::from_slice(value.as_slice()),
            proof: proof.to_bytes().into_inner().into(),
        })
    }

    /// The 192 bytes that the precompile of EIP-4844 takes: versioned hash, point, value, commitment,
    /// proof.
    #[must_use]
    pub fn precompile_input(&self, z: B256, proof: &PointProof) -> Vec<u8> {
        let hash = self.versioned_hash();
        let parts: [&[u8]; 5] = [&*hash, &*z, &*proof.value, &*self.commitment, &*proof.proof];
        parts.concat()
    }
}

/// Blobs as alloy has them, for a transaction: the cell proofs of all of them one after the other.
pub(crate) fn to_alloy(blobs: &[Sidecar]) -> BlobTransactionSidecarEip7594 {
    BlobTransactionSidecarEip7594::new(
        blobs.iter().map(|sidecar| sidecar.blob).collect(),
        blobs.iter().map(|sidecar| sidecar.commitment).collect(),
        blobs.iter().flat_map(|sidecar| sidecar.cell_proofs.iter().copied()).collect(),
    )
}

#[cfg(test)]
pub(super) mod tests {
    use alloy::primitives::{b256, hex, U256};

    use super::*;

    const MODULUS: U256 = alloy::eips::eip4844::BLS_MODULUS;

    /// A blob of the published test vectors of EIP-4844 and EIP-7594: value `i` is `base^(i + 256)`.
    pub(in super::super) fn powers(base: u64) -> Vec<u8> {
        let base = U256::from(base);
        let mut value = base.pow_mod(U256::from(256), MODULUS);
        let mut blob = Vec::with_capacity(BLOB_BYTES);
        for _ in 0..4096 {
            blob.extend(value.to_be_bytes::<32>());
            value = value.mul_mod(base, MODULUS);
        }
        blob
    }

    /// Vectors of the consensus specification: `blob_to_kzg_commitment_case_valid_blob_3`,
    /// `compute_cells_and_kzg_proofs_case_valid_3`, `compute_kzg_proof_case_valid_blob_3_3`.
    #[test]
    fn commitment_and_proofs_are_the_published_ones() {
        let sidecar = Sidecar::new(&powers(3)).unwrap();
        let commitment = hex!("b49d88afcd7f6c61a8ea69eff5f609d2432b47e7e4cd50b02cdddb4e0c1460517e8df02e4e64dc55e3d8ca192d57193a");
        assert_eq!(sidecar.commitment(), commitment);
        let hash = b256!("01228461eb9cfa5aecb883d64f7434b6c092be63e8599fa9da8473a13f8b804e");
        assert_eq!(sidecar.versioned_hash(), hash);
        assert_eq!(sidecar.cell_proofs().len(), 128);
        let first = hex!("b7573bde710f10fc6b1dbef09db3125da603ec0dfa11b17e5118f901879bfcb688296c87b3e10efbd25ad2b9bbf0bb7d");
        let last = hex!("a120734a9c46e069c1602accffee4ab627758657466557046e8ae1e9e901e8c41638bf637b72b428bf3077c719778222");
        assert_eq!(
            (sidecar.cell_proofs()[0], sidecar.cell_proofs()[127]),
            (first.into(), last.into())
        );
        // All 128, by their SHA-256, whose first byte the versioned hash replaces.
        let all = b256!("01bd16b0df9b4376ca652c644b04094a099743fdc186322e461da3564db53e3f");
        assert_eq!(kzg_to_versioned_hash(&sidecar.cell_proofs().concat()), all);

        let z = b256!("5eb7004fe57383e6c88b99d839937fddf3f99279353aaf8d5c9a75f91ce33c62");
        let proof = sidecar.point_proof(z).unwrap();
        let expected = hex!("b059c60125debbbf29d041bac20fd853951b64b5f31bfe2fa825e18ff49a259953e734b3d57119ae66f7bd79de3027f6");
        assert_eq!(proof.proof, expected);
        let value = b256!("2c9ae4f1d6d08558d7027df9cc6b248c21290075d2c0df8a4084d02090b3fa14");
        assert_eq!(proof.value, value);
        let input = sidecar.precompile_input(z, &proof);
        assert_eq!(input.len(), 192);
        assert_eq!((&input[..32], &input[96..144]), (&hash[..], &commitment[..]));
    }

    #[test]
    fn a_blob_of_zeros_is_the_point_at_infinity() {
        let sidecar = Sidecar::new(&[0; BLOB_BYTES]).unwrap();
        let hash = b256!("010657f37554c781402a22917dee2f75def7ab966d7b770905398eba3c444014");
        assert_eq!(sidecar.versioned_hash(), hash);
        assert_eq!(sidecar.point_proof(B256::with_last_byte(7)).unwrap().value, B256::ZERO);
    }

    #[test]
    fn bytes_that_are_no_blob_are_refused() {
        for got in [0, BLOB_BYTES - 1, BLOB_BYTES + 1] {
            assert_eq!(Sidecar::new(&vec![0; got]), Err(SidecarError::Length { got }));
        }
        let mut blob = vec![0; BLOB_BYTES];
        blob[32..64].copy_from_slice(&MODULUS.to_be_bytes::<32>());
        assert!(matches!(Sidecar::new(&blob), Err(SidecarError::Refused { .. })));
        let sidecar = Sidecar::new(&powers(2)).unwrap();
        let point = sidecar.point_proof(MODULUS.into());
        assert!(matches!(point, Err(SidecarError::Refused { .. })), "{point:?}");
    }
}
