//! Reductions: a sum of products of words and multipliers, modulo the BLS12-381 scalar field.

use std::sync::LazyLock;

use ark_ff::{AdditiveGroup, BigInt, PrimeField};
use bastion_protocol::blob::point::{self, LOW_BITS};
use bastion_protocol::blob::Scalar;
use halo2_proofs::halo2curves::bn256::Fr;

use crate::blob::limbs::{quotient_tuple, value_tuple};
use crate::blob::slot_shift;
use crate::core::{pow2, BlockWriter, Expr, RowBlock, RowKind, Term};
use crate::witness::convert::{halves, inverse_or_zero, wide};

/// Reductions whose range checks share a row.
pub const A_ROW: usize = 2;

/// Cells of a reduction.
const CELLS: usize = 6;

/// What is added to a carry, which may be negative, before it is range-checked.
const CARRY_OFFSET: u32 = 125;

/// The modulus in a low limb of 127 bits and a high one.
pub static MODULUS: LazyLock<[Fr; 2]> = LazyLock::new(|| {
    let BigInt([a, b, c, d]) = Scalar::MODULUS;
    let (low, high) = (u128::from(a) | u128::from(b) << 64, u128::from(c) | u128::from(d) << 64);
    [wide(low & ((1 << LOW_BITS) - 1)), wide(low >> LOW_BITS | high << 1)]
});

/// A value below `2^255` in pieces of 120, 7, 110 and 18 bits. They make its limbs of 127 and 128
/// bits, and also the three words that it is multiplied as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pieces<F>(pub [F; 4]);

/// How often the look-ups of a row count.
pub fn row_count(row: usize) -> Expr {
    Expr::cell(row as i32, 0)
}

/// Says that `row` looks up the ranges of two reductions, with names that begin like these.
pub fn range_row(block: &mut RowBlock, row: usize, prefixes: [&str; A_ROW]) {
    block.of_kind(row, RowKind::Reductions);
    for (place, prefix) in prefixes.into_iter().enumerate() {
        block.bus(row, Reduction::cells(row, place).ranges(prefix, row_count(row)));
    }
}

impl Pieces<Expr> {
    /// Low limb (127 bits) and high limb (128 bits).
    pub fn limbs(&self) -> [Expr; 2] {
        let [e0, e1, e2, e3] = self.0;
        [e0 + e1 * slot_shift(), e2 + e3 * Expr::pow2(110)]
    }

    /// Words of 120, 117 and 18 bits, from bits 0, 120 and 237 on.
    pub fn words(&self) -> [Expr; 3] {
        let [e0, e1, e2, e3] = self.0;
        [e0, e1 + e2 * Expr::pow2(7), e3]
    }
}

impl Pieces<Fr> {
    /// The pieces of a value.
    pub fn of(value: &Scalar) -> Self {
        let [low, high] = point::limbs(value);
        Self([low & ((1 << 120) - 1), low >> 120, high & ((1 << 110) - 1), high >> 110].map(wide))
    }

    /// Low and high limb.
    pub fn limbs(&self) -> [Fr; 2] {
        let [e0, e1, e2, e3] = self.0;
        [e0 + e1 * pow2(120), e2 + e3 * pow2(110)]
    }

    /// The three words.
    pub fn words(&self) -> [Fr; 3] {
        let [e0, e1, e2, e3] = self.0;
        [e0, e1 + e2 * pow2(7), e3]
    }
}

/// A reduction's result, its quotient and the carry between its limbs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reduction<F> {
    /// The value that comes out.
    pub value: Pieces<F>,
    /// How often the modulus was taken away.
    pub quotient: F,
    /// What the low limbs hand over to the high ones; may be negative.
    pub carry: F,
}

impl Reduction<Expr> {
    /// The reduction at a place of a row of kind [`RowKind::Reductions`].
    pub fn cells(row: usize, place: usize) -> Self {
        let at = |i: usize| Expr::cell(row as i32, 1 + CELLS * place + i);
        let value = Pieces([at(0), at(1), at(2), at(3)]);
        Self { value, quotient: at(4), carry: at(5) }
    }

