//! Temporary files: beside their target, because a rename is atomic only within a file system.
//!
//! Their names begin with [`PREFIX`] and end in 16 random characters, and they are created only if
//! no file has that name: neither a dead process nor one with the same id in another container can
//! be in the way. Their writer holds a lock on them, which the system lifts when it dies; so whoever
//! comes later can tell the files of the dead from those of the living, and removes the former.

use std::{
    fs::{self, OpenOptions, TryLockError},
    io::{self, Write},
    path::Path,
};

use tempfile::NamedTempFile;
use tracing::{info, warn};

use crate::{ProverError, Result};

/// How the names of our temporary files begin.
pub(super) const PREFIX: &str = ".bastion-tmp-";

/// An empty temporary file in `dir`, which is removed when it is dropped.
pub(super) fn create(dir: &Path) -> io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(PREFIX).rand_bytes(16);
    // The mode of an ordinary new file, not the private one of a temporary file: it becomes one.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    loop {
        let file = builder.tempfile_in(dir)?;
        match file.as_file().try_lock() {
            Ok(()) if file.path().exists() => return Ok(file),
            // In the moment before the lock, a start elsewhere took it for one of the dead.
            Ok(()) | Err(TryLockError::WouldBlock) => {}
            // A file system without locks: there nobody is taken for dead.
            Err(TryLockError::Error(_)) => return Ok(file),
        }
    }
}

/// Removes the temporary files in `dir` whose writers are dead. What cannot be removed stays: it
/// is in nobody's way.
pub fn remove_dead(dir: &Path) {
    let Ok(entries) = fs::read_dir(dir) else {
        return;
    };
    for entry in entries.flatten() {
        let ours = entry.file_name().to_string_lossy().starts_with(PREFIX);
        if !ours || !entry.file_type().is_ok_and(|kind| kind.is_file()) {
            continue;
        }
        let path = entry.path();
        // Some file systems lock only what is open for writing.
        let Ok(file) = OpenOptions::new().read(true).write(true).open(&path) else {
            continue;
        };
        if file.try_lock().is_err() {
            continue;
        }
        match fs::remove_file(&path) {
            Ok(()) => info!(path = %path.display(), "removed what a dead process left"),
            Err(error) => warn!(path = %path.display(), %error, "cannot be removed"),
        }
    }
}

/// Checks that files can be created in `dir`, and that there is room for `bytes`: before the work
/// whose product will go there. Creates the directory.
///
/// # Errors
/// [`ProverError::Io`].
pub fn check_room(dir: &Path, bytes: usize) -> Result<()> {
    fs::create_dir_all(dir).map_err(|e| ProverError::io("create directory", dir, e))?;
    create(dir)
        .and_then(|mut file| {
            // Not zeros, which some file systems store without taking room.
            file.write_all(&vec![0xff; bytes])?;
            file.as_file().sync_all()
        })
        .map_err(|e| ProverError::io("write to", dir, e))
}
