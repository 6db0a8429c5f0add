//! Batches and blocks as the API shows them.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use bastion_client::types::{Amount, Batch, Block, Element, Hash, Stage, Transactions, Tx};

use crate::api::problem::{Code, Fault};
use crate::api::Backend;
use crate::coordinator::blocks::{BatchInfo, BlockInfo};
use crate::sequencer::BatchRow;
use crate::service::TxInfo;

/// Numbers of blocks by their hashes, as far as they were asked for.
#[derive(Debug, Default)]
pub struct Hashes(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    /// The last block that is known.
    last: u64,
    numbers: HashMap<Hash, u64>,
}

impl Backend {
    /// Batches that no sealed block has yet, in order.
    pub(in crate::api) fn unsealed(&self) -> Result<Vec<(u64, BatchRow)>, Fault> {
        let coordinator = &self.parts.coordinator;
        let last = coordinator.block(coordinator.last_block()?)?;
        let first = last.map_or(0, |block| block.first_batch + block.inputs.len() as u64);
        Ok(self.parts.log.batches(first)?)
    }

    /// Number of the newest block, which may be open; 0 before the first one.
    pub(in crate::api) fn newest(&self) -> Result<u64, Fault> {
        let open = self.parts.log.last_batch()?.map_or(0, |(_, row)| row.block);
        Ok(open.max(self.parts.coordinator.last_block()?))
    }

    /// Number of the block that takes operations, if there is one.
    pub(in crate::api) fn open_block(&self) -> Result<Option<u64>, Fault> {
        let last = self.parts.log.last_batch()?;
        let open = last.filter(|(_, row)| row.sealed.is_none() || !row.ends_block);
        Ok(open.map(|(_, row)| row.block))
    }

    /// Number of the last block that is final on L1; 0 before the first one.
    pub(in crate::api) fn finalized(&self) -> u64 {
        self.l1().finalized
    }

    /// The number of a block that is named.
    pub(in crate::api) fn numbered(&self, name: &str) -> Result<u64, Fault> {
        let number = match name {
            "latest" => self.newest()?,
            "finalized" => self.finalized(),
            hash if hash.starts_with("0x") => {
                let hash: Hash = hash
                    .parse()
                    .map_err(|e| Fault::new(Code::BadRequest, format!("block hash: {e}")))?;
                return self
                    .by_hash(hash)?
                    .ok_or_else(|| Fault::not_found(format!("sealed block with the hash {hash}")));
            }
            number => number.parse().map_err(|_| {
                let detail = format!(
                    "block {number:?}: give its number, its hash, \"latest\" or \"finalized\""
                );
                Fault::new(Code::BadRequest, detail)
            })?,
        };
        match number {
            0 => Err(Fault::not_found(format!("block {name} yet"))),
            number => Ok(number),
        }
    }

    fn by_hash(&self, hash: Hash) -> Result<Option<u64>, Fault> {
        let last = self.parts.coordinator.last_block()?;
        let mut known = self.hashes.0.lock().unwrap_or_else(PoisonError::into_inner);
        while known.last < last {
            let number = known.last + 1;
            if let Some(info) = self.parts.coordinator.block(number)? {
                known.numbers.insert(Hash(info.hash), number);
            }
            known.last = number;
        }
        Ok(known.numbers.get(&hash).copied())
    }

    /// A block by its number.
    ///
    /// # Errors
    /// [`Fault::not_found`].
    pub(in crate::api) fn block(&self, number: u64) -> Result<Block, Fault> {
        if let Some(info) = self.parts.coordinator.block(number)? {
            return Ok(self.sealed_block(number, &info));
        }
        let rows = self.unsealed()?;
        let rows: Vec<BatchRow> =
            rows.into_iter().map(|(_, row)| row).filter(|row| row.block == number).collect();
        let (Some(first), Some(last)) = (rows.first(), rows.last()) else {
            return Err(Fault::not_found(format!("block {number}")));
        };
        let ended = last.sealed.is_some() && last.ends_block;
        let operations = rows.iter().map(|row| self.operations_in(row)).sum();
        Ok(Block {
            number,
            hash: None,
            stage: if ended { Stage::Sealing } else { Stage::Open },
            committed: false,
            proven: false,
            batches: rows.len() as u32,
            operations,
            data_bytes: 0,
            time: first.context.time,
            old_root: None,
            new_root: None,
            opened_at: first.context.time,
            finalized_at: None,
            transactions: Transactions::default(),
            gas_per_operation: None,
            wei_per_operation: None,
        })
    }

    fn operations_in(&self, row: &BatchRow) -> u64 {
        let so_far = || self.parts.log.next().saturating_sub(row.first);
        row.sealed.map_or_else(so_far, u64::from)
    }

