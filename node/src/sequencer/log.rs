//! The sequencer's log: what was accepted, in order, on disk before anybody is told.
//!
//! | column family | key | value |
//! |---|---|---|
//! | `entries` | number of the entry (8 bytes, big-endian) | [`Entry`] |
//! | `operations` | hash of a signed operation (32) | number of its entry (8) |
//! | `arrivals` | number of the entry (8) | when it arrived, in milliseconds since 1970 (8) |
//! | `batches` | number of the batch since genesis (8) | [`BatchRow`] |
//! | `quotes` | number of the batch (8) | the quotes that it ended with, if it has orders |
//! | `meta` | `schema`, `rollup`, `queue`, `base`, `restored`, `least_epoch` | version (4); chain id (8) and contract (20); entries taken from the L1 queue (8); [`Base`]; [`Restored`], if the log may be older than what was promised; least epoch of receipts from now on |
//!
//! The log is the truth about order: state, jobs and posted data follow from it by executing it again.
//! Quotes are part of the truth: they are written with the row that closes their batch, and no solver is asked
//! about a closed batch again. They have no entry, for nobody sent them and nobody has a receipt; in the batch they
//! stand behind all of its entries.
//!
//! Each call of [`Log::append`] is one write that is synced, so a group of operations costs one sync.

mod restored;

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::Arc;

use bastion_protocol::ops::Op;
use bastion_protocol::{Address, Quote};
use bastion_state::executor::BatchContext;
use rocksdb::{ColumnFamily, Direction, IteratorMode, Options, WriteBatch, WriteOptions, DB};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::signer::{SignedReceipt, StoredReceipt};
use crate::error::NodeError;
pub use restored::Restored;

/// Version of the layout above.
const SCHEMA: u32 = 1;
const ENTRIES: &str = "entries";
const OPERATIONS: &str = "operations";
const ARRIVALS: &str = "arrivals";
const BATCHES: &str = "batches";
const QUOTES: &str = "quotes";
const META: &str = "meta";
const FAMILIES: [&str; 6] = [ENTRIES, OPERATIONS, ARRIVALS, BATCHES, QUOTES, META];

/// An accepted operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Number of its batch since genesis.
    pub batch: u64,
    /// The operation.
    pub op: Op,
    /// What the operator promised.
    pub receipt: SignedReceipt,
}

#[derive(Serialize, Deserialize)]
struct StoredEntry {
    batch: u64,
    op: Vec<u8>,
    receipt: StoredReceipt,
}

/// A batch: which block it belongs to, and what is the same for its operations.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BatchRow {
    /// Its block; the first is 1.
    pub block: u64,
    /// Its number in the block, from 0.
    pub batch: u32,
    /// Counts how often the operator began again (see [`Receipt`](bastion_protocol::Receipt)).
    pub epoch: u32,
    /// Its first entry.
    pub first: u64,
    /// Number of its operations, quotes among them, once it takes no more.
    pub sealed: Option<u32>,
    /// Whether it is the last of its block.
    pub ends_block: bool,
    /// Domain, time and policy.
    pub context: BatchContext,
}

/// What lies before the first batch of a log: nothing, or what a node was rebuilt from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Base {
    /// Batches since genesis.
    pub batches: u64,
    /// The last block, 0 if there is none.
    pub block: u64,
    /// Its time, in seconds.
    pub time: u64,
    /// The epoch of the next block ([`Receipt`](bastion_protocol::Receipt)).
    pub epoch: u32,
    /// When the log was made, in seconds since 1970; 0 if nothing lies before it.
    pub made: u64,
}

/// Bits of an entry's number below those of the time at which a rebuilt log was made.
const ENTRY_BITS: u32 = 20;

impl Base {
    /// Number of the first entry: above every number of the log that was lost, for no node takes 2^20 operations
    /// a second. What counts entries, as the sentinel does, then takes none for one that it has seen, however
    /// often a log is made anew.
    pub fn first_entry(&self) -> u64 {
        self.made.saturating_mul(1 << ENTRY_BITS)
    }
}

/// What is appended by one write.
#[derive(Debug, Default)]
pub struct Appended {
    /// Entries, in order.
    pub entries: Vec<Entry>,
    /// When they arrived, in milliseconds since 1970: what the sentinel saw must be repeatable.
    pub arrived_ms: u64,
    /// Batches that began or ended.
    pub batches: Vec<(u64, BatchRow)>,
    /// Quotes of batches that ended.
    pub quotes: Vec<(u64, Vec<Quote>)>,
    /// Entries taken from the L1 queue, if there are more now.
    pub queue: Option<u64>,
}

