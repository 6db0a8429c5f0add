//! Files that are never half written, and the digests that name and guard them.

mod lock;
mod temporary;

use std::{
    fmt,
    fs::{self, File},
    io::{self, BufWriter, Write},
    path::Path,
    str::FromStr,
};

use blake2::{digest::consts::U32, Blake2b, Digest as _};
use serde::{de::Error as _, Deserialize, Deserializer, Serialize, Serializer};
use tempfile::NamedTempFile;
use tracing::warn;

use crate::{ProverError, Result};
pub use lock::Making;
pub use temporary::{check_room, remove_dead};

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
        text.parse().map_err(|error| D::Error::custom(format!("`{text}` is not a digest: {error}")))
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
    put(path, fill, |temporary| {
        temporary.persist(path).map_err(|e| e.error)?;
        Ok(true)
    })
    .map(drop)
}

/// As [`write_atomic`], but the first one wins: if `path` exists in the end, whoever made it, it is
/// left as it is and the answer is false.
///
/// # Errors
/// As [`write_atomic`].
pub fn write_new(path: &Path, fill: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<bool> {
    put(path, fill, |temporary| match temporary.persist_noclobber(path) {
        Ok(_) => Ok(true),
        Err(e) if e.error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
        Err(e) => Err(e.error),
    })
}

/// [`write_atomic`] for bytes that are at hand.
///
/// # Errors
/// As [`write_atomic`].
pub fn write_bytes_atomic(path: &Path, bytes: &[u8]) -> Result<()> {
    write_atomic(path, |out| out.write_all(bytes))
}

fn put(
    path: &Path,
    fill: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    place: impl FnOnce(NamedTempFile) -> io::Result<bool>,
) -> Result<bool> {
    let dir = parent(path);
    fs::create_dir_all(dir).map_err(|e| ProverError::io("create directory", dir, e))?;
    let written = temporary::create(dir).and_then(|mut temporary| {
        let mut out = BufWriter::with_capacity(1 << 20, temporary.as_file_mut());
        fill(&mut out)?;
        out.flush()?;
        drop(out);
        temporary.as_file().sync_all()?;
        let placed = place(temporary)?;
        File::open(dir)?.sync_all()?;
        Ok(placed)
    });
    written.map_err(|error| ProverError::io("write", path, error))
}

/// The directory that holds `path`.
fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(dir) if !dir.as_os_str().is_empty() => dir,
        _ => Path::new("."),
    }
}

/// What becomes of good work whose product cannot be stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Storing {
    /// To store it is the purpose: the work has failed.
    Required,
    /// The product is used once, and made again next time: a warning.
    BestEffort,
}

impl Storing {
    /// The outcome of storing `what`.
    ///
    /// # Errors
    /// The error given, if storing is required.
    pub fn outcome<E: fmt::Display>(
        self,
        what: &str,
        stored: Result<(), E>,
    ) -> std::result::Result<(), E> {
        match (self, stored) {
            (Self::BestEffort, Err(error)) => {
                warn!(%error, "{what} cannot be stored; the next start makes it again");
                Ok(())
            }
            (_, stored) => stored,
        }
    }
}

#[cfg(test)]
mod tests;
