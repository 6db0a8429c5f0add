//! A folder of proven blocks: what `bastion prove` writes and `bastion verify` reads.
//!
//! | file | content |
//! |---|---|
//! | `manifest.json` | shape, circuits, chain, contract, policy, tokens, number of blocks |
//! | `NNNN.header.json` | the block's claims |
//! | `NNNN.data` | posted bytes, those in calldata |
//! | `NNNN.blob-M` | the blobs with its L2 and owner records, in order from 0, if they are in some |
//! | `NNNN.batch-M.json` | proof of each batch |
//! | `NNNN.proof.json` | the block's final proof |
//! | `.proving` | what a run of `bastion prove` has yet to finish ([`crate::work`]) |

mod complete;

use bastion_prover::ErrorClass;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bastion_l1::blob::Sidecar;
use bastion_protocol::blob::MAX_BLOBS;
use bastion_protocol::header::domain;
use bastion_protocol::policy::Policy;
use bastion_protocol::{Address, Header};
use bastion_protocol::{BatchProof, BlockProof, CircuitId};
use bastion_prover::artifact::{check_room, remove_dead, write_bytes_atomic, Digest};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::block::Block;
use crate::error::NodeError;
use crate::pipeline::ProvenBlock;
use crate::posted::PostedData;

/// Room that a folder needs before anything is proved: more than any one block takes.
const SPACE: usize = 1 << 20;

/// Version of the folder's format.
pub const FORMAT: u32 = 1;

/// Batches that a block can have at most.
pub const MAX_BATCHES: u32 = 64;

/// What a folder was made for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// [`FORMAT`].
    pub format: u32,
    /// Name of the batch shape.
    pub shape: String,
    /// Batches in a block.
    pub batches_per_block: usize,
    /// Identity of the batch circuit.
    pub batch_circuit_id: CircuitId,
    /// Identity of the aggregation circuit.
    pub block_circuit_id: CircuitId,
    /// Digest of the SRS.
    pub srs: String,
    /// Somebody may know the secret of the SRS.
    pub unsafe_dev_srs: bool,
    /// Chain that the blocks are for.
    pub chain_id: u64,
    /// Contract that the blocks are for.
    pub contract: Address,
    /// Policy in force.
    pub policy: Policy,
    /// L1 contract of each token, by token number.
    pub tokens: Vec<Address>,
    /// Number of blocks.
    pub blocks: usize,
}

impl Manifest {
    /// Checks that the blocks were made for these circuits, under this reference string.
    ///
    /// # Errors
    /// [`NodeError::Mismatch`] or [`NodeError::WrongMark`] with what differs.
    pub fn made_for(
        &self,
        srs: Digest,
        unsafe_srs: bool,
        batch_circuit_id: CircuitId,
        block_circuit_id: CircuitId,
    ) -> Result<(), NodeError> {
        let same = |what, found: &str, expected: &str| match found == expected {
            true => Ok(()),
            false => {
                Err(NodeError::Mismatch { what, found: found.into(), expected: expected.into() })
            }
        };
        same("reference string", &self.srs, &srs.to_string())?;
        if self.unsafe_dev_srs != unsafe_srs {
            return Err(NodeError::WrongMark { says: self.unsafe_dev_srs, srs: self.srs.clone() });
        }
        for (what, found, expected) in [
            ("batch circuit", self.batch_circuit_id, batch_circuit_id),
            ("block circuit", self.block_circuit_id, block_circuit_id),
        ] {
            same(what, &found.to_string(), &expected.to_string())?;
        }
        Ok(())
    }

    /// Checks that a block was proven for the manifest's chain and contract, under its policy.
    ///
    /// # Errors
    /// [`NodeError::Tampered`] with what differs.
    pub fn describes(&self, number: usize, header: &Header) -> Result<(), NodeError> {
        let same = |what, same: bool| match same {
            true => Ok(()),
            false => Err(NodeError::Tampered { block: number, what }),
        };
        let domain = domain(self.chain_id, self.contract);
        same("the manifest's chain or contract", header.domain == domain)?;
        let root = self.policy.root();
        same("the manifest's policy", header.policy_root == root)
    }
}

