//! Opening many polynomials at many points with two commitments (SHPLONK, BDFG20, section 4).
//!
//! Polynomials that are opened at the same points form a set. With challenges `y`, `v`:
//! `q = Σ vⁱ·(Σ yʲ·(f_ij - r_ij)) / Z_i`, where `r_ij` interpolates `f_ij` over the points of set `i`
//! and `Z_i` vanishes there. As `r_ij` has a lower degree than `Z_i`, it is the remainder, and `q` is
//! the quotient without it. At `u` the verifier knows
//! `L(X) = Σ vⁱ·Z_{T∖i}(u)·Σ yʲ·(f_ij - r_ij(u)) - Z_T(u)·q`, which vanishes there; the second
//! commitment is to `L / (X - u)`, scaled such that the first set has factor 1. Constants are again
//! remainders.

use std::io;

use halo2_proofs::halo2curves::bn256::G1Affine;
use halo2_proofs::poly::{Coeff, Polynomial};
use halo2_proofs::transcript::{EncodedChallenge, TranscriptWrite};
use rayon::prelude::*;

use super::linear::combination;
use super::write_points;
use crate::srs::Params;
use crate::Fr;

/// Polynomials that are opened at the same points.
struct Set<'a> {
    points: Vec<Fr>,
    polynomials: Vec<&'a [Fr]>,
}

/// Writes the opening of each polynomial at its point.
pub(super) fn open<E, T>(
    params: &Params,
    queries: &[(&Polynomial<Fr, Coeff>, Fr)],
    transcript: &mut T,
) -> io::Result<()>
where
    E: EncodedChallenge<G1Affine>,
    T: TranscriptWrite<G1Affine, E>,
{
    let y = *transcript.squeeze_challenge_scalar::<()>();
    let v = *transcript.squeeze_challenge_scalar::<()>();
    let sets = sets(queries);
    let combined: Vec<Vec<Fr>> = sets
        .par_iter()
        .map(|set| {
            let terms = powers(y).zip(set.polynomials.iter().copied());
            combination(&terms.collect::<Vec<_>>())
        })
        .collect();
    let quotients: Vec<Vec<Fr>> = combined
        .par_iter()
        .zip(&sets)
        .map(|(polynomial, set)| {
            let points = set.points.iter();
            points.fold(polynomial.clone(), |p, point| divided(p, *point))
        })
        .collect();
    let terms: Vec<_> = powers(v).zip(quotients.iter().map(Vec::as_slice)).collect();
    let quotient = combination(&terms);
    write_points(&params.commit_coefficients(&[&quotient]), transcript)?;

    let u = *transcript.squeeze_challenge_scalar::<()>();
    let vanishing = |points: &[Fr]| points.iter().fold(Fr::one(), |z, point| z * (u - point));
    let mut all: Vec<Fr> = Vec::new();
    for point in sets.iter().flat_map(|s| &s.points) {
        if !all.contains(point) {
            all.push(*point);
        }
    }
    let others = sets.iter().map(|set| {
        let others = all.iter().filter(|p| !set.points.contains(p)).copied();
        vanishing(&others.collect::<Vec<_>>())
    });
    let others: Vec<Fr> = others.collect();
    // No point is `u`, but for a chance of 2^-240.
    let scale = others.first().and_then(|z| Option::from(z.invert()));
    let scale: Fr = scale.ok_or_else(|| io::Error::other("a challenge is a queried point"))?;
    let mut terms: Vec<_> = powers(v)
        .zip(&others)
        .zip(&combined)
        .map(|((v, z), polynomial)| (v * z * scale, polynomial.as_slice()))
        .collect();
    terms.push((-vanishing(&all) * scale, &quotient));
    let witness = divided(combination(&terms), u);
    write_points(&params.commit_coefficients(&[&witness]), transcript)
}

/// Sets in the order in which their first polynomials are queried.
fn sets<'a>(queries: &[(&'a Polynomial<Fr, Coeff>, Fr)]) -> Vec<Set<'a>> {
    let mut opened: Vec<(&'a Polynomial<Fr, Coeff>, Vec<Fr>)> = Vec::new();
    for (polynomial, point) in queries {
        match opened.iter_mut().find(|(p, _)| std::ptr::eq(*p, *polynomial)) {
            Some((_, points)) => points.push(*point),
            None => opened.push((polynomial, vec![*point])),
        }
    }
    let mut sets: Vec<Set<'a>> = Vec::new();
    for (polynomial, points) in opened {
        let same = |set: &&mut Set<'a>| {
            set.points.len() == points.len() && points.iter().all(|p| set.points.contains(p))
        };
        match sets.iter_mut().find(same) {
            Some(set) => set.polynomials.push(polynomial.values()),
            None => sets.push(Set { points, polynomials: vec![polynomial.values()] }),
        }
    }
    sets
}

pub(super) fn powers(base: Fr) -> impl Iterator<Item = Fr> {
    std::iter::successors(Some(Fr::one()), move |p| Some(*p * base))
}

/// The quotient by `X - point`, in the place of the dividend; its highest coefficient is 0.
pub(super) fn divided(mut polynomial: Vec<Fr>, point: Fr) -> Vec<Fr> {
    let mut carry = Fr::zero();
    for coefficient in polynomial.iter_mut().rev() {
        let next = *coefficient + carry * point;
        *coefficient = carry;
        carry = next;
    }
    polynomial
}
