#![doc = include_str!("README.md")]

pub mod order;
pub mod quote;

use crate::core::{BlockWriter, Expr, RowBlock, RowKind, Tag, Term, Tuple, WIDTH};
use crate::ranges::range40;
use crate::witness::convert::halves;
use crate::witness::LookupCounts;
use crate::Fr;

#[cfg(test)]
mod tests;

/// Looked-up 40-bit limbs in a row of limbs.
pub const ROW_LIMBS: usize = 3;

/// Numbers of the two kinds in posted words.
pub const ORDER: u64 = 7;
/// See [`ORDER`].
pub const QUOTE: u64 = 8;

/// What an operation says of an order or a quote.
#[derive(Clone, Copy, Debug)]
pub struct Posted<T> {
    /// The token that is sold; of a quote, its first token.
    pub sell: T,
    /// The token that is bought; of a quote, its second token.
    pub buy: T,
    /// Most that is sold; 0 of a quote.
    pub amount: T,
    /// What is sold; of a quote, the token's surplus.
    pub sold: T,
    /// What is paid; 0 of a quote.
    pub paid: T,
    /// The second posted word.
    pub word: T,
    /// L2 records of the batch before the operation.
    pub position: T,
    /// Where L2 records are: 1 for a blob.
    pub mode: T,
}

impl<T> Posted<T> {
    /// In the order of the fields.
    pub fn into_array(self) -> [T; 8] {
        let Self { sell, buy, amount, sold, paid, word, position, mode } = self;
        [sell, buy, amount, sold, paid, word, position, mode]
    }
}

/// The tuple of an order or a quote, by its number.
pub fn posted_tuple(number: Expr, posted: Posted<Expr>) -> Tuple {
    Tuple::new(Tag::Auction, [number].into_iter().chain(posted.into_array()))
}

/// The tuple of the last quote's key.
pub fn key_tuple(key: Expr) -> Tuple {
    Tuple::new(Tag::QuoteKey, [key])
}

/// The tuple of a token's price.
fn price_tuple(token: Expr, market: Expr, price: Expr, open: Expr) -> Tuple {
    Tuple::new(Tag::Price, [token, market, price, open])
}

/// The tuple of the part by which orders at the margin are filled.
fn fraction_tuple(sell: Expr, buy: Expr, fraction: Expr) -> Tuple {
    Tuple::new(Tag::Fraction, [sell, buy, fraction])
}

/// The tuple of what was sold of a token so far, less what was paid of it.
fn flow_tuple(token: Expr, sum: Expr) -> Tuple {
    Tuple::new(Tag::Flow, [token, sum])
}

/// Limb `i` of a block whose first rows are rows of limbs.
fn limb(i: usize) -> Expr {
    Expr::cell((i / ROW_LIMBS) as i32, i % ROW_LIMBS)
}

/// Cell `n` beside the limbs.
const fn beside(n: usize) -> Expr {
    let room = WIDTH - ROW_LIMBS;
    Expr::cell((n / room) as i32, ROW_LIMBS + n % room)
}

/// Says that the first rows of a block hold these limbs. Places behind them are 0, named `spareN`.
fn limb_rows(block: &mut RowBlock, names: &[&str]) {
    for i in 0..names.len().next_multiple_of(ROW_LIMBS) {
        if i % ROW_LIMBS == 0 {
            block.of_kind(i / ROW_LIMBS, RowKind::Limbs);
        }
        let name = match names.get(i) {
            Some(name) => format!("{name}_range"),
            None => {
                block.constrain(format!("spare{i}"), limb(i));
                format!("spare{i}_range")
            }
        };
        block.bus(i / ROW_LIMBS, [Term::consume(name, Expr::one(), range40(limb(i)))]);
    }
}

/// Writes limb `i`.
fn set_limb(writer: &mut BlockWriter<'_>, i: usize, value: Fr, pools: &mut LookupCounts) {
    writer.set(&limb(i), value);
    pools.range40(value);
}

/// The low `bits` bits of a canonical integer from bit `from` on; all from there if `bits` is 128.
fn bits(value: &Fr, from: u32, bits: u32) -> u128 {
    let (low, high) = halves(value);
    let part = match from {
        0 => low,
        1..128 => low >> from | high << (128 - from),
        128.. => high >> (from - 128),
    };
    match bits {
        128.. => part,
        _ => part & ((1 << bits) - 1),
    }
}

/// A number below `2^248`: 128 bits in a cell, the rest in three limbs.
#[derive(Clone, Copy, Debug)]
struct Wide {
    low: Expr,
    first_limb: usize,
}

impl Wide {
    fn value(&self) -> Expr {
        let limbs = (0..3).map(|i| limb(self.first_limb + i) * Expr::pow2(128 + 40 * i as u32));
        self.low + limbs.sum::<Expr>()
    }

    /// Writes a number; one that does not fit shows in its last limb.
    fn assign(&self, writer: &mut BlockWriter<'_>, value: Fr, pools: &mut LookupCounts) {
        writer.set(&self.low, crate::witness::convert::wide(bits(&value, 0, 128)));
        for (i, width) in [40, 40, 128].into_iter().enumerate() {
            let part = bits(&value, 128 + 40 * i as u32, width);
            set_limb(writer, self.first_limb + i, crate::witness::convert::wide(part), pools);
        }
    }
}

/// Three limbs of a number below `2^120`, lowest first.
fn of_limbs(first: usize) -> Expr {
    (0..3).map(|i| limb(first + i) * Expr::pow2(40 * i as u32)).sum()
}

/// Writes three limbs; a number that does not fit shows in the last one.
fn set_limbs(writer: &mut BlockWriter<'_>, first: usize, value: Fr, pools: &mut LookupCounts) {
    for (i, width) in [40, 40, 128].into_iter().enumerate() {
        let part = bits(&value, 40 * i as u32, width);
        set_limb(writer, first + i, crate::witness::convert::wide(part), pools);
    }
}
