//! The log on disk.
//!
//! A file begins with 8 bytes of magic and the 32 bytes of the genesis. A record is the length of an
//! entry's bytes (u32, big-endian), the bytes, and the 32 bytes of the head after it. A record that a
//! crash left unfinished at the end is cut off on opening; any other damage is an error.

use std::fs::{File, OpenOptions};
use std::io::{BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use super::entry::{extend, Entry, Finding, Hash};
use crate::SentinelError;

const MAGIC: &[u8; 8] = b"BSTNFND1";
/// Bytes of the file's header.
const HEADER: u64 = 40;
/// Most bytes of an entry.
pub const MAX_ENTRY: usize = 1 << 20;

/// The log: every entry is chained to all before it.
#[derive(Debug)]
pub struct FindingsLog {
    path: PathBuf,
    file: File,
    head: Hash,
    next: u64,
    length: u64,
    /// A write failed and could not be undone.
    broken: bool,
}

/// What was found on opening.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Opened {
    /// Entries.
    pub entries: u64,
    /// Bytes of an unfinished record that were cut off.
    pub cut: u64,
}

/// What a record in the file turned out to be.
enum Record {
    Whole(Vec<u8>, Hash),
    /// The file ends within it.
    Torn,
    End,
}

impl FindingsLog {
    /// Opens a log, or makes a new one, and checks all of it.
    ///
    /// # Errors
    /// [`SentinelError::File`], and [`SentinelError::Log`] if the file is of another genesis or an entry
    /// is not what its head says.
    pub fn open(path: &Path, genesis: Hash) -> Result<(Self, Opened), SentinelError> {
        Self::open_with(path, genesis, |_| {})
    }

    /// As [`FindingsLog::open`]; `visit` sees each entry.
    ///
    /// # Errors
    /// As [`FindingsLog::open`].
    pub fn open_with(
        path: &Path,
        genesis: Hash,
        visit: impl FnMut(&Entry),
    ) -> Result<(Self, Opened), SentinelError> {
        let mut options = OpenOptions::new();
        options.read(true).append(true).create(true);
        let file = options.open(path).map_err(SentinelError::file(path))?;
        let mut log = Self {
            path: path.to_owned(),
            file,
            head: genesis,
            next: 0,
            length: HEADER,
            broken: false,
        };
        let length = log.file.metadata().map_err(SentinelError::file(path))?.len();
        if length < HEADER {
            // Not even its first sync was over.
            log.start(genesis)?;
            return Ok((log, Opened { entries: 0, cut: length }));
        }
        let (head, next, good) = scan(path, genesis, visit)?;
        (log.head, log.next, log.length) = (head, next, good);
        if good < length {
            log.file.set_len(good).map_err(SentinelError::file(path))?;
            log.sync()?;
        }
        Ok((log, Opened { entries: next, cut: length - good }))
    }

    fn start(&mut self, genesis: Hash) -> Result<(), SentinelError> {
        let write = |file: &mut File| {
            file.set_len(0)?;
            file.write_all(&[MAGIC.as_slice(), &genesis.0].concat())?;
            file.sync_all()
        };
        write(&mut self.file).map_err(SentinelError::file(&self.path))?;
        // The name must survive a crash too.
        let folder = self.path.parent().filter(|p| !p.as_os_str().is_empty());
        let folder = folder.unwrap_or(Path::new("."));
        let synced = File::open(folder).and_then(|f| f.sync_all());
        synced.map_err(SentinelError::file(folder))
    }

    /// Adds a finding and returns the new head. It is on disk for sure after [`sync`](Self::sync).
    ///
    /// # Errors
    /// [`SentinelError::File`]: then the log is as before. [`SentinelError::Log`] if the entry is above
    /// [`MAX_ENTRY`], or a write failed before and could not be undone.
    pub fn append(&mut self, at_ms: u64, finding: Finding) -> Result<Hash, SentinelError> {
        let fail = |why: String| SentinelError::Log { entry: self.next, why };
        if self.broken {
            return Err(fail("an earlier write failed; open the log again".into()));
        }
        let bytes = Entry { number: self.next, at_ms, finding }.to_bytes()?;
        let length = u32::try_from(bytes.len()).ok().filter(|_| bytes.len() <= MAX_ENTRY);
        let Some(length) = length else {
            return Err(fail(format!("{} bytes, and {MAX_ENTRY} are allowed", bytes.len())));
        };
        let head = extend(self.head, &bytes);
        let record = [&length.to_be_bytes(), bytes.as_slice(), &head.0].concat();
        if let Err(source) = self.file.write_all(&record) {
            self.broken = self.file.set_len(self.length).is_err();
            return Err(SentinelError::File { path: self.path.clone(), source });
        }
        self.length += record.len() as u64;
        self.head = head;
        self.next += 1;
        Ok(head)
    }

    /// Waits until all entries are on disk.
    ///
    /// # Errors
    /// [`SentinelError::File`]. The log takes no more entries then, since the disk's state is unknown.
    pub fn sync(&mut self) -> Result<(), SentinelError> {
        let synced = self.file.sync_data();
        self.broken |= synced.is_err();
        synced.map_err(SentinelError::file(&self.path))
    }

