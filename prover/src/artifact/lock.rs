//! One process makes an artifact, the others wait for it.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io,
    path::Path,
};

use tracing::warn;

use super::parent;
use crate::{progress::Progress, ProverError, Result};

/// The right to make one artifact, held until it is dropped.
///
/// It is a lock of the operating system on an empty file beside the artifact, `<name>.lock`, so it
/// ends with its process, however that dies. The file stays: to remove it would let two processes
/// hold locks on two files of one name.
#[derive(Debug)]
pub struct Making {
    _lock: File,
}

impl Making {
    /// Waits until no other process makes `artifact`, and says so to `progress`. Look for the
    /// artifact afterwards: the other one has made it, unless it died.
    ///
    /// On a file system without locks it returns at once. There, too, nothing is ever half written.
    ///
    /// # Errors
    /// [`ProverError::Io`] if the directory or the lock file cannot be created.
    pub fn begin(artifact: &Path, what: &str, progress: &Progress) -> Result<Self> {
        let dir = parent(artifact);
        fs::create_dir_all(dir).map_err(|e| ProverError::io("create directory", dir, e))?;
        let mut path = artifact.as_os_str().to_owned();
        path.push(".lock");
        let path = Path::new(&path);
        let lock = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)
            .map_err(|e| ProverError::io("create", path, e))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let subject = format!("for {what}, which another process makes");
                let stage = progress.stage("waiting", subject, 1);
                wait(&lock).map_err(|e| ProverError::io("lock", path, e))?;
                stage.advance();
            }
            Err(TryLockError::Error(error)) => {
                warn!(path = %path.display(), %error, "no locks here: another process may do the same work");
            }
        }
        Ok(Self { _lock: lock })
    }
}

fn wait(lock: &File) -> io::Result<()> {
    loop {
        match lock.lock() {
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}
