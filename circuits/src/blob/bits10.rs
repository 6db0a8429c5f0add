//! The table of 10-bit numbers: a block has the sixteen that begin with its six bits.

use halo2_proofs::halo2curves::bn256::Fr;

use crate::blob::bits10_tuple;
use crate::core::{BlockWriter, Expr, RowBlock, RowKind, Table, Term, TERMS};
use crate::ranges::{digit, digits_of, weighted};
use crate::witness::convert::small;

/// Entries of a block.
pub const ENTRIES: usize = 16;

/// Blocks of the whole table.
pub const BLOCKS: usize = 1024 / ENTRIES;

/// Base-4 digits of what a block's entries have in common.
const DIGITS: usize = 3;

/// How often entry `i` was looked up: `TERMS` entries a row.
pub fn uses(i: usize) -> Expr {
    Expr::cell((i / TERMS) as i32, i % TERMS)
}

/// The first number of a row.
fn first(row: usize) -> Expr {
    Expr::cell(row as i32, TERMS)
}

/// What the block's numbers have in common.
fn prefix_digit(i: usize) -> Expr {
    Expr::cell(0, TERMS + 1 + i)
}

/// Constraints of sixteen entries.
pub fn block() -> RowBlock {
    let mut block = RowBlock::new(Table::Bits10);
    for i in 0..DIGITS {
        block.constrain(format!("digit{i}"), digit(prefix_digit(i)));
    }
    let prefix = weighted((0..DIGITS).map(prefix_digit));
    for row in 0..ENTRIES / TERMS {
        let number = prefix * Expr::from(ENTRIES as u64) + Expr::from((TERMS * row) as u64);
        block.constrain(format!("first{row}"), first(row) - number);
        block.of_kind(row, RowKind::Entries);
    }
    let entry = |i: usize| {
        let value = first(i / TERMS) + Expr::from((i % TERMS) as u64);
        Term::produce(format!("entry{i}"), uses(i), bits10_tuple(value))
    };
    block.bus_packed(0, (0..ENTRIES).map(entry).collect());
    block
}

/// Assigns the block of number `n`, whose entries were looked up `counts` times.
pub fn assign(writer: &mut BlockWriter<'_>, n: usize, counts: &[u64]) {
    for (i, d) in digits_of(n as u128, DIGITS).enumerate() {
        writer.set(&prefix_digit(i), small(d));
    }
    for row in 0..ENTRIES / TERMS {
        writer.set(&first(row), small((ENTRIES * n + TERMS * row) as u64));
    }
    for i in 0..ENTRIES {
        let count = counts.get(i).copied().unwrap_or(0);
        writer.set(&uses(i), Fr::from(count));
    }
}
