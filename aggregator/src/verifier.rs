//! The folder of a block circuit's verifier: what is deployed, what an auditor reads, and a
//! manifest that says what belongs together.
//!
//! | file | content |
//! |---|---|
//! | `BastionVerifier.sol` | the generated contract |
//! | `BastionVerifier.bin` | its creation code in hex, without `0x` |
//! | `description.json` | the block verifier as data, for verifiers that share no code with the prover |
//! | `batch-description.json` | the same for the proofs of single batches |
//! | `block-verifier.json` | what checks block proofs natively: [`StoredBlockVerifier`] |
//! | `batch-verifier.json` | what checks the proofs of single batches natively: [`ProofVerifier`] |
//! | `manifest.json` | [`VerifierManifest`]: circuits, SRS, compiler, code, digests of the files |

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;

use alloy_primitives::{keccak256, B256};
use bastion_contract::generate::{generate_solidity, CONTRACT_NAME};
use bastion_contract::protocol::Transcript;
use bastion_contract::{VerifierArtifact, VerifierDescription};
use bastion_protocol::CircuitId;
use bastion_prover::artifact::{remove_dead, write_bytes_atomic, Digest};
use bastion_prover::keys::{ProofVerifier, SrsPoints, VerifierKey};
use bastion_prover::srs::SrsOrigin;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::error::AggregatorError;
use crate::keys::{BlockKeys, BlockVerifier};

/// Version of the folder.
pub const FORMAT: u32 = 4;
const MANIFEST: &str = "manifest.json";
/// File of the block verifier as data.
pub const DESCRIPTION: &str = "description.json";
/// File of the batch verifier as data.
pub const BATCH_DESCRIPTION: &str = "batch-description.json";

/// File of what checks block proofs natively.
pub const BLOCK_VERIFIER: &str = "block-verifier.json";
/// File of what checks batch proofs natively.
pub const BATCH_VERIFIER: &str = "batch-verifier.json";

/// What checks block proofs natively: neither keys nor SRS.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StoredBlockVerifier {
    /// Circuit and description.
    pub verifier: BlockVerifier,
    /// The contract.
    pub contract: VerifierArtifact,
    /// The points of the SRS.
    pub points: SrsPoints,
}

/// What a verifier contract verifies, and of what it was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VerifierManifest {
    /// [`FORMAT`].
    pub format_version: u32,
    /// Shape of the batch circuit.
    pub batch_shape: String,
    /// Identity of the batch circuit.
    pub batch_circuit_id: CircuitId,
    /// Batches in a block.
    pub batches: usize,
    /// Identity of the block circuit.
    pub circuit_id: CircuitId,
    /// log2 of the rows of the block circuit.
    pub k: u32,
    /// Identity of the SRS.
    pub srs_id: Digest,
    /// True if somebody may know the secret of the SRS: for development chains alone.
    pub unsafe_srs: bool,
    /// Compiler that made the code.
    pub solc_version: String,
    /// Bytes of code on the chain.
    pub code_size: usize,
    /// Keccak-256 of the code on the chain, as `EXTCODEHASH` gives it.
    pub code_hash: B256,
    /// Digests of the other files.
    pub files: BTreeMap<String, Digest>,
}

impl VerifierManifest {
    fn of(stored: &StoredBlockVerifier, files: BTreeMap<String, Digest>) -> Self {
        let StoredBlockVerifier { verifier, contract, .. } = stored;
        Self {
            format_version: FORMAT,
            batch_shape: verifier.batch_shape.clone(),
            batch_circuit_id: verifier.batch_circuit_id,
            batches: verifier.batches,
            circuit_id: verifier.circuit_id,
            k: verifier.k,
            srs_id: verifier.srs_id,
            unsafe_srs: verifier.srs_origin == SrsOrigin::UnsafeDev,
            solc_version: contract.solc_version.clone(),
            code_size: contract.code_size,
            code_hash: keccak256(&contract.deployed_bytecode),
            files,
        }
    }

    /// Identity of the whole folder: the digest of this manifest, which holds the digests of all
    /// other files. Circuit identities alone do not bind what stands in the files.
    ///
    /// # Errors
    /// If the manifest cannot be written as JSON, which no value of this type is.
    pub fn identity(&self) -> Result<Digest, AggregatorError> {
        Ok(Digest::of(&json(self)?))
    }
}

impl StoredBlockVerifier {
    /// What checks proofs under `keys`, with the contract, which must be compiled from
    /// [`BlockKeys::description`].
    pub fn new(keys: &BlockKeys, contract: VerifierArtifact) -> Self {
        let points = SrsPoints::from(keys.deciding_key());
        Self { verifier: keys.verifier.clone(), contract, points }
    }
}