/// Reads the log while the sequencer writes it. Cheap to clone.
#[derive(Clone)]
pub struct LogReader {
    db: Arc<DB>,
    path: Arc<str>,
    next: Arc<AtomicU64>,
    queue: Arc<AtomicU64>,
}

/// The log, as its only writer has it.
#[derive(Debug)]
pub struct Log(LogReader);

impl std::ops::Deref for Log {
    type Target = LogReader;

    fn deref(&self) -> &LogReader {
        &self.0
    }
}

impl std::fmt::Debug for LogReader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Log({}, {} entries)", self.path, self.next())
    }
}

impl Log {
    /// Opens or creates the log of one rollup.
    ///
    /// # Errors
    /// [`NodeError::Log`] if it cannot be opened, is of another version, or of another rollup.
    pub fn open(path: &Path, chain_id: u64, contract: Address) -> Result<Self, NodeError> {
        let log = Self::database(path)?;
        let rollup = [&chain_id.to_be_bytes()[..], &contract.0].concat();
        match (log.get(META, b"schema")?, log.get(META, b"rollup")?) {
            (None, None) => {
                let mut batch = WriteBatch::default();
                batch.put_cf(log.family(META)?, "schema", SCHEMA.to_be_bytes());
                batch.put_cf(log.family(META)?, "rollup", &rollup);
                log.write(batch)?;
            }
            (Some(schema), _) if schema != SCHEMA.to_be_bytes() => {
                let why = format!(
                    "it has schema {}, this version reads {SCHEMA}: use the version that wrote it",
                    hex::encode(schema)
                );
                return Err(log.failed(why));
            }
            (Some(_), Some(found)) if found == rollup => {}
            (_, found) => {
                let found = found.map_or_else(|| "no rollup".into(), hex::encode);
                let why = format!(
                    "it is the log of another rollup (chain and contract {found}, not {}): choose \
                     another data folder",
                    hex::encode(&rollup)
                );
                return Err(log.failed(why));
            }
        }
        let last = log.db.iterator_cf(log.family(ENTRIES)?, IteratorMode::End).next();
        let next = match last {
            Some(last) => log.number(&last.map_err(|e| log.failed(e))?.0)?.saturating_add(1),
            None => log.base()?.first_entry(),
        };
        log.next.store(next, Ordering::Release);
        if let Some(queue) = log.get(META, b"queue")? {
            log.queue.store(log.number(&queue)?, Ordering::Release);
        }
        Ok(Self(log))
    }

    fn database(path: &Path) -> Result<LogReader, NodeError> {
        let shown = path.display().to_string();
        let mut options = Options::default();
        options.create_if_missing(true);
        options.create_missing_column_families(true);
        let db = DB::open_cf(&options, path, FAMILIES);
        let db = db.map_err(|e| {
            let why = match e.to_string().contains("lock") {
                true => format!("in use by another process: stop it first ({e})"),
                false => e.to_string(),
            };
            NodeError::Log { path: shown.clone(), why }
        })?;
        Ok(LogReader {
            db: Arc::new(db),
            path: shown.into(),
            next: Arc::default(),
            queue: Arc::default(),
        })
    }

    /// Makes the log of a rollup that goes on from `base`, after `queue` entries of the L1 queue.
    ///
    /// # Errors
    /// As [`Log::open`], or if there is a log with batches already.
    pub fn begin_at(
        path: &Path,
        chain_id: u64,
        contract: Address,
        base: Base,
        queue: u64,
    ) -> Result<Self, NodeError> {
        let log = Self::open(path, chain_id, contract)?;
        if log.last_batch()?.is_some() || log.base()? != Base::default() {
            return Err(log.failed("it holds batches already: choose another folder"));
        }
        let mut batch = WriteBatch::default();
        batch.put_cf(log.family(META)?, "base", log.encode(&base)?);
        batch.put_cf(log.family(META)?, "queue", queue.to_be_bytes());
        log.write(batch)?;
        log.next.store(base.first_entry(), Ordering::Release);
        log.queue.store(queue, Ordering::Release);
        Ok(log)
    }

    /// Reads it while this one writes.
    pub fn reader(&self) -> LogReader {
        self.0.clone()
    }

