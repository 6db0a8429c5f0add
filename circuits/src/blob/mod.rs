#![doc = include_str!("README.md")]

pub mod bits10;
pub mod edge;
pub mod fill;
pub mod horner;
pub mod limbs;
pub mod powers;
pub mod reduce;
pub mod runs;
pub mod split;
#[cfg(test)]
mod tests;

use bastion_protocol::blob::{GROUP_SLOTS, OWNER_SLOTS, SLOT_BITS};

use crate::core::{Expr, Table, Tag, Tuple};

pub use fill::{write, BlobTrace, OwnerTrace, TraceError, Written};

/// Number of blocks of the tables for data in blobs whose size is a matter of choice.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BlobSlots {
    /// Groups of 16 elements.
    pub groups: usize,
    /// Distinct values that are range-checked.
    pub limbs: usize,
    /// Owner records.
    pub owners: usize,
}

/// Blocks that hold the multipliers of a group.
pub const QUARTERS: usize = 4;

/// Slots of a quarter of a group.
pub const QUARTER_SLOTS: usize = GROUP_SLOTS / QUARTERS;

impl BlobSlots {
    /// What a batch with `groups` groups and `owners` owner records needs at most.
    pub fn for_batch(groups: usize, owners: usize) -> Self {
        let reductions = groups + QUARTERS * powers::REDUCTIONS;
        // Each reduction looks up a value and a quotient with its carry, and a group those of 0 beside
        // its own; the edge looks up the point and the value behind the batch; an owner record has
        // its parts, and what its key hash is below the largest one.
        let limbs = 2 * reductions + 2 + 2 + split::RANGES * owners;
        Self { groups, limbs, owners }
    }

    /// What a batch with `l2` L2 records and `owners` owner records needs at most.
    pub fn for_records(l2: usize, owners: usize) -> Self {
        let used = l2 + owners * OWNER_SLOTS;
        Self::for_batch(used.div_ceil(GROUP_SLOTS), owners)
    }

    /// Blocks of a table; none of those that are not for blobs.
    pub fn blocks_of(&self, table: Table) -> usize {
        match table {
            Table::Blob => 1,
            Table::Powers => QUARTERS,
            Table::Slots => QUARTERS * self.groups.div_ceil(runs::RUNS),
            Table::Horner => self.groups,
            Table::Limbs => self.limbs,
            Table::Bits10 => bits10::BLOCKS,
            Table::Split => self.owners,
            Table::Head
            | Table::Op
            | Table::Account
            | Table::Node
            | Table::Signature
            | Table::Window
            | Table::Half
            | Table::Compress
            | Table::Hash
            | Table::Unpack
            | Table::Range40
            | Table::Range128
            | Table::Limiter
            | Table::Policy
            | Table::Order
            | Table::Quote => 0,
        }
    }
}

/// The tuple of a slot of the batch in the blob.
pub fn word_tuple(position: Expr, word: Expr) -> Tuple {
    Tuple::new(Tag::BlobWord, [position, word])
}

/// The tuple of an owner record of the batch.
pub fn owner_tuple(number: Expr, keyhash: Expr, exit: Expr) -> Tuple {
    Tuple::new(Tag::BlobOwner, [number, keyhash, exit])
}

/// What the head says of the blob.
#[derive(Clone, Copy, Debug)]
pub struct Statement<F> {
    /// The point of evaluation.
    pub z: F,
    /// L2 records of the batch in the blob.
    pub l2: F,
    /// Owner records of the batch in the blob.
    pub owners: F,
    /// Value of the polynomial's rest from this batch on: low and high limb.
    pub from: [F; 2],
    /// Value of its rest behind this batch: low and high limb.
    pub to: [F; 2],
}

impl<F: Into<Expr>> Statement<F> {
    /// The tuple that the head produces and the edge consumes.
    pub fn tuple(self) -> Tuple {
        let [from_low, from_high] = self.from;
        let [to_low, to_high] = self.to;
        let entries = [self.z, self.l2, self.owners, from_low, from_high, to_low, to_high];
        Tuple::new(Tag::Blob, entries.map(Into::into))
    }
}

/// The tuple that says that 10-bit numbers are.
fn bits10_tuple(v: Expr) -> Tuple {
    Tuple::new(Tag::Bits10, [v])
}

/// `2^120`, where the second slot of an element begins.
fn slot_shift() -> Expr {
    Expr::pow2(SLOT_BITS)
}
