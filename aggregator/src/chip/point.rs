//! Bases: points that the prover gives, and points of the verifying key.

use bastion_circuits::core::Expr;
use halo2_proofs::halo2curves::bn256::{Fq, Fr, G1Affine};
use num_bigint::BigUint;

use super::columns::{
    chunk, constant, native, number, word, Limbs, Link, LIMBS, LIMB_BITS, NUMBER,
};
use super::entry::{assign_explicit, explicit, offer};
use super::gate::{Gate, Kind};
use super::grid::{base_modulus, limbs_of, to_integer, to_native, BlockWriter};
use super::identity::{Identity, CELLS};

const X: usize = 0;
const Y: usize = X + NUMBER;
/// `p - 1 - x` and `p - 1 - y`.
const REST: [usize; 2] = [Y + NUMBER, Y + 2 * NUMBER];
const USES: usize = Y + 3 * NUMBER;

const SQUARE: usize = 0;
const SQUARED: usize = SQUARE + NUMBER;
const EQUATION: usize = SQUARED + CELLS;

/// First row of a constant's limbs: those of x, then those of y.
pub(super) const CONSTANT_LIMBS: i32 = 3;
/// The chunk that counts how often a constant itself is used.
const CONSTANT_USES: usize = 0;

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

/// `x = low + 2^160 high`, each half one expression.
fn halves(limbs: &Limbs) -> [Expr; 2] {
    let [a, b, c, d] = *limbs;
    let weight = Expr::pow2(LIMB_BITS);
    [a + b * weight, c + d * weight]
}

/// A point of the prover: two numbers below `p`. The transcript sees them modulo `r` alone, so that
/// of numbers up to `2^256` it would see the same for different points.
pub fn point_gate() -> Gate {
    let mut gate = Gate::new(Kind::Point);
    let own = Link::own(Kind::Point.rows());
    gate.number("x", X, &own.x);
    explicit(&mut gate, &own);
    gate.number("b", Y, &own.b);
    let [low_bound, high_bound] = halves(&largest_limbs().map(Expr::from));
    for (n, (name, limbs)) in [("x", &own.x), ("b", &own.b)].into_iter().enumerate() {
        let [low, high] = halves(limbs);
        let [low_rest, high_rest] = halves(&number(REST[n]));
        gate.constrain(format!("{name}.borrow"), borrow(n).boolean());
        gate.constrain(
            format!("{name}.least_low"),
            low + low_rest - borrow(n) * Expr::pow2(2 * LIMB_BITS) - low_bound,
        );
        gate.constrain(format!("{name}.least_high"), high + high_rest + borrow(n) - high_bound);
    }
    offer(&mut gate, &own.x, &own.b, USES);
    gate
}

/// Assigns a point of the prover.
pub fn assign_point(writer: &mut BlockWriter<'_>, point: &G1Affine, uses: u64) {
    let own = Link::own(Kind::Point.rows());
    assign_explicit(writer, &own, point);
    let low = (BigUint::from(1u8) << (2 * LIMB_BITS)) - 1u8;
    let largest = base_modulus() - 1u8;
    for (n, first) in [X, Y].into_iter().enumerate() {
        let value = to_integer([&point.x, &point.y][n]);
        let borrows = (&value & &low) > (&largest & &low);
        writer.number(first, &value);
        writer.number(REST[n], &(&largest - &value));
        writer.set(&borrow(n), Fr::from(u64::from(borrows)));
    }
    writer.set(&chunk(USES), Fr::from(uses));
}

fn curve_identities() -> [Identity; 2] {
    let before = Link::previous();
    let squared = number(SQUARE);
    [
        Identity::new("squared", SQUARED).product(1, &before.x, &before.x).term(-1, &squared),
        Identity::new("equation", EQUATION)
            .product(1, &before.b, &before.b)
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
    gate.constrain("native_y", native_y() - native(&before.b));
    gate.equal("x", &own.x, &before.x);
    explicit(&mut gate, &own);
    gate.equal("b", &own.b, &before.b);
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

/// A point whose limbs stand in the constants.
pub fn constant_gate() -> Gate {
    let mut gate = Gate::new(Kind::Constant);
    let own = Link::own(Kind::Constant.rows());
    let limbs = |n: usize| -> Limbs {
        std::array::from_fn(|k| constant(CONSTANT_LIMBS + (n * LIMBS + k) as i32))
    };
    gate.equal("x", &own.x, &limbs(0));
    explicit(&mut gate, &own);
    gate.equal("b", &own.b, &limbs(1));
    offer(&mut gate, &own.x, &own.b, CONSTANT_USES);
    gate
}

/// Assigns a constant point.
pub fn assign_constant(writer: &mut BlockWriter<'_>, point: &G1Affine, uses: u64) {
    assign_explicit(writer, &Link::own(Kind::Constant.rows()), point);
    writer.set(&chunk(CONSTANT_USES), Fr::from(uses));
}
