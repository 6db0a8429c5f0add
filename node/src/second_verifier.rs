//! Verification by the second verifier (`bastion-audit`): documents instead of keys, and no code
//! of the prover.

use std::path::Path;

use bastion_aggregator::verifier::{read, BATCH_DESCRIPTION, DESCRIPTION};
use bastion_audit::{blob, Description, Verifier};
use bastion_protocol::blob::{evaluate, Posted};
use bastion_protocol::inputs::make_up;
use bastion_protocol::BatchProof;
use bastion_protocol::{CircuitId, Fr, PublicInputs};
use bastion_prover::artifact::Digest;

use crate::block_store::{Manifest, StoredBlock};
use crate::error::NodeError;

/// Both verifiers of a block circuit.
#[derive(Debug)]
pub struct SecondVerifier {
    batch_circuit_id: CircuitId,
    block_circuit_id: CircuitId,
    batches: usize,
    srs: Digest,
    unsafe_srs: bool,
    identity: Digest,
    batch: Verifier,
    block: Verifier,
}

impl SecondVerifier {
    /// Reads the documents of a verifier's folder (`bastion setup` and `bastion prove` write it).
    ///
    /// # Errors
    /// If the folder is damaged or of another version, or a document describes no verifier.
    pub fn open(folder: &Path) -> Result<Self, NodeError> {
        let manifest = read(folder)?;
        let verifier = |name: &str| {
            let path = folder.join(name);
            let json = std::fs::read(&path)
                .map_err(|source| NodeError::Io { path: path.display().to_string(), source })?;
            Ok::<_, NodeError>(Verifier::new(Description::from_json(&json)?)?)
        };
        Ok(Self {
            identity: manifest.identity()?,
            batch: verifier(BATCH_DESCRIPTION)?,
            block: verifier(DESCRIPTION)?,
            batch_circuit_id: manifest.batch_circuit_id,
            block_circuit_id: manifest.circuit_id,
            batches: manifest.batches,
            srs: manifest.srs_id,
            unsafe_srs: manifest.unsafe_srs,
        })
    }

    /// Checks that a folder of blocks was made for this verifier.
    ///
    /// # Errors
    /// [`NodeError::Mismatch`] with what differs.
    pub fn check(&self, blocks: &Manifest) -> Result<(), NodeError> {
        blocks.made_for(self.srs, self.unsafe_srs, self.batch_circuit_id, self.block_circuit_id)
    }

    /// Identity of the folder ([`VerifierManifest::identity`](bastion_aggregator::verifier::VerifierManifest::identity)).
    pub fn identity(&self) -> Digest {
        self.identity
    }

    /// The verifier of batch proofs.
    pub fn batch(&self) -> &Verifier {
        &self.batch
    }

    /// The verifier of block proofs.
    pub fn block(&self) -> &Verifier {
        &self.block
    }

    /// Checks a stored block: header against data, public inputs against both, every proof.
    ///
    /// # Errors
    /// [`NodeError::Tampered`] with what differs, or [`NodeError::Refused`].
    pub fn verify(
        &self,
        number: usize,
        old_root: &Fr,
        block: &StoredBlock,
    ) -> Result<(), NodeError> {
        let tampered = |what| NodeError::Tampered { block: number, what };
        let refused = |proof: String| move |why| NodeError::Refused { block: number, proof, why };
        if block.header.old_root != *old_root {
            return Err(tampered("the root before"));
        }
        let inputs = public_inputs(block).ok_or_else(|| tampered("the posted data"))?;
        let expected = inputs.into_array();
        if block.proof.inputs.into_array() != expected
            || block.proof.circuit_id != self.block_circuit_id
        {
            return Err(tampered("header or data"));
        }
        self.block
            .verify(&[block.proof.instances().to_vec()], &block.proof.proof)
            .map_err(refused("the block proof".into()))?;

        let inputs = block.batches.iter().map(|batch| batch.public_inputs.as_slice());
        let own = |batch: &BatchProof| batch.circuit_id == self.batch_circuit_id;
        if !make_up(&expected, inputs) || !block.batches.iter().all(own) {
            return Err(tampered("the public inputs of a batch"));
        }
        if block.batches.len() != self.batches {
            return Err(tampered("the batch proofs"));
        }
        for (i, batch) in block.batches.iter().enumerate() {
            self.batch
                .verify(std::slice::from_ref(&batch.public_inputs), &batch.proof)
                .map_err(refused(format!("the proof of batch {i}")))?;
        }
        Ok(())
    }
}
/// The public inputs of a stored block; its blobs are read with the auditor's code.
fn public_inputs(block: &StoredBlock) -> Option<PublicInputs<Fr>> {
    let header = &block.header;
    if block.blobs.is_empty() {
        return header.public_inputs(&block.data).ok();
    }
    let (mut hashes, mut coefficients) = (Vec::new(), Vec::new());
    for sidecar in block.blobs.iter() {
        let hash = blob::versioned_hash(sidecar.blob()).ok()?;
        coefficients.extend(blob::read(sidecar.blob(), &hash).ok()?);
        hashes.push(hash);
    }
    let posted = Posted::read(&block.data, header.batches).ok()?;
    posted.require_blobs(hashes.len()).ok()?;
    posted.complete(&coefficients).ok()?;
    header.public_inputs_posted(&block.data, &hashes, |z| evaluate(&coefficients, z)).ok()
}