    /// Appends, synced. When it returns, a power cut takes nothing of it.
    ///
    /// # Errors
    /// [`NodeError::Log`], for a full disk among others: then nothing was appended.
    pub fn append(&mut self, appended: &Appended) -> Result<(), NodeError> {
        let mut batch = WriteBatch::default();
        let mut next = self.next();
        for entry in &appended.entries {
            let stored = StoredEntry {
                batch: entry.batch,
                op: entry.op.to_bytes(),
                receipt: StoredReceipt::from(&entry.receipt),
            };
            let key = next.to_be_bytes();
            batch.put_cf(self.family(ENTRIES)?, key, self.encode(&stored)?);
            batch.put_cf(self.family(ARRIVALS)?, key, appended.arrived_ms.to_be_bytes());
            // Two deposits may be equal; what tells them apart is their number in the queue.
            if matches!(entry.op, Op::Signed(_)) {
                batch.put_cf(self.family(OPERATIONS)?, entry.receipt.receipt.operation, key);
            }
            next += 1;
        }
        for (number, row) in &appended.batches {
            batch.put_cf(self.family(BATCHES)?, number.to_be_bytes(), self.encode(row)?);
        }
        for (number, quotes) in &appended.quotes {
            batch.put_cf(self.family(QUOTES)?, number.to_be_bytes(), self.encode(quotes)?);
        }
        if let Some(queue) = appended.queue {
            batch.put_cf(self.family(META)?, "queue", queue.to_be_bytes());
        }
        self.write(batch)?;
        self.next.store(next, Ordering::Release);
        if let Some(queue) = appended.queue {
            self.queue.store(queue, Ordering::Release);
        }
        Ok(())
    }
}

impl LogReader {
    /// Reads a log that a node may be writing, as it is now.
    ///
    /// # Errors
    /// [`NodeError::Log`] if it cannot be read.
    pub fn open_read_only(path: &Path) -> Result<Self, NodeError> {
        let shown = path.display().to_string();
        let failed = |e: rocksdb::Error| NodeError::Log { path: shown.clone(), why: e.to_string() };
        let options = Options::default();
        // A log that was written before orders were taken has no quotes.
        let mut families = DB::list_cf(&options, path).map_err(failed)?;
        families.retain(|name| FAMILIES.contains(&name.as_str()));
        let db = DB::open_cf_for_read_only(&options, path, families, false).map_err(failed)?;
        let (next, queue) = (Arc::default(), Arc::default());
        Ok(Self { db: Arc::new(db), path: shown.into(), next, queue })
    }

    /// Number of the next entry.
    pub fn next(&self) -> u64 {
        self.next.load(Ordering::Acquire)
    }

    /// Entries of the L1 queue that were taken.
    pub fn queue(&self) -> u64 {
        self.queue.load(Ordering::Acquire)
    }

    /// What lies before its first batch.
    ///
    /// # Errors
    /// As [`LogReader::find`].
    pub fn base(&self) -> Result<Base, NodeError> {
        let row = self.get(META, b"base")?;
        row.map_or(Ok(Base::default()), |bytes| self.decode(&bytes))
    }

    /// A signed operation that was accepted before, with the number of its entry.
    ///
    /// # Errors
    /// [`NodeError::Log`] if the log cannot be read.
    pub fn find(&self, operation: &[u8; 32]) -> Result<Option<(u64, Entry)>, NodeError> {
        let Some(key) = self.get(OPERATIONS, operation)? else {
            return Ok(None);
        };
        let number = self.number(&key)?;
        let entry = self.entry(number)?;
        let entry = entry.ok_or_else(|| self.failed("an operation has no entry"))?;
        Ok(Some((number, entry)))
    }

    /// An entry by its number.
    ///
    /// # Errors
    /// As [`LogReader::find`].
    pub fn entry(&self, number: u64) -> Result<Option<Entry>, NodeError> {
        let entry = self.get(ENTRIES, &number.to_be_bytes())?;
        entry.map(|bytes| self.read(&bytes)).transpose()
    }

    /// When an entry arrived, in milliseconds since 1970, by the sequencer's clock.
    ///
    /// # Errors
    /// As [`LogReader::find`].
    pub fn arrived_ms(&self, number: u64) -> Result<Option<u64>, NodeError> {
        let value = self.get(ARRIVALS, &number.to_be_bytes())?;
        value.map(|bytes| self.number(&bytes)).transpose()
    }

