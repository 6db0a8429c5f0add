//! Inputs and proofs as files that are named by the digest of their bytes: written whole or not at all,
//! checked whenever they are read, and never changed.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use bastion_prover::artifact::{write_bytes_atomic, Digest};

use super::JobError;

/// A folder of artifacts.
#[derive(Debug, Clone)]
pub struct Artifacts {
    dir: PathBuf,
}

impl Artifacts {
    /// The artifacts in `dir`.
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        Self { dir: dir.into() }
    }

    /// Writes an artifact, synced, unless it is there. One that was damaged is replaced.
    ///
    /// # Errors
    /// [`JobError::Storage`], for a full disk among others: then nothing is there.
    pub fn put(&self, bytes: &[u8]) -> Result<Digest, JobError> {
        let digest = Digest::of(bytes);
        let path = self.path(&digest);
        if self.get(&digest).is_err() {
            write_bytes_atomic(&path, bytes).map_err(|e| storage(&path, e))?;
        }
        Ok(digest)
    }

    /// Reads an artifact.
    ///
    /// # Errors
    /// [`JobError::Storage`] if it is missing, or not what was written.
    pub fn get(&self, digest: &Digest) -> Result<Vec<u8>, JobError> {
        let path = self.path(digest);
        let bytes = fs::read(&path).map_err(|e| storage(&path, e))?;
        match Digest::of(&bytes) == *digest {
            true => Ok(bytes),
            false => Err(storage(&path, "it is not what was written: restore it from a backup")),
        }
    }

    /// Removes an artifact that is not needed any more.
    ///
    /// # Errors
    /// [`JobError::Storage`] if it is there and cannot be removed.
    pub fn remove(&self, digest: &Digest) -> Result<(), JobError> {
        let path = self.path(digest);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(storage(&path, error)),
            _ => Ok(()),
        }
    }

    /// Two digits of the digest name a folder, so that no folder gets too large.
    fn path(&self, digest: &Digest) -> PathBuf {
        let name = digest.to_string();
        let (folder, _) = name.split_at(2);
        self.dir.join(folder).join(&name)
    }
}

fn storage(path: &Path, why: impl ToString) -> JobError {
    JobError::Storage { path: path.display().to_string(), why: why.to_string() }
}
