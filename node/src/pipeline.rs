//! From executed blocks to proofs.

use std::path::{Path, PathBuf};

use bastion_circuits::witness::compile;
use bastion_circuits::{BatchCircuit, Shape};
use bastion_prover::keys::{CircuitKeys, KeyStore};
use bastion_prover::progress::Progress;
use bastion_prover::proof::BatchProof;
use bastion_prover::schedule::{prove_all, MemoryBudget};
use bastion_prover::srs::Srs;
use rand::rngs::OsRng;

use crate::block::Block;
use crate::error::NodeError;

/// Where keys and reference strings are kept.
#[derive(Debug, Clone)]
pub struct Cache {
    dir: PathBuf,
}

impl Cache {
    /// A cache in `dir`.
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        Self { dir: dir.into() }
    }

    /// Its folder.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The development SRS for circuits up to `k`, with the bases for `ks`; made on first use.
    ///
    /// # Errors
    /// If it can neither be read nor made.
    pub fn dev_srs(&self, k: u32, ks: &[u32]) -> Result<Srs, NodeError> {
        std::fs::create_dir_all(&self.dir).map_err(|source| NodeError::Io {
            path: self.dir.display().to_string(),
            source,
        })?;
        Ok(Srs::open_or_generate_dev(&self.dir, k, ks, OsRng)?)
    }

    /// The keys in this cache.
    pub fn keys(&self) -> KeyStore {
        KeyStore::new(self.dir.join("keys"))
    }
}

/// Proves batches.
pub struct BatchProver {
    shape: Shape,
    keys: CircuitKeys,
}

impl BatchProver {
    /// A prover for a shape; makes its keys if they are not cached.
    ///
    /// # Errors
    /// If the shape does not fit, or keys cannot be made.
    pub fn new(
        shape: &Shape,
        srs: &Srs,
        cache: &Cache,
        progress: &Progress,
    ) -> Result<Self, NodeError> {
        shape.check()?;
        let keys = cache.keys().keys::<BatchCircuit>(shape, srs, progress)?;
        Ok(Self {
            shape: shape.clone(),
            keys,
        })
    }

    /// The keys.
    pub fn keys(&self) -> &CircuitKeys {
        &self.keys
    }

    /// The shape.
    pub fn shape(&self) -> &Shape {
        &self.shape
    }

    /// Compiles the witnesses of a block's batches.
    ///
    /// # Errors
    /// If a batch does not fit the shape.
    pub fn witnesses(&self, block: &Block) -> Result<Vec<BatchCircuit>, NodeError> {
        block
            .batches
            .iter()
            .zip(block.links())
            .map(|(trace, link)| Ok(compile(&self.shape, trace, &link)?))
            .collect()
    }

    /// Proves the batches of a block, as many at once as the budget allows.
    ///
    /// # Errors
    /// Of the prover; a proof that comes out of here has been verified.
    pub fn prove(
        &self,
        circuits: Vec<BatchCircuit>,
        srs: &Srs,
        budget: MemoryBudget,
        progress: &Progress,
    ) -> Result<Vec<BatchProof>, NodeError> {
        let params = srs.params(self.shape.k)?;
        Ok(prove_all(&params, &self.keys, circuits, budget, progress)?)
    }
}
