//! Cells of one signature check.

use std::sync::OnceLock;

use ark_ec::{AdditiveGroup, AffineRepr, CurveGroup};
use ark_ed_on_bn254::{EdwardsAffine, EdwardsProjective, Fr as Scalar};
use ark_ff::{Field, PrimeField};
use bastion_protocol::keys::{PublicKey, Signature};
use halo2_proofs::halo2curves::bn256::Fr;

use crate::core::{BlockWriter, Expr, SIGNATURE_ROWS, WINDOWS};
use crate::signatures::header::{self, MULTIPLES, START};
use crate::signatures::window::columns;
use crate::witness::convert::{inverse_or_zero, small, to_halo2, wide};
use crate::witness::LookupCounts;

/// A signature to check.
#[derive(Clone, Debug)]
pub struct Check {
    /// The signer.
    pub key: PublicKey,
    /// The message.
    pub message: bastion_protocol::Fr,
    /// `R`.
    pub r: EdwardsAffine,
    /// `S` as an integer; an honest one is below `l`.
    pub s: ark_ff::BigInt<4>,
}

impl Check {
    /// The check of a signature.
    pub fn new(key: PublicKey, message: bastion_protocol::Fr, signature: &Signature) -> Self {
        Self { key, message, r: signature.r, s: signature.s.into_bigint() }
    }
}

struct Digits {
    h: [u8; 2 * WINDOWS],
    s: [u8; 2 * WINDOWS],
}

/// Assigns the rows of signature number `id`, counted from 1; without a check, the block proves that
/// `0 B - 0 A - O = O` and puts no signature on the bus. Returns how often each multiple of the base
/// point was used.
pub fn assign(
    writer: &mut BlockWriter<'_>,
    id: u64,
    check: Option<&Check>,
    pools: &mut LookupCounts,
) -> [u64; MULTIPLES] {
    let key = check.map_or_else(
        || EdwardsAffine::generator().mul_bigint([8u64]).into_affine(),
        |c| *c.key.point(),
    );
    let r = check.map_or(EdwardsAffine::zero(), |c| c.r);
    let message = check.map_or(Fr::zero(), |c| to_halo2(c.message));
    let active = check.is_some();
    let id = small(id);

    let (keyhash, chain, h) = challenge(&key, &r, message, active, pools);
    let h_limbs = crate::witness::convert::to_state(&h).into_bigint();
    let s_limbs = check.map_or(ark_ff::BigInt::from(0u64), |c| c.s);
    let digits = Digits { h: hex_digits(&h_limbs.0), s: hex_digits(&s_limbs.0) };

    let multiples = multiples_of(-key);
    let base_multiples = base_multiples();
    let points = scalar_multiplication(&digits, &multiples, base_multiples);

    let mut key_counts = [0u64; MULTIPLES];
    let mut base_counts = [0u64; MULTIPLES];
    let first = START as usize + 1;
    let mut halves = [(Fr::zero(), Fr::zero()); 2];
    for half in 0..2 {
        let (mut h_acc, mut s_acc) = (Fr::zero(), Fr::zero());
        for i in 0..WINDOWS {
            let n = half * WINDOWS + i;
            let at = first + half * (WINDOWS + 1) + i;
            let (hd, sd) = (digits.h[n] as usize, digits.s[n] as usize);
            key_counts[hd] += 1;
            base_counts[sd] += 1;
            h_acc = h_acc * small(16) + small(hd as u64);
            s_acc = s_acc * small(16) + small(sd as u64);
            writer.assign(at, columns::ID, id);
            let step = &points[6 * n..6 * n + 6];
            let (key_m, base_m) = (multiples[hd], base_multiples[sd]);
            put_point(writer, at, columns::KEY, &key_m);
            put_point(writer, at, columns::BASE, &base_m);
            for (j, p) in step[..4].iter().enumerate() {
                put_point(writer, at, columns::DOUBLINGS + 2 * j, p);
            }
            put_point(writer, at, columns::WITH_KEY, &step[4]);
            put_point(writer, at, columns::POINT, &step[5]);
            writer.assign(at, columns::H, h_acc);
            writer.assign(at, columns::S, s_acc);
            writer.assign(at, columns::HALF, small(half as u64 + 1));
        }
        let at = first + half * (WINDOWS + 1) + WINDOWS;
        writer.assign(at, columns::ID, id);
        put_point(writer, at, columns::POINT, &points[6 * (half + 1) * WINDOWS - 1]);
        writer.assign(at, columns::H, Fr::zero());
        writer.assign(at, columns::S, Fr::zero());
        writer.assign(at, columns::HALF, small(half as u64 + 2));
        halves[half] = (h_acc, s_acc);
    }
    debug_assert_eq!(first + 2 * (WINDOWS + 1), SIGNATURE_ROWS);

    let middle = points[6 * WINDOWS - 1];
    let last = points[12 * WINDOWS - 1];
    writer.set(&header::ID, id);
    writer.set(&header::ACTIVE, small(u64::from(active)));
    let eighth = Scalar::from(8u64).inverse().unwrap_or(Scalar::ZERO);
    let part: EdwardsProjective = key * eighth;
    let chain_points = normalized([part, part.double(), part.double().double()].into_iter());
    let mut point = |n: usize, p: &EdwardsAffine| {
        writer.nth(n, to_halo2(p.x));
        writer.nth(n + 1, to_halo2(p.y));
    };
    for (i, p) in chain_points.iter().chain([&key]).enumerate() {
        point(header::KEY_CHAIN + 2 * i, p);
    }
    point(header::R, &r);
    point(header::MIDDLE, &middle);
    point(header::FINAL, &last);
    let q: EdwardsProjective = last - r;
    for (i, p) in normalized([q, q.double(), q.double().double()].into_iter()).iter().enumerate() {
        point(header::Q + 2 * i, p);
    }
    for (j, multiple) in multiples[2..].iter().enumerate() {
        let cell = header::KEY_MULTIPLES + 2 * j;
        writer.nth(cell, to_halo2(multiple.x));
        writer.nth(cell + 1, to_halo2(multiple.y));
    }
    writer.set(&header::KEY_X_INVERSE, inverse_or_zero(to_halo2(key.x)));
    writer.set(&header::KEYHASH, keyhash);
    for (cell, value) in header::CHAIN.iter().zip(chain) {
        writer.set(cell, value);
    }
    writer.set(&header::MESSAGE, message);
    writer.set(&header::H_HIGH, halves[0].0);
    writer.set(&header::S_HIGH, halves[0].1);
    writer.set(&header::H_LOW, halves[1].0);
    writer.set(&header::S_LOW, halves[1].1);
    for (j, count) in key_counts.iter().enumerate() {
        writer.nth(header::KEY_COUNTS + j, small(*count));
    }
    let [p_bound, l_bound] = header::bounds();
    for (cell, bound, limbs) in
        [(&header::H_BORROW, p_bound, &h_limbs), (&header::S_BORROW, l_bound, &s_limbs)]
    {
        let (high, low) = halves_of(&limbs.0);
        let borrow = low > bound.1;
        writer.set(cell, small(u64::from(borrow)));
        if active {
            pools.range128(wide(bound.0) - wide(high) - small(u64::from(borrow)));
            let carry = if borrow { crate::core::pow2(128) } else { Fr::zero() };
            pools.range128(wide(bound.1) - wide(low) + carry);
        }
    }
    for (col, value) in [
        (columns::ID, id),
        (columns::POINT, Fr::zero()),
        (columns::POINT + 1, Fr::one()),
        (columns::H, Fr::zero()),
        (columns::S, Fr::zero()),
        (columns::HALF, Fr::one()),
    ] {
        writer.set(&Expr::cell(START, col), value);
    }
    base_counts
}

