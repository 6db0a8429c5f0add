//! Addition of a multiple of a base to the running point.
//!
//! With the running point `(x, y)`, `y = lambda' (a' - x) + b'` from the link before, and the
//! summand `(a, -b)`: the slope holds `lambda (a - x) = -b - y`, the new abscissa is
//! `lambda^2 - x - a`, and the new ordinate is left as `lambda (a - x_new) + b`. So an addition
//! takes two identities, and no ordinate of a running point is ever written.

use bastion_circuits::core::{Expr, Tag, Term, Tuple};
use halo2_proofs::halo2curves::bn256::{Fq, Fr, G1Affine};

use super::columns::{constant, minus, native, word, Link, NUMBER};
use super::gate::{Gate, Kind};
use super::grid::{limbs_of, BlockWriter};
use super::identity::{modulus_times, Identity, CELLS};

const LAMBDA: usize = 0;
const X: usize = LAMBDA + NUMBER;
const SQUARE: usize = X + NUMBER;
const SLOPE: usize = SQUARE + CELLS;

/// Row constants: the base, whether a scalar's digit drives the addition, the digit if not, the
/// scalar's term, and the window.
pub(super) const BASE: i32 = 0;
pub(super) const DRIVEN: i32 = 1;
pub(super) const DIGIT: i32 = 2;
pub(super) const TERM: i32 = 3;
pub(super) const WINDOW: i32 = 4;

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
fn difference_product() -> Expr {
    word(2, 1)
}

fn difference() -> Expr {
    native(&Link::own(Kind::Add.rows()).a) - native(&Link::previous().x)
}

fn identities() -> [Identity; 2] {
    let (before, own) = (Link::previous(), Link::own(Kind::Add.rows()));
    let square = Identity::new("square", SQUARE)
        .product(1, &own.lambda, &own.lambda)
        .term(-1, &before.x)
        .term(-1, &own.a)
        .term(-1, &own.x);
    let slope = Identity::new("slope", SLOPE)
        .product(1, &own.lambda, &minus(&own.a, &before.x))
        .product(1, &before.lambda, &minus(&before.a, &before.x))
        .term(1, &before.b)
        .term(1, &own.b);
    [square, slope]
}

/// `k^2`: the squared difference is measured in `p^2`.
fn root(k: u64) -> Fr {
    Fr::from(k * k)
}

/// The tuple of an addition's scalar after `windows` windows.
pub(super) fn scalar_tuple(term: Expr, windows: Expr, sum: Expr) -> Tuple {
    Tuple::new(Tag::Scalar, [term, windows, sum])
}

/// The tuple of a multiple.
pub(super) fn multiple_tuple(
    base: Expr,
    digit: Expr,
    coordinates: impl IntoIterator<Item = Expr>,
) -> Tuple {
    Tuple::new(Tag::Multiple, [base, digit].into_iter().chain(coordinates))
}

/// The constraints.
pub fn gate() -> Gate {
    let mut gate = Gate::new(Kind::Add);
    let own = Link::own(Kind::Add.rows());
    gate.number("lambda", LAMBDA, &own.lambda);
    gate.number("x", X, &own.x);
    for identity in identities() {
        identity.constrain(&mut gate);
    }

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
    let coordinates = own.a.into_iter().chain(own.b.into_iter().map(|limb| sign() * limb));
    gate.bus(
        0,
        Term::consume(
            "multiple",
            Expr::one(),
            multiple_tuple(constant(BASE), digit(), coordinates),
        ),
    );
    gate.bus(
        1,
        Term::consume(
            "digits_before",
            constant(DRIVEN),
            scalar_tuple(constant(TERM), constant(WINDOW), sum()),
        ),
    );
    let after = sum() * Expr::from(32) - sign() * digit();
    gate.bus(
        2,
        Term::produce(
            "digits_after",
            constant(DRIVEN),
            scalar_tuple(constant(TERM), constant(WINDOW) + Expr::one(), after),
        ),
    );
    gate
}

/// What an addition adds.
pub struct Addend {
    /// The multiple, without its sign.
    pub multiple: G1Affine,
    /// Its digit.
    pub digit: u64,
    /// Whether it is subtracted.
    pub negative: bool,
    /// The scalar's digits before.
    pub sum: Fr,
}

/// Assigns an addition to `point`, and returns the sum.
pub fn assign(writer: &mut BlockWriter<'_>, point: &G1Affine, addend: &Addend) -> G1Affine {
    let own = Link::own(Kind::Add.rows());
    let other = if addend.negative { -addend.multiple } else { addend.multiple };
    let run = (other.x - point.x).invert().unwrap_or(Fq::zero());
    let lambda = (other.y - point.y) * run;
    let x = lambda.square() - point.x - other.x;
    let y = lambda * (point.x - x) - point.y;

    writer.element(LAMBDA, &own.lambda, &lambda);
    writer.element(X, &own.x, &x);
    writer.limbs(&own.a, &limbs_of(&other.x));
    let ordinate = limbs_of(&addend.multiple.y);
    writer.limbs(&own.b, &ordinate.map(|limb| if addend.negative { limb } else { -limb }));
    writer.set(&sign(), if addend.negative { Fr::one() } else { -Fr::one() });
    writer.set(&digit(), Fr::from(addend.digit));
    writer.set(&sum(), addend.sum);

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

/// A sum that the prover makes up: slope and abscissa with their identities, for tests.
#[cfg(test)]
pub(super) fn assign_claim(writer: &mut BlockWriter<'_>, lambda: &Fq, x: &Fq) {
    let own = Link::own(Kind::Add.rows());
    writer.element(LAMBDA, &own.lambda, lambda);
    writer.element(X, &own.x, x);
    for identity in identities() {
        identity.assign(writer);
    }
}
