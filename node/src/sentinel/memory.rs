//! What the screener has learned, on disk.
//!
//! | column family | key | value |
//! |---|---|---|
//! | `memory` | `last` | the entry that the memory reaches to, keccak256 of its bytes, its bytes |
//! | `inputs` | number of an entry (8 bytes, big-endian) | what the screener saw of it ([`Input`]) |
//!
//! The memory is large, and is written now and then. In between, what was seen is written, which is small:
//! the memory goes on from there, bit for bit.

use std::path::Path;

use alloy_primitives::keccak256;
use bastion_sentinel::screener::Memory;
use bastion_sentinel::Input;
use rocksdb::Direction;

use crate::database::{Database, Rows};
use crate::error::NodeError;

const SCHEMA: u32 = 1;
const MEMORY: &str = "memory";
const LAST: &[u8] = b"last";
const INPUTS: &str = "inputs";
/// Entries after which the memory is written anew: learning them again takes about a second.
const ENTRIES: u64 = 100_000;

/// The database.
pub(super) struct Memories {
    db: Database,
    /// The entry that the memory on disk reaches to.
    reaches: u64,
    /// Inputs that are not written yet.
    rows: Rows,
}

impl Memories {
    pub(super) fn open(path: &Path) -> Result<Self, NodeError> {
        let db = Database::open(path, &[MEMORY, INPUTS], SCHEMA)?;
        Ok(Self { db, reaches: 0, rows: Rows::default() })
    }

    /// What was learned, and the entry that it reaches to. `None` if there is nothing, or if this version
    /// learns in another form: then it begins anew.
    pub(super) fn read(&mut self) -> Result<Option<(u64, Memory)>, NodeError> {
        let row: Option<(u64, [u8; 32], Vec<u8>)> = self.db.get(MEMORY, LAST)?;
        let Some((reaches, hash, bytes)) = row else {
            return Ok(None);
        };
        if keccak256(&bytes).0 != hash {
            return Err(self.db.failed("what was learned is damaged: remove the folder"));
        }
        self.reaches = reaches;
        Ok(postcard::from_bytes(&bytes).ok().map(|memory| (reaches, memory)))
    }

    /// What was seen from an entry on, as far as it has no gap.
    pub(super) fn inputs(&self, from: u64, mut see: impl FnMut(Input)) -> Result<u64, NodeError> {
        let mut next = from;
        for row in self.db.from(INPUTS, &from.to_be_bytes(), Direction::Forward)? {
            let (key, input) = row?;
            if *key != next.to_be_bytes() {
                break;
            }
            see(input);
            next += 1;
        }
        Ok(next)
    }

    /// Notes what was seen of an entry; [`Memories::keep`] writes it.
    pub(super) fn saw(&mut self, entry: u64, input: &Input) -> Result<(), NodeError> {
        self.db.put(&mut self.rows, INPUTS, &entry.to_be_bytes(), input)
    }

    /// Writes what was seen. It is not synced: a power cut takes what was learned of the last entries, and
    /// nobody was promised that. A process that is killed takes nothing.
    pub(super) fn keep(&mut self) -> Result<(), NodeError> {
        self.db.write_unsynced(std::mem::take(&mut self.rows))
    }

    /// Whether the memory is to be written anew before entry `next`.
    pub(super) fn is_due(&self, next: u64) -> bool {
        next.saturating_sub(self.reaches) >= ENTRIES
    }

    /// Writes what was learned before entry `next`; what was seen before is not needed any more.
    pub(super) fn write(&mut self, next: u64, memory: &Memory) -> Result<(), NodeError> {
        let bytes = postcard::to_stdvec(memory).map_err(|e| self.db.failed(e))?;
        let mut rows = Rows::default();
        self.db.put(&mut rows, MEMORY, LAST, &(next, keccak256(&bytes).0, bytes))?;
        self.db.remove_before(&mut rows, INPUTS, &next.to_be_bytes())?;
        self.db.write(rows)?;
        self.reaches = next;
        Ok(())
    }
}
