//! From executed blocks to proofs.

use std::path::{Path, PathBuf};
use std::time::Instant;

use bastion_aggregator::verifier::StoredBlockVerifier;
use bastion_aggregator::{aggregate, verifier, AggregatorError, BlockKeys, BlockShape};
use bastion_circuits::witness::convert::to_state;
use bastion_circuits::witness::{checked, generate_witness};
use bastion_circuits::{BatchCircuit, CircuitError, Shape};
use bastion_contract::{solc, VerifierArtifact};
use bastion_protocol::BatchProof;
use bastion_protocol::{BlockProof, CircuitId};
use bastion_prover::artifact::{check_room, remove_dead, Digest, Storing};
use bastion_prover::keys::{CircuitKeys, KeyStore};
use bastion_prover::progress::Progress;
use bastion_prover::schedule::{prove_each, MemoryBudget};
use bastion_prover::srs::{B2sum, Held, Imported, Srs, SrsChoice, SrsDir, SrsOrigin};
use bastion_prover::{ProvableCircuit, ProverError};
use rand::rngs::OsRng;
use rayon::prelude::*;

use crate::block::Block;
use crate::check::BlockChecker;
use crate::error::NodeError;
use crate::recommend::MemoryPlan;
use crate::work::WorkFolder;

/// Where keys and reference strings are kept.
#[derive(Debug, Clone)]
pub struct Cache {
    dir: PathBuf,
    storing: Storing,
}

/// Room that is tried out before keys are made: a full disk shows, its exact size does not.
const ROOM: usize = 1 << 20;