/// Key hash, the chain of the challenge, and the challenge; zeros (and no hash) when not active.
fn challenge(
    key: &EdwardsAffine,
    r: &EdwardsAffine,
    message: Fr,
    active: bool,
    pools: &mut LookupCounts,
) -> (Fr, [Fr; 3], Fr) {
    if !active {
        return (Fr::zero(), [Fr::zero(); 3], Fr::zero());
    }
    let keyhash = pools.compress(to_halo2(key.x), to_halo2(key.y));
    let c1 = pools.compress(header::challenge_head(), to_halo2(r.x));
    let c2 = pools.compress(c1, to_halo2(r.y));
    let c3 = pools.compress(c2, keyhash);
    (keyhash, [c1, c2, c3], pools.compress(c3, message))
}

/// For each window: four doublings, `+ h digit (-A)`, `+ S digit B`.
fn scalar_multiplication(
    digits: &Digits,
    key: &[EdwardsAffine],
    base: &[EdwardsAffine],
) -> Vec<EdwardsAffine> {
    let mut acc = EdwardsProjective::ZERO;
    let mut points = Vec::with_capacity(12 * WINDOWS);
    for (h, s) in digits.h.iter().zip(&digits.s) {
        for _ in 0..4 {
            acc.double_in_place();
            points.push(acc);
        }
        acc += key[usize::from(*h)];
        points.push(acc);
        acc += base[usize::from(*s)];
        points.push(acc);
    }
    EdwardsProjective::normalize_batch(&points)
}

/// `0 .. 15` times a point.
fn multiples_of(point: EdwardsAffine) -> Vec<EdwardsAffine> {
    let next = |p: &EdwardsProjective| Some(*p + point);
    let all = std::iter::successors(Some(EdwardsProjective::ZERO), next);
    normalized(all.take(MULTIPLES))
}

fn base_multiples() -> &'static [EdwardsAffine] {
    static MULTIPLES_OF_BASE: OnceLock<Vec<EdwardsAffine>> = OnceLock::new();
    MULTIPLES_OF_BASE.get_or_init(|| multiples_of(EdwardsAffine::generator()))
}

fn normalized(points: impl Iterator<Item = EdwardsProjective>) -> Vec<EdwardsAffine> {
    EdwardsProjective::normalize_batch(&points.collect::<Vec<_>>())
}

fn put_point(writer: &mut BlockWriter<'_>, row: usize, col: usize, p: &EdwardsAffine) {
    writer.assign(row, col, to_halo2(p.x));
    writer.assign(row, col + 1, to_halo2(p.y));
}

/// 64 hexadecimal digits, most significant first.
fn hex_digits(limbs: &[u64; 4]) -> [u8; 2 * WINDOWS] {
    std::array::from_fn(|i| {
        let bit = 4 * (2 * WINDOWS - 1 - i);
        ((limbs[bit / 64] >> (bit % 64)) & 15) as u8
    })
}

fn halves_of(limbs: &[u64; 4]) -> (u128, u128) {
    let pair = |i: usize| u128::from(limbs[i + 1]) << 64 | u128::from(limbs[i]);
    (pair(2), pair(0))
}