/// A folder of proven blocks.
#[derive(Debug, Clone)]
pub struct BlockDir {
    path: PathBuf,
}

/// One block as it stands in the folder.
#[derive(Debug, Clone)]
pub struct StoredBlock {
    /// Its claims.
    pub header: Header,
    /// Posted bytes, those in calldata.
    pub data: Vec<u8>,
    /// The blobs with the rest, in order; none if all is in calldata.
    pub blobs: Arc<[Sidecar]>,
    /// Proof of each batch.
    pub batches: Vec<BatchProof>,
    /// The final proof.
    pub proof: BlockProof,
}

impl StoredBlock {
    /// What it posts.
    pub fn posted(&self) -> PostedData<'_> {
        PostedData { data: &self.data, blobs: &self.blobs }
    }
}

impl BlockDir {
    /// The folder at `path`.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// Its path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Path of a block's file.
    pub fn file(&self, block: usize, kind: &str) -> PathBuf {
        self.path.join(format!("{block:04}.{kind}"))
    }

    /// Whether there is a manifest.
    pub fn has_manifest(&self) -> bool {
        self.path.join("manifest.json").exists()
    }

    /// Checks that the folder holds no blocks.
    ///
    /// # Errors
    /// [`NodeError::FolderInUse`].
    pub fn check_unused(&self) -> Result<(), NodeError> {
        if self.has_manifest() {
            return Err(NodeError::FolderInUse { path: self.path.display().to_string() });
        }
        Ok(())
    }

    /// Creates the folder, and tries whether there is room for a block: better now than after the
    /// minutes that its proof takes.
    ///
    /// # Errors
    /// If it cannot be created, or is on a full disk.
    pub fn create(&self) -> Result<(), NodeError> {
        remove_dead(&self.path);
        Ok(check_room(&self.path, SPACE)?)
    }

    fn io(&self, path: &Path, source: std::io::Error) -> NodeError {
        NodeError::Io { path: path.display().to_string(), source }
    }

    /// Reads a file.
    ///
    /// # Errors
    /// [`NodeError::Missing`] or [`NodeError::Io`].
    pub fn read(&self, path: &Path) -> Result<Vec<u8>, NodeError> {
        std::fs::read(path).map_err(|e| match e.kind() {
            std::io::ErrorKind::NotFound => NodeError::Missing { path: path.display().to_string() },
            _ => self.io(path, e),
        })
    }

    fn read_json<T: DeserializeOwned>(&self, path: &Path) -> Result<T, NodeError> {
        serde_json::from_slice(&self.read(path)?).map_err(|e| NodeError::Malformed {
            path: path.display().to_string(),
            why: e.to_string(),
        })
    }

    fn write_json(&self, path: &Path, value: &impl Serialize) -> Result<(), NodeError> {
        Ok(write_bytes_atomic(path, &json_bytes(path, value)?)?)
    }

    /// A file has one spelling: whatever changes a byte of it is noticed, even where the value
    /// would stay the same (a blank for a line break, a capital digit).
    fn check_spelling(&self, path: &Path, expected: &[u8]) -> Result<(), NodeError> {
        if self.read(path)? == expected {
            return Ok(());
        }
        Err(NodeError::Malformed {
            path: path.display().to_string(),
            why: "not spelled as `bastion prove` writes it".into(),
        })
    }

    /// Reads the manifest.
    ///
    /// # Errors
    /// If it is missing, malformed or of another format.
    pub fn manifest(&self) -> Result<Manifest, NodeError> {
        #[derive(Deserialize)]
        struct Versioned {
            format: u32,
        }
        let path = self.path.join("manifest.json");
        // The format first: the fields of another one may differ.
        let Versioned { format } = self.read_json(&path)?;
        if format != FORMAT {
            return Err(NodeError::Mismatch {
                what: "format of the folder",
                found: format.to_string(),
                expected: FORMAT.to_string(),
            });
        }
        self.read_json(&path)
    }