    /// A batch by its number.
    ///
    /// # Errors
    /// As [`LogReader::find`].
    pub fn batch(&self, number: u64) -> Result<Option<BatchRow>, NodeError> {
        let row = self.get(BATCHES, &number.to_be_bytes())?;
        row.map(|bytes| self.decode(&bytes)).transpose()
    }

    /// The quotes that a batch ended with, in their order. None before it is closed, and if it has no orders.
    ///
    /// # Errors
    /// As [`LogReader::find`].
    pub fn quotes(&self, number: u64) -> Result<Vec<Quote>, NodeError> {
        if self.db.cf_handle(QUOTES).is_none() {
            return Ok(Vec::new());
        }
        let row = self.get(QUOTES, &number.to_be_bytes())?;
        row.map_or_else(|| Ok(Vec::new()), |bytes| self.decode(&bytes))
    }

    /// Entries from a number on, in order.
    ///
    /// # Errors
    /// [`NodeError::Log`] if the log cannot be read, or holds what was not written.
    pub fn entries(
        &self,
        from: u64,
    ) -> Result<impl Iterator<Item = Result<Entry, NodeError>> + '_, NodeError> {
        let start = from.to_be_bytes();
        let mode = IteratorMode::From(&start, Direction::Forward);
        let rows = self.db.iterator_cf(self.family(ENTRIES)?, mode);
        Ok(rows.map(|row| self.read(&row.map_err(|e| self.failed(e))?.1)))
    }

    /// Batches from a number on, in order.
    ///
    /// # Errors
    /// As [`LogReader::entries`].
    pub fn batches(&self, from: u64) -> Result<Vec<(u64, BatchRow)>, NodeError> {
        let start = from.to_be_bytes();
        let mode = IteratorMode::From(&start, Direction::Forward);
        let rows = self.db.iterator_cf(self.family(BATCHES)?, mode);
        rows.map(|row| {
            let (key, value) = row.map_err(|e| self.failed(e))?;
            Ok((self.number(&key)?, self.decode(&value)?))
        })
        .collect()
    }

    /// The last batch, if there is one.
    ///
    /// # Errors
    /// As [`LogReader::entries`].
    pub fn last_batch(&self) -> Result<Option<(u64, BatchRow)>, NodeError> {
        let last = self.db.iterator_cf(self.family(BATCHES)?, IteratorMode::End).next();
        last.map(|row| {
            let (key, value) = row.map_err(|e| self.failed(e))?;
            Ok((self.number(&key)?, self.decode(&value)?))
        })
        .transpose()
    }

    fn read(&self, bytes: &[u8]) -> Result<Entry, NodeError> {
        let stored: StoredEntry = self.decode(bytes)?;
        let op = Op::from_bytes(&stored.op).map_err(|e| self.failed(e))?;
        Ok(Entry { batch: stored.batch, op, receipt: stored.receipt.into() })
    }

    fn number(&self, key: &[u8]) -> Result<u64, NodeError> {
        let bytes = key.try_into().map_err(|_| self.failed("a key is no number"))?;
        Ok(u64::from_be_bytes(bytes))
    }

    fn encode(&self, value: &impl Serialize) -> Result<Vec<u8>, NodeError> {
        postcard::to_stdvec(value).map_err(|e| self.failed(e))
    }

    fn decode<T: DeserializeOwned>(&self, bytes: &[u8]) -> Result<T, NodeError> {
        postcard::from_bytes(bytes).map_err(|e| self.failed(format!("a row is damaged: {e}")))
    }

    fn family(&self, name: &str) -> Result<&ColumnFamily, NodeError> {
        let family = self.db.cf_handle(name);
        family.ok_or_else(|| self.failed(format!("column family {name} is missing")))
    }

    fn get(&self, family: &str, key: &[u8]) -> Result<Option<Vec<u8>>, NodeError> {
        self.db.get_cf(self.family(family)?, key).map_err(|e| self.failed(e))
    }

    fn write(&self, batch: WriteBatch) -> Result<(), NodeError> {
        let mut options = WriteOptions::default();
        // RocksDB's default leaves the write in the page cache, where a power cut takes it.
        options.set_sync(true);
        self.db.write_opt(batch, &options).map_err(|e| self.failed(e))
    }

    fn failed(&self, why: impl ToString) -> NodeError {
        NodeError::Log { path: self.path.to_string(), why: why.to_string() }
    }
}