    fn sealed_block(&self, number: u64, info: &BlockInfo) -> Block {
        let l1 = self.l1();
        let transactions = l1.transactions.get(&number);
        let cost = transactions.and_then(|all| Cost::of(all, u64::from(info.operations)));
        let [commit, prove, finalize] = transactions.cloned().unwrap_or_default();
        let is_final = info.final_at.is_some() || l1.finalized >= number;
        let proven = info.proven_at.is_some() || l1.proven >= number;
        let stage = match (is_final, proven) {
            (true, _) => Stage::Final,
            (false, true) => Stage::Settling,
            (false, false) if self.parts.coordinator.job(&info.block_job(number)).is_some() => {
                Stage::Aggregating
            }
            (false, false) => Stage::Proving,
        };
        Block {
            number,
            hash: Some(Hash(info.hash)),
            stage,
            committed: is_final || l1.committed >= number,
            proven: is_final || proven,
            batches: info.inputs.len() as u32,
            operations: info.operations.into(),
            data_bytes: info.data_bytes,
            time: info.header.time,
            old_root: Some(Element(info.header.old_root)),
            new_root: Some(Element(info.header.new_root)),
            opened_at: info.header.time,
            finalized_at: info.final_at,
            transactions: Transactions {
                commit: commit.map(tx),
                prove: prove.map(tx),
                finalize: finalize.map(tx),
            },
            gas_per_operation: cost.map(|cost| cost.gas_per_operation()),
            wei_per_operation: cost.map(|cost| Amount(cost.wei_per_operation())),
        }
    }

    /// Blocks before a number, newest first.
    pub(in crate::api) fn blocks(
        &self,
        before: Option<u64>,
        limit: u32,
    ) -> Result<Vec<Block>, Fault> {
        let newest = self.newest()?;
        let end = before.map_or(newest, |before| newest.min(before.saturating_sub(1)));
        let first = end.saturating_sub(u64::from(limit)) + 1;
        (first..=end).rev().map(|number| self.block(number)).collect()
    }

    /// A batch by its number since genesis.
    ///
    /// # Errors
    /// [`Fault::not_found`].
    pub(in crate::api) fn batch(&self, number: u64) -> Result<Batch, Fault> {
        let coordinator = &self.parts.coordinator;
        if let Some(info) = coordinator.batch(number)? {
            let block = coordinator.block(info.block)?;
            let job = block.and_then(|block| self.job(&block.batch_job(number)));
            let BatchInfo { block, batch, first, operations, time, old_root, new_root, .. } = info;
            let (old_root, new_root) = (Some(Element(old_root)), Some(Element(new_root)));
            let first_entry = first;
            return Ok(Batch {
                number,
                block,
                batch,
                operations,
                first_entry,
                old_root,
                new_root,
                time,
                job,
            });
        }
        let row = self.parts.log.batch(number)?;
        let row = row.ok_or_else(|| Fault::not_found(format!("batch {number}")))?;
        Ok(Batch {
            number,
            block: row.block,
            batch: row.batch,
            operations: self.operations_in(&row) as u32,
            first_entry: row.first,
            old_root: None,
            new_root: None,
            time: row.context.time,
            job: None,
        })
    }

    /// The batches of a block.
    ///
    /// # Errors
    /// [`Fault::not_found`].
    pub(in crate::api) fn batches_of(&self, block: u64) -> Result<Vec<Batch>, Fault> {
        let numbers: Vec<u64> = match self.parts.coordinator.block(block)? {
            Some(info) => (info.first_batch..).take(info.inputs.len()).collect(),
            None => {
                let rows = self.unsealed()?.into_iter();
                rows.filter(|(_, row)| row.block == block).map(|(number, _)| number).collect()
            }
        };
        match numbers.is_empty() {
            true => Err(Fault::not_found(format!("block {block}"))),
            false => numbers.into_iter().map(|number| self.batch(number)).collect(),
        }
    }
}

/// What blocks cost on L1.
#[derive(Debug, Clone, Copy, Default)]
pub(in crate::api) struct Cost {
    gas: u64,
    wei: u128,
    operations: u64,
}

impl Cost {
    /// The cost of a block, if all its transactions are there.
    pub(in crate::api) fn of(transactions: &[Option<TxInfo>; 3], operations: u64) -> Option<Self> {
        let mut cost = Self { operations, ..Self::default() };
        for transaction in transactions {
            let TxInfo { gas, wei, .. } = transaction.as_ref()?;
            cost.gas = cost.gas.saturating_add(*gas);
            cost.wei = cost.wei.saturating_add(*wei);
        }
        (operations > 0).then_some(cost)
    }

    pub(in crate::api) fn plus(self, other: Self) -> Self {
        Self {
            gas: self.gas.saturating_add(other.gas),
            wei: self.wei.saturating_add(other.wei),
            operations: self.operations.saturating_add(other.operations),
        }
    }

    pub(in crate::api) fn gas_per_operation(&self) -> u64 {
        self.gas.div_ceil(self.operations.max(1))
    }

    pub(in crate::api) fn wei_per_operation(&self) -> u128 {
        self.wei.div_ceil(u128::from(self.operations.max(1)))
    }
}

fn tx(info: TxInfo) -> Tx {
    let TxInfo { hash, block, gas, wei, attempts } = info;
    Tx { hash: Hash(hash), block, gas, wei: Amount(wei), attempts }
}
