//! A folder of blobs: files of 131,072 bytes, named by their versioned hashes (`0x` and 64 digits). A node
//! keeps its own in one; a copy of it is an archive.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use bastion_prover::artifact::{write_bytes_atomic, Digest};

use super::check;
use crate::error::NodeError;

/// A folder of blobs.
#[derive(Debug, Clone)]
pub struct Keep {
    dir: PathBuf,
    /// Digests of blobs that were held against their hashes, which takes long: whoever reads one again
    /// compares the digest.
    checked: Arc<Mutex<BTreeMap<[u8; 32], Digest>>>,
}

/// The name of a blob's file, and of the blob everywhere.
#[must_use]
pub fn file_name(versioned_hash: &[u8; 32]) -> String {
    format!("0x{}", hex::encode(versioned_hash))
}

impl Keep {
    /// The blobs in `dir`, which need not be there yet.
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        Self { dir: dir.into(), checked: Arc::default() }
    }

    /// The folder.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Writes a blob, synced, unless it is there as it must be.
    ///
    /// # Errors
    /// [`NodeError::BadBlob`] if it is not the blob of this hash, [`NodeError::Prover`] if it cannot be
    /// written.
    pub fn put(&self, versioned_hash: &[u8; 32], bytes: &[u8]) -> Result<(), NodeError> {
        let digest = Digest::of(bytes);
        if let Ok(Some(there)) = self.read(versioned_hash) {
            if there == bytes {
                return Ok(());
            }
        }
        self.check(versioned_hash, bytes, digest)?;
        Ok(write_bytes_atomic(&self.path(versioned_hash), bytes)?)
    }

    /// A blob, held against its hash; `None` if it is not there.
    ///
    /// # Errors
    /// [`NodeError::BadBlob`] if the file is not what was written, [`NodeError::Io`] if it cannot be read.
    pub fn get(&self, versioned_hash: &[u8; 32]) -> Result<Option<Vec<u8>>, NodeError> {
        let Some(bytes) = self.read(versioned_hash)? else { return Ok(None) };
        self.check(versioned_hash, &bytes, Digest::of(&bytes))?;
        Ok(Some(bytes))
    }

    /// The versioned hashes of all blobs that are there, in order. Files with other names are none.
    ///
    /// # Errors
    /// [`NodeError::Io`] if the folder cannot be read.
    pub fn all(&self) -> Result<BTreeSet<[u8; 32]>, NodeError> {
        let io = |source| NodeError::Io { path: self.dir.display().to_string(), source };
        let entries = match fs::read_dir(&self.dir) {
            Err(e) if e.kind() == ErrorKind::NotFound => return Ok(BTreeSet::new()),
            entries => entries.map_err(io)?,
        };
        let mut found = BTreeSet::new();
        for entry in entries {
            let name = entry.map_err(io)?.file_name();
            let digits = name.to_str().and_then(|name| name.strip_prefix("0x"));
            let mut hash = [0; 32];
            if digits.is_some_and(|d| hex::decode_to_slice(d, &mut hash).is_ok()) {
                found.insert(hash);
            }
        }
        Ok(found)
    }

    /// What the file of a blob holds, unchecked.
    pub(super) fn read(&self, versioned_hash: &[u8; 32]) -> Result<Option<Vec<u8>>, NodeError> {
        let path = self.path(versioned_hash);
        match fs::read(&path) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(e) if e.kind() == ErrorKind::NotFound => Ok(None),
            Err(source) => Err(NodeError::Io { path: path.display().to_string(), source }),
        }
    }

    fn check(&self, hash: &[u8; 32], bytes: &[u8], digest: Digest) -> Result<(), NodeError> {
        let lock = || self.checked.lock().unwrap_or_else(PoisonError::into_inner);
        if lock().get(hash) == Some(&digest) {
            return Ok(());
        }
        let from = format!("the folder {}", self.dir.display());
        check(bytes, hash).map_err(|why| NodeError::BadBlob {
            hash: file_name(hash),
            from,
            why,
        })?;
        lock().insert(*hash, digest);
        Ok(())
    }

    fn path(&self, versioned_hash: &[u8; 32]) -> PathBuf {
        self.dir.join(file_name(versioned_hash))
    }
}
