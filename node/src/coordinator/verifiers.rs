//! What checks the proofs that workers bring.

use std::collections::BTreeMap;
use std::path::PathBuf;

use bastion_aggregator::verifier::StoredBlockVerifier;
use bastion_aggregator::verify as verify_block;
use bastion_protocol::{BatchProof, BlockProof, CircuitId, Fr};
use bastion_prover::proof::verify as verify_batch;

use super::blocks::BlockInfo;
use crate::check::FolderVerifier;
use crate::error::NodeError;
use crate::settle::block_hash;

/// The verifiers of the block circuits that a node uses, by their number of batches. All of them verify
/// batches of one circuit.
#[derive(Debug)]
pub struct Verifiers {
    batch_circuit: CircuitId,
    by_batches: BTreeMap<u32, FolderVerifier>,
    /// Block circuits whose proofs cannot be verified here.
    unverified: BTreeMap<u32, CircuitId>,
}

impl Verifiers {
    /// Reads the verifiers' folders ([`FolderVerifier::open`]).
    ///
    /// # Errors
    /// Those of [`FolderVerifier::open`]; [`NodeError::Mismatch`] if they are of different batch
    /// circuits, or there is none.
    pub fn open(folders: &[PathBuf]) -> Result<Self, NodeError> {
        let mut batch_circuit = None;
        let mut by_batches = BTreeMap::new();
        for folder in folders {
            let verifier = FolderVerifier::open(folder)?;
            let own = verifier.checker().batch.circuit_id;
            let expected = *batch_circuit.get_or_insert(own);
            if own != expected {
                return Err(NodeError::Mismatch {
                    what: "batch circuit of a block circuit",
                    found: own.to_string(),
                    expected: expected.to_string(),
                });
            }
            by_batches.insert(verifier.block().verifier.batches as u32, verifier);
        }
        let batch_circuit = batch_circuit.ok_or(NodeError::NoBlockCircuit { batches: 0 })?;
        Ok(Self { batch_circuit, by_batches, unverified: BTreeMap::new() })
    }

    /// For a node that seals blocks and refuses every proof, because it has no keys.
    pub fn without_keys(
        batch_circuit: CircuitId,
        block_circuits: BTreeMap<u32, CircuitId>,
    ) -> Self {
        Self { batch_circuit, by_batches: BTreeMap::new(), unverified: block_circuits }
    }

    /// Numbers of batches that a block may have, ascending.
    pub fn sizes(&self) -> Vec<u32> {
        self.by_batches.keys().copied().collect()
    }

    /// The batch circuit.
    pub fn batch_circuit(&self) -> CircuitId {
        self.batch_circuit
    }

    /// The verifiers with their contracts, by number of batches.
    pub fn blocks(&self) -> impl Iterator<Item = (u32, &StoredBlockVerifier)> {
        self.by_batches.iter().map(|(batches, verifier)| (*batches, verifier.block()))
    }

    /// Batch and block circuit of a block of `batches`.
    ///
    /// # Errors
    /// [`NodeError::NoBlockCircuit`].
    pub fn circuits(&self, batches: u32) -> Result<(CircuitId, CircuitId), NodeError> {
        let verified = self.by_batches.get(&batches).map(|v| v.block().verifier.circuit_id);
        let block = verified.or_else(|| self.unverified.get(&batches).copied());
        Ok((self.batch_circuit, block.ok_or(NodeError::NoBlockCircuit { batches })?))
    }

    /// Checks the proof of a batch of a block.
    ///
    /// # Errors
    /// Why it does not hold.
    pub fn check_batch(&self, block: &BlockInfo, batch: u64, proof: &[u8]) -> Result<(), String> {
        let proof = BatchProof::from_json(proof).map_err(|e| e.to_string())?;
        let place = batch.checked_sub(block.first_batch).and_then(|n| usize::try_from(n).ok());
        let statement = place.and_then(|place| block.statements.get(place));
        let statement = statement.ok_or_else(|| format!("the block has no batch {batch}"))?;
        let expected: Vec<Fr> = statement.0.iter().map(|element| element.0).collect();
        if proof.public_inputs != expected {
            return Err(format!("it proves something else than batch {batch}"));
        }
        let verifier = self.verifier(block)?;
        verify_batch(&proof, verifier.checker().batch).map_err(|e| e.to_string())
    }

    /// Checks the proof of a block, which is known by the hash of its public inputs.
    ///
    /// # Errors
    /// Why it does not hold.
    pub fn check_block(&self, block: &BlockInfo, proof: &[u8]) -> Result<(), String> {
        let proof = BlockProof::from_json(proof).map_err(|e| e.to_string())?;
        if block_hash(&proof.inputs) != block.hash {
            return Err("it proves another block".into());
        }
        let checker = self.verifier(block)?.checker();
        verify_block(&proof, checker.block).map_err(|e| e.to_string())
    }

    fn verifier(&self, block: &BlockInfo) -> Result<&FolderVerifier, String> {
        let own = |verifier: &&FolderVerifier| {
            verifier.block().verifier.circuit_id == block.block_circuit
                && verifier.checker().batch.circuit_id == block.batch_circuit
        };
        let found = self.by_batches.values().find(own);
        found.ok_or_else(|| {
            format!("there is no verifier of circuit {}: run bastion setup", block.block_circuit)
        })
    }
}
