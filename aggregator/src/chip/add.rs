//! Addition of a multiple of a base to the running point.
//!
//! With the running point `(x, y)` of the link before and the summand `(a, -b)`: the slope holds
//! `lambda (a - x) = -b - y`, the new abscissa is `lambda^2 - x - a`, and the new ordinate is left as
//! `lambda (a - x_new) + b`. So an addition takes two identities, and no ordinate of a running point
//! is ever written. Neither is that of a multiple: of `y` and `b` identities need the parts alone.
//!
//! In a table of multiples the sum is on offer in its turn.

use bastion_circuits::core::{Expr, Tag, Term, Tuple};
use halo2_proofs::halo2curves::bn256::{Fq, Fr, G1Affine};

use super::columns::{constant, minus, native, word, Limbs, Link, Number, Parts};
use super::gate::{Gate, Kind, DIGITS, MULTIPLES};
use super::grid::{limbs_of, to_integer, BlockWriter};
use super::identity::{modulus_times, Identity, ROWS};

/// Slope, and abscissa of the sum: here and in [`super::double`].
pub(super) const LAMBDA: Number = Number { row: 0, top: 0 };
pub(super) const X: Number = Number { row: 3, top: 1 };
const SQUARE: usize = 6;
const SLOPE: usize = SQUARE + ROWS;

/// Constants of a block: the base, the digit that it is on offer as (0: none), whether a scalar's
/// digit drives the addition, the digit if not, and the place among all windows of all terms.
pub(super) const BASE: usize = 0;
pub(super) const OFFERED: usize = 1;
pub(super) const DRIVEN: usize = 2;
pub(super) const DIGIT: usize = 3;
pub(super) const PLACE: usize = 4;

/// 1 if the multiple is subtracted, -1 if it is added: the sign of `b`.
fn sign() -> Expr {
    word(0, 0)
}
fn digit() -> Expr {
    word(0, 1)
}
fn sum() -> Expr {
    word(1, 0)
}
fn inverse() -> Expr {
    word(1, 1)
}
fn difference_squared() -> Expr {
    word(2, 0)
}
/// How often a multiple is used, over the digit that it is on offer as.
pub(super) fn uses() -> Expr {
    word(2, 1)
}
fn difference_product() -> Expr {
    word(3, 0)
}
/// Abscissa of the summand.
pub(super) fn a() -> Limbs {
    [word(4, 0), word(4, 1), word(5, 0), word(5, 1)]
}
/// Ordinate of the summand, negated.
pub(super) fn b() -> Parts {
    Parts { low: word(6, 0), high: word(6, 1), native: word(3, 1) }
}

fn difference() -> Expr {
    native(&a()) - native(&Link::previous().x)
}

fn identities() -> [Identity; 2] {
    let before = Link::previous();
    let (lambda, x) = (LAMBDA.limbs(), X.limbs());
    let square = Identity::new("square", SQUARE)
        .product(1, &lambda, &lambda)
        .term(-1, &before.x)
        .term(-1, &a())
        .term(-1, &x);
    let slope = Identity::new("slope", SLOPE)
        .product(1, &lambda, &minus(&a(), &before.x))
        .parts(1, &before.ordinate())
        .parts(1, &b());
    [square, slope]
}

/// `lambda (a - x) + b`.
fn ordinate() -> Parts {
    Parts::product(&LAMBDA.limbs(), &minus(&a(), &X.limbs())).with(&b(), |product, b| product + b)
}

/// `k^2`: the squared difference is measured in `p^2`.
fn root(k: u64) -> Fr {
    Fr::from(k * k)
}

/// The tuple of a scalar's digits before a place among all windows.
pub(super) fn scalar_tuple(place: Expr, sum: Expr) -> Tuple {
    Tuple::new(Tag::Scalar, [place, sum])
}

/// The tuple of a multiple.
fn multiple_tuple(digit: Expr, x: &Limbs, y: [Expr; 3]) -> Tuple {
    let numbers = [constant(BASE), digit];
    Tuple::new(Tag::Multiple, numbers.into_iter().chain(*x).chain(y))
}

/// Offers `(x, y)` as the multiple that the block's constants say.
pub(super) fn offer(gate: &mut Gate, x: &Limbs, y: &Parts) {
    let tuple = multiple_tuple(constant(OFFERED), x, y.all());
    gate.bus(MULTIPLES, Term::produce("offer", constant(OFFERED) * uses(), tuple));
}

