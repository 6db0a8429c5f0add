//! The database of an account's transactions.
//!
//! | column family | key | value |
//! |---|---|---|
//! | `intents` | number (8, big-endian) | [`Intent`] |
//! | `meta` | `schema`, `owner` | version (4); whose transactions they are |
//!
//! Each row is one synced write. After a crash an intent is where it was before the write or after it; no
//! attempt is sent that is not stored.

use std::path::Path;

use alloy::primitives::{Address, B256};
use rocksdb::{ColumnFamily, IteratorMode, Options, WriteBatch, WriteOptions, DB};
use serde::{Deserialize, Serialize};

use super::intent::Intent;
use crate::error::L1Error;

const SCHEMA: u32 = 2;
const INTENTS: &str = "intents";
const META: &str = "meta";

/// Whose transactions they are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Owner {
    pub(super) account: Address,
    pub(super) chain_id: u64,
    /// Hash of the chain's first block: development chains share their id.
    pub(super) genesis: B256,
}

/// The database.
pub(super) struct Store {
    db: DB,
    path: String,
}

impl Store {
    /// Opens or creates the database; gives what it holds.
    pub(super) fn open(path: &Path, owner: &Owner) -> Result<(Self, Vec<Intent>), L1Error> {
        let shown = path.display().to_string();
        let failed = |why: String| L1Error::Storage { path: shown.clone(), why };
        let mut options = Options::default();
        options.create_if_missing(true);
        options.create_missing_column_families(true);
        let db = DB::open_cf(&options, path, [INTENTS, META]).map_err(|e| failed(e.to_string()))?;
        let store = Self { db, path: shown.clone() };
        match (store.meta("schema")?, store.meta("owner")?) {
            (None, _) => store.write(|batch| {
                batch.put_cf(store.family(META)?, "owner", store.encode(owner)?);
                batch.put_cf(store.family(META)?, "schema", SCHEMA.to_be_bytes());
                Ok(())
            })?,
            (Some(schema), Some(found)) if schema == SCHEMA.to_be_bytes() => {
                let found: Owner = store.decode(&found)?;
                if found != *owner {
                    return Err(failed(format!(
                        "it is that of {} on chain {} with first block {}, and not of {} on chain {} with first block {}: use another folder, or move this one away if that chain is gone, as after a restart of a development node",
                        found.account,
                        found.chain_id,
                        found.genesis,
                        owner.account,
                        owner.chain_id,
                        owner.genesis
                    )));
                }
            }
            (Some(schema), _) => {
                return Err(failed(format!(
                    "schema {schema:?}, this version reads {SCHEMA}: use the version that wrote it"
                )))
            }
        }
        let mut intents = Vec::new();
        for row in store.db.iterator_cf(store.family(INTENTS)?, IteratorMode::Start) {
            let (key, value) = row.map_err(|e| failed(e.to_string()))?;
            if *key != number(intents.len()) {
                return Err(failed(format!("row {} is missing", intents.len())));
            }
            intents.push(store.decode(&value)?);
        }
        Ok((store, intents))
    }

    /// Writes a row, and returns when it is on the disk.
    pub(super) fn put(&self, i: usize, intent: &Intent) -> Result<(), L1Error> {
        self.write(|batch| {
            batch.put_cf(self.family(INTENTS)?, number(i), self.encode(intent)?);
            Ok(())
        })
    }

    fn write(
        &self,
        fill: impl FnOnce(&mut WriteBatch) -> Result<(), L1Error>,
    ) -> Result<(), L1Error> {
        let mut batch = WriteBatch::default();
        fill(&mut batch)?;
        let mut options = WriteOptions::default();
        // RocksDB's default leaves the write in the page cache, where a power cut takes it.
        options.set_sync(true);
        self.db.write_opt(batch, &options).map_err(|e| self.failed(e))
    }

    fn meta(&self, key: &str) -> Result<Option<Vec<u8>>, L1Error> {
        self.db.get_cf(self.family(META)?, key).map_err(|e| self.failed(e))
    }

    fn encode(&self, value: &impl Serialize) -> Result<Vec<u8>, L1Error> {
        postcard::to_stdvec(value).map_err(|e| self.failed(e))
    }

    fn decode<'a, T: Deserialize<'a>>(&self, bytes: &'a [u8]) -> Result<T, L1Error> {
        postcard::from_bytes(bytes).map_err(|e| self.failed(e))
    }

    fn family(&self, name: &str) -> Result<&ColumnFamily, L1Error> {
        let family = self.db.cf_handle(name);
        family.ok_or_else(|| self.failed(format!("column family {name} is missing")))
    }

    fn failed(&self, why: impl ToString) -> L1Error {
        L1Error::Storage { path: self.path.clone(), why: why.to_string() }
    }
}

/// The key of a row.
fn number(i: usize) -> [u8; 8] {
    (i as u64).to_be_bytes()
}