/// Writes the folder `dir`, or replaces it.
///
/// Every file is written as one step, the manifest last: without it, or with one that does not
/// describe the other files, [`read`] refuses the folder, and the next start writes it again.
///
/// # Errors
/// If the batch circuit's protocol cannot be described or files cannot be written.
pub fn export(
    stored: &StoredBlockVerifier,
    keys: &BlockKeys,
    batch: &VerifierKey,
    dir: &Path,
) -> Result<VerifierManifest, AggregatorError> {
    let files = files(stored, keys, batch)?;
    let manifest = VerifierManifest::of(stored, digests(&files));

    remove_dead(dir);
    for (name, bytes) in &files {
        write_bytes_atomic(&dir.join(name), bytes)?;
    }
    write_bytes_atomic(&dir.join(MANIFEST), &json(&manifest)?)?;
    Ok(manifest)
}

/// What stands in the files besides the manifest.
fn files(
    stored: &StoredBlockVerifier,
    keys: &BlockKeys,
    batch: &VerifierKey,
) -> Result<Vec<(String, Vec<u8>)>, AggregatorError> {
    let contract = &stored.contract;
    let batches = VerifierDescription::from_protocol(batch.protocol(), &batch.deciding_key())?;
    let contents = [
        contract.solidity.clone().into_bytes(),
        bytecode_file(contract),
        json(&keys.description().to_document())?,
        json(&batches.to_document(Transcript::Poseidon))?,
        json(stored)?,
        json(batch.proofs())?,
    ];
    Ok(required().into_iter().zip(contents).collect())
}

fn bytecode_file(contract: &VerifierArtifact) -> Vec<u8> {
    hex::encode(&contract.bytecode).into_bytes()
}

fn digests(files: &[(String, Vec<u8>)]) -> BTreeMap<String, Digest> {
    files.iter().map(|(name, bytes)| (name.clone(), Digest::of(bytes))).collect()
}

/// The block verifier of the folder `dir`, if the folder is the one that [`export`] writes for `keys`:
/// every file follows from the keys, but for what the compiler made of the contract's source. Only
/// compiling it again tells whether that is right.
pub fn find(dir: &Path, keys: &BlockKeys, batch: &VerifierKey) -> Option<StoredBlockVerifier> {
    let manifest = read(dir).ok()?;
    let solidity = generate_solidity(keys.description()).ok()?;
    let stored: StoredBlockVerifier = read_json(&dir.join(BLOCK_VERIFIER)).ok()?;
    let own = StoredBlockVerifier::new(keys, stored.contract);
    let files = files(&own, keys, batch).ok()?;
    let same = own.contract.solidity == solidity
        && manifest == VerifierManifest::of(&own, digests(&files));
    same.then_some(own)
}

/// Reads the manifest of a folder and checks the other files against it.
///
/// The digests detect damage and mixtures; they do not authenticate. Compare
/// [`VerifierManifest::identity`] with that of a folder that you made, or of somebody you trust.
///
/// # Errors
/// [`AggregatorError::FormatVersion`] for a folder of another version, otherwise
/// [`AggregatorError::Damaged`] or the error of the file system.
pub fn read(dir: &Path) -> Result<VerifierManifest, AggregatorError> {
    #[derive(Deserialize)]
    struct Versioned {
        format_version: u32,
    }
    let path = dir.join(MANIFEST);
    let damaged = |e: serde_json::Error| AggregatorError::damaged(&path, e.to_string());
    let bytes = fs::read(&path).map_err(|e| AggregatorError::io("read", &path, e))?;
    let version: Versioned = serde_json::from_slice(&bytes).map_err(damaged)?;
    if version.format_version != FORMAT {
        return Err(AggregatorError::FormatVersion {
            what: "the verifier's manifest",
            expected: FORMAT,
            got: version.format_version,
        });
    }
    let manifest: VerifierManifest = serde_json::from_slice(&bytes).map_err(damaged)?;
    // A file that no digest stands for could be any file.
    if let Some(name) = required().iter().find(|n| !manifest.files.contains_key(*n)) {
        return Err(AggregatorError::damaged(&path, format!("it has no digest of `{name}`")));
    }
    for (name, digest) in &manifest.files {
        // Names are from the file: they must not lead out of the folder.
        if Path::new(name).file_name() != Some(name.as_ref()) {
            return Err(AggregatorError::damaged(&path, format!("`{name}` is no file name")));
        }
        let file = dir.join(name);
        let bytes = fs::read(&file).map_err(|e| AggregatorError::io("read", &file, e))?;
        if Digest::of(&bytes) != *digest {
            return Err(AggregatorError::damaged(
                &file,
                "it is not the file that its manifest describes",
            ));
        }
    }
    Ok(manifest)
}

/// Reads a folder with what checks proofs natively.
///
/// # Errors
/// Those of [`read`], and [`AggregatorError::Damaged`] for a file that is not what it should be.
pub fn read_verifiers(
    dir: &Path,
) -> Result<(VerifierManifest, StoredBlockVerifier, ProofVerifier), AggregatorError> {
    let manifest = read(dir)?;
    let block: StoredBlockVerifier = read_json(&dir.join(BLOCK_VERIFIER))?;
    let batch: ProofVerifier = read_json(&dir.join(BATCH_VERIFIER))?;
    let own = manifest == VerifierManifest::of(&block, manifest.files.clone())
        && batch.circuit_id == manifest.batch_circuit_id
        && batch.points == block.points
        && manifest.files.get(&format!("{CONTRACT_NAME}.sol"))
            == Some(&Digest::of(block.contract.solidity.as_bytes()))
        && manifest.files.get(&format!("{CONTRACT_NAME}.bin"))
            == Some(&Digest::of(&bytecode_file(&block.contract)));
    match own {
        true => Ok((manifest, block, batch)),
        false => Err(AggregatorError::damaged(dir, "its manifest does not describe its verifiers")),
    }
}

