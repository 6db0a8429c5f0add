//! What `bastion l1 deploy` writes, and nodes and workers read: which rollup this is.

use std::path::Path;

use bastion_protocol::{Address, CircuitId, Policy};
use bastion_prover::artifact::write_bytes_atomic;
use serde::{Deserialize, Serialize};

use crate::error::NodeError;

/// Version of the format.
pub const FORMAT: u32 = 1;

/// A deployed rollup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rollup {
    /// [`FORMAT`].
    pub format: u32,
    /// Chain id of L1.
    pub chain_id: u64,
    /// The rollup's contract.
    pub contract: Address,
    /// Its governance.
    pub governance: Address,
    /// The L1 block from which on its events are read.
    pub first_block: u64,
    /// Name of the batch shape.
    pub shape: String,
    /// Circuit of the batches.
    pub batch_circuit: CircuitId,
    /// Circuits of the blocks, smallest first.
    pub blocks: Vec<BlockCircuit>,
    /// Somebody may know the secret of the reference string.
    pub unsafe_dev_srs: bool,
    /// The policy in force at the start.
    pub policy: Policy,
    /// The contract that holds the bonds of its receipts, if `bastion l1 bond` has made one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slashing: Option<Address>,
}

/// A block circuit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BlockCircuit {
    /// Batches of its blocks.
    pub batches: u32,
    /// The circuit.
    pub circuit: CircuitId,
    /// Its verifier on L1.
    pub verifier: Address,
}

impl Rollup {
    /// Reads a manifest.
    ///
    /// # Errors
    /// [`NodeError::Missing`], [`NodeError::Malformed`], or [`NodeError::Mismatch`] for another format.
    pub fn read(path: &Path) -> Result<Self, NodeError> {
        let shown = path.display().to_string();
        let bytes = std::fs::read(path).map_err(|source| match source.kind() {
            std::io::ErrorKind::NotFound => NodeError::NoManifest { path: shown.clone() },
            _ => NodeError::Io { path: shown.clone(), source },
        })?;
        let malformed =
            |e: serde_json::Error| NodeError::Malformed { path: shown.clone(), why: e.to_string() };
        #[derive(Deserialize)]
        struct Versioned {
            format: u32,
        }
        let Versioned { format } = serde_json::from_slice(&bytes).map_err(malformed)?;
        if format != FORMAT {
            return Err(NodeError::Mismatch {
                what: "format of the manifest",
                found: format.to_string(),
                expected: FORMAT.to_string(),
            });
        }
        serde_json::from_slice(&bytes).map_err(malformed)
    }

    /// Writes it.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn write(&self, path: &Path) -> Result<(), NodeError> {
        let mut json = serde_json::to_vec_pretty(self).map_err(|e| NodeError::Malformed {
            path: path.display().to_string(),
            why: e.to_string(),
        })?;
        json.push(b'\n');
        Ok(write_bytes_atomic(path, &json)?)
    }

    /// Numbers of batches that a block may have.
    pub fn sizes(&self) -> Vec<u32> {
        self.blocks.iter().map(|block| block.batches).collect()
    }
}
