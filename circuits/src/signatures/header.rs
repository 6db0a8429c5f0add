//! The header of a signature: key, multiples of the key, challenge, ranges and the verdict.

use std::sync::OnceLock;

use ark_ff::{BigInteger, PrimeField};
use halo2_proofs::halo2curves::bn256::Fr;

use crate::core::{Expr, RowBlock, Table, Tag, Term, Tuple};
use crate::hash;
use crate::ranges::range128;
use crate::signatures::curve::{add, double, Point};
use crate::signatures::window::{columns, half_tuple, key_multiple};
use crate::witness::convert::{to_halo2, wide};

/// Multiples `0 .. 15` of `-A`.
pub const MULTIPLES: usize = 16;

/// Row that holds the start state for the first window.
pub(super) const START: i32 = 6;

/// Signature id: one more than the id in the row before the header.
pub(super) const ID: Expr = Expr::cell(0, 0);
/// 1 if the block checks a signature, 0 if it is filled with zeros' work.
pub(super) const ACTIVE: Expr = Expr::nth(1);
/// `A / 8`, its doublings, and `A`: `n` and `n + 1` are the coordinates.
pub(super) const KEY_CHAIN: usize = 2;
/// `1 / A.x`: `A` is not the identity (nor of order 2).
pub(super) const KEY_X_INVERSE: Expr = Expr::nth(10);
/// `R`.
pub(super) const R: usize = 11;
/// `compress(A.x, A.y)`, the chain of the challenge before its last step, and the message.
pub(super) const KEYHASH: Expr = Expr::nth(13);
pub(super) const CHAIN: [Expr; 3] = [Expr::nth(14), Expr::nth(15), Expr::nth(16)];
pub(super) const MESSAGE: Expr = Expr::nth(17);
/// High and low 128 bits of `h` and `S`.
pub(super) const H_HIGH: Expr = Expr::nth(18);
pub(super) const H_LOW: Expr = Expr::nth(19);
pub(super) const S_HIGH: Expr = Expr::nth(20);
pub(super) const S_LOW: Expr = Expr::nth(21);
/// Borrow of the low half in `p - 1 - h` and `l - 1 - S`.
pub(super) const H_BORROW: Expr = Expr::nth(22);
pub(super) const S_BORROW: Expr = Expr::nth(23);
/// The accumulator after each half.
pub(super) const MIDDLE: usize = 25;
pub(super) const FINAL: usize = 27;
/// `Q = FINAL - R`, `2 Q` and `4 Q`.
pub(super) const Q: usize = 30;
/// Multiplicities of the multiples of `-A`.
pub(super) const KEY_COUNTS: usize = 40;
/// The multiples from 2 on.
pub(super) const KEY_MULTIPLES: usize = 60;

/// `A`.
pub(super) fn key() -> Point<Expr> {
    Point::nth(KEY_CHAIN + 6)
}

/// The multiple `j (-A)`.
pub(super) fn multiple(j: usize) -> Point<Expr> {
    match j {
        0 => Point { x: Expr::zero(), y: Expr::one() },
        1 => key().negate(),
        _ => Point::nth(KEY_MULTIPLES + 2 * (j - 2)),
    }
}

/// High and low 128 bits of `p - 1` and `l - 1`.
pub(super) fn bounds() -> [(u128, u128); 2] {
    let split = |limbs: &[u64]| {
        let at = |i: usize| u128::from(limbs.get(i).copied().unwrap_or(0));
        (at(3) << 64 | at(2), at(1) << 64 | at(0))
    };
    let minus_one = |mut x: ark_ff::BigInt<4>| {
        x.sub_with_borrow(&ark_ff::BigInt::from(1u64));
        x
    };
    [
        split(minus_one(bastion_protocol::Fr::MODULUS).as_ref()),
        split(minus_one(ark_ed_on_bn254::Fr::MODULUS).as_ref()),
    ]
}

/// The tuple `(keyhash, msg)` of a checked signature.
pub fn tuple(keyhash: Expr, message: Expr) -> Tuple {
    Tuple::new(Tag::Signature, [keyhash, message])
}

/// Constraints of a header.
pub fn header_block() -> RowBlock {
    let mut block = RowBlock::new(Table::Signature);
    block.constrain("id", ID - Expr::cell(-1, columns::ID) - Expr::one());
    block.constrain("active_flag", ACTIVE.boolean());
    key_constraints(&mut block);
    verdict_constraints(&mut block);
    start_constraints(&mut block);
    block.constrain("h_borrow_flag", H_BORROW.boolean());
    block.constrain("s_borrow_flag", S_BORROW.boolean());

    let mut terms: Vec<Term> = (0..MULTIPLES)
        .map(|j| {
            Term::produce(
                format!("key_multiple{j}"),
                Expr::nth(KEY_COUNTS + j),
                key_multiple(ID, Expr::from(j as u64), multiple(j)),
            )
        })
        .collect();
    terms.push(Term::consume(
        "first_half",
        Expr::one(),
        half_tuple(ID, Expr::from(1), Point::nth(MIDDLE), H_HIGH, S_HIGH),
    ));
    terms.push(Term::consume(
        "second_half",
        Expr::one(),
        half_tuple(ID, Expr::from(2), Point::nth(FINAL), H_LOW, S_LOW),
    ));
    terms.extend(challenge_terms());
    terms.extend(bound_terms());
    terms.push(Term::produce("signed", ACTIVE, tuple(KEYHASH, MESSAGE)));
    block.bus_packed(0, terms);
    block
}

