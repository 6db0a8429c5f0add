//! Bases: points that the prover gives, and points of the verifying key.

use bastion_circuits::core::Expr;
use halo2_proofs::halo2curves::bn256::{Fq, Fr, G1Affine};
use num_bigint::BigUint;

use super::add::{offer, uses};
use super::columns::{
    limb, native, word, Limbs, Link, Number, Parts, LIMBS, LIMB_BITS, LINK_BEHIND, LINK_ROWS,
    NUMBER, WORDS,
};
use super::entry::assign_explicit;
use super::gate::{Gate, Kind};
use super::grid::{base_modulus, limbs_of, to_integer, to_native, BlockWriter};
use super::identity::{Identity, ROWS};

const X: Number = Number { row: 0, top: 0 };
const Y: Number = Number { row: NUMBER, top: 1 };
/// First rows of `p - 1 - x` and `p - 1 - y`: each takes a row for each limb, and no side chunk.
const REST: [usize; 2] = [2 * NUMBER, 2 * NUMBER + LIMBS];

const SQUARE: Number = Number { row: 0, top: 0 };
const SQUARED: usize = NUMBER;
const EQUATION: usize = SQUARED + ROWS;

/// Rows of a curve block whose words copy constraints connect with the transcript: x, y.
pub const NATIVE: [usize; 2] = [0, 1];

fn native_x() -> Expr {
    word(NATIVE[0] as i32, 0)
}
fn native_y() -> Expr {
    word(NATIVE[1] as i32, 0)
}

/// The limbs of `p - 1`.
fn largest_limbs() -> [Fr; LIMBS] {
    limbs_of(&-Fq::one())
}

/// Whether the lower half of `p - 1 - x` (or y) borrows from the upper one.
fn borrow(n: usize) -> Expr {
    word(n as i32, 1)
}

fn rest(n: usize) -> Limbs {
    std::array::from_fn(|k| limb(REST[n] + k))
}

/// A point of the prover: two numbers below `p`. The transcript sees them modulo `r` alone, so that
/// of numbers up to `2^256` it would see the same for different points.
pub fn point_gate() -> Gate {
    let mut gate = Gate::new(Kind::Point);
    let own = Link::own(Kind::Point.rows());
    gate.number("x", X, &own.x);
    gate.number("y", Y, &own.y);
    let bound = Parts::of(&largest_limbs().map(Expr::from));
    for (n, (name, limbs)) in [("x", &own.x), ("y", &own.y)].into_iter().enumerate() {
        let sum = Parts::of(limbs).with(&Parts::of(&rest(n)), |value, rest| value + rest);
        let borrowed = borrow(n) * Expr::pow2(2 * LIMB_BITS);
        gate.constrain(format!("{name}.borrow"), borrow(n).boolean());
        gate.constrain(format!("{name}.least_low"), sum.low - borrowed - bound.low);
        gate.constrain(format!("{name}.least_high"), sum.high + borrow(n) - bound.high);
    }
    offer(&mut gate, &own.x, &Parts::of(&own.y));
    gate
}

/// Assigns a point of the prover.
pub fn assign_point(writer: &mut BlockWriter<'_>, point: &G1Affine, count: Fr) {
    let own = Link::own(Kind::Point.rows());
    let low = (BigUint::from(1u8) << (2 * LIMB_BITS)) - 1u8;
    let largest = base_modulus() - 1u8;
    for (n, (number, words)) in [(X, &own.x), (Y, &own.y)].into_iter().enumerate() {
        let element = [&point.x, &point.y][n];
        let value = to_integer(element);
        let borrows = (&value & &low) > (&largest & &low);
        writer.element(number, words, element);
        for k in 0..LIMBS {
            writer.narrow(REST[n] + k, &((&largest - &value) >> (LIMB_BITS as usize * k)));
        }
        writer.set(&borrow(n), Fr::from(u64::from(borrows)));
    }
    writer.set(&uses(), count);
}

fn curve_identities() -> [Identity; 2] {
    let before = Link::previous();
    let squared = SQUARE.limbs();
    [
        Identity::new("squared", SQUARED).product(1, &before.x, &before.x).term(-1, &squared),
        Identity::new("equation", EQUATION)
            .product(1, &before.y, &before.y)
            .product(-1, &before.x, &squared)
            .constant(-3),
    ]
}

/// `y^2 = x^3 + 3`, and the coordinates modulo the scalar field's order.
pub fn curve_gate() -> Gate {
    let mut gate = Gate::new(Kind::Curve);
    let (before, own) = (Link::previous(), Link::own(Kind::Curve.rows()));
    for identity in curve_identities() {
        identity.constrain(&mut gate);
    }
    gate.constrain("native_x", native_x() - native(&before.x));
    gate.constrain("native_y", native_y() - native(&before.y));
    gate.equal("x", &own.x, &before.x);
    gate.equal("y", &own.y, &before.y);
    gate
}

/// Assigns the check that `point` lies on the curve.
pub fn assign_curve(writer: &mut BlockWriter<'_>, point: &G1Affine) {
    writer.number(SQUARE, &to_integer(&point.x.square()));
    assign_explicit(writer, &Link::own(Kind::Curve.rows()), point);
    writer.set(&native_x(), to_native(&point.x));
    writer.set(&native_y(), to_native(&point.y));
    for identity in curve_identities() {
        identity.assign(writer);
    }
}

/// A point of the verifying key: rows of [`Kind::Words`] hold its limbs.
pub fn constant_gate() -> Gate {
    let mut gate = Gate::new(Kind::Constant);
    let own = Link::own(Kind::Constant.rows());
    offer(&mut gate, &own.x, &Parts::of(&own.y));
    gate
}

/// Words that are constants.
pub fn words_gate() -> Gate {
    let mut gate = Gate::new(Kind::Words);
    gate.constants();
    gate
}

/// Assigns a constant point.
pub fn assign_constant(writer: &mut BlockWriter<'_>, point: &G1Affine, count: Fr) {
    assign_explicit(writer, &Link::own(Kind::Constant.rows()), point);
    writer.set(&uses(), count);
}

/// The rows of a constant point's limbs, relative to its block, with the words that they must be.
pub(super) fn constant_rows(point: &G1Affine) -> Vec<(usize, [Fr; WORDS])> {
    let first = Kind::Constant.rows() - LINK_ROWS - LINK_BEHIND;
    let limbs = [limbs_of(&point.x), limbs_of(&point.y)].concat();
    limbs.chunks(WORDS).zip(first..).map(|(pair, row)| (row, [pair[0], pair[1]])).collect()
}
