//! What became of sealed batches: their blocks, and which operations touched an account.
//!
//! | column family | key | value |
//! |---|---|---|
//! | `batches` | number of the batch since genesis (8 bytes, big-endian) | [`BatchInfo`] |
//! | `blocks` | number of the block (8) | [`BlockInfo`] |
//! | `accounts` | index (4), number of the entry in the sequencer's log (8) | nothing |

use std::path::Path;

use bastion_protocol::field::serde_fr;
use bastion_protocol::{CircuitId, Fr, Header, Index};
use bastion_prover::artifact::Digest;
use rocksdb::Direction;
use serde::{Deserialize, Serialize};

use crate::database::{Database, Rows};
use crate::error::NodeError;
use crate::jobs::{JobKey, JobKind};

const SCHEMA: u32 = 2;
const BATCHES: &str = "batches";
const BLOCKS: &str = "blocks";
const ACCOUNTS: &str = "accounts";

/// A sealed batch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BatchInfo {
    /// Its block.
    pub block: u64,
    /// Its number in the block, from 0.
    pub batch: u32,
    /// Its first entry in the sequencer's log.
    pub first: u64,
    /// Its operations.
    pub operations: u32,
    /// Time of its block, in seconds.
    pub time: u64,
    /// State root before.
    #[serde(with = "serde_fr")]
    pub old_root: Fr,
    /// State root after.
    #[serde(with = "serde_fr")]
    pub new_root: Fr,
    /// Its trace among the artifacts, until its block is final.
    pub trace: Digest,
}

/// A sealed block.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlockInfo {
    /// What it claims.
    pub header: Header,
    /// Number of its first batch since genesis.
    pub first_batch: u64,
    /// Its operations.
    pub operations: u32,
    /// Its posted data among the artifacts, those in calldata.
    pub data: Digest,
    /// Their length.
    pub data_bytes: u64,
    /// Versioned hashes of the blobs with its L2 and owner records, in order; none if they are in calldata.
    pub blobs: Vec<[u8; 32]>,
    /// keccak256 of its public inputs, by which the contract remembers it.
    pub hash: [u8; 32],
    /// Public inputs of its batches, in order.
    pub statements: Vec<Statement>,
    /// Inputs of the jobs of its batches among the artifacts, in order.
    pub inputs: Vec<Digest>,
    /// The circuit of its batches.
    pub batch_circuit: CircuitId,
    /// The circuit of its proof.
    pub block_circuit: CircuitId,
    /// When it was sealed, in seconds.
    pub sealed_at: u64,
    /// When its proof was verified.
    pub proven_at: Option<u64>,
    /// When it was final on L1.
    pub final_at: Option<u64>,
}

impl BlockInfo {
    /// The job that proves a batch of it, by the batch's number since genesis.
    pub fn batch_job(&self, batch: u64) -> JobKey {
        JobKey { kind: JobKind::ProveBatch, number: batch, circuit: self.batch_circuit }
    }

    /// The job that proves the block, whose number this is.
    pub fn block_job(&self, number: u64) -> JobKey {
        JobKey { kind: JobKind::ProveBlock, number, circuit: self.block_circuit }
    }
}

/// Public inputs of a batch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Statement(pub Vec<Element>);

/// A field element.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Element(#[serde(with = "serde_fr")] pub Fr);

/// The database.
pub(super) struct Blocks(Database);

impl Blocks {
    /// Opens or creates it.
    ///
    /// # Errors
    /// [`NodeError::Database`].
    pub(super) fn open(path: &Path) -> Result<Self, NodeError> {
        Ok(Self(Database::open(path, &[BATCHES, BLOCKS, ACCOUNTS], SCHEMA)?))
    }

    /// Writes a batch, and which of its entries touched which accounts.
    pub(super) fn put_batch(
        &self,
        number: u64,
        batch: &BatchInfo,
        touched: impl Iterator<Item = (Index, u64)>,
    ) -> Result<(), NodeError> {
        let mut rows = Rows::default();
        self.0.put(&mut rows, BATCHES, &number.to_be_bytes(), batch)?;
        for (index, entry) in touched {
            self.0.put(&mut rows, ACCOUNTS, &account_key(index, entry), &())?;
        }
        self.0.write(rows)
    }

    /// Writes a block.
    pub(super) fn put_block(&self, block: u64, info: &BlockInfo) -> Result<(), NodeError> {
        let mut rows = Rows::default();
        self.0.put(&mut rows, BLOCKS, &block.to_be_bytes(), info)?;
        self.0.write(rows)
    }

    pub(super) fn batch(&self, number: u64) -> Result<Option<BatchInfo>, NodeError> {
        self.0.get(BATCHES, &number.to_be_bytes())
    }

    pub(super) fn block(&self, number: u64) -> Result<Option<BlockInfo>, NodeError> {
        self.0.get(BLOCKS, &number.to_be_bytes())
    }

    /// The block of a batch, with its number.
    pub(super) fn block_of_batch(&self, batch: u64) -> Result<Option<(u64, BlockInfo)>, NodeError> {
        let Some(number) = self.batch(batch)?.map(|info| info.block) else {
            return Ok(None);
        };
        Ok(self.block(number)?.map(|block| (number, block)))
    }

    /// Number of the last sealed block, 0 if there is none.
    pub(super) fn last_block(&self) -> Result<u64, NodeError> {
        let all = self.0.from::<BlockInfo>(BLOCKS, &u64::MAX.to_be_bytes(), Direction::Reverse)?;
        let last = all.map(|row| self.number(&row?.0)).next();
        Ok(last.transpose()?.unwrap_or(0))
    }

    /// Number of the last block that is final: blocks become final in order.
    pub(super) fn last_final(&self) -> Result<u64, NodeError> {
        let mut number = self.last_block()?;
        while self.block(number)?.is_some_and(|block| block.final_at.is_none()) {
            number -= 1;
        }
        Ok(number)
    }

    /// Number of sealed batches.
    pub(super) fn batches(&self) -> Result<u64, NodeError> {
        let all = self.0.from::<BatchInfo>(BATCHES, &u64::MAX.to_be_bytes(), Direction::Reverse)?;
        let last = all.map(|row| self.number(&row?.0)).next();
        Ok(last.transpose()?.map_or(0, |number| number + 1))
    }

    /// Entries before `before` that touched an account, newest first.
    pub(super) fn touching(
        &self,
        index: Index,
        before: u64,
        limit: usize,
    ) -> Result<Vec<u64>, NodeError> {
        let Some(start) = before.checked_sub(1) else {
            return Ok(Vec::new());
        };
        let rows = self.0.from::<()>(ACCOUNTS, &account_key(index, start), Direction::Reverse)?;
        let own = rows.take_while(|row| {
            row.as_ref().map_or(true, |(key, ())| key.starts_with(&index.to_be_bytes()))
        });
        own.take(limit).map(|row| self.number(row?.0.get(4..).unwrap_or_default())).collect()
    }

    /// An error: what is there does not fit together.
    pub(super) fn broken(&self, why: impl ToString) -> NodeError {
        self.0.failed(why)
    }

    fn number(&self, key: &[u8]) -> Result<u64, NodeError> {
        let bytes = key.try_into().map_err(|_| self.0.failed("a key is no number"))?;
        Ok(u64::from_be_bytes(bytes))
    }
}

fn account_key(index: Index, entry: u64) -> [u8; 12] {
    let mut key = [0; 12];
    key[..4].copy_from_slice(&index.to_be_bytes());
    key[4..].copy_from_slice(&entry.to_be_bytes());
    key
}