fn read_json<T: DeserializeOwned>(path: &Path) -> Result<T, AggregatorError> {
    let bytes = fs::read(path).map_err(|e| AggregatorError::io("read", path, e))?;
    from_deep_json(&bytes).map_err(|reason| AggregatorError::damaged(path, reason))
}

/// Deepest nesting that is read. The expressions of a protocol are trees of some hundred levels.
const DEPTH: usize = 1_024;

/// Reads JSON that is nested deeper than serde_json's limit of 128: on a stack that grows, and no
/// deeper than [`DEPTH`], so that a file made for it cannot exhaust the memory.
fn from_deep_json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, String> {
    let (mut depth, mut quoted, mut escaped) = (0_usize, false, false);
    for byte in bytes {
        match (quoted, byte) {
            (true, _) if escaped => escaped = false,
            (true, b'\\') => escaped = true,
            (_, b'"') => quoted = !quoted,
            (false, b'[' | b'{') => depth += 1,
            (false, b']' | b'}') => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > DEPTH {
            return Err(format!("it is nested deeper than {DEPTH} levels"));
        }
    }
    let mut json = serde_json::Deserializer::from_slice(bytes);
    json.disable_recursion_limit();
    let value = T::deserialize(serde_stacker::Deserializer::new(&mut json));
    let value = value.map_err(|e| e.to_string())?;
    json.end().map_err(|e| e.to_string())?;
    Ok(value)
}

/// Files that every folder has besides its manifest.
fn required() -> [String; 6] {
    [
        format!("{CONTRACT_NAME}.sol"),
        format!("{CONTRACT_NAME}.bin"),
        DESCRIPTION.to_owned(),
        BATCH_DESCRIPTION.to_owned(),
        BLOCK_VERIFIER.to_owned(),
        BATCH_VERIFIER.to_owned(),
    ]
}

fn json(value: &impl Serialize) -> Result<Vec<u8>, AggregatorError> {
    let mut bytes = serde_json::to_vec_pretty(value)
        .map_err(|e| AggregatorError::io("write", Path::new(MANIFEST), io::Error::other(e)))?;
    bytes.push(b'\n');
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use bastion_prover::ErrorClass;

    #[test]
    fn deep_json_is_read_up_to_a_limit() {
        #[derive(Deserialize)]
        struct Nested(Vec<Nested>);
        let nested = |n: usize| format!("{}{}", "[".repeat(n), "]".repeat(n));
        let mut read: Nested = from_deep_json(nested(DEPTH).as_bytes()).unwrap();
        let mut depth = 1;
        while let Some(inner) = read.0.pop() {
            (read, depth) = (inner, depth + 1);
        }
        assert_eq!(depth, DEPTH);
        let deeper = from_deep_json::<Nested>(nested(DEPTH + 1).as_bytes());
        assert!(deeper.is_err_and(|why| why.contains("deeper than 1024")));
        let brackets = format!("\"{}\\\"{}\"", "[".repeat(9_999), "{".repeat(9_999));
        assert!(from_deep_json::<String>(brackets.as_bytes()).is_ok());
        assert!(from_deep_json::<Nested>(b"[] []").is_err());
    }

    /// Writes a folder whose manifest lists all files but one; returns what reading it says.
    fn without(left_out: Option<&str>) -> Result<VerifierManifest, AggregatorError> {
        let dir = tempfile::tempdir().unwrap();
        let mut files = BTreeMap::new();
        for name in required() {
            fs::write(dir.path().join(&name), &name).unwrap();
            files.insert(name.clone(), Digest::of(name.as_bytes()));
        }
        if let Some(name) = left_out {
            files.remove(name).unwrap();
        }
        let manifest = VerifierManifest {
            format_version: FORMAT,
            batch_shape: "tiny".into(),
            batch_circuit_id: CircuitId::new([1; 32]),
            batches: 1,
            circuit_id: CircuitId::new([2; 32]),
            k: 20,
            srs_id: Digest::of(b"srs"),
            unsafe_srs: true,
            solc_version: "0.8.30".into(),
            code_size: 1,
            code_hash: keccak256([1]),
            files,
        };
        fs::write(dir.path().join(MANIFEST), json(&manifest).unwrap()).unwrap();
        read(dir.path())
    }

    #[test]
    fn files_that_must_be_there_must_be_listed() {
        without(None).unwrap();
        for name in required() {
            let error = without(Some(&name)).unwrap_err();
            assert_eq!(error.class(), ErrorClass::Missing, "{error}");
            assert!(error.to_string().contains(&name), "{error}");
        }
    }
}
