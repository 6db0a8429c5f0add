//! What is known, on disk: one line for each thing that happened, with a checksum before it.
//!
//! A line counts once the file is synchronised. A process that dies in between leaves half a line at the
//! end, which nobody was told of: it is cut off. Damage anywhere else is an error.

use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};

use bastion_protocol::hash::keccak;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tracing::warn;

use super::state::{Key, Maker};
use crate::sharing::error::SharingError;
use crate::sharing::stix::MOST_OBJECT;

/// Letters of a checksum.
const SUM: usize = 16;
/// Bytes of a line at most: text may take several letters where the canonical form takes one.
const MOST_LINE: u64 = 8 * MOST_OBJECT as u64;

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(in crate::sharing) enum Record {
    /// A version came.
    Add {
        collection: String,
        /// In microseconds since 1970.
        added: u64,
        maker: Maker,
        object: Value,
    },
    /// An object was withdrawn with all its versions.
    Withdraw {
        key: Key,
        /// In microseconds since 1970.
        at: u64,
    },
}

/// The file.
#[derive(Debug)]
pub(in crate::sharing) struct Journal {
    path: PathBuf,
    file: File,
    /// Held as long as the journal is open.
    _lock: File,
    /// Bytes that were written whole.
    good: u64,
    closed: bool,
}

impl Journal {
    /// Opens a journal, or makes it, and reads what is in it.
    ///
    /// # Errors
    /// [`SharingError::InUse`], [`SharingError::Damaged`] or [`SharingError::File`].
    pub fn open(path: &Path) -> Result<(Self, Vec<Record>), SharingError> {
        let failed =
            |action| move |source| SharingError::File { action, path: path.to_owned(), source };
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(failed("make the folder of"))?;
        }
        let lock = File::create(path.with_extension("lock")).map_err(failed("lock"))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(std::fs::TryLockError::WouldBlock) => {
                return Err(SharingError::InUse { path: path.to_owned() })
            }
            Err(std::fs::TryLockError::Error(source)) => return Err(failed("lock")(source)),
        }
        let file = OpenOptions::new().read(true).append(true).create(true).open(path);
        let file = file.map_err(failed("open"))?;
        let (records, good) = read(path, &file)?;
        let length = file.metadata().map_err(failed("read"))?.len();
        if length > good {
            warn!(path = %path.display(), bytes = length - good, "half a line is cut off the end");
            file.set_len(good).map_err(failed("shorten"))?;
        }
        file.sync_all().map_err(failed("synchronise"))?;
        sync_folder(path)?;
        Ok((Self { path: path.to_owned(), file, _lock: lock, good, closed: false }, records))
    }

    /// Writes records. They are on disk when this returns.
    ///
    /// # Errors
    /// [`SharingError::File`] if that fails; the journal takes nothing more then.
    pub fn append(&mut self, records: &[Record]) -> Result<(), SharingError> {
        if self.closed {
            return Err(SharingError::Closed { path: self.path.clone() });
        }
        let bytes = lines(records)?;
        let written = self.file.write_all(&bytes).and_then(|()| self.file.sync_data());
        written.map_err(|source| {
            // Nobody knows what a failed synchronisation has left on disk.
            self.closed = true;
            let _ = self.file.set_len(self.good);
            SharingError::File { action: "write", path: self.path.clone(), source }
        })?;
        self.good += bytes.len() as u64;
        Ok(())
    }

    /// Puts other records in the place of all that are there, at once or not at all.
    ///
    /// # Errors
    /// [`SharingError::File`]; what was there is still there then.
    pub fn replace(&mut self, records: &[Record]) -> Result<(), SharingError> {
        if self.closed {
            return Err(SharingError::Closed { path: self.path.clone() });
        }
        let next = self.path.with_extension("next");
        let failed = |source| SharingError::File { action: "write", path: next.clone(), source };
        let bytes = lines(records)?;
        let mut file = File::create(&next).map_err(failed)?;
        file.write_all(&bytes).and_then(|()| file.sync_all()).map_err(failed)?;
        std::fs::rename(&next, &self.path).map_err(failed)?;
        // From here on the old file is gone: what cannot be opened again must not be written to.
        self.closed = true;
        sync_folder(&self.path)?;
        self.file = OpenOptions::new().append(true).open(&self.path).map_err(failed)?;
        (self.good, self.closed) = (bytes.len() as u64, false);
        Ok(())
    }
}

fn sync_folder(path: &Path) -> Result<(), SharingError> {
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let synced = File::open(folder).and_then(|folder| folder.sync_all());
    synced.map_err(|source| SharingError::File {
        action: "synchronise the folder of",
        path: path.to_owned(),
        source,
    })
}

