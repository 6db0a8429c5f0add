//! The running point with its ordinate written out: before a doubling, as a multiple on offer, and
//! at the end.

use bastion_circuits::core::{Expr, Term};
use halo2_proofs::halo2curves::bn256::{Fr, G1Affine};

use super::add::multiple_tuple;
use super::columns::{chunk, constant, number, Limbs, Link, LIMBS, NUMBER};
use super::gate::{Gate, Kind};
use super::grid::{limbs_of, to_integer, BlockWriter};
use super::identity::{Identity, CELLS};

const Y: usize = 0;
const ORDINATE: usize = Y + NUMBER;
const USES: usize = ORDINATE + CELLS;

/// Row constants: the base, whether the point is on offer, and as which digit.
pub(super) const BASE: i32 = 0;
pub(super) const OFFERED: i32 = 1;
pub(super) const DIGIT: i32 = 2;

fn identity() -> Identity {
    let before = Link::previous();
    Identity::new("ordinate", ORDINATE)
        .product(1, &before.lambda, &super::columns::minus(&before.a, &before.x))
        .term(1, &before.b)
        .term(-1, &number(Y))
}

/// The constraints of an explicit link: `lambda = 0`. What `a` is does not matter then.
pub(super) fn explicit(gate: &mut Gate, link: &Link) {
    for (k, limb) in link.lambda.iter().enumerate() {
        gate.constrain(format!("lambda.zero{k}"), *limb);
    }
}

/// Offers `(x, y)` as multiple `digit` of `base`, as often as the chunk `uses` says.
pub(super) fn offer(gate: &mut Gate, x: &Limbs, y: &Limbs, uses: usize) {
    gate.bus(
        0,
        Term::produce(
            "offer",
            constant(OFFERED) * chunk(uses),
            multiple_tuple(
                constant(BASE),
                constant(DIGIT),
                x.iter().chain(y).cloned().collect::<Vec<Expr>>(),
            ),
        ),
    );
}

/// The constraints.
pub fn gate() -> Gate {
    let mut gate = Gate::new(Kind::Entry);
    let (before, own) = (Link::previous(), Link::own(Kind::Entry.rows()));
    identity().constrain(&mut gate);
    gate.equal("x", &own.x, &before.x);
    explicit(&mut gate, &own);
    gate.number("b", Y, &own.b);
    offer(&mut gate, &own.x, &own.b, USES);
    gate
}

/// Assigns the block for `point`.
pub fn assign(writer: &mut BlockWriter<'_>, point: &G1Affine, uses: u64) {
    let own = Link::own(Kind::Entry.rows());
    writer.number(Y, &to_integer(&point.y));
    assign_explicit(writer, &own, point);
    writer.set(&chunk(USES), Fr::from(uses));
    identity().assign(writer);
}

/// Assigns an explicit link.
pub(super) fn assign_explicit(writer: &mut BlockWriter<'_>, link: &Link, point: &G1Affine) {
    writer.limbs(&link.x, &limbs_of(&point.x));
    writer.limbs(&link.lambda, &[Fr::zero(); LIMBS]);
    writer.limbs(&link.a, &[Fr::zero(); LIMBS]);
    writer.limbs(&link.b, &limbs_of(&point.y));
}
