//! Proofs that an operation has its place in a block (protocol section 6.3), from L1 data alone.

use std::str::FromStr;

use bastion_audit::{History, Replay};
use bastion_protocol::data::BatchData;
use bastion_protocol::kinds::Kind;
use bastion_protocol::ops::{Op, SignedOp};
use bastion_protocol::order::{InclusionProof, OrderError, OrderTree};
use bastion_protocol::receipt::Place;
use bastion_protocol::records::{read_owner, ExitRecord, L1Record, L2Posted, Section};
use bastion_protocol::{field, Address, Policy};

use crate::error::NodeError;

/// Which operation is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    /// The one at a place.
    Place(Place),
    /// The one whose records fit. Nonce and deadline are not posted, so there may be several.
    Operation(Box<Op>),
}

/// Why there is no proof of inclusion.
#[derive(Debug, thiserror::Error)]
pub enum InclusionError {
    /// No such block.
    #[error("block {block} is not proven as of this L1 block; {proven} are: choose one of them, or a later --at")]
    NotProven {
        /// The block.
        block: u64,
        /// Blocks that are proven.
        proven: u64,
    },
    /// Nothing fits.
    #[error("no operation of the {proven} proven blocks has these records: was it sequenced, and is its block proven?")]
    NotFound {
        /// Blocks that were searched.
        proven: u64,
    },
    /// More than one fits.
    #[error("posted data do not tell nonces, and operations at several places have these records: {places}; name one of the places")]
    Several {
        /// The places.
        places: String,
    },
    /// The place is not there, or data and claim differ.
    #[error("the proof of inclusion: {0}")]
    Order(#[from] OrderError),
}

/// `block:batch:position`, the block from 1 and the others from 0.
///
/// # Errors
/// A text that says what is expected.
pub fn read_place(text: &str) -> Result<Place, String> {
    let parts: Vec<&str> = text.split(':').collect();
    let number = |part: &str| u64::from_str(part).ok();
    let small = |part: &str| u32::from_str(part).ok();
    let [block, batch, position] = parts[..] else {
        return Err(format!("{text:?} is no place: expected BLOCK:BATCH:POSITION"));
    };
    match (number(block), small(batch), small(position)) {
        (Some(block @ 1..), Some(batch), Some(position)) => Ok(Place { block, batch, position }),
        _ => Err(format!("{text:?} is no place: three numbers, blocks are counted from 1")),
    }
}

/// The proof that an operation has its place in a proven block. It is checked before it is returned.
///
/// # Errors
/// [`InclusionError`]; [`NodeError::History`] and [`NodeError::Data`] if the data up to the block cannot
/// be read or replayed.
pub fn inclusion(
    history: &History,
    policies: &[Policy],
    wanted: &Wanted,
) -> Result<InclusionProof, NodeError> {
    let wrong = |why: String| NodeError::History { contract: history.contract.to_string(), why };
    let proven = history.blocks.iter().take_while(|b| b.proving.is_some()).count() as u64;
    let last = match wanted {
        Wanted::Operation(_) => proven,
        Wanted::Place(place) if place.block > proven || place.block == 0 => {
            return Err(InclusionError::NotProven { block: place.block, proven }.into());
        }
        Wanted::Place(place) => place.block,
    };
    let mut replay = Replay::new();
    let (mut found, mut proof) = (Vec::new(), None);
    for (number, block) in (1..=last).zip(&history.blocks) {
        let root = block.header.policy_root;
        let policy = policies.iter().find(|p| p.root() == root).ok_or_else(|| {
            wrong(format!("block {number}: no given policy has the root {}", field::to_hex(&root)))
        })?;
        replay.set_policy(policy);
        let data = block.read(history.domain());
        let data =
            data.map_err(|fault| NodeError::Data { block: number, fault: Box::new(fault) })?;
        for batch in &data.batches {
            replay
                .apply(batch, block.header.time)
                .map_err(|e| wrong(format!("block {number}: {e}")))?;
        }
        let order = replay.take_order();
        let places: Vec<Place> = match wanted {
            Wanted::Place(place) if place.block == number => vec![*place],
            Wanted::Place(_) => Vec::new(),
            Wanted::Operation(op) => (0..)
                .zip(&data.batches)
                .flat_map(|(batch, records)| {
                    let positions = positions(records, op).into_iter();
                    positions.map(move |position| Place { block: number, batch, position })
                })
                .collect(),
        };
        if let (None, Some(place)) = (&proof, places.first()) {
            let trees: Vec<(OrderTree, [u64; 4])> = order
                .batches
                .iter()
                .map(|batch| (OrderTree::new(&batch.leaves), batch.counts))
                .collect();
            let (batch, position) = (place.batch as usize, place.position as usize);
            let inputs = data.inputs.into_array();
            let built = InclusionProof::build(number, inputs, &trees, batch, position);
            proof = Some(built.map_err(InclusionError::from)?);
        }
        found.extend(places);
    }
    if found.len() > 1 {
        let shown = |place: &Place| format!("{}:{}:{}", place.block, place.batch, place.position);
        let places = found.iter().map(shown).collect::<Vec<_>>().join(", ");
        return Err(InclusionError::Several { places }.into());
    }
    Ok(proof.ok_or(InclusionError::NotFound { proven })?)
}

/// Positions of a batch whose records are those of an operation, as far as the operation tells.
fn positions(batch: &BatchData, op: &Op) -> Vec<u32> {
    let queued = batch.section(Section::L1);
    match op {
        Op::Noop => Vec::new(),
        Op::Deposit(_) | Op::ForcedExit(_) => (0..)
            .zip(queued)
            .filter(|(_, record)| L1Record::read(record).is_ok_and(|record| record.op() == *op))
            .map(|(position, _)| position)
            .collect(),
        Op::Signed(signed) => {
            // Exits of L1 operations come first.
            let leaving = operations(batch).filter(|(_, posted)| posted.kind.exits()).count();
            let exits = batch.section(Section::Exits).iter();
            let forced = exits.len().saturating_sub(leaving);
            let mut exits = exits.skip(forced);
            let mut owners = batch.section(Section::Owners).iter();
            let mut found = Vec::new();
            for (position, posted) in operations(batch) {
                let owner = if posted.kind.writes_owner() { owners.next() } else { None };
                let exit = if posted.kind.exits() { exits.next() } else { None };
                if fits(signed, &posted, owner, exit).unwrap_or(false) {
                    found.push(position);
                }
            }
            found
        }
        Op::Quote(quote) => operations(batch)
            .filter(|(_, posted)| posted.kind == Kind::Quote)
            .filter(|(_, posted)| posted.quote().is_ok_and(|(found, _)| found == *quote))
            .map(|(position, _)| position)
            .collect(),
    }
}

/// The operations of the L2 section with their positions. The data were replayed before, so all of it can be
/// read.
fn operations(batch: &BatchData) -> impl Iterator<Item = (u32, L2Posted)> + '_ {
    let first = batch.section(Section::L1).len() as u32;
    let mut rest: &[Vec<u8>] = batch.section(Section::L2);
    let posted = std::iter::from_fn(move || L2Posted::take(&mut rest).ok().flatten());
    (first..).zip(posted)
}