fn sum(json: &[u8]) -> String {
    hex::encode(&keccak(&[b"bastion.intel.journal.v1", json])[..SUM / 2])
}

fn lines(records: &[Record]) -> Result<Vec<u8>, SharingError> {
    let mut bytes = Vec::new();
    for record in records {
        let json =
            serde_json::to_vec(record).map_err(|e| SharingError::malformed("a record", e))?;
        bytes.extend_from_slice(sum(&json).as_bytes());
        bytes.push(b' ');
        bytes.extend_from_slice(&json);
        bytes.push(b'\n');
    }
    Ok(bytes)
}

/// The records of a file, and the bytes that they take.
fn read(path: &Path, file: &File) -> Result<(Vec<Record>, u64), SharingError> {
    let damaged = |line, why: String| SharingError::Damaged { path: path.to_owned(), line, why };
    let mut reader = BufReader::new(file);
    let (mut records, mut good, mut number) = (Vec::new(), 0, 0);
    loop {
        let mut line = Vec::new();
        let read = (&mut reader).take(MOST_LINE).read_until(b'\n', &mut line);
        read.map_err(|source| SharingError::File {
            action: "read",
            path: path.to_owned(),
            source,
        })?;
        if line.is_empty() {
            return Ok((records, good));
        }
        number += 1;
        match record(&line) {
            Ok(record) => records.push(record),
            Err(why) => {
                let rest = reader.fill_buf().map_or(1, <[u8]>::len);
                if rest > 0 {
                    return Err(damaged(number, why));
                }
                return Ok((records, good));
            }
        }
        good += line.len() as u64;
    }
}

fn record(line: &[u8]) -> Result<Record, String> {
    let line = line.strip_suffix(b"\n").ok_or("it has no end")?;
    let (found, json) = line.split_at_checked(SUM + 1).ok_or("it is too short")?;
    if found.strip_suffix(b" ") != Some(sum(json).as_bytes()) {
        return Err("its checksum is another".into());
    }
    serde_json::from_slice(json).map_err(|e| e.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(n: u64) -> Record {
        let object = serde_json::json!({ "n": n });
        let maker = Maker::Peer("a\nb".into());
        Record::Add { collection: "c".into(), added: n, maker, object }
    }

    fn written() -> (tempfile::TempDir, PathBuf, Vec<u8>) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/intel.journal");
        let (mut journal, records) = Journal::open(&path).unwrap();
        assert_eq!(records, []);
        journal.append(&[record(1), record(2)]).unwrap();
        journal.append(&[record(3)]).unwrap();
        drop(journal);
        let bytes = std::fs::read(&path).unwrap();
        (folder, path, bytes)
    }

    #[test]
    fn records_come_back() {
        let (_folder, path, _) = written();
        let (mut journal, records) = Journal::open(&path).unwrap();
        assert_eq!(records, [record(1), record(2), record(3)]);
        assert!(matches!(Journal::open(&path), Err(SharingError::InUse { .. })));
        journal.replace(&[record(4)]).unwrap();
        journal.append(&[record(5)]).unwrap();
        drop(journal);
        assert_eq!(Journal::open(&path).unwrap().1, [record(4), record(5)]);
    }

    #[test]
    fn a_torn_end_is_cut_off_wherever_it_is_torn() {
        let (_folder, path, bytes) = written();
        let whole = bytes[..bytes.len() - 1].iter().rposition(|b| *b == b'\n').unwrap() + 1;
        for length in whole..bytes.len() {
            std::fs::write(&path, &bytes[..length]).unwrap();
            let (mut journal, records) = Journal::open(&path).unwrap();
            assert_eq!(records, [record(1), record(2)], "{length}");
            journal.append(&[record(9)]).unwrap();
            drop(journal);
            assert_eq!(Journal::open(&path).unwrap().1, [record(1), record(2), record(9)]);
        }
        // The system may also have made room and written nothing into it.
        let mut zeros = bytes[..whole].to_vec();
        zeros.extend([0; 100]);
        std::fs::write(&path, &zeros).unwrap();
        assert_eq!(Journal::open(&path).unwrap().1.len(), 2);
    }

    #[test]
    fn damage_elsewhere_is_an_error() {
        let (_folder, path, bytes) = written();
        for at in [0, 10, 20, 60] {
            let mut damaged = bytes.clone();
            damaged[at] ^= 1;
            std::fs::write(&path, &damaged).unwrap();
            let error = Journal::open(&path).unwrap_err();
            assert!(matches!(error, SharingError::Damaged { line: 1, .. }), "{error}");
        }
    }
}