    /// `sum word (low + 2^127 high) = quotient modulus + value`, limb by limb, named
    /// `{prefix}low` and `{prefix}high`.
    pub fn constrain(&self, block: &mut RowBlock, prefix: &str, products: &[(Expr, [Expr; 2])]) {
        let [low, high] = [0, 1].map(|l| products.iter().map(|(w, m)| *w * m[l]).sum::<Expr>());
        let [value_low, value_high] = self.value.limbs();
        let [modulus_low, modulus_high] = *MODULUS;
        let taken = self.quotient * modulus_low + value_low;
        let carried = self.carry * Expr::pow2(LOW_BITS);
        block.constrain(format!("{prefix}low"), low - taken - carried);
        let taken = self.quotient * modulus_high + value_high;
        block.constrain(format!("{prefix}high"), high + self.carry - taken);
    }

    /// The look-ups of value, quotient and carry, `count` times, named `{prefix}value` and
    /// `{prefix}quotient`.
    fn ranges(&self, prefix: &str, count: Expr) -> [Term; 2] {
        let carry = self.carry + Expr::pow2(CARRY_OFFSET);
        [
            Term::consume(format!("{prefix}value"), count, value_tuple(self.value.0)),
            Term::consume(format!("{prefix}quotient"), count, quotient_tuple(self.quotient, carry)),
        ]
    }

    /// All six cells.
    pub fn all(&self) -> [Expr; CELLS] {
        let [e0, e1, e2, e3] = self.value.0;
        [e0, e1, e2, e3, self.quotient, self.carry]
    }

    /// Assigns the six cells.
    pub fn assign(&self, writer: &mut BlockWriter<'_>, reduction: &Reduction<Fr>) {
        for (cell, value) in self.value.0.iter().zip(reduction.value.0) {
            writer.set(cell, value);
        }
        writer.set(&self.quotient, reduction.quotient);
        writer.set(&self.carry, reduction.carry);
    }
}

impl Reduction<Fr> {
    /// All zero: of blocks that are not used.
    pub fn zero() -> Self {
        let zero = Fr::zero();
        Self { value: Pieces([zero; 4]), quotient: zero, carry: zero }
    }

    /// The reduction of `sum word (low + 2^127 high)`.
    pub fn of(products: &[(Fr, [Fr; 2])]) -> Self {
        let value = products.iter().fold(Scalar::ZERO, |sum, (word, [low, high])| {
            let multiplier = scalar(low) + scalar(high) * Scalar::from(1u128 << LOW_BITS);
            sum + scalar(word) * multiplier
        });
        Self::to(Pieces::of(&value), products)
    }

    /// The quotient and carry with which a sum is `value`: exact divisions, whose results are what
    /// they are as integers if these are below `p`.
    pub fn to(value: Pieces<Fr>, products: &[(Fr, [Fr; 2])]) -> Self {
        let [low, high] =
            [0, 1].map(|l| products.iter().fold(Fr::zero(), |sum, (w, m)| sum + *w * m[l]));
        let [value_low, value_high] = value.limbs();
        let [modulus_low, modulus_high] = *MODULUS;
        let shift = pow2(LOW_BITS);
        let modulus = modulus_low + shift * modulus_high;
        let difference = low - value_low + shift * (high - value_high);
        let quotient = difference * inverse_or_zero(modulus);
        let carry = (low - value_low - quotient * modulus_low) * inverse_or_zero(shift);
        Self { value, quotient, carry }
    }

    /// The carry as it is range-checked.
    pub fn shifted_carry(&self) -> Fr {
        self.carry + pow2(CARRY_OFFSET)
    }
}

/// The integer behind an element, modulo the BLS12-381 scalar field.
pub fn scalar(x: &Fr) -> Scalar {
    let (low, high) = halves(x);
    let half = Scalar::from(1u128 << 64);
    Scalar::from(low) + Scalar::from(high) * half * half
}