/// Whether these are the records of a signed operation; what the operator chooses may be anything.
fn fits(
    signed: &SignedOp,
    posted: &L2Posted,
    owner: Option<&Vec<u8>>,
    exit: Option<&Vec<u8>>,
) -> Option<bool> {
    let L2Posted { main, value, .. } = *posted;
    let body = &signed.body;
    let owner = match owner {
        Some(owner) => Some(read_owner(owner).ok()?),
        None => None,
    };
    // Of a new key the owner record has the account's own address, which the operation does not name.
    let own_exit = owner.map_or(Address([0; 20]), |(_, exit)| exit);
    let exit = match exit {
        Some(exit) => Some(ExitRecord::read(exit).ok()?.to),
        None => None,
    };
    let expected = body.wire(own_exit).ok()?.record(body.account, body.posted_to(main.to));
    Some(
        main == expected
            && value == body.value_word().unwrap_or(0)
            && owner == body.new_owner(own_exit)
            && exit == body.action.leaves_to(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_three_numbers() {
        assert_eq!(read_place("1:0:7"), Ok(Place { block: 1, batch: 0, position: 7 }));
        for text in ["", "1:0", "0:0:0", "1:0:7:9", "1:-1:0", "1:0:4294967296", "a:b:c"] {
            assert!(read_place(text).is_err(), "{text}");
        }
    }
}