    /// The head: it stands for all entries.
    #[must_use]
    pub fn head(&self) -> Hash {
        self.head
    }

    /// Number of entries.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.next
    }

    /// Whether it has no entry.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.next == 0
    }
}

/// The file of a log whose entries are given as they are hashed: as a node shows them to everybody.
///
/// # Errors
/// [`SentinelError::Log`] for what is no entry.
pub fn file_of<'a>(
    genesis: Hash,
    entries: impl IntoIterator<Item = &'a str>,
) -> Result<Vec<u8>, SentinelError> {
    let mut bytes = [&MAGIC[..], &genesis.0].concat();
    let mut head = genesis;
    for (entry, number) in entries.into_iter().zip(0..) {
        Entry::from_bytes(number, entry.as_bytes())?;
        head = extend(head, entry.as_bytes());
        let length = u32::try_from(entry.len())
            .map_err(|_| SentinelError::Log { entry: number, why: "it is too long".into() })?;
        bytes.extend([&length.to_be_bytes()[..], entry.as_bytes(), &head.0].concat());
    }
    Ok(bytes)
}

/// Reads a log and checks its chain. `visit` sees each entry. Returns the head and the number of
/// entries; an unfinished record at the end does not count.
///
/// # Errors
/// As [`FindingsLog::open`].
pub fn read(
    path: &Path,
    genesis: Hash,
    visit: impl FnMut(&Entry),
) -> Result<(Hash, u64), SentinelError> {
    scan(path, genesis, visit).map(|(head, count, _)| (head, count))
}

fn scan(
    path: &Path,
    genesis: Hash,
    mut visit: impl FnMut(&Entry),
) -> Result<(Hash, u64, u64), SentinelError> {
    let file = File::open(path).map_err(SentinelError::file(path))?;
    let total = file.metadata().map_err(SentinelError::file(path))?.len();
    let mut reader = BufReader::new(file);
    let mut header = [0; HEADER as usize];
    if total < HEADER {
        let why = format!("the file has {total} bytes, fewer than the {HEADER} of its header");
        return Err(SentinelError::Log { entry: 0, why });
    }
    reader.read_exact(&mut header).map_err(SentinelError::file(path))?;
    if header[..8] != MAGIC[..] || header[8..] != genesis.0 {
        let why = "the file is no log of this chain and contract".into();
        return Err(SentinelError::Log { entry: 0, why });
    }
    let (mut head, mut number, mut good) = (genesis, 0, HEADER);
    loop {
        match record(&mut reader, number, total - good).map_err(|e| e.at(path))? {
            Record::End | Record::Torn => return Ok((head, number, good)),
            Record::Whole(bytes, expected) => {
                let after = extend(head, &bytes);
                if after != expected {
                    let last = good + 36 + bytes.len() as u64 == total;
                    if last && expected == Hash::default() {
                        // Its last block never reached the disk.
                        return Ok((head, number, good));
                    }
                    let why = format!("its head is {expected}, and should be {after}");
                    return Err(SentinelError::Log { entry: number, why });
                }
                visit(&Entry::from_bytes(number, &bytes)?);
                good += 36 + bytes.len() as u64;
                number += 1;
                head = after;
            }
        }
    }
}

/// Why a record could not be read.
enum Unreadable {
    Io(std::io::Error),
    Log(SentinelError),
}

impl From<std::io::Error> for Unreadable {
    fn from(error: std::io::Error) -> Self {
        Self::Io(error)
    }
}

impl Unreadable {
    fn at(self, path: &Path) -> SentinelError {
        match self {
            Self::Io(source) => SentinelError::file(path)(source),
            Self::Log(error) => error,
        }
    }
}

fn record(reader: &mut BufReader<File>, number: u64, left: u64) -> Result<Record, Unreadable> {
    if left == 0 {
        return Ok(Record::End);
    }
    if left < 4 {
        return Ok(Record::Torn);
    }
    let mut length = [0; 4];
    reader.read_exact(&mut length)?;
    let length = u32::from_be_bytes(length) as usize;
    if length == 0 || length > MAX_ENTRY {
        // Zeros to the end: the file grew, and its content never reached the disk.
        let mut zeros = length == 0;
        let mut rest = [0; 4096];
        while zeros {
            match reader.read(&mut rest)? {
                0 => return Ok(Record::Torn),
                n => zeros = rest[..n].iter().all(|b| *b == 0),
            }
        }
        let why = format!("its length is {length}, not in 1..={MAX_ENTRY}");
        return Err(Unreadable::Log(SentinelError::Log { entry: number, why }));
    }
    if left < 36 + length as u64 {
        reader.seek(SeekFrom::End(0))?;
        return Ok(Record::Torn);
    }
    let (mut bytes, mut head) = (vec![0; length], [0; 32]);
    reader.read_exact(&mut bytes)?;
    reader.read_exact(&mut head)?;
    Ok(Record::Whole(bytes, Hash(head)))
}
