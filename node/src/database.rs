//! A RocksDB database of rows that are serialized: versioned, and synced with every write.

use std::path::Path;

use rocksdb::{ColumnFamily, Direction, IteratorMode, Options, WriteBatch, WriteOptions, DB};
use serde::de::DeserializeOwned;
use serde::Serialize;

use crate::error::NodeError;

/// Column family of the version.
const META: &str = "meta";
/// Key of the version.
const SCHEMA: &str = "schema";

/// A database that is open.
pub(crate) struct Database {
    db: DB,
    path: String,
}

/// A row with its key.
pub(crate) type Row<T> = (Box<[u8]>, T);

/// Rows that are written together, or not at all.
#[derive(Default)]
pub(crate) struct Rows(WriteBatch);

impl Database {
    /// Opens or creates the database at `path`, whose layout has the version `schema`.
    ///
    /// # Errors
    /// [`NodeError::Database`] if it cannot be opened, or has another version.
    pub(crate) fn open(path: &Path, families: &[&str], schema: u32) -> Result<Self, NodeError> {
        let shown = path.display().to_string();
        let mut options = Options::default();
        options.create_if_missing(true);
        options.create_missing_column_families(true);
        let families = families.iter().copied().chain([META]);
        let db = DB::open_cf(&options, path, families).map_err(|e| {
            let why = match e.to_string().contains("lock") {
                true => format!("in use by another process: stop it first ({e})"),
                false => e.to_string(),
            };
            NodeError::Database { path: shown.clone(), why }
        })?;
        let database = Self { db, path: shown };
        match database.bytes(META, SCHEMA.as_bytes())? {
            None => {
                let mut rows = Rows::default();
                rows.0.put_cf(database.family(META)?, SCHEMA, schema.to_be_bytes());
                database.write(rows)?;
            }
            Some(found) if found == schema.to_be_bytes() => {}
            Some(found) => {
                let why = format!(
                    "it has schema {}, this version reads {schema}: use the version that wrote it",
                    hex::encode(found)
                );
                return Err(database.failed(why));
            }
        }
        Ok(database)
    }

    /// Reads a row.
    ///
    /// # Errors
    /// [`NodeError::Database`] if it cannot be read, or is not what was written.
    pub(crate) fn get<T: DeserializeOwned>(
        &self,
        family: &str,
        key: &[u8],
    ) -> Result<Option<T>, NodeError> {
        self.bytes(family, key)?.map(|row| self.decode(&row)).transpose()
    }

    /// Adds a row to those that are to be written.
    ///
    /// # Errors
    /// [`NodeError::Database`] if it cannot be serialized.
    pub(crate) fn put(
        &self,
        rows: &mut Rows,
        family: &str,
        key: &[u8],
        row: &impl Serialize,
    ) -> Result<(), NodeError> {
        let bytes = postcard::to_stdvec(row).map_err(|e| self.failed(e))?;
        rows.0.put_cf(self.family(family)?, key, bytes);
        Ok(())
    }

    /// Writes rows, synced: RocksDB's default leaves them in the page cache, where a power cut takes
    /// them.
    ///
    /// # Errors
    /// [`NodeError::Database`], for a full disk among others: then none was written.
    pub(crate) fn write(&self, rows: Rows) -> Result<(), NodeError> {
        let mut options = WriteOptions::default();
        options.set_sync(true);
        self.db.write_opt(rows.0, &options).map_err(|e| self.failed(e))
    }

    /// As [`Database::write`], but a power cut may take the rows. A process that is killed does not.
    ///
    /// # Errors
    /// As [`Database::write`].
    pub(crate) fn write_unsynced(&self, rows: Rows) -> Result<(), NodeError> {
        self.db.write(rows.0).map_err(|e| self.failed(e))
    }

    /// Adds to what is written: the rows before a key are removed.
    ///
    /// # Errors
    /// [`NodeError::Database`].
    pub(crate) fn remove_before(
        &self,
        rows: &mut Rows,
        family: &str,
        key: &[u8],
    ) -> Result<(), NodeError> {
        rows.0.delete_range_cf(self.family(family)?, &[][..], key);
        Ok(())
    }

    /// Rows from a key on, in order, or before it in reverse order.
    ///
    /// # Errors
    /// As [`Database::get`].
    pub(crate) fn from<T: DeserializeOwned>(
        &self,
        family: &str,
        key: &[u8],
        direction: Direction,
    ) -> Result<impl Iterator<Item = Result<Row<T>, NodeError>> + '_, NodeError> {
        let rows = self.db.iterator_cf(self.family(family)?, IteratorMode::From(key, direction));
        Ok(rows.map(|row| {
            let (key, value) = row.map_err(|e| self.failed(e))?;
            Ok((key, self.decode(&value)?))
        }))
    }

    fn bytes(&self, family: &str, key: &[u8]) -> Result<Option<Vec<u8>>, NodeError> {
        self.db.get_cf(self.family(family)?, key).map_err(|e| self.failed(e))
    }

    fn decode<T: DeserializeOwned>(&self, bytes: &[u8]) -> Result<T, NodeError> {
        postcard::from_bytes(bytes).map_err(|e| self.failed(format!("a row is damaged: {e}")))
    }

    fn family(&self, name: &str) -> Result<&ColumnFamily, NodeError> {
        let family = self.db.cf_handle(name);
        family.ok_or_else(|| self.failed(format!("column family {name} is missing")))
    }

    /// An error of this database.
    pub(crate) fn failed(&self, why: impl ToString) -> NodeError {
        NodeError::Database { path: self.path.clone(), why: why.to_string() }
    }
}
