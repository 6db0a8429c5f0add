#![doc = include_str!("README.md")]

mod gates;
mod trace;

pub use gates::{compress_block, input_a, input_b, output, INPUT_CELLS, SPARE};
pub use trace::{assign_compress, holds};

use crate::core::{Expr, RowBlock, Table, Tag, Term, Tuple};

/// Multiplicity with which a hash block is on the bus.
pub fn multiplicity() -> Expr {
    Expr::nth(SPARE)
}

/// The block that puts its compression on the bus.
pub fn hash_block() -> RowBlock {
    let mut block = RowBlock::new(Table::Hash);
    block.bus(
        0,
        [Term::produce("produce", multiplicity(), tuple(input_a(0), input_b(0), output(0)))],
    );
    block
}

/// The tuple that says `out = compress(a, b)`.
pub fn tuple(a: Expr, b: Expr, out: Expr) -> Tuple {
    Tuple::new(Tag::Hash, [a, b, out])
}

#[cfg(test)]
mod tests;
