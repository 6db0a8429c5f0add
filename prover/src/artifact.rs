//! Files that are never half written, and the digests that name and guard them.

use std::{
    fmt,
    fs::{self, File, OpenOptions},
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
    str::FromStr,
    sync::atomic::{AtomicU64, Ordering},
};

use blake2::{digest::consts::U32, Blake2b, Digest as _};
use serde::{de::Error as _, Deserialize, Deserializer, Serialize, Serializer};

use crate::{ProverError, Result};

/// BLAKE2b with a 32-byte output, the only hash used for files and identities here.
pub(crate) type Blake2b256 = Blake2b<U32>;

/// A BLAKE2b-256 digest. Text form: 64 lower-case hex digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Digest(pub [u8; 32]);

impl Digest {
    /// Digest of `bytes`.
    pub fn of(bytes: &[u8]) -> Self {
        Self(Blake2b256::digest(bytes).into())
    }

    /// Digest of several parts under a domain.
    ///
    /// Domain and parts are preceded by their lengths (u64, little endian), so that no two
    /// different lists give the same hash input.
    pub fn of_parts(domain: &str, parts: &[&[u8]]) -> Self {
        let mut hasher = Blake2b256::new();
        for part in std::iter::once(&domain.as_bytes()).chain(parts) {
            hasher.update((part.len() as u64).to_le_bytes());
            hasher.update(part);
        }
        Self(hasher.finalize().into())
    }

    /// The first 16 hex digits: for file names and logs, not for comparisons.
    pub fn short(&self) -> String {
        hex::encode(&self.0[..8])
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Digest {
    type Err = hex::FromHexError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(text, &mut bytes)?;
        Ok(Self(bytes))
    }
}

impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse()
            .map_err(|error| D::Error::custom(format!("`{text}` is not a digest: {error}")))
    }
}

/// Creates `path`, or replaces it, as one step.
///
/// The bytes go to a temporary file in the same directory, which is synced and then renamed
/// over `path`; at last the directory is synced. Whoever opens `path`, at whatever moment,
/// also after a power cut, finds the old content or the new one. The directory is created if
/// need be.
///
/// # Errors
/// [`ProverError::Io`] with the path. The temporary file is removed and an existing `path` is
/// left as it was.
pub fn write_atomic(
    path: &Path,
    fill: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<()> {
    let dir = match path.parent() {
        Some(dir) if !dir.as_os_str().is_empty() => dir,
        _ => Path::new("."),
    };
    fs::create_dir_all(dir).map_err(|e| ProverError::io("create directory", dir, e))?;

    let temporary = temporary_name(dir, path);
    let written = fill_and_sync(&temporary, fill)
        .and_then(|()| fs::rename(&temporary, path))
        .and_then(|()| File::open(dir)?.sync_all());
    written.map_err(|error| {
        // After a successful rename this finds nothing, which is as good.
        let _ = fs::remove_file(&temporary);
        ProverError::io("write", path, error)
    })
}

/// [`write_atomic`] for bytes that are at hand.
///
/// # Errors
/// As [`write_atomic`].
pub fn write_bytes_atomic(path: &Path, bytes: &[u8]) -> Result<()> {
    write_atomic(path, |out| out.write_all(bytes))
}

fn fill_and_sync(
    path: &Path,
    fill: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> io::Result<()> {
    let file = OpenOptions::new().write(true).create_new(true).open(path)?;
    let mut out = BufWriter::with_capacity(1 << 20, file);
    fill(&mut out)?;
    out.into_inner().map_err(|e| e.into_error())?.sync_all()
}

/// A name that no other writer uses: process id and a counter, next to the target because a
/// rename is atomic only within one file system.
fn temporary_name(dir: &Path, path: &Path) -> PathBuf {
    static COUNTER: AtomicU64 = AtomicU64::new(0);
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let serial = COUNTER.fetch_add(1, Ordering::Relaxed);
    dir.join(format!(".{name}.{}.{serial}.tmp", std::process::id()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replaces_a_file_and_leaves_nothing_behind() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("deep/er/file");
        write_bytes_atomic(&path, b"old").unwrap();
        write_bytes_atomic(&path, b"new").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
    }

    #[test]
    fn failure_keeps_the_old_file_and_names_the_path() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        write_bytes_atomic(&path, b"old").unwrap();
        let error = write_atomic(&path, |out| {
            out.write_all(b"half of the new con")?;
            Err(io::ErrorKind::StorageFull.into())
        })
        .unwrap_err();
        assert!(error.to_string().contains(path.to_str().unwrap()));
        assert_eq!(error.exit_code(), 6);
        assert_eq!(fs::read(&path).unwrap(), b"old");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    /// `/dev/full` refuses every write with ENOSPC, as a full disk does.
    #[test]
    #[cfg(target_os = "linux")]
    fn a_full_disk_is_recognised() {
        let error = OpenOptions::new()
            .write(true)
            .open("/dev/full")
            .and_then(|mut file| file.write_all(b"x"))
            .unwrap_err();
        assert_eq!(
            ProverError::io("write", Path::new("x"), error).exit_code(),
            6
        );
    }

    #[test]
    fn parts_cannot_be_shifted_into_each_other() {
        let one = Digest::of_parts("d", &[b"ab", b"c"]);
        assert_ne!(one, Digest::of_parts("d", &[b"a", b"bc"]));
        assert_ne!(one, Digest::of_parts("da", &[b"b", b"c"]));
        assert_eq!(one.to_string().parse::<Digest>().unwrap(), one);
        assert!("12".parse::<Digest>().is_err());
    }
}