/// `A = 8 A'` with `A'` on the curve, `A.x != 0`, and the multiples of `-A`.
fn key_constraints(block: &mut RowBlock) {
    let mut point = Point::nth(KEY_CHAIN);
    block.constrain("key_part_on_curve", point.on_curve());
    for i in 1..=3 {
        let next = Point::nth(KEY_CHAIN + 2 * i);
        let [x, y] = double(&point, &next);
        block.constrain(format!("key_double{i}.x"), x);
        block.constrain(format!("key_double{i}.y"), y);
        point = next;
    }
    block.constrain("key_is_not_identity", key().x * KEY_X_INVERSE - Expr::one());
    for j in 2..MULTIPLES {
        let [x, y] = add(&multiple(j - 1), &multiple(1), &multiple(j));
        block.constrain(format!("multiple{j}.x"), x);
        block.constrain(format!("multiple{j}.y"), y);
    }
}

/// `8 (FINAL - R) = O`.
fn verdict_constraints(block: &mut RowBlock) {
    let r = Point::nth(R);
    block.constrain("r_on_curve", r.on_curve());
    let q = Point::nth(Q);
    let [x, y] = add(&Point::nth(FINAL), &r.negate(), &q);
    block.constrain("difference.x", x);
    block.constrain("difference.y", y);
    let (q2, q4) = (Point::nth(Q + 2), Point::nth(Q + 4));
    let identity = Point { x: Expr::zero(), y: Expr::one() };
    for (name, from, to) in
        [("cofactor2", &q, &q2), ("cofactor4", &q2, &q4), ("equation", &q4, &identity)]
    {
        let [x, y] = double(from, to);
        block.constrain(format!("{name}.x"), x);
        block.constrain(format!("{name}.y"), y);
    }
}

/// The first window starts from the identity, empty scalars and half 1.
fn start_constraints(block: &mut RowBlock) {
    let start = |col| Expr::cell(START, col);
    block.constrain("start.id", start(columns::ID) - ID);
    block.constrain("start.point.x", start(columns::POINT));
    block.constrain("start.point.y", start(columns::POINT + 1) - Expr::one());
    block.constrain("start.h", start(columns::H));
    block.constrain("start.s", start(columns::S));
    block.constrain("start.half", start(columns::HALF) - Expr::one());
}

/// What the chain of a challenge starts from: tag and length.
pub(super) fn challenge_head() -> Fr {
    static HEAD: OnceLock<Fr> = OnceLock::new();
    *HEAD.get_or_init(|| {
        to_halo2(bastion_protocol::hash::compress(
            bastion_protocol::Fr::from(bastion_protocol::hash::TAG_SIG),
            bastion_protocol::Fr::from(4u64),
        ))
    })
}

/// `keyhash = compress(A)` and `h = chain(TAG_SIG; R.x, R.y, keyhash, msg)`.
fn challenge_terms() -> Vec<Term> {
    let r = Point::nth(R);
    let h = H_HIGH * Expr::pow2(128) + H_LOW;
    let [c1, c2, c3] = CHAIN;
    [
        ("keyhash", key().x, key().y, KEYHASH),
        ("challenge_rx", challenge_head().into(), r.x, c1),
        ("challenge_ry", c1, r.y, c2),
        ("challenge_keyhash", c2, KEYHASH, c3),
        ("challenge_message", c3, MESSAGE, h),
    ]
    .into_iter()
    .map(|(name, a, b, out)| Term::consume(name, ACTIVE, hash::tuple(a, b, out)))
    .collect()
}

/// `h <= p - 1` and `S <= l - 1` as integers, by subtraction with one borrow.
fn bound_terms() -> Vec<Term> {
    let [p, l] = bounds();
    [("h_below_p", p, H_HIGH, H_LOW, H_BORROW), ("s_below_l", l, S_HIGH, S_LOW, S_BORROW)]
        .into_iter()
        .flat_map(|(name, (high, low), x_high, x_low, borrow)| {
            [
                Term::consume(
                    format!("{name}.high"),
                    ACTIVE,
                    range128(Expr::from(wide(high)) - x_high - borrow),
                ),
                Term::consume(
                    format!("{name}.low"),
                    ACTIVE,
                    range128(Expr::from(wide(low)) - x_low + borrow * Expr::pow2(128)),
                ),
            ]
        })
        .collect()
}
