//! The ledger on disk (RocksDB): one atomic, synced write per batch.
//!
//! | column family | key | value |
//! |---|---|---|
//! | `accounts` | index (4 bytes, big-endian) | owner (32), token (2), nonce (4), balance (16), frozen_until (8), big-endian |
//! | `openings` | owner (32) | keyhash (32), exit address (20) |
//! | `meta` | `schema`, `batch`, `root` | version (4), number of batches (8), state root (32) |
//!
//! A batch is one `WriteBatch` with `sync`: after a crash the store holds the state before the
//! batch or after it. The tree is not stored: it is rebuilt when the store is opened, and its root
//! must be the stored one.

use std::path::Path;

use rocksdb::{ColumnFamily, IteratorMode, Options, WriteBatch, WriteOptions, DB};

use crate::executor::{BatchTrace, OpTrace};
use crate::state::State;
use crate::StateError;
use bastion_protocol::keys::owner;
use bastion_protocol::Opening;
use bastion_protocol::ProtocolError;
use bastion_protocol::{field, Account, Address, Fr, Index};

/// Version of the layout above.
const SCHEMA: u32 = 1;
const ACCOUNTS: &str = "accounts";
const OPENINGS: &str = "openings";
const META: &str = "meta";
const ACCOUNT_LEN: usize = 62;
const OPENING_LEN: usize = 52;

/// A store that is open.
pub struct Store {
    db: DB,
    path: String,
    batch: u64,
}

impl Store {
    /// Opens or creates a store, and reads the state.
    ///
    /// # Errors
    /// [`StateError::Store`] if it cannot be opened (another process may have it), and
    /// [`StateError::Corrupt`] if its content is not what its metadata say.
    pub fn open(path: &Path) -> Result<(Self, State), StateError> {
        let shown = path.display().to_string();
        let mut options = Options::default();
        options.create_if_missing(true);
        options.create_missing_column_families(true);
        let db = DB::open_cf(&options, path, [ACCOUNTS, OPENINGS, META]).map_err(|e| {
            let locked = e.to_string().contains("lock");
            StateError::Store {
                path: shown.clone(),
                why: if locked {
                    format!("in use by another process: stop it first ({e})")
                } else {
                    e.to_string()
                },
            }
        })?;
        let mut store = Self { db, path: shown, batch: 0 };
        let state = store.load()?;
        Ok((store, state))
    }

    /// Makes a store of a state that was rebuilt elsewhere, such as from L1, after `batches` batches.
    ///
    /// # Errors
    /// [`StateError::Store`] if there is a store with batches already, or it cannot be written.
    pub fn restore(path: &Path, state: &State, batches: u64) -> Result<Self, StateError> {
        let (mut store, old) = Self::open(path)?;
        if store.batch != 0 || old.accounts().next().is_some() {
            return Err(store
                .failed(format!("already holds {} batches: choose another folder", store.batch)));
        }
        let mut batch = WriteBatch::default();
        for (index, account) in state.accounts() {
            let key = index.to_be_bytes();
            batch.put_cf(store.family(ACCOUNTS)?, key, account_bytes(account));
        }
        for opening in state.openings() {
            let owner = bastion_protocol::keys::owner(opening.0, opening.1);
            let key = field::to_bytes(&owner);
            batch.put_cf(store.family(OPENINGS)?, key, opening_bytes(opening));
        }
        let meta = store.family(META)?;
        batch.put_cf(meta, "batch", batches.to_be_bytes());
        batch.put_cf(meta, "root", field::to_bytes(&state.root()));
        store.write(batch)?;
        store.batch = batches;
        Ok(store)
    }

    /// Batches written so far.
    #[must_use]
    pub fn batches(&self) -> u64 {
        self.batch
    }

    /// An account as of the last batch.
    ///
    /// # Errors
    /// [`StateError::Store`] if it cannot be read, [`StateError::Corrupt`] if it is not what was written.
    pub fn account(&self, index: Index) -> Result<Option<Account>, StateError> {
        let found = self.db.get_cf(self.family(ACCOUNTS)?, index.to_be_bytes());
        found.map_err(|e| self.failed(e))?.map(|bytes| read_account(&bytes)).transpose()
    }

    fn failed(&self, error: impl ToString) -> StateError {
        StateError::Store { path: self.path.clone(), why: error.to_string() }
    }

    fn family(&self, name: &str) -> Result<&ColumnFamily, StateError> {
        self.db
            .cf_handle(name)
            .ok_or_else(|| StateError::Corrupt(format!("column family {name} is missing")))
    }

    fn meta(&self, key: &str) -> Result<Option<Vec<u8>>, StateError> {
        self.db.get_cf(self.family(META)?, key).map_err(|e| self.failed(e))
    }

