//! Doubling of the running point, whose ordinate the block before wrote out. In a table of multiples
//! it offers the double.

use halo2_proofs::halo2curves::bn256::{Fq, Fr, G1Affine};

use super::add::{assign_ordinate, offer, uses, LAMBDA, X};
use super::columns::{minus, Link, Parts};
use super::gate::{Gate, Kind};
use super::grid::{to_integer, BlockWriter};
use super::identity::{Identity, ROWS};

pub(super) const TANGENT: usize = 6;
pub(super) const SQUARE: usize = TANGENT + ROWS;

fn identities() -> [Identity; 2] {
    let before = Link::previous();
    let (lambda, x) = (LAMBDA.limbs(), X.limbs());
    let tangent = Identity::new("tangent", TANGENT)
        .product(3, &before.x, &before.x)
        .product(-2, &lambda, &before.y);
    let square = Identity::new("square", SQUARE)
        .product(1, &lambda, &lambda)
        .term(-2, &before.x)
        .term(-1, &x);
    [tangent, square]
}

/// `lambda (x' - x) - y'`.
fn ordinate() -> Parts {
    let before = Link::previous();
    Parts::product(&LAMBDA.limbs(), &minus(&before.x, &X.limbs()))
        .with(&Parts::of(&before.y), |product, y| product - y)
}

/// The constraints.
pub fn gate() -> Gate {
    let mut gate = Gate::new(Kind::Double);
    let own = Link::own(Kind::Double.rows());
    gate.number("x", X, &own.x);
    for identity in identities() {
        identity.constrain(&mut gate);
    }
    gate.parts("y", &own.ordinate(), &ordinate());
    offer(&mut gate, &own.x, &own.ordinate());
    gate
}

/// Assigns the doubling of `point`, offered `count` times, and returns its double.
pub fn assign(writer: &mut BlockWriter<'_>, point: &G1Affine, count: Fr) -> G1Affine {
    let own = Link::own(Kind::Double.rows());
    let lambda = point.x.square() * Fq::from(3) * point.y.double().invert().unwrap_or(Fq::zero());
    let x = lambda.square() - point.x.double();
    let y = lambda * (point.x - x) - point.y;
    writer.number(LAMBDA, &to_integer(&lambda));
    writer.element(X, &own.x, &x);
    assign_ordinate(writer, &own, &ordinate());
    writer.set(&uses(), count);
    for identity in identities() {
        identity.assign(writer);
    }
    G1Affine { x, y }
}
