//! The running point with its ordinate written out: before a doubling, and at the end.

use halo2_proofs::halo2curves::bn256::G1Affine;

use super::columns::{Link, Number, NUMBER};
use super::gate::{Gate, Kind};
use super::grid::{limbs_of, BlockWriter};
use super::identity::Identity;

const Y: Number = Number { row: 0, top: 0 };
const ORDINATE: usize = NUMBER;

fn identity() -> Identity {
    let before = Link::previous();
    Identity::new("ordinate", ORDINATE).parts(1, &before.ordinate()).term(-1, &Y.limbs())
}

/// The constraints.
pub fn gate() -> Gate {
    let mut gate = Gate::new(Kind::Entry);
    let (before, own) = (Link::previous(), Link::own(Kind::Entry.rows()));
    identity().constrain(&mut gate);
    gate.equal("x", &own.x, &before.x);
    gate.number("y", Y, &own.y);
    gate
}

/// Assigns the block for `point`.
pub fn assign(writer: &mut BlockWriter<'_>, point: &G1Affine) {
    let own = Link::own(Kind::Entry.rows());
    writer.limbs(&own.x, &limbs_of(&point.x));
    writer.element(Y, &own.y, &point.y);
    identity().assign(writer);
}

/// Assigns an explicit link.
pub(super) fn assign_explicit(writer: &mut BlockWriter<'_>, link: &Link, point: &G1Affine) {
    writer.limbs(&link.x, &limbs_of(&point.x));
    writer.limbs(&link.y, &limbs_of(&point.y));
}
