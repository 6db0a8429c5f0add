//! Doubling of the running point, whose ordinate the block before wrote out.

use halo2_proofs::halo2curves::bn256::{Fq, G1Affine};

use super::columns::{Link, NUMBER};
use super::gate::{Gate, Kind};
use super::grid::{limbs_of, BlockWriter};
use super::identity::{Identity, CELLS};

const LAMBDA: usize = 0;
const X: usize = LAMBDA + NUMBER;
const TANGENT: usize = X + NUMBER;
const SQUARE: usize = TANGENT + CELLS;

fn identities() -> [Identity; 2] {
    let (before, own) = (Link::previous(), Link::own(Kind::Double.rows()));
    // An explicit link holds b = y.
    let tangent = Identity::new("tangent", TANGENT).product(3, &before.x, &before.x).product(
        -2,
        &own.lambda,
        &before.b,
    );
    let square = Identity::new("square", SQUARE)
        .product(1, &own.lambda, &own.lambda)
        .term(-2, &before.x)
        .term(-1, &own.x);
    [tangent, square]
}

/// The constraints.
pub fn gate() -> Gate {
    let mut gate = Gate::new(Kind::Double);
    let (before, own) = (Link::previous(), Link::own(Kind::Double.rows()));
    gate.number("lambda", LAMBDA, &own.lambda);
    gate.number("x", X, &own.x);
    for identity in identities() {
        identity.constrain(&mut gate);
    }
    gate.equal("a", &own.a, &before.x);
    gate.opposite("b", &own.b, &before.b);
    gate
}

/// Assigns the doubling of `point`, and returns its double.
pub fn assign(writer: &mut BlockWriter<'_>, point: &G1Affine) -> G1Affine {
    let own = Link::own(Kind::Double.rows());
    let lambda = point.x.square() * Fq::from(3) * point.y.double().invert().unwrap_or(Fq::zero());
    let x = lambda.square() - point.x.double();
    let y = lambda * (point.x - x) - point.y;
    writer.element(LAMBDA, &own.lambda, &lambda);
    writer.element(X, &own.x, &x);
    writer.limbs(&own.a, &limbs_of(&point.x));
    writer.limbs(&own.b, &limbs_of(&point.y).map(|limb| -limb));
    for identity in identities() {
        identity.assign(writer);
    }
    G1Affine { x, y }
}