impl Cache {
    /// A cache in `dir`. What cannot be stored there is made again next time.
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        Self { dir: dir.into(), storing: Storing::BestEffort }
    }

    /// The same cache for those whose purpose is to fill it: what cannot be stored is an error.
    pub fn required(self) -> Self {
        let storing = Storing::Required;
        Self { storing, ..self }
    }

    /// Its folder.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The reference strings in this cache.
    pub fn srs(&self) -> SrsDir {
        SrsDir::new(&self.dir).storing(self.storing)
    }

    /// The reference string for blocks of `batches`; none if the choice allows to make one and
    /// there is none.
    ///
    /// # Errors
    /// [`NodeError::NoSrs`] with the command that helps.
    pub fn find_srs(
        &self,
        choice: SrsChoice,
        shape: &Shape,
        batches: usize,
    ) -> Result<Option<Held>, NodeError> {
        let k = BlockShape::for_batches(batches).srs_k(shape.k);
        let found = self.srs().find(choice, k);
        found.map_err(|error| no_srs(error, choice, shape, batches))
    }

    /// Takes from a ceremony's file into the cache what blocks of `batches` need. Gives the
    /// identity of the reference string and the hash of the file.
    ///
    /// # Errors
    /// Those of [`Srs::import`] and [`SrsDir::adopt`].
    pub fn import_srs(
        &self,
        file: &Path,
        shape: &Shape,
        batches: usize,
        b2sum: Option<&B2sum>,
        progress: &Progress,
    ) -> Result<(Digest, B2sum), NodeError> {
        // To check all powers of a large file takes minutes.
        self.check_means()?;
        let k = BlockShape::for_batches(batches).srs_k(shape.k);
        let Imported { srs, b2sum } = Srs::import(file, k, b2sum, progress)?;
        Ok((self.srs().adopt(srs, progress)?.id(), b2sum))
    }

    /// Where contract and documents of a block circuit's verifier are kept.
    pub fn verifier_dir(&self, shape: &str, batches: usize, circuit_id: CircuitId) -> PathBuf {
        // From a manifest, so perhaps from a stranger: no separators.
        let shape: String = shape.chars().filter(char::is_ascii_alphanumeric).collect();
        self.verifiers().join(format!("{shape}-{batches}x-{}", circuit_id.short()))
    }

    /// Where all of those folders are.
    pub fn verifiers(&self) -> PathBuf {
        self.dir.join("verifier")
    }

    /// The verifier's folder of a shape and number of batches, if there is exactly one.
    ///
    /// # Errors
    /// [`NodeError::NoDocuments`] if there is none, [`NodeError::SeveralVerifiers`] if there are several.
    pub fn find_verifier(&self, shape: &Shape, batches: usize) -> Result<PathBuf, NodeError> {
        let prefix = format!("{}-{batches}x-", shape.name);
        let folders = std::fs::read_dir(self.verifiers()).into_iter().flatten().flatten();
        let own = folders.filter(|folder| {
            folder.file_name().to_str().is_some_and(|name| name.starts_with(&prefix))
        });
        let mut own: Vec<PathBuf> = own.map(|folder| folder.path()).collect();
        let dir = self.verifiers().display().to_string();
        match (own.pop(), own.is_empty()) {
            (Some(folder), true) => Ok(folder),
            (Some(_), false) => Err(NodeError::SeveralVerifiers { dir, prefix }),
            (None, _) => Err(NodeError::NoDocuments { dir, shape: shape.name.clone() }),
        }
    }

    /// The keys in this cache.
    pub fn keys(&self) -> KeyStore {
        KeyStore::new(self.key_dir()).storing(self.storing)
    }

    fn key_dir(&self) -> PathBuf {
        self.dir.join("keys")
    }

    /// For those who will call [`BlockProver::verifier`] after minutes of other work: checks that
    /// there is a compiler, unless the cache holds a verifier folder of this shape that will do.
    ///
    /// # Errors
    /// If the compiler is missing or cannot be run.
    pub fn check_compiler(&self, shape: &Shape, batches: usize) -> Result<(), NodeError> {
        let prefix = format!("{}-{batches}x-", shape.name);
        let folders = std::fs::read_dir(self.verifiers()).into_iter().flatten().flatten();
        let mut own = folders.filter(|folder| {
            folder.file_name().to_str().is_some_and(|name| name.starts_with(&prefix))
        });
        match self.storing {
            Storing::BestEffort if own.any(|folder| verifier::read(&folder.path()).is_ok()) => {
                Ok(())
            }
            Storing::BestEffort | Storing::Required => {
                Ok(solc::check().map_err(AggregatorError::from)?)
            }
        }
    }

    /// Reference string, batch prover, and the keys of blocks of each size, from the cache or made.
    ///
    /// # Errors
    /// If they cannot be made. A missing reference string is told at once.
    pub(crate) fn provers(
        &self,
        shape: &Shape,
        sizes: &[usize],
        choice: SrsChoice,
        progress: &Progress,
    ) -> Result<(Srs, BatchProver, Vec<BlockKeys>), NodeError> {
        shape.check()?;
        let largest = sizes.iter().copied().max().unwrap_or(0);
        self.find_srs(choice, shape, largest)?;
        self.check_means()?;
        let shapes: Vec<BlockShape> = sizes.iter().map(|n| BlockShape::for_batches(*n)).collect();
        let k = BlockShape::for_batches(largest).srs_k(shape.k);
        let ks: Vec<u32> = [shape.k].into_iter().chain(shapes.iter().map(|s| s.k)).collect();
        let packed: Vec<u32> = shapes.iter().map(|s| s.k).collect();
        let srs = self.srs().obtain(choice, k, &ks, &packed, OsRng, progress);
        let srs = srs.map_err(|error| no_srs(error, choice, shape, largest))?;
        let key_dir = self.key_dir();
        remove_dead(&key_dir);
        let prover = BatchProver::new(shape, &srs, self, progress)?;
        let key = prover.keys().verifier();
        let blocks = shapes.into_iter().map(|shape| {
            BlockKeys::load_or_generate(&key_dir, shape, key, &srs, self.storing, progress)
        });
        let blocks = blocks.collect::<Result<_, _>>()?;
        Ok((srs, prover, blocks))
    }

    /// What takes no time and would stop the work after minutes: a cache that has to be filled and
    /// cannot be written.
    fn check_means(&self) -> Result<(), NodeError> {
        if self.storing == Storing::Required {
            check_room(&self.key_dir(), ROOM)?;
            check_room(&self.verifiers(), ROOM)?;
        }
        Ok(())
    }
}