    /// Writes the manifest: last, so that a folder with a manifest is whole.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn write_manifest(&self, manifest: &Manifest) -> Result<(), NodeError> {
        self.write_json(&self.path.join("manifest.json"), manifest)
    }

    /// Writes a block with the proofs of its batches.
    ///
    /// # Errors
    /// If a file cannot be written.
    pub fn write_block(
        &self,
        number: usize,
        block: &Block,
        proven: &ProvenBlock,
    ) -> Result<(), NodeError> {
        self.write_json(&self.file(number, "header.json"), &block.header)?;
        write_bytes_atomic(&self.file(number, "data"), &block.data)?;
        for (i, blob) in block.blobs.iter().enumerate() {
            write_bytes_atomic(&self.file(number, &blob_kind(i)), blob.blob())?;
        }
        for (i, proof) in proven.batches.iter().enumerate() {
            let path = self.file(number, &format!("batch-{i}.json"));
            write_bytes_atomic(&path, &proof.to_json()?)?;
        }
        let path = self.file(number, "proof.json");
        Ok(write_bytes_atomic(&path, &proven.proof.to_json()?)?)
    }

    /// Reads a block with the proofs of its batches.
    ///
    /// # Errors
    /// If a file is missing or malformed.
    pub fn read_block(&self, number: usize) -> Result<StoredBlock, NodeError> {
        let path = self.file(number, "header.json");
        let header: Header = self.read_json(&path)?;
        self.check_spelling(&path, &json_bytes(&path, &header)?)?;
        let data = self.read(&self.file(number, "data"))?;
        let blobs = self.read_blobs(number)?;
        if header.batches > MAX_BATCHES {
            return Err(NodeError::Tampered { block: number, what: "the number of batches" });
        }
        let batches = (0..header.batches)
            .map(|i| {
                let path = self.file(number, &format!("batch-{i}.json"));
                let proof = BatchProof::from_json(&self.read(&path)?);
                let proof = proof.map_err(|e| of_the_folder(number, e.into()))?;
                self.check_spelling(&path, &proof.to_json()?)?;
                Ok(proof)
            })
            .collect::<Result<_, NodeError>>()?;
        let path = self.file(number, "proof.json");
        let proof = BlockProof::from_json(&self.read(&path)?);
        let proof = proof.map_err(|e| of_the_folder(number, e.into()))?;
        self.check_spelling(&path, &proof.to_json()?)?;
        Ok(StoredBlock { header, data, blobs, batches, proof })
    }

    /// The blobs of a block: as many as there are, from 0 on. If one was left out, the proof is about others.
    fn read_blobs(&self, number: usize) -> Result<Arc<[Sidecar]>, NodeError> {
        let mut blobs = Vec::new();
        for i in 0..MAX_BLOBS {
            let path = self.file(number, &blob_kind(i));
            let bytes = match self.read(&path) {
                Ok(bytes) => bytes,
                Err(NodeError::Missing { .. }) => break,
                Err(other) => return Err(other),
            };
            let sidecar = Sidecar::new(&bytes).map_err(|e| NodeError::Malformed {
                path: path.display().to_string(),
                why: e.to_string(),
            });
            blobs.push(sidecar?);
        }
        Ok(blobs.into())
    }
}

/// How the files of a block's blobs end.
fn blob_kind(i: usize) -> String {
    format!("blob-{i}")
}

fn json_bytes(path: &Path, value: &impl Serialize) -> Result<Vec<u8>, NodeError> {
    let mut json = serde_json::to_vec_pretty(value).map_err(|e| NodeError::Malformed {
        path: path.display().to_string(),
        why: e.to_string(),
    })?;
    json.push(b'\n');
    Ok(json)
}

/// The manifest fixes the versions of everything in the folder: a proof of another version was
/// changed after it was written.
fn of_the_folder(block: usize, error: NodeError) -> NodeError {
    if error.class() == ErrorClass::Mismatch {
        return NodeError::Tampered { block, what: "the version of a proof" };
    }
    error
}
