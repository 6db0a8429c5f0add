//! Where an operation stands in the data that its block posts.

use bastion_client::types::{Bytes, Element, Hash, Inclusion};
use bastion_protocol::data::BatchData;
use bastion_protocol::ops::Op;
use bastion_protocol::order::leaf_of;
use bastion_protocol::records::{L2Posted, Section};
use bastion_protocol::{Fr, Kind};

use crate::api::problem::{Code, Fault};
use crate::api::Backend;
use crate::sequencer::Entry;

/// Bytes of the counts before the records of a batch.
const COUNTS: u64 = 8;

impl Backend {
    /// The records of an operation in the data of its block.
    ///
    /// # Errors
    /// [`Code::NotSealed`] before its block is sealed.
    pub(in crate::api) fn inclusion(&self, entry: &Entry) -> Result<Inclusion, Fault> {
        let receipt = &entry.receipt.receipt;
        let place = receipt.place;
        let coordinator = &self.parts.coordinator;
        let block = coordinator.block(place.block)?.ok_or_else(|| {
            let detail = format!(
                "block {} takes operations or is being sealed: ask again when GET /v1/blocks/{} has a \
                 hash",
                place.block, place.block
            );
            Fault::new(Code::NotSealed, detail)
        })?;
        let batches = coordinator.records(&block)?;
        let broken =
            || Fault::internal(format!("the data of block {} lack {place:?}", place.block));
        let batch = batches.get(place.batch as usize).ok_or_else(broken)?;
        let before: u64 = batches.iter().take(place.batch as usize).map(length).sum();
        let found = find(batch, place.position as usize, &entry.op, &receipt.leaf);
        let found = found.ok_or_else(broken)?;
        let record = |(section, n): &(Section, usize)| batch.section(*section).get(*n).cloned();
        let records: Option<Vec<Vec<u8>>> = found.iter().map(record).collect();
        let l1 = self.l1();
        let transactions = l1.transactions.get(&place.block);
        Ok(Inclusion {
            operation: Hash(receipt.operation),
            block: place.block,
            batch: place.batch,
            position: place.position,
            records: records.ok_or_else(broken)?.into_iter().map(Bytes).collect(),
            leaf: Element(receipt.leaf),
            offset: match block.blobs.is_empty() {
                true => {
                    found.iter().map(|(section, n)| before + offset(batch, *section, *n)).collect()
                }
                false => Vec::new(),
            },
            commit_transaction: transactions
                .and_then(|[commit, _, _]| commit.as_ref())
                .map(|commit| Hash(commit.hash)),
        })
    }
}

/// The records of the operation at a position, of which the leaf is known. L1 operations come first in
/// a batch, and every section is in the order of the operations.
fn find(batch: &BatchData, position: usize, op: &Op, leaf: &Fr) -> Option<Vec<(Section, usize)>> {
    let queued = batch.section(Section::L1).len();
    let posted = kinds_of(batch.section(Section::L2));
    let kinds = |count: usize, wanted: fn(Kind) -> bool| {
        posted.iter().take(count).filter(|kind| wanted(**kind)).count()
    };
    // Exits of L1 operations come first.
    let leaving = kinds(posted.len(), Kind::exits);
    let forced = batch.section(Section::Exits).len().checked_sub(leaving)?;
    let found = match op {
        Op::Quote(_) | Op::Noop => return None,
        Op::Deposit(_) => vec![vec![(Section::L1, position)]],
        Op::ForcedExit(_) => {
            let own = (Section::L1, position);
            // One that did not match has no exit.
            let exits = (0..forced).map(|n| vec![own, (Section::Exits, n)]);
            std::iter::once(vec![own]).chain(exits).collect()
        }
        Op::Signed(op) => {
            let n = position.checked_sub(queued)?;
            let kind = op.body.action.kind();
            let before = posted.iter().take(n).map(|kind| kind.records(Section::L2)).sum();
            let records = before..before + kind.records(Section::L2);
            let mut own: Vec<_> = records.map(|record| (Section::L2, record)).collect();
            if kind.exits() {
                own.push((Section::Exits, forced + kinds(n, Kind::exits)));
            }
            if kind.writes_owner() {
                own.push((Section::Owners, kinds(n, Kind::writes_owner)));
            }
            vec![own]
        }
    };
    found.into_iter().find(|places| {
        let record = |(section, n): &(Section, usize)| batch.section(*section).get(*n);
        let records: Option<Vec<&Vec<u8>>> = places.iter().map(record).collect();
        records.and_then(|records| leaf_of(records.into_iter().map(Vec::as_slice))) == Some(*leaf)
    })
}

/// The kinds of the operations of an L2 section.
fn kinds_of(mut section: &[Vec<u8>]) -> Vec<Kind> {
    let mut kinds = Vec::new();
    while let Ok(Some(posted)) = L2Posted::take(&mut section) {
        kinds.push(posted.kind);
    }
    kinds
}

/// Bytes of a batch.
fn length(batch: &BatchData) -> u64 {
    Section::ALL.iter().fold(COUNTS, |sum, section| {
        sum + (batch.section(*section).len() * section.record_len()) as u64
    })
}

/// Where a record begins in its batch.
fn offset(batch: &BatchData, section: Section, n: usize) -> u64 {
    let sections = Section::ALL.iter().take_while(|other| **other != section);
    let before = sections.map(|other| batch.section(*other).len() * other.record_len());
    COUNTS + (before.sum::<usize>() + n * section.record_len()) as u64
}
