//! The table of 10-bit numbers: a block has the sixteen that begin with its six bits.

use halo2_proofs::halo2curves::bn256::Fr;

use crate::blob::bits10_tuple;
use crate::core::{BlockWriter, Expr, RowBlock, Table, Term};
use crate::ranges::{digit, digits_of, weighted};
use crate::witness::convert::small;

/// Entries of a block.
pub const ENTRIES: usize = 16;

/// Blocks of the whole table.
pub const BLOCKS: usize = 1024 / ENTRIES;

/// Base-4 digits of what a block's entries have in common.
const DIGITS: usize = 3;

/// Constraints of sixteen entries.
pub fn block() -> RowBlock {
    let mut block = RowBlock::new(Table::Bits10);
    for i in 0..DIGITS {
        block.constrain(format!("digit{i}"), digit(Expr::nth(i)));
    }
    let first = weighted((0..DIGITS).map(Expr::nth)) * Expr::from(ENTRIES as u64);
    let entry = |i: usize| {
        let value = first + Expr::from(i as u64);
        Term::produce(format!("entry{i}"), Expr::nth(DIGITS + i), bits10_tuple(value))
    };
    block.bus_packed(0, (0..ENTRIES).map(entry).collect());
    block
}

/// Assigns the block of number `n`, whose entries were looked up `counts` times.
pub fn assign(writer: &mut BlockWriter<'_>, n: usize, counts: &[u64]) {
    for (i, d) in digits_of(n as u128, DIGITS).enumerate() {
        writer.nth(i, small(d));
    }
    for i in 0..ENTRIES {
        let count = counts.get(i).copied().unwrap_or(0);
        writer.nth(DIGITS + i, Fr::from(count));
    }
}