/// The constraints.
pub fn gate() -> Gate {
    let mut gate = Gate::new(Kind::Add);
    let own = Link::own(Kind::Add.rows());
    gate.number("x", X, &own.x);
    for identity in identities() {
        identity.constrain(&mut gate);
    }
    gate.parts("y", &own.ordinate(), &ordinate());

    // The abscissas differ modulo p: their difference is below 6 p, so it must not be k p, |k| < 6.
    let squared = difference_squared();
    gate.constrain("distinct.square", difference().square() - squared * modulus_times(1).square());
    let four = (1..=4).fold(Expr::one(), |product, k| product * (squared - Expr::from(root(k))));
    gate.constrain("distinct.product", difference_product() - four);
    let fifth = squared - Expr::from(root(5));
    gate.constrain(
        "distinct.inverse",
        inverse() * difference() * difference_product() * fifth - Expr::one(),
    );

    let fixed = !constant(DRIVEN);
    gate.constrain("sign", sign().square() - Expr::one());
    gate.constrain("fixed_sign", fixed * (sign() + Expr::one()));
    gate.constrain("fixed_digit", fixed * (digit() - constant(DIGIT)));

    // The multiple itself is (a, sign b), for sign^2 = 1.
    let multiple = multiple_tuple(digit(), &a(), b().all().map(|part| sign() * part));
    gate.bus(MULTIPLES, Term::consume("multiple", Expr::one(), multiple));
    offer(&mut gate, &own.x, &own.ordinate());
    let (driven, place) = (constant(DRIVEN), constant(PLACE));
    gate.bus(DIGITS, Term::consume("digits_before", driven, scalar_tuple(place, sum())));
    let after = scalar_tuple(place + Expr::one(), sum() * Expr::from(32) - sign() * digit());
    gate.bus(DIGITS, Term::produce("digits_after", driven, after));
    gate
}

/// A multiple of a base.
#[derive(Clone, Copy, Debug)]
pub struct Multiple {
    /// The point.
    pub point: G1Affine,
    /// The parts of its ordinate, as the block that offers it has them.
    pub ordinate: [Fr; 3],
}

impl Multiple {
    /// One whose ordinate is a number.
    pub fn explicit(point: G1Affine) -> Self {
        let limbs = limbs_of(&point.y).map(Expr::from);
        let value = |e: Expr| e.evaluate(&|_| Fr::zero());
        Self { point, ordinate: Parts::of(&limbs).all().map(value) }
    }

    /// The point that an addition or a doubling left.
    pub fn left(writer: &BlockWriter<'_>, point: G1Affine) -> Self {
        let own = Link::own(Kind::Add.rows());
        Self { point, ordinate: own.ordinate().all().map(|part| writer.read(&part)) }
    }
}

/// What an addition adds.
pub struct Addend {
    /// The multiple, without its sign.
    pub multiple: Multiple,
    /// Its digit.
    pub digit: u64,
    /// Whether it is subtracted.
    pub negative: bool,
    /// The scalar's digits before.
    pub sum: Fr,
    /// How often the sum is used as a multiple, over the digit that it is on offer as.
    pub uses: Fr,
}

/// Assigns an addition to `point`, and returns the sum.
pub fn assign(writer: &mut BlockWriter<'_>, point: &G1Affine, addend: &Addend) -> G1Affine {
    let own = Link::own(Kind::Add.rows());
    let multiple = &addend.multiple;
    let other = if addend.negative { -multiple.point } else { multiple.point };
    let run = (other.x - point.x).invert().unwrap_or(Fq::zero());
    let lambda = (other.y - point.y) * run;
    let x = lambda.square() - point.x - other.x;
    let y = lambda * (point.x - x) - point.y;

    writer.number(LAMBDA, &to_integer(&lambda));
    writer.element(X, &own.x, &x);
    writer.limbs(&a(), &limbs_of(&other.x));
    for (cell, part) in b().all().into_iter().zip(multiple.ordinate) {
        writer.set(&cell, if addend.negative { part } else { -part });
    }
    writer.set(&sign(), if addend.negative { Fr::one() } else { -Fr::one() });
    writer.set(&digit(), Fr::from(addend.digit));
    writer.set(&sum(), addend.sum);
    writer.set(&uses(), addend.uses);
    assign_ordinate(writer, &own, &ordinate());

    let difference = writer.read(&difference());
    let unit = modulus_times(1).square().invert().unwrap_or(Fr::zero());
    let squared = difference.square() * unit;
    let product = (1..=4).fold(Fr::one(), |product, k| product * (squared - root(k)));
    writer.set(&difference_squared(), squared);
    writer.set(&difference_product(), product);
    let all = difference * product * (squared - root(5));
    writer.set(&inverse(), all.invert().unwrap_or(Fr::zero()));
    for identity in identities() {
        identity.assign(writer);
    }
    G1Affine { x, y }
}

/// Assigns the parts of a link's ordinate.
pub(super) fn assign_ordinate(writer: &mut BlockWriter<'_>, own: &Link, value: &Parts) {
    for (cell, part) in own.ordinate().all().into_iter().zip(value.all()) {
        let part = writer.read(&part);
        writer.set(&cell, part);
    }
}

/// A sum that the prover makes up: slope and abscissa with their identities, for tests.
#[cfg(test)]
pub(super) fn assign_claim(writer: &mut BlockWriter<'_>, lambda: &Fq, x: &Fq) {
    let own = Link::own(Kind::Add.rows());
    writer.number(LAMBDA, &to_integer(lambda));
    writer.element(X, &own.x, x);
    assign_ordinate(writer, &own, &ordinate());
    for identity in identities() {
        identity.assign(writer);
    }
}