    fn load(&mut self) -> Result<State, StateError> {
        match self.meta("schema")? {
            None => {
                let mut batch = WriteBatch::default();
                batch.put_cf(self.family(META)?, "schema", SCHEMA.to_be_bytes());
                self.write(batch)?;
                return Ok(State::new());
            }
            Some(version) if version == SCHEMA.to_be_bytes() => {}
            Some(version) => {
                return Err(self.failed(format!(
                    "schema {version:?}, this version reads {SCHEMA}: use the version that wrote it"
                )))
            }
        }
        let mut openings = Vec::new();
        for item in self.db.iterator_cf(self.family(OPENINGS)?, IteratorMode::Start) {
            let (_, value) = item.map_err(|e| self.failed(e))?;
            openings.push(read_opening(&value)?);
        }
        let mut accounts = Vec::new();
        for item in self.db.iterator_cf(self.family(ACCOUNTS)?, IteratorMode::Start) {
            let (key, value) = item.map_err(|e| self.failed(e))?;
            accounts.push((read_index(&key)?, read_account(&value)?));
        }
        let state = State::with_accounts(accounts, openings)?;
        if let Some(root) = self.meta("root")? {
            if root != field::to_bytes(&state.root()) {
                return Err(StateError::Corrupt(format!(
                    "accounts have root {}, the store says 0x{}",
                    field::to_hex(&state.root()),
                    hex::encode(root)
                )));
            }
        }
        self.batch = match self.meta("batch")? {
            Some(bytes) => u64::from_be_bytes(fixed("batch number", &bytes)?),
            None => 0,
        };
        Ok(state)
    }

    fn write(&self, batch: WriteBatch) -> Result<(), StateError> {
        let mut options = WriteOptions::default();
        // RocksDB's default leaves the write in the page cache, where a power cut takes it.
        options.set_sync(true);
        self.db.write_opt(batch, &options).map_err(|e| self.failed(e))
    }

    /// Writes an executed batch: all of it or nothing.
    ///
    /// # Errors
    /// [`StateError::Store`], for a full disk among others; the store is as before.
    pub fn commit(&mut self, trace: &BatchTrace) -> Result<(), StateError> {
        let mut batch = WriteBatch::default();
        for touch in &trace.accounts {
            let Some(account) = &touch.after else {
                continue;
            };
            batch.put_cf(self.family(ACCOUNTS)?, touch.index.to_be_bytes(), account_bytes(account));
        }
        let policy = &trace.context.policy;
        let learned = trace.ops.iter().filter_map(OpTrace::learned);
        for opening in learned.chain([(policy.fee_keyhash, policy.fee_exit)]) {
            let owner = field::to_bytes(&owner(opening.0, opening.1));
            batch.put_cf(self.family(OPENINGS)?, owner, opening_bytes(&opening));
        }
        let meta = self.family(META)?;
        batch.put_cf(meta, "batch", (self.batch + 1).to_be_bytes());
        batch.put_cf(meta, "root", field::to_bytes(&trace.new_root));
        self.write(batch)?;
        self.batch += 1;
        Ok(())
    }
}

fn account_bytes(a: &Account) -> Vec<u8> {
    [
        field::to_bytes(&a.owner).as_slice(),
        &a.token.to_be_bytes(),
        &a.nonce.to_be_bytes(),
        &a.balance.to_be_bytes(),
        &a.frozen_until.to_be_bytes(),
    ]
    .concat()
}

fn opening_bytes((keyhash, exit): &Opening) -> Vec<u8> {
    [field::to_bytes(keyhash).as_slice(), &exit.0].concat()
}

fn fixed<const N: usize>(what: &'static str, bytes: &[u8]) -> Result<[u8; N], StateError> {
    let wrong = |_| ProtocolError::Length { what, expected: N, got: bytes.len() };
    Ok(bytes.try_into().map_err(wrong)?)
}

fn read_index(key: &[u8]) -> Result<Index, StateError> {
    Ok(Index::from_be_bytes(fixed("account index", key)?))
}

fn read_account(value: &[u8]) -> Result<Account, StateError> {
    let bytes: [u8; ACCOUNT_LEN] = fixed("account", value)?;
    let account = Account {
        owner: read_fr(&bytes[..32])?,
        token: u16::from_be_bytes(fixed("token", &bytes[32..34])?),
        nonce: u32::from_be_bytes(fixed("nonce", &bytes[34..38])?),
        balance: u128::from_be_bytes(fixed("balance", &bytes[38..54])?),
        frozen_until: u64::from_be_bytes(fixed("frozen_until", &bytes[54..])?),
    };
    account.check()?;
    Ok(account)
}

fn read_opening(value: &[u8]) -> Result<Opening, StateError> {
    let bytes: [u8; OPENING_LEN] = fixed("opening", value)?;
    Ok((read_fr(&bytes[..32])?, Address(fixed("exit", &bytes[32..])?)))
}

fn read_fr(bytes: &[u8]) -> Result<Fr, StateError> {
    Ok(field::from_bytes("stored element", &fixed("stored element", bytes)?)?)
}
