//! An append-only file of records that survives a crash.
//!
//! What is recorded waits in memory. `sync` writes it as **one frame** and syncs the file, so only the
//! last frame can be torn. A frame is: length of its body (u32, big-endian), 4 bytes of checksum over
//! frame number and length, body, 16 bytes of checksum over frame number and body. A body is records,
//! each with its length (u32) before it.
//!
//! On opening, an unfinished last frame is cut off. Any other damage is an error: a frame before the
//! last was synced, so that it is not a crash that took it.

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use super::ResponseError;

mod frame;

use frame::{frame, next, split, Next};

const MAGIC: &[u8; 8] = b"BSTNQRN1";
/// Most bytes of one frame.
pub const MAX_FRAME: usize = 64 << 20;
/// Most bytes of a journal file.
pub const MAX_FILE: u64 = 1 << 30;

/// The open file.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    file: File,
    frames: u64,
    length: u64,
    pending: Vec<u8>,
    broken: bool,
}

/// What was found on opening.
#[derive(Debug)]
pub struct Replay {
    /// The records, oldest first.
    pub records: Vec<Vec<u8>>,
    /// Bytes of an unfinished frame that were cut off.
    pub cut: u64,
}

/// Syncs the folder of a file, so that its name is durable.
pub(super) fn sync_folder(path: &Path) -> std::io::Result<()> {
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}

/// Replaces a file as a whole: a crash leaves the old or the new one.
pub(super) fn replace(path: &Path, bytes: &[u8]) -> Result<(), ResponseError> {
    let mut name = path.as_os_str().to_owned();
    name.push(".new");
    let new = PathBuf::from(name);
    let write = || {
        let mut file = File::create(&new)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        std::fs::rename(&new, path)?;
        sync_folder(path)
    };
    write().map_err(|source| ResponseError::File { path: path.to_owned(), source })
}

/// Opens or creates a file that no other process has open this way.
fn locked(path: &Path) -> std::io::Result<File> {
    let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
    file.try_lock().map_err(std::io::Error::from)?;
    Ok(file)
}

impl Journal {
    fn fail(&self, source: std::io::Error) -> ResponseError {
        ResponseError::File { path: self.path.clone(), source }
    }

    /// Opens or creates a journal, and reads it.
    ///
    /// # Errors
    /// [`ResponseError::File`]; [`ResponseError::Damaged`] if more than the last frame is damaged.
    pub fn open(path: &Path) -> Result<(Self, Replay), ResponseError> {
        let fail = |source| ResponseError::File { path: path.to_owned(), source };
        let damaged = |at, why: String| ResponseError::Damaged { path: path.to_owned(), at, why };
        let mut file = locked(path).map_err(fail)?;
        let length = file.metadata().map_err(fail)?.len();
        if length > MAX_FILE {
            return Err(damaged(0, format!("it has {length} bytes, of {MAX_FILE} at most")));
        }
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(fail)?;

        if bytes.len() < MAGIC.len() && MAGIC.starts_with(&bytes) {
            let cut = bytes.len() as u64;
            replace(path, MAGIC)?;
            let file = locked(path).map_err(fail)?;
            let journal = Self::at(path, file, 0, MAGIC.len() as u64)?;
            return Ok((journal, Replay { records: Vec::new(), cut }));
        }
        if !bytes.starts_with(MAGIC) {
            return Err(damaged(0, "it is no journal of this program".into()));
        }
        let (mut at, mut frames, mut records) = (MAGIC.len(), 0, Vec::new());
        while at < bytes.len() {
            match next(frames, &bytes[at..]) {
                Next::Whole(body, step) => {
                    let more = split(body).ok_or_else(|| {
                        damaged(at as u64, "lengths of records do not add up".into())
                    })?;
                    records.extend(more);
                    at += step;
                    frames += 1;
                }
                Next::Torn => break,
                Next::Bad(why) => return Err(damaged(at as u64, why.into())),
            }
        }
        let cut = (bytes.len() - at) as u64;
        if cut > 0 {
            file.set_len(at as u64).and_then(|()| file.sync_all()).map_err(fail)?;
        }
        Ok((Self::at(path, file, frames, at as u64)?, Replay { records, cut }))
    }

    fn at(path: &Path, file: File, frames: u64, length: u64) -> Result<Self, ResponseError> {
        let path = path.to_owned();
        let mut journal = Self { path, file, frames, length, pending: Vec::new(), broken: false };
        journal.file.seek(SeekFrom::Start(length)).map_err(|source| journal.fail(source))?;
        Ok(journal)
    }

    /// Bytes of the file, without what waits.
    #[must_use]
    pub fn length(&self) -> u64 {
        self.length
    }

    /// Bytes that wait for [`Journal::sync`].
    #[must_use]
    pub fn pending(&self) -> usize {
        self.pending.len()
    }

    /// Adds a record, in memory.
    ///
    /// # Errors
    /// [`ResponseError::Encode`] if it is too long for a frame.
    pub fn record(&mut self, record: &[u8]) -> Result<(), ResponseError> {
        let room = MAX_FRAME.saturating_sub(self.pending.len() + 4);
        let length = u32::try_from(record.len()).ok().filter(|_| record.len() <= room);
        let length = length.ok_or_else(|| ResponseError::Encode {
            why: format!("a record of {} bytes, where {room} fit", record.len()),
        })?;
        self.pending.extend(length.to_be_bytes());
        self.pending.extend(record);
        Ok(())
    }

    /// Writes what waits, and syncs it to the disk.
    ///
    /// # Errors
    /// [`ResponseError::File`]. After that nothing more is written: a failed sync cannot be repeated,
    /// since the system may have thrown the pages away.
    pub fn sync(&mut self) -> Result<(), ResponseError> {
        if self.broken {
            return Err(ResponseError::Broken { path: self.path.clone() });
        }
        if self.pending.is_empty() {
            return Ok(());
        }
        let frame = frame(self.frames, &self.pending)?;
        let written = self.file.write_all(&frame).and_then(|()| self.file.sync_data());
        if let Err(source) = written {
            self.broken = true;
            return Err(self.fail(source));
        }
        self.frames += 1;
        self.length += frame.len() as u64;
        self.pending.clear();
        Ok(())
    }

    /// Replaces the file by one with these records alone. What waits is thrown away: the records must
    /// say it.
    ///
    /// # Errors
    /// As [`Journal::sync`].
    pub fn rewrite(
        &mut self,
        records: impl IntoIterator<Item = Vec<u8>>,
    ) -> Result<(), ResponseError> {
        if self.broken {
            return Err(ResponseError::Broken { path: self.path.clone() });
        }
        let mut bytes = MAGIC.to_vec();
        let (mut frames, mut body) = (0, Vec::new());
        for record in records {
            if !body.is_empty() && body.len() + record.len() + 4 > MAX_FRAME / 16 {
                bytes.extend(frame(frames, &body)?);
                frames += 1;
                body.clear();
            }
            let length = u32::try_from(record.len())
                .map_err(|e| ResponseError::Encode { why: e.to_string() })?;
            body.extend(length.to_be_bytes());
            body.extend(record);
        }
        if !body.is_empty() {
            bytes.extend(frame(frames, &body)?);
            frames += 1;
        }
        let fresh = replace(&self.path, &bytes).and_then(|()| {
            let file = locked(&self.path).map_err(|source| self.fail(source))?;
            Self::at(&self.path, file, frames, bytes.len() as u64)
        });
        match fresh {
            Ok(fresh) => *self = fresh,
            Err(error) => {
                self.broken = true;
                return Err(error);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
