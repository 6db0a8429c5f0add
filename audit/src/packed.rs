//! Packed commitments (eprint 2021/1167): one for many polynomials, `P(X) = sum of X^i f_i(X^s)`.
//!
//! The remainder of `P` by `X^s - c` is `sum of f_i(c) X^i`. So the proof's evaluations of a pack at
//! `c = z omega^r` are its remainder there, and SHPLONK opens packs as it opens polynomials, with
//! vanishing polynomials in `y = X^s`. With `Z_t` the product of `y - z omega^r` over the rotations of
//! pack `t` at `X = z'`, the proof holds if `e(left, g2) = e(W', s g2)` for
//! `left = sum_t gamma^t (Z_0 / Z_t) (C_t - R_t(z') G) - Z_0 W + z' W'`. The quotient comes last: it is
//! no pack, its `Z` is `z' - z`, and its remainder is its value.

use std::collections::BTreeMap;

use ark_bn254::{Fr, G1Affine, G1Projective};
use ark_ec::VariableBaseMSM;
use ark_ff::{AdditiveGroup, Field, One};

use crate::description::Pack;
use crate::error::Refused;
use crate::shplonk::{lagrange_basis, Opening};

/// The quotient's commitment, where it is opened, and its value there.
pub(crate) struct Quotient {
    pub(crate) commitment: G1Affine,
    pub(crate) z: Fr,
    pub(crate) value: Fr,
}

/// The left point of the pairing.
///
/// `points` are `z omega^r` by rotation, `commitments` those of the packs, and `evaluations` are in
/// the order of the proof.
///
/// # Errors
/// [`Refused::Degenerate`] if `z'` is a root of a vanishing polynomial.
pub(crate) fn combine(
    (stride, packs): (usize, &[Pack]),
    points: &BTreeMap<i32, Fr>,
    commitments: &[G1Affine],
    evaluations: &[Fr],
    quotient: &Quotient,
    opening: &Opening,
    g1: G1Affine,
) -> Result<G1Projective, Refused> {
    let at = |rotation: &i32| points.get(rotation).copied().unwrap_or(Fr::ZERO);
    let y = opening.z_prime.pow([stride as u64]);
    let vanishing = |pack: &Pack| pack.rotations.iter().map(|r| y - at(r)).product::<Fr>();
    let first = packs.first().map_or(Fr::one(), vanishing);
    let mut scalars = Vec::with_capacity(packs.len() + 4);
    let mut bases = Vec::with_capacity(packs.len() + 4);
    let mut constant = Fr::ZERO;
    let mut gamma = Fr::one();
    let mut rest = evaluations;
    for (pack, commitment) in packs.iter().zip(commitments) {
        let own = vanishing(pack).inverse().ok_or(Refused::Degenerate)?;
        let factor = gamma * first * own;
        let xs: Vec<Fr> = pack.rotations.iter().map(at).collect();
        let basis = lagrange_basis(&xs, y).ok_or(Refused::Degenerate)?;
        // By rotation, then by place: each place is a coefficient of the remainder.
        let (values, after) = rest.split_at((xs.len() * pack.polynomials).min(rest.len()));
        rest = after;
        let remainders = values.chunks(pack.polynomials).map(|places| {
            places.iter().rev().fold(Fr::ZERO, |sum, value| sum * opening.z_prime + value)
        });
        constant += factor * remainders.zip(&basis).map(|(r, l)| r * l).sum::<Fr>();
        scalars.push(factor);
        bases.push(*commitment);
        gamma *= opening.gamma;
    }
    let own = (opening.z_prime - quotient.z).inverse().ok_or(Refused::Degenerate)?;
    let factor = gamma * first * own;
    constant += factor * quotient.value;
    scalars.extend([factor, -constant, -first, opening.z_prime]);
    bases.extend([quotient.commitment, g1, opening.w, opening.w_prime]);
    // As many scalars as bases: they were pushed in pairs.
    Ok(G1Projective::msm_unchecked(&bases, &scalars))
}
