//! Where the blocks stand: the tables one above the other in one region, head first.

use serde::{Deserialize, Serialize};

use crate::shape::Shape;

/// The tables. Each has one selector ([`crate::core::Selector`]), on the first row of its blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Table {
    /// Public inputs, batch constants, policy, base point multiples; once, at row 0.
    Head,
    /// One operation.
    Op,
    /// One touched account.
    Account,
    /// One Merkle node that changed.
    Node,
    /// One signature check: key, challenge, verdict.
    Signature,
    /// Four bits of both scalars of a signature check.
    Window,
    /// Hands over the state of a scalar multiplication at the end of a half.
    Half,
    /// One Poseidon2 compression (also inside nodes and accounts).
    Compress,
    /// Puts a compression on the bus.
    Hash,
    /// The reading of a packed account word.
    Unpack,
    /// A 40-bit range check.
    Range40,
    /// A 128-bit range check.
    Range128,
    /// One use of the bridge limiter.
    Limiter,
    /// The limits of one token, with their path in the policy.
    Policy,
    /// What a batch has in the blob: ends, padding, point; once.
    Blob,
    /// A quarter of the multipliers of a group's slots.
    Powers,
    /// Eight slots of each of two groups, times their multipliers.
    Slots,
    /// One group of slots: a step of Horner's rule.
    Horner,
    /// A range check of 255 bits in two limbs.
    Limbs,
    /// Sixteen entries of the table of 10-bit numbers.
    Bits10,
    /// One owner record, cut into slots.
    Split,
}

impl Table {
    /// All tables, in the order of their selectors.
    pub const ALL: [Self; 21] = [
        Self::Head,
        Self::Op,
        Self::Account,
        Self::Node,
        Self::Signature,
        Self::Window,
        Self::Half,
        Self::Compress,
        Self::Hash,
        Self::Unpack,
        Self::Range40,
        Self::Range128,
        Self::Limiter,
        Self::Policy,
        Self::Blob,
        Self::Powers,
        Self::Slots,
        Self::Horner,
        Self::Limbs,
        Self::Bits10,
        Self::Split,
    ];

    /// The tables for data in blobs, of [`Table::ALL`].
    pub const BLOB: [Self; 7] = [
        Self::Blob,
        Self::Powers,
        Self::Slots,
        Self::Horner,
        Self::Limbs,
        Self::Bits10,
        Self::Split,
    ];

    /// Name as it stands in failures and reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Head => "head",
            Self::Op => "op",
            Self::Account => "account",
            Self::Node => "node",
            Self::Signature => "signature",
            Self::Window => "window",
            Self::Half => "half",
            Self::Compress => "compress",
            Self::Hash => "hash",
            Self::Unpack => "unpack",
            Self::Range40 => "range40",
            Self::Range128 => "range128",
            Self::Limiter => "limiter",
            Self::Policy => "policy",
            Self::Blob => "blob",
            Self::Powers => "powers",
            Self::Slots => "slots",
            Self::Horner => "horner",
            Self::Limbs => "limbs",
            Self::Bits10 => "bits10",
            Self::Split => "split",
        }
    }

    /// Rows of a block.
    pub fn rows(self) -> usize {
        match self {
            Self::Head | Self::Op | Self::Blob => 10,
            Self::Account => 7,
            Self::Node => 6,
            Self::Signature => 7,
            Self::Window | Self::Half | Self::Range40 => 1,
            Self::Compress | Self::Hash | Self::Range128 | Self::Horner => 3,
            Self::Unpack | Self::Slots => 5,
            Self::Limiter | Self::Bits10 | Self::Split => 4,
            Self::Powers | Self::Limbs => 8,
            Self::Policy => 7,
        }
    }
}

/// Windows of four bits in a half of a scalar.
pub const WINDOWS: usize = 32;

/// Rows of a whole signature: header, and two halves of windows with their hand-over rows.
pub const SIGNATURE_ROWS: usize = 7 + 2 * (WINDOWS + 1);

/// The first rows of the blocks of each section.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    /// Every block: table and first row, in ascending order of row. Blocks of [`Table::Compress`]
    /// share the rows of the hash, node or account block that holds them.
    pub blocks: Vec<Placement>,
    /// Rows in use; the running sum ends at this row.
    pub rows: usize,
}

/// One block's place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Placement {
    /// The table.
    pub table: Table,
    /// Its first row.
    pub row: usize,
}

impl Layout {
    /// The layout of a shape.
    pub fn new(shape: &Shape) -> Self {
        let mut layout = Self { blocks: Vec::new(), rows: 0 };
        layout.push(Table::Head);
        for _ in 0..shape.slots.signatures {
            layout.push(Table::Signature);
            for _ in 0..2 {
                for _ in 0..WINDOWS {
                    layout.push(Table::Window);
                }
                layout.push(Table::Half);
            }
        }
        for (table, slots) in slots(shape) {
            for _ in 0..slots {
                layout.push(table);
            }
        }
        layout
    }

    /// The rows of a shape's layout, without laying it out.
    pub fn rows_of_shape(shape: &Shape) -> usize {
        let tables = slots(shape).into_iter().map(|(t, n)| t.rows() * n);
        Table::Head.rows() + shape.slots.signatures * SIGNATURE_ROWS + tables.sum::<usize>()
    }

    fn push(&mut self, table: Table) {
        let row = self.rows;
        self.blocks.push(Placement { table, row });
        let compressions = match table {
            Table::Account | Table::Node => 2,
            Table::Hash => 1,
            _ => 0,
        };
        for n in 0..compressions {
            self.blocks
                .push(Placement { table: Table::Compress, row: row + n * Table::Compress.rows() });
        }
        self.rows += table.rows();
    }

    /// First rows of the blocks of `table`.
    pub fn rows_of(&self, table: Table) -> Vec<usize> {
        self.blocks.iter().filter(|b| b.table == table).map(|b| b.row).collect()
    }
}

/// Blocks of the tables behind the signatures, in their order.
fn slots(shape: &Shape) -> Vec<(Table, usize)> {
    let blob = shape.slots.blob();
    let of_blob = Table::BLOB.into_iter().map(|table| (table, blob.blocks_of(table)));
    let others = [
        (Table::Op, shape.slots.ops),
        (Table::Account, shape.slots.accounts),
        (Table::Unpack, shape.slots.accounts),
        (Table::Node, shape.slots.nodes),
        (Table::Hash, shape.slots.hashes),
        (Table::Range128, shape.slots.ranges128),
        (Table::Range40, shape.slots.ranges40),
        (Table::Limiter, shape.slots.limiters),
        (Table::Policy, shape.slots.policies),
    ];
    others.into_iter().chain(of_blob).collect()
}
