//! Native verification of stored blocks.

use std::path::Path;

use bastion_aggregator::verifier::{read_verifiers, StoredBlockVerifier};
use bastion_aggregator::{verify as verify_block, BlockVerifier};
use bastion_protocol::inputs::make_up;
use bastion_protocol::BatchProof;
use bastion_protocol::Fr;
use bastion_prover::artifact::Digest;
use bastion_prover::keys::ProofVerifier;
use bastion_prover::srs::SrsOrigin;

use crate::block_store::{Manifest, StoredBlock};
use crate::error::NodeError;

/// The verifiers of a block circuit from its folder in the cache: neither keys nor reference string
/// are needed, nor a compiler.
#[derive(Debug)]
pub struct FolderVerifier {
    batch: ProofVerifier,
    block: StoredBlockVerifier,
    identity: Digest,
}

impl FolderVerifier {
    /// Reads a verifier's folder (`bastion setup` and `bastion prove` write it).
    ///
    /// # Errors
    /// If the folder is damaged or of another version.
    pub fn open(folder: &Path) -> Result<Self, NodeError> {
        let (manifest, block, batch) = read_verifiers(folder)?;
        Ok(Self { batch, block, identity: manifest.identity()? })
    }

    /// Circuit, description and contract of the block proofs.
    pub fn block(&self) -> &StoredBlockVerifier {
        &self.block
    }

    /// Checks that a folder of blocks was made for these verifiers.
    ///
    /// # Errors
    /// [`NodeError::Mismatch`] or [`NodeError::WrongMark`] with what differs.
    pub fn check(&self, blocks: &Manifest) -> Result<(), NodeError> {
        let block = &self.block.verifier;
        let unsafe_srs = block.srs_origin == SrsOrigin::UnsafeDev;
        blocks.made_for(block.srs_id, unsafe_srs, self.batch.circuit_id, block.circuit_id)
    }

    /// Identity of the folder ([`VerifierManifest::identity`](bastion_aggregator::verifier::VerifierManifest::identity)).
    pub fn identity(&self) -> Digest {
        self.identity
    }

    /// What checks the blocks.
    pub fn checker(&self) -> BlockChecker<'_> {
        BlockChecker { batch: &self.batch, block: &self.block.verifier }
    }
}

/// What checks the blocks of one block circuit.
#[derive(Clone, Copy, Debug)]
pub struct BlockChecker<'a> {
    /// Checks the proofs of batches.
    pub batch: &'a ProofVerifier,
    /// Checks the block proof.
    pub block: &'a BlockVerifier,
}

impl BlockChecker<'_> {
    /// Checks a stored block: every proof, every public input against header and data, and that
    /// the block continues `old_root`.
    ///
    /// # Errors
    /// [`NodeError::Tampered`] with what differs, or the error of a verifier.
    pub fn verify(
        &self,
        number: usize,
        old_root: &Fr,
        block: &StoredBlock,
    ) -> Result<(), NodeError> {
        let tampered = |what| NodeError::Tampered { block: number, what };
        let own = |batch: &BatchProof| batch.circuit_id == self.batch.circuit_id;
        // The folder's manifest names the circuits of this build: a proof of others was put there.
        if block.proof.circuit_id != self.block.circuit_id || !block.batches.iter().all(own) {
            return Err(tampered("the circuit of a proof"));
        }
        if block.header.old_root != *old_root {
            return Err(tampered("the root before"));
        }
        let expected = block
            .posted()
            .public_inputs(&block.header)
            .map_err(|_| tampered("the posted data"))?
            .into_array();
        if block.proof.inputs.into_array() != expected {
            return Err(tampered("header or data"));
        }
        verify_block(&block.proof, self.block)?;
        for batch in &block.batches {
            bastion_prover::proof::verify(batch, self.batch)?;
        }
        let batches = block.batches.iter().map(|batch| batch.public_inputs.as_slice());
        if !make_up(&expected, batches) || block.batches.len() != self.block.batches {
            return Err(tampered("the batch proofs"));
        }
        Ok(())
    }
}
