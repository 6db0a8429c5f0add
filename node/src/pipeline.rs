//! From executed blocks to proofs.

use std::path::{Path, PathBuf};
use std::time::Instant;

use bastion_aggregator::{aggregate, verify as verify_block, BlockKeys, BlockProof, BlockShape};
use bastion_circuits::witness::checked;
use bastion_circuits::witness::convert::to_halo2;
use bastion_circuits::{BatchCircuit, CircuitError, Shape};
use bastion_prover::keys::{CircuitKeys, KeyStore};
use bastion_prover::progress::Progress;
use bastion_prover::proof::BatchProof;
use bastion_prover::schedule::{prove_all, MemoryBudget};
use bastion_prover::srs::{Imported, Srs, MAX_K};
use bastion_state::Fr;
use rand::rngs::OsRng;

use crate::block::Block;
use crate::dir::StoredBlock;
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

    /// The reference string for circuits up to `k`: the ceremony's, if one was imported, else the
    /// development one, which is made on first use with the bases for `ks`.
    ///
    /// # Errors
    /// If it can neither be read nor made.
    pub fn srs(&self, k: u32, ks: &[u32]) -> Result<Srs, NodeError> {
        match (k..=MAX_K)
            .map(|k| self.ceremony_path(k))
            .find(|p| p.exists())
        {
            Some(path) => Ok(Srs::open(&path)?),
            None => self.dev_srs(k, ks),
        }
    }

    fn ceremony_path(&self, k: u32) -> PathBuf {
        self.dir.join(format!("ceremony-k{k}.srs"))
    }

    /// Takes the first 2^k powers of a ceremony's file into the cache.
    ///
    /// # Errors
    /// Those of [`Srs::import`], or if it cannot be written.
    pub fn import_srs(
        &self,
        file: &Path,
        k: u32,
        b2sum: Option<&str>,
        progress: &Progress,
    ) -> Result<Imported, NodeError> {
        let mut imported = Srs::import(file, k, b2sum, progress)?;
        imported.srs.save(&self.ceremony_path(k))?;
        Ok(imported)
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

    /// Where contract and documents of a block circuit's verifier are kept.
    pub fn verifier_dir(&self, shape: &str, batches: usize, circuit_id: &str) -> PathBuf {
        // From a manifest, so perhaps from a stranger: no separators.
        let id: String = circuit_id
            .chars()
            .filter(char::is_ascii_hexdigit)
            .take(16)
            .collect();
        let shape: String = shape.chars().filter(char::is_ascii_alphanumeric).collect();
        self.verifiers().join(format!("{shape}-{batches}x-{id}"))
    }

    /// Where all of those folders are.
    pub fn verifiers(&self) -> PathBuf {
        self.dir.join("verifier")
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

    /// Compiles the witnesses of a block's batches, and checks every rule on them: what comes out of
    /// here can be proven.
    ///
    /// # Errors
    /// [`NodeError::Unprovable`] with batch, operation and broken rules, or if a batch does not fit
    /// the shape.
    pub fn witnesses(&self, block: &Block) -> Result<Vec<BatchCircuit>, NodeError> {
        witnesses(&self.shape, block)
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

fn witnesses(shape: &Shape, block: &Block) -> Result<Vec<BatchCircuit>, NodeError> {
    let batches = block.batches.iter().zip(block.links()).enumerate();
    batches
        .map(|(batch, (trace, link))| {
            checked(shape, trace, &link).map_err(|why| match why {
                CircuitError::Unprovable { .. } => NodeError::Unprovable { batch, why },
                other => other.into(),
            })
        })
        .collect()
}

/// Proves whole blocks: the batch prover and the block circuit over it.
pub struct BlockProver {
    /// The reference string.
    pub srs: Srs,
    /// Proves the batches.
    pub batches: BatchProver,
    /// Proves the block.
    pub block: BlockKeys,
}

/// Seconds that the stages of a block took.
#[derive(Debug, Clone, Copy, Default, serde::Serialize)]
pub struct Timings {
    /// Witnesses of all batches.
    pub witness: f64,
    /// Proofs of all batches, verified.
    pub prove: f64,
    /// The block proof, verified.
    pub aggregate: f64,
}

/// A proven block.
#[derive(Debug, Clone)]
pub struct ProvenBlock {
    /// Proof of each batch.
    pub batches: Vec<BatchProof>,
    /// The final proof.
    pub proof: BlockProof,
    /// What it took.
    pub timings: Timings,
}

impl BlockProver {
    /// Reference string, keys and verifier contract of a shape, from the cache or made.
    ///
    /// # Errors
    /// If they cannot be made.
    pub fn open(
        shape: &Shape,
        batches: usize,
        cache: &Cache,
        progress: &Progress,
    ) -> Result<Self, NodeError> {
        let block_shape = BlockShape::for_batches(batches);
        let k = block_shape.srs_k(shape.k);
        let stage = progress.stage("reference string", format!("k = {k}"), 1);
        let srs = cache.srs(k, &[shape.k, block_shape.k])?;
        stage.advance();
        let prover = BatchProver::new(shape, &srs, cache, progress)?;
        let keys_dir = cache.dir().join("keys");
        let block = BlockKeys::load_or_generate(
            &keys_dir,
            block_shape,
            prover.keys().verifier(),
            &srs,
            progress,
        )?;
        let opened = Self {
            srs,
            batches: prover,
            block,
        };
        let verifier = &opened.block.verifier;
        let folder = cache.verifier_dir(&shape.name, batches, &verifier.circuit_id);
        if bastion_aggregator::verifier::read(&folder).is_err() {
            let (key, batch) = (
                opened.block.deciding_key(),
                opened.batches.keys().verifier(),
            );
            bastion_aggregator::verifier::export(verifier, key, batch, &folder)?;
        }
        Ok(opened)
    }

    /// Proves a block.
    ///
    /// # Errors
    /// If a batch does not fit, or proving fails. What comes out has been verified.
    pub fn prove(
        &self,
        block: &Block,
        budget: MemoryBudget,
        progress: &Progress,
    ) -> Result<ProvenBlock, NodeError> {
        let mut timings = Timings::default();
        let start = Instant::now();
        let circuits = self.batches.witnesses(block)?;
        timings.witness = start.elapsed().as_secs_f64();

        let start = Instant::now();
        let batches = self.batches.prove(circuits, &self.srs, budget, progress)?;
        timings.prove = start.elapsed().as_secs_f64();

        let start = Instant::now();
        let stage = progress.stage("aggregate", format!("{} batches", batches.len()), 1);
        let key = self.batches.keys().verifier();
        let proof = aggregate(&self.block, key, &batches, &self.srs)?;
        stage.advance();
        timings.aggregate = start.elapsed().as_secs_f64();
        Ok(ProvenBlock {
            batches,
            proof,
            timings,
        })
    }

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
        let tampered = |what| NodeError::Tampered {
            block: number,
            what,
        };
        let key = self.batches.keys().verifier();
        let own = |batch: &BatchProof| batch.circuit_id == key.circuit_id();
        // The folder's manifest names the circuits of this build: a proof of others was put there.
        if block.proof.circuit_id != self.block.verifier.circuit_id
            || !block.batches.iter().all(own)
        {
            return Err(tampered("the circuit of a proof"));
        }
        if block.header.old_root != *old_root {
            return Err(tampered("the root before"));
        }
        let expected = block
            .header
            .public_inputs(&block.data)
            .map_err(|_| tampered("the posted data"))?
            .map(to_halo2);
        if block.proof.public_inputs()? != expected {
            return Err(tampered("header or data"));
        }
        verify_block(
            &block.proof,
            &self.block.verifier,
            self.block.deciding_key(),
        )?;
        for batch in &block.batches {
            bastion_prover::proof::verify(batch, key)?;
        }
        let ends = block.batches.first().zip(block.batches.last());
        let linked = ends.is_some_and(|(first, last)| {
            first.public_inputs.first() == Some(&expected[0])
                && last.public_inputs.get(1) == Some(&expected[1])
        });
        if !linked || block.batches.len() != self.block.verifier.batches {
            return Err(tampered("the batch proofs"));
        }
        Ok(())
    }
}

impl Cache {
    /// Checks that the reference string for blocks of `batches` is there.
    ///
    /// # Errors
    /// [`NodeError::NoSrs`] with the command that makes it.
    pub fn require_srs(&self, batches: usize, shape: &Shape) -> Result<(), NodeError> {
        let k = BlockShape::for_batches(batches).srs_k(shape.k);
        let there = (k..=MAX_K)
            .any(|k| Srs::dev_path(&self.dir, k).exists() || self.ceremony_path(k).exists());
        if there {
            return Ok(());
        }
        Err(NodeError::NoSrs {
            dir: self.dir.display().to_string(),
            k,
            shape: shape.name.clone(),
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]

    use bastion_state::executor::{BatchContext, ResolvedKind};
    use bastion_state::state::State;

    use super::*;
    use crate::block::next_block;
    use crate::dev::{dev_policy, DemoSource};

    /// A trace that no honest executor makes is refused by batch, operation and rule, before there
    /// are even keys.
    #[test]
    fn a_batch_without_a_proof_is_named() {
        let context = BatchContext {
            domain: Fr::from(1u64),
            time: 1_800_000_000,
            policy: dev_policy(),
        };
        let shape = Shape::tiny();
        let transfers = DemoSource::transfers_for(&shape);
        let mut source = DemoSource::new(context.domain, context.time, transfers);
        let (mut state, mut refused) = (State::new(), Vec::new());
        let block = next_block(&mut state, &context, &shape, 2, &mut source, &mut refused);
        let mut block = block.unwrap().unwrap();
        assert_eq!(witnesses(&shape, &block).unwrap().len(), 2);

        let op = &mut block.batches[1].ops[2];
        assert_eq!(op.kind, ResolvedKind::Transfer);
        let paid = op.accesses[1].as_mut().unwrap().after.as_mut().unwrap();
        paid.balance += 1;
        let error = witnesses(&shape, &block).unwrap_err();
        let text = error.to_string();
        let NodeError::Unprovable {
            batch: 1,
            why: CircuitError::Unprovable { operation, rules },
        } = error
        else {
            panic!("{text}");
        };
        assert_eq!(operation, Some((2, ResolvedKind::Transfer)));
        assert!(rules.contains("op.receiver_is_paid"), "{rules:?}");
        assert!(text.contains("batch 1") && text.contains("operation 2 (Transfer)"));
    }
}