/// The error for a missing reference string, with the command that helps.
fn no_srs(error: ProverError, choice: SrsChoice, shape: &Shape, batches: usize) -> NodeError {
    let ProverError::SrsAbsent { needed, held, .. } = &error else {
        return error.into();
    };
    let ceremony = held.iter().any(|held| held.origin == SrsOrigin::Ceremony);
    let setup = match batches {
        2 => format!("bastion setup --shape {}", shape.name),
        _ => format!("bastion setup --shape {} --batches {batches}", shape.name),
    };
    let import = format!("`{setup} --srs FILE`");
    let file = format!("file of power {needed} or more");
    let remedy = match choice {
        SrsChoice::Named(_) => format!(
            "point --cache-dir at the cache that holds it, or run {import} with its ceremony's {file}"
        ),
        SrsChoice::Held | SrsChoice::HeldOrUnsafeDev if ceremony => format!(
            "run {import} with the same ceremony's {file}; an UNSAFE one for development \
             (--unsafe-dev-srs) needs another --cache-dir"
        ),
        SrsChoice::Held | SrsChoice::HeldOrUnsafeDev => format!(
            "run `{setup} --unsafe-dev-srs` for development, or {import} with a ceremony's {file}, \
             or point --cache-dir at a cache that holds one"
        ),
    };
    NodeError::NoSrs { why: error.to_string(), remedy }
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
        Ok(Self { shape: shape.clone(), keys })
    }

    /// The keys.
    pub fn keys(&self) -> &CircuitKeys {
        &self.keys
    }

    /// The shape.
    pub fn shape(&self) -> &Shape {
        &self.shape
    }

    /// Compiles the witnesses of a block's batches, side by side. What comes out of here can be
    /// proven: every rule is checked on batches that the packer has not checked.
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
        self.prove_kept(circuits, srs, budget, progress, None)
    }

    /// As [`BatchProver::prove`]. Proofs that `work` keeps are taken from there, and those that are
    /// made are kept there as soon as they are.
    ///
    /// # Errors
    /// Of the prover, or if a proof cannot be kept.
    pub fn prove_kept(
        &self,
        circuits: Vec<BatchCircuit>,
        srs: &Srs,
        budget: MemoryBudget,
        progress: &Progress,
        work: Option<&WorkFolder>,
    ) -> Result<Vec<BatchProof>, NodeError> {
        let key = self.keys.verifier();
        let kept: Vec<Option<BatchProof>> = circuits
            .iter()
            .map(|circuit| {
                let inputs: Vec<_> = circuit.public_inputs().iter().map(to_state).collect();
                work.and_then(|work| work.find(key, &inputs))
            })
            .collect();
        let missing = circuits
            .into_iter()
            .zip(&kept)
            .filter_map(|(circuit, kept)| kept.is_none().then_some(circuit))
            .collect();
        let params = srs.params(self.shape.k)?;
        let keep = |proof: &BatchProof| work.map_or(Ok(()), |work| work.keep(proof));
        let made = prove_each(&params, &self.keys, missing, budget, progress, keep)?;
        // As many were made as are missing.
        let mut made = made.into_iter();
        Ok(kept.into_iter().filter_map(|kept| kept.or_else(|| made.next())).collect())
    }
}

