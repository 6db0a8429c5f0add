#![doc = include_str!("README.md")]

use halo2_proofs::halo2curves::bn256::Fr;

use crate::core::{BlockWriter, Expr, RowBlock, RowKind, Table, Tag, Term, Tuple};
use crate::witness::convert::{small, wide};

/// Digits of a row of digits; other cells stand behind them.
pub const ROW_DIGITS: usize = 22;

/// `d (d - 1) (d - 2) (d - 3)`: zero exactly for 0, 1, 2, 3.
pub fn digit(d: Expr) -> Expr {
    let ends = d * (d - Expr::from(3));
    ends * (ends + Expr::from(2))
}

/// Digit `i` of a block whose first rows are rows of digits.
pub fn digit_cell(i: usize) -> Expr {
    Expr::cell((i / ROW_DIGITS) as i32, i % ROW_DIGITS)
}

/// Says that the first rows of a block have `used` base-4 digits, named `digitN`, and that those
/// behind them in the last of these rows are 0, named `spareN`.
pub fn digit_rows(block: &mut RowBlock, used: usize) {
    for row in 0..used.div_ceil(ROW_DIGITS) {
        block.of_kind(row, RowKind::Digits);
        for i in row * ROW_DIGITS..(row + 1) * ROW_DIGITS {
            block.constrain_row(row, format!("digit{i}"), digit(digit_cell(i)));
        }
    }
    for i in used..used.next_multiple_of(ROW_DIGITS) {
        block.constrain(format!("spare{i}"), digit_cell(i));
    }
}

/// Assigns these rows.
pub fn assign_digits(writer: &mut BlockWriter<'_>, digits: impl ExactSizeIterator<Item = u64>) {
    let used = digits.len();
    let all = digits.chain(std::iter::repeat(0)).take(used.next_multiple_of(ROW_DIGITS));
    all.enumerate().for_each(|(i, d)| writer.set(&digit_cell(i), small(d)));
}

/// `sum of digits x 4^i`, lowest first.
pub fn weighted(digits: impl Iterator<Item = Expr>) -> Expr {
    digits.enumerate().map(|(i, d)| d * Expr::pow2(2 * i as u32)).sum()
}

/// The `len` base-4 digits of `value`, lowest first.
pub fn digits_of(value: u128, len: usize) -> impl ExactSizeIterator<Item = u64> {
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
}

const VALUE: Expr = Expr::cell(0, ROW_DIGITS);
const MULTIPLICITY: Expr = Expr::cell(0, ROW_DIGITS + 1);

/// Constraints of a range check.
pub fn range_block(width: Width) -> RowBlock {
    let (table, tuple) = match width {
        Width::Bits40 => (Table::Range40, range40(VALUE)),
        Width::Bits128 => (Table::Range128, range128(VALUE)),
    };
    let mut block = RowBlock::new(table);
    digit_rows(&mut block, width.digits());
    block.constrain("value", VALUE - weighted((0..width.digits()).map(digit_cell)));
    block.bus(0, [Term::produce("produce", MULTIPLICITY, tuple)]);
    block
}

/// Assigns the range check of `value`, looked up `multiplicity` times.
pub fn assign(writer: &mut BlockWriter<'_>, width: Width, value: u128, multiplicity: u64) {
    assign_digits(writer, digits_of(value, width.digits()));
    writer.set(&VALUE, wide(value));
    writer.set(&MULTIPLICITY, Fr::from(multiplicity));
}
