#![doc = include_str!("README.md")]

use halo2_proofs::halo2curves::bn256::Fr;

use crate::core::{BlockWriter, Expr, RowBlock, Table, Tag, Term, Tuple};
use crate::witness::convert::{small, wide};

/// Zero exactly for 0, 1, 2, 3 (degree 4).
pub fn digit(d: Expr) -> Expr {
    d * (d - Expr::one()) * (d - Expr::from(2)) * (d - Expr::from(3))
}

/// `sum of digits x 4^i`, lowest first.
pub fn weighted(digits: impl Iterator<Item = Expr>) -> Expr {
    digits.enumerate().map(|(i, d)| d * Expr::pow2(2 * i as u32)).sum()
}

/// The `len` base-4 digits of `value`, lowest first.
pub fn digits_of(value: u128, len: usize) -> impl Iterator<Item = u64> {
    (0..len).map(move |i| ((value >> (2 * i)) & 3) as u64)
}

/// The tuple that says `v < 2^40`.
pub fn range40(v: Expr) -> Tuple {
    Tuple::new(Tag::Range40, [v])
}

/// The tuple that says `v < 2^128`.
pub fn range128(v: Expr) -> Tuple {
    Tuple::new(Tag::Range128, [v])
}

/// The widths on offer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Width {
    /// 40 bits, one row.
    Bits40,
    /// 128 bits, three rows.
    Bits128,
}

impl Width {
    fn digits(self) -> usize {
        match self {
            Self::Bits40 => 20,
            Self::Bits128 => 64,
        }
    }

    fn value(self) -> Expr {
        Expr::nth(self.digits())
    }

    fn multiplicity(self) -> Expr {
        Expr::nth(self.digits() + 1)
    }
}

/// Constraints of a range check.
pub fn range_block(width: Width) -> RowBlock {
    let (table, tuple) = match width {
        Width::Bits40 => (Table::Range40, range40(width.value())),
        Width::Bits128 => (Table::Range128, range128(width.value())),
    };
    let mut block = RowBlock::new(table);
    for i in 0..width.digits() {
        block.constrain(format!("digit{i}"), digit(Expr::nth(i)));
    }
    block.constrain("value", width.value() - weighted((0..width.digits()).map(Expr::nth)));
    block.bus(0, [Term::produce("produce", width.multiplicity(), tuple)]);
    block
}

/// Assigns the range check of `value`, looked up `multiplicity` times.
pub fn assign(writer: &mut BlockWriter<'_>, width: Width, value: u128, multiplicity: u64) {
    for (i, d) in digits_of(value, width.digits()).enumerate() {
        writer.nth(i, small(d));
    }
    writer.set(&width.value(), wide(value));
    writer.set(&width.multiplicity(), Fr::from(multiplicity));
}
