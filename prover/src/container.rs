//! The outer format of our binary files: header, payload, digest.
//!
//! ```text
//! magic        8 bytes   kind of file
//! version      u32 LE    format version of that kind
//! header_len   u32 LE    at most 64 KiB
//! header       JSON, UTF-8
//! payload      the rest, but for the last 32 bytes
//! digest       BLAKE2b-256 of everything before it
//! ```
//!
//! The digest detects damage (truncation, flipped bits, a disk that lies). It does not
//! authenticate: whoever can write the file can write the digest too. Therefore readers of
//! the payload check the mathematics as well wherever it matters.

use std::{
    fs::File,
    io::{self, BufReader, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

use blake2::Digest as _;
use serde::{de::DeserializeOwned, Serialize};

use crate::{
    artifact::{write_atomic, write_new, Blake2b256},
    ProverError, Result,
};

const FIXED_LEN: u64 = 16;
const DIGEST_LEN: u64 = 32;
const MAX_HEADER_LEN: u32 = 1 << 16;
const BUFFER: usize = 1 << 20;

/// A kind of file: how it begins and what it is called in messages.
pub(crate) struct Kind {
    pub(crate) magic: [u8; 8],
    pub(crate) version: u32,
    pub(crate) name: &'static str,
    /// What to do when the file is missing.
    pub(crate) remedy: &'static str,
}

/// A file whose digest has been checked, positioned at its payload.
pub(crate) struct Opened<H> {
    pub(crate) header: H,
    pub(crate) payload_len: u64,
    pub(crate) payload: io::Take<BufReader<File>>,
    kind: &'static Kind,
    path: PathBuf,
}

impl<H> Opened<H> {
    /// The error for a payload that is not what the header promises.
    pub(crate) fn damaged(&self, reason: impl Into<String>) -> ProverError {
        damaged(self.kind, &self.path, reason)
    }

    /// The whole payload, which must have exactly `expected` bytes.
    pub(crate) fn read_payload(&mut self, expected: u64) -> Result<Vec<u8>> {
        if self.payload_len != expected {
            return Err(self
                .damaged(format!("payload has {} bytes, expected {expected}", self.payload_len)));
        }
        let mut bytes = Vec::with_capacity(expected as usize);
        self.payload.read_to_end(&mut bytes).map_err(|e| ProverError::io("read", &self.path, e))?;
        Ok(bytes)
    }
}

/// Writes a file of this kind atomically.
pub(crate) fn write<H: Serialize>(
    path: &Path,
    kind: &Kind,
    header: &H,
    payload: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<()> {
    write_atomic(path, |out| fill(out, kind, header, payload))
}

/// As [`write`], unless `path` exists: then the answer is false.
pub(crate) fn write_once<H: Serialize>(
    path: &Path,
    kind: &Kind,
    header: &H,
    payload: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<bool> {
    write_new(path, |out| fill(out, kind, header, payload))
}

fn fill<H: Serialize>(
    out: &mut dyn Write,
    kind: &Kind,
    header: &H,
    payload: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> io::Result<()> {
    let header = serde_json::to_vec(header)?;
    let header_len = u32::try_from(header.len())
        .ok()
        .filter(|len| *len <= MAX_HEADER_LEN)
        .ok_or_else(|| io::Error::other("header over 64 KiB"))?;
    let mut out = HashingWriter { inner: out, hasher: Blake2b256::new() };
    out.write_all(&kind.magic)?;
    out.write_all(&kind.version.to_le_bytes())?;
    out.write_all(&header_len.to_le_bytes())?;
    out.write_all(&header)?;
    payload(&mut out)?;
    let HashingWriter { inner, hasher } = out;
    inner.write_all(&hasher.finalize())
}

/// Opens a file of this kind and checks magic, version and digest before anything is parsed.
///
/// The file is read twice (digest, then content) through one descriptor, so a key of many
/// gigabytes needs no buffer of its size. A replacement by rename in between is harmless: the
/// descriptor stays with the file that was checked.
pub(crate) fn open<H: DeserializeOwned>(path: &Path, kind: &'static Kind) -> Result<Opened<H>> {
    let read_error = |e| ProverError::io("read", path, e);
    let (mut file, header_len, body_len) = begin(path, kind)?;
    let hashed_len = FIXED_LEN + body_len;
    file.seek(SeekFrom::Start(0)).map_err(read_error)?;
    let (computed, stored) = digests(&mut file, hashed_len).map_err(read_error)?;
    if computed != stored {
        let (computed, stored) = (hex::encode(computed), hex::encode(stored));
        return Err(damaged(kind, path, format!("digest is {computed}, the file says {stored}")));
    }
    file.seek(SeekFrom::Start(FIXED_LEN)).map_err(read_error)?;
    let header = header(&mut file, header_len, kind, path)?;
    let payload_len = body_len - u64::from(header_len);
    Ok(Opened {
        header,
        payload_len,
        payload: BufReader::with_capacity(BUFFER, file).take(payload_len),
        kind,
        path: path.to_owned(),
    })
}

/// The header alone, for a choice among files; [`open`] finds out later whether the file is whole.
pub(crate) fn peek<H: DeserializeOwned>(path: &Path, kind: &'static Kind) -> Result<H> {
    let (mut file, header_len, _) = begin(path, kind)?;
    header(&mut file, header_len, kind, path)
}

/// Opens a file and reads up to the header: its length, and that of header and payload together.
fn begin(path: &Path, kind: &'static Kind) -> Result<(File, u32, u64)> {
    let read_error = |e| ProverError::io("read", path, e);
    let mut file = File::open(path).map_err(|e| match e.kind() {
        io::ErrorKind::NotFound => ProverError::MissingArtifact {
            what: kind.name,
            path: path.to_owned(),
            remedy: kind.remedy.to_owned(),
        },
        _ => read_error(e),
    })?;
    let len = file.metadata().map_err(read_error)?.len();
    if len < FIXED_LEN + DIGEST_LEN {
        return Err(damaged(kind, path, format!("{len} bytes are too few")));
    }
    let mut fixed = [0u8; FIXED_LEN as usize];
    file.read_exact(&mut fixed).map_err(read_error)?;
    let [m0, m1, m2, m3, m4, m5, m6, m7, v0, v1, v2, v3, h0, h1, h2, h3] = fixed;
    if [m0, m1, m2, m3, m4, m5, m6, m7] != kind.magic {
        return Err(damaged(kind, path, "it does not begin with the magic bytes"));
    }
    let version = u32::from_le_bytes([v0, v1, v2, v3]);
    let header_len = u32::from_le_bytes([h0, h1, h2, h3]);
    if version != kind.version {
        return Err(ProverError::FormatVersion {
            what: kind.name,
            expected: kind.version,
            got: version,
        });
    }
    let body_len = len - FIXED_LEN - DIGEST_LEN;
    if header_len > MAX_HEADER_LEN || u64::from(header_len) > body_len {
        return Err(damaged(kind, path, format!("header of {header_len} bytes does not fit")));
    }
    Ok((file, header_len, body_len))
}

fn header<H: DeserializeOwned>(
    file: &mut File,
    header_len: u32,
    kind: &'static Kind,
    path: &Path,
) -> Result<H> {
    let mut header = vec![0; header_len as usize];
    file.read_exact(&mut header).map_err(|e| ProverError::io("read", path, e))?;
    serde_json::from_slice(&header)
        .map_err(|e| damaged(kind, path, format!("header cannot be read: {e}")))
}

fn digests(file: &mut File, hashed_len: u64) -> io::Result<([u8; 32], [u8; 32])> {
    let mut hasher = Blake2b256::new();
    let mut buffer = vec![0; BUFFER];
    let mut left = hashed_len;
    while left > 0 {
        let want = left.min(BUFFER as u64) as usize;
        file.read_exact(&mut buffer[..want])?;
        hasher.update(&buffer[..want]);
        left -= want as u64;
    }
    let mut stored = [0; DIGEST_LEN as usize];
    file.read_exact(&mut stored)?;
    Ok((hasher.finalize().into(), stored))
}

fn damaged(kind: &Kind, path: &Path, reason: impl Into<String>) -> ProverError {
    ProverError::DamagedArtifact { what: kind.name, path: path.to_owned(), reason: reason.into() }
}

struct HashingWriter<'a> {
    inner: &'a mut dyn Write,
    hasher: Blake2b256,
}

impl Write for HashingWriter<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(bytes)?;
        self.hasher.update(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    static KIND: Kind =
        Kind { magic: *b"TESTFILE", version: 3, name: "test file", remedy: "write it" };

    fn sample(dir: &Path) -> PathBuf {
        let path = dir.join("sample");
        write(&path, &KIND, &"header", |out| out.write_all(b"payload")).unwrap();
        path
    }

    #[test]
    fn reads_back_what_was_written() {
        let dir = tempfile::tempdir().unwrap();
        let mut opened = open::<String>(&sample(dir.path()), &KIND).unwrap();
        assert_eq!(opened.header, "header");
        assert_eq!(opened.read_payload(7).unwrap(), b"payload");
    }

    /// Every bit of the file and every prefix of it: an error each time, and never a panic.
    #[test]
    fn every_flipped_bit_and_every_truncation_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = sample(dir.path());
        let good = std::fs::read(&path).unwrap();
        for bit in 0..good.len() * 8 {
            let mut bad = good.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            std::fs::write(&path, &bad).unwrap();
            assert!(open::<String>(&path, &KIND).is_err(), "bit {bit}");
        }
        for len in 0..good.len() {
            std::fs::write(&path, &good[..len]).unwrap();
            assert!(open::<String>(&path, &KIND).is_err(), "length {len}");
        }
    }

    #[test]
    fn a_newer_version_and_a_missing_file_have_their_own_errors() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("sample");
        let error = open::<String>(&path, &KIND).err().unwrap();
        assert!(matches!(error, ProverError::MissingArtifact { .. }), "{error}");
        let newer = Kind { version: 4, ..KIND };
        write(&path, &newer, &"", |_| Ok(())).unwrap();
        let error = open::<String>(&path, &KIND).err().unwrap();
        assert!(matches!(error, ProverError::FormatVersion { expected: 3, got: 4, .. }), "{error}");
    }
}
