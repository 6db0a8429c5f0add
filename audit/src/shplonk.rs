//! SHPLONK (eprint 2020/081): one opening for many polynomials at many points.
//!
//! Polynomials that are opened at the same rotations form a set. With `Z_s` the product of
//! `z' - z omega^r` over the rotations of set `s`, `C_i` the commitments and `R_i` the polynomial
//! through the evaluations of polynomial `i`, the proof holds if
//! `e(left, g2) = e(W', s g2)` for
//! `left = sum_s gamma^s (Z_0 / Z_s) sum_i mu^i (C_i - R_i(z') G) - Z_0 W + z' W'`.

use std::collections::{BTreeMap, BTreeSet};

use ark_bn254::{Fr, G1Affine, G1Projective};
use ark_ec::VariableBaseMSM;
use ark_ff::{AdditiveGroup, Field, One};

use crate::description::Query;
use crate::error::Refused;

/// The challenges and points of an opening.
pub(crate) struct Opening {
    pub(crate) gamma: Fr,
    pub(crate) w: G1Affine,
    pub(crate) z_prime: Fr,
    pub(crate) w_prime: G1Affine,
}

/// Polynomials with the same rotations.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Set {
    pub(crate) rotations: Vec<i32>,
    pub(crate) polys: Vec<usize>,
}

/// The sets of a list of openings. Sets, and polynomials within a set, keep the order of their
/// first appearance, which decides the powers of the challenges.
pub(crate) fn sets(openings: &[Query]) -> Vec<Set> {
    let mut order: Vec<usize> = Vec::new();
    let mut rotations: BTreeMap<usize, Vec<i32>> = BTreeMap::new();
    for Query(poly, rotation) in openings {
        let list = rotations.entry(*poly).or_insert_with(|| {
            order.push(*poly);
            Vec::new()
        });
        list.push(*rotation);
    }
    let mut sets: Vec<Set> = Vec::new();
    let mut numbers: BTreeMap<BTreeSet<i32>, usize> = BTreeMap::new();
    for poly in order {
        let rotations = rotations.remove(&poly).unwrap_or_default();
        let distinct: BTreeSet<i32> = rotations.iter().copied().collect();
        let number = *numbers.entry(distinct).or_insert(sets.len());
        match sets.get_mut(number) {
            Some(set) => set.polys.push(poly),
            None => sets.push(Set { rotations, polys: vec![poly] }),
        }
    }
    sets
}

/// The left point of the pairing.
///
/// `points` are `z omega^r` by rotation, `commitments` give each polynomial as a sum of multiples of
/// points, and `evaluations` hold the value of each query.
///
/// # Errors
/// [`Refused::Degenerate`] if `z'` is one of the points.
pub(crate) fn combine(
    sets: &[Set],
    points: &BTreeMap<i32, Fr>,
    commitments: &BTreeMap<usize, Vec<(Fr, G1Affine)>>,
    evaluations: &BTreeMap<Query, Fr>,
    mu: Fr,
    opening: &Opening,
    g1: G1Affine,
) -> Result<G1Projective, Refused> {
    let at = |rotation: &i32| points.get(rotation).copied().unwrap_or(Fr::ZERO);
    let vanishing = |set: &Set| -> Fr {
        let factors = set.rotations.iter().map(|r| opening.z_prime - at(r));
        factors.product()
    };
    let first = sets.first().map_or(Fr::one(), &vanishing);
    let mut scalars = Vec::new();
    let mut bases = Vec::new();
    let mut constant = Fr::ZERO;
    let mut gamma = Fr::one();
    for set in sets {
        let own = vanishing(set).inverse().ok_or(Refused::Degenerate)?;
        let mut factor = gamma * first * own;
        let xs: Vec<Fr> = set.rotations.iter().map(at).collect();
        let basis = lagrange_basis(&xs, opening.z_prime).ok_or(Refused::Degenerate)?;
        for poly in &set.polys {
            let value: Fr = set
                .rotations
                .iter()
                .zip(&basis)
                .map(|(r, l)| evaluations.get(&Query(*poly, *r)).copied().unwrap_or(Fr::ZERO) * l)
                .sum();
            constant += factor * value;
            for (scalar, point) in commitments.get(poly).into_iter().flatten() {
                scalars.push(factor * scalar);
                bases.push(*point);
            }
            factor *= mu;
        }
        gamma *= opening.gamma;
    }
    scalars.extend([-constant, -first, opening.z_prime]);
    bases.extend([g1, opening.w, opening.w_prime]);
    // As many scalars as bases: they were pushed in pairs.
    Ok(G1Projective::msm_unchecked(&bases, &scalars))
}

/// Lagrange's basis over `xs` at `x`; `None` if two of `xs` are equal.
pub(crate) fn lagrange_basis(xs: &[Fr], x: Fr) -> Option<Vec<Fr>> {
    xs.iter()
        .enumerate()
        .map(|(i, xi)| {
            let others = || xs.iter().enumerate().filter(move |(j, _)| *j != i);
            let numerator: Fr = others().map(|(_, xj)| x - xj).product();
            let denominator: Fr = others().map(|(_, xj)| *xi - xj).product();
            Some(numerator * denominator.inverse()?)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_keep_the_order_of_first_appearance() {
        let openings = [(3, 0), (1, 1), (1, 0), (2, 0), (4, 0), (4, 1), (5, -1)];
        let sets = sets(&openings.map(|(poly, r)| Query(poly, r)));
        let expected = [(vec![0], vec![3, 2]), (vec![1, 0], vec![1, 4]), (vec![-1], vec![5])]
            .map(|(rotations, polys)| Set { rotations, polys });
        assert_eq!(sets, expected);
    }

    #[test]
    fn the_basis_interpolates() {
        let f = |x: Fr| x.square() * x + Fr::from(5u64) * x + Fr::from(7u64);
        let xs: Vec<Fr> = [2u64, 9, 11, 40].map(Fr::from).to_vec();
        let x = Fr::from(1234u64);
        let basis = lagrange_basis(&xs, x).unwrap();
        let value: Fr = xs.iter().zip(basis).map(|(xi, l)| f(*xi) * l).sum();
        assert_eq!(value, f(x));
        assert!(lagrange_basis(&[x, x], x).is_none());
    }
}
