//! What the screener has learned, on disk: one row, with the number of the entry that it reaches to and
//! the hash of its bytes.

use std::path::Path;

use alloy_primitives::keccak256;
use bastion_sentinel::screener::Memory;

use crate::database::{Database, Rows};
use crate::error::NodeError;

const SCHEMA: u32 = 1;
const MEMORY: &str = "memory";
const LAST: &[u8] = b"last";

/// The database.
pub(super) struct Memories(Database);

impl Memories {
    pub(super) fn open(path: &Path) -> Result<Self, NodeError> {
        Database::open(path, &[MEMORY], SCHEMA).map(Self)
    }

    /// What was learned, and the next entry. `None` if there is nothing, or if this version learns in
    /// another form: then it begins anew.
    pub(super) fn read(&self) -> Result<Option<(u64, Memory)>, NodeError> {
        let row: Option<(u64, [u8; 32], Vec<u8>)> = self.0.get(MEMORY, LAST)?;
        let Some((next, hash, bytes)) = row else {
            return Ok(None);
        };
        if keccak256(&bytes).0 != hash {
            return Err(self.0.failed("what was learned is damaged: remove the folder"));
        }
        Ok(postcard::from_bytes(&bytes).ok().map(|memory| (next, memory)))
    }

    /// Writes what was learned before entry `next`.
    pub(super) fn write(&self, next: u64, bytes: Vec<u8>) -> Result<(), NodeError> {
        let mut rows = Rows::default();
        self.0.put(&mut rows, MEMORY, LAST, &(next, keccak256(&bytes).0, bytes))?;
        self.0.write(rows)
    }
}