fn witnesses(shape: &Shape, block: &Block) -> Result<Vec<BatchCircuit>, NodeError> {
    let batches = block.batches.par_iter().zip(block.links()?).enumerate();
    batches
        .map(|(batch, (trace, link))| {
            let circuit = match block.checked {
                true => generate_witness(shape, trace, &link),
                false => checked(shape, trace, &link),
            };
            circuit.map_err(|why| match why {
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
    /// Reference string and keys of a shape, from the cache or made.
    ///
    /// # Errors
    /// If they cannot be made. A missing reference string is told at once.
    pub fn open(
        shape: &Shape,
        batches: usize,
        cache: &Cache,
        choice: SrsChoice,
        progress: &Progress,
    ) -> Result<Self, NodeError> {
        let (srs, prover, blocks) = cache.provers(shape, &[batches], choice, progress)?;
        let block = blocks.into_iter().next().ok_or(NodeError::NoBlockCircuit { batches: 0 })?;
        Ok(Self { srs, batches: prover, block })
    }

    /// The verifier of the block proofs with its contract: from its folder in the cache, or compiled
    /// and written there. In a cache that has to be filled ([`Cache::required`]) it is compiled in any
    /// case: a folder that came from elsewhere, and whose code does something else than its source, does
    /// not pass for one's own.
    ///
    /// # Errors
    /// If the contract is not there and cannot be compiled, or a cache that has to be filled cannot
    /// be written.
    pub fn verifier(&self, cache: &Cache) -> Result<StoredBlockVerifier, NodeError> {
        let folder = self.verifier_dir(cache);
        let batch = self.batches.keys().verifier();
        let found = match cache.storing {
            Storing::BestEffort => verifier::find(&folder, &self.block, batch),
            Storing::Required => None,
        };
        if let Some(stored) = found {
            return Ok(stored);
        }
        let contract = VerifierArtifact::build(self.block.description());
        let contract = contract.map_err(AggregatorError::from)?;
        let stored = StoredBlockVerifier::new(&self.block, contract);
        let written = verifier::export(&stored, &self.block, batch, &folder).map(drop);
        cache.storing.outcome("the verifier's folder", written)?;
        Ok(stored)
    }

    /// The folder of the verifier in the cache.
    pub fn verifier_dir(&self, cache: &Cache) -> PathBuf {
        let verifier = &self.block.verifier;
        cache.verifier_dir(&verifier.batch_shape, verifier.batches, verifier.circuit_id)
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
        self.prove_kept(block, budget, progress, None)
    }

    /// As [`BlockProver::prove`], with the batch proofs that `work` keeps
    /// ([`BatchProver::prove_kept`]).
    ///
    /// # Errors
    /// [`NodeError::TooLittleMemory`] before anything is begun, or those of
    /// [`BatchProver::prove_kept`].
    pub fn prove_kept(
        &self,
        block: &Block,
        budget: MemoryBudget,
        progress: &Progress,
        work: Option<&WorkFolder>,
    ) -> Result<ProvenBlock, NodeError> {
        let plan = MemoryPlan::new(self.batches.shape(), self.block.verifier.batches);
        plan.require(budget)?;
        let budget = plan.for_proofs(budget);
        let mut timings = Timings::default();
        let start = Instant::now();
        let circuits = self.batches.witnesses(block)?;
        timings.witness = start.elapsed().as_secs_f64();

        let start = Instant::now();
        let batches = self.batches.prove_kept(circuits, &self.srs, budget, progress, work)?;
        timings.prove = start.elapsed().as_secs_f64();

        let start = Instant::now();
        let stage = progress.stage("aggregate", format!("{} batches", batches.len()), 1);
        let key = self.batches.keys().verifier();
        let proof = aggregate(&self.block, key, &batches, &self.srs)?;
        stage.advance();
        timings.aggregate = start.elapsed().as_secs_f64();
        Ok(ProvenBlock { batches, proof, timings })
    }

    /// What checks the blocks that it proves.
    pub fn checker(&self) -> BlockChecker<'_> {
        BlockChecker { batch: self.batches.keys().verifier().proofs(), block: &self.block.verifier }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]

    use bastion_protocol::data::DataMode;
    use bastion_protocol::{Fr, Kind};
    use bastion_state::executor::BatchContext;
    use bastion_state::state::State;

    use super::*;
    use crate::block::next_block;
    use crate::devnet::{dev_policy, DemoSource};

    /// A trace that no honest executor makes is refused by batch, operation and rule, before there
    /// are even keys.
    #[test]
    fn a_batch_without_a_proof_is_named() {
        let context =
            BatchContext { domain: Fr::from(1u64), time: 1_800_000_000, policy: dev_policy() };
        let shape = Shape::tiny();
        let transfers = DemoSource::transfers_for(&shape);
        let mut source = DemoSource::new(context.domain, context.time, transfers);
        let (mut state, mut refused) = (State::new(), Vec::new());
        let block = next_block(
            &mut state,
            &context,
            &shape,
            2,
            DataMode::Calldata,
            &mut source,
            &mut refused,
        );
        let mut block = block.unwrap().unwrap();
        assert_eq!(witnesses(&shape, &block).unwrap().len(), 2);

        block.checked = false;
        let op = &mut block.batches[1].ops[2];
        assert_eq!(op.kind, Kind::Transfer);
        let paid = op.accesses[1].as_mut().unwrap().after.as_mut().unwrap();
        paid.balance += 1;
        let error = witnesses(&shape, &block).unwrap_err();
        let text = error.to_string();
        let NodeError::Unprovable { batch: 1, why: CircuitError::Unprovable { operation, rules } } =
            error
        else {
            panic!("{text}");
        };
        assert_eq!(operation, Some((2, Kind::Transfer)));
        assert!(rules.contains("op.receiver_is_paid"), "{rules:?}");
        assert!(text.contains("batch 1") && text.contains("operation 2 (Transfer)"));
    }
}
