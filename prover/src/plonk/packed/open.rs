//! Opening packs with two commitments: SHPLONK (BDFG20, section 4) over remainders by `X^s - c`.
//!
//! A pack is `P(X) = Σ Xⁱ·fᵢ(X^s)`. Its remainder by `X^s - c` is `Σ fᵢ(c)·Xⁱ`: the values of its
//! polynomials at `c`. So a pack that is opened at the rotations `r` has, with `c_r = x·ω^r` and
//! `Y = X^s`, the vanishing polynomial `Z(Y) = Π (Y - c_r)`, and as remainder `R = Σ Xⁱ·gᵢ(Y)`, where
//! `gᵢ` interpolates `fᵢ` over the `c_r`. Places stay apart in the division: the quotient's place `i`
//! is that of `fᵢ` by `Z`, a division of polynomials in `Y`. The quotient `h` of the constraints is
//! committed to as it is and opened at `x`, with `Z = X - x`.
//!
//! With the challenge `γ`: `q = Σ γᵗ·(P_t - R_t) / Z_t`, and `h` comes last. At `u` the verifier knows
//! `L(X) = Σ γᵗ·Z_0/Z_t(u)·(P_t - R_t(u)) - Z_0(u)·q`, which vanishes there.

use std::io;

use halo2_proofs::halo2curves::bn256::G1Affine;
use halo2_proofs::halo2curves::ff::Field;
use halo2_proofs::transcript::{EncodedChallenge, TranscriptWrite};
use rayon::prelude::*;

use super::STRIDE;
use crate::plonk::linear::{combination, evaluations};
use crate::plonk::shplonk::{divided, powers};
use crate::plonk::write_points;
use crate::srs::PackedParams;
use crate::Fr;

/// The polynomials of a pack by place, and the points at which all of them are opened.
pub(super) struct Opened<'a> {
    pub(super) polynomials: Vec<&'a [Fr]>,
    pub(super) points: Vec<Fr>,
}

/// Places as one polynomial in `X`.
pub(super) fn interleaved(places: &[&[Fr]], n: usize) -> Vec<Fr> {
    let mut all = vec![Fr::zero(); STRIDE * n];
    all.par_chunks_mut(STRIDE).enumerate().for_each(|(l, chunk)| {
        for (x, place) in chunk.iter_mut().zip(places) {
            *x = place.get(l).copied().unwrap_or_default();
        }
    });
    all
}

/// Writes the values of all packs, and opens them and the quotient `h` of the constraints at `x`.
pub(super) fn open<E, T>(
    params: &PackedParams,
    packs: &[Opened<'_>],
    (h, x): (&[Fr], Fr),
    transcript: &mut T,
) -> io::Result<()>
where
    E: EncodedChallenge<G1Affine>,
    T: TranscriptWrite<G1Affine, E>,
{
    let n = 1 << params.k();
    let queries = packs.iter().flat_map(|pack| {
        let at = pack.points.iter();
        at.flat_map(|point| pack.polynomials.iter().map(|polynomial| (*polynomial, *point)))
    });
    for value in evaluations(&queries.collect::<Vec<_>>(), params.k()) {
        transcript.write_scalar(value)?;
    }

    let gamma = *transcript.squeeze_challenge_scalar::<()>();
    let of_h = gamma.pow_vartime([packs.len() as u64]);
    let places: Vec<Vec<Fr>> = (0..STRIDE)
        .into_par_iter()
        .map(|place| {
            let quotients: Vec<(Fr, Vec<Fr>)> = powers(gamma)
                .zip(packs)
                .filter_map(|(factor, pack)| {
                    let polynomial = pack.polynomials.get(place)?.to_vec();
                    Some((factor, pack.points.iter().fold(polynomial, |p, at| divided(p, *at))))
                })
                .collect();
            let terms = quotients.iter().map(|(factor, q)| (*factor, q.as_slice()));
            combination(&terms.collect::<Vec<_>>())
        })
        .collect();
    let mut quotient = interleaved(&places.iter().map(Vec::as_slice).collect::<Vec<_>>(), n);
    drop(places);
    let part = divided(h.to_vec(), x);
    quotient.iter_mut().zip(part).for_each(|(q, p)| *q += of_h * p);
    write_points(&[params.commit_coefficients(&quotient)], transcript)?;

    let u = *transcript.squeeze_challenge_scalar::<()>();
    let y = u.pow_vartime([STRIDE as u64]);
    let vanishing = |pack: &Opened<'_>| pack.points.iter().map(|at| y - at).product::<Fr>();
    let first = packs.first().map_or(Fr::one(), vanishing);
    let over = |z: Fr| {
        // No point is `u`, but for a chance of 2^-240.
        let inverse: Option<Fr> = z.invert().into();
        inverse.ok_or_else(|| io::Error::other("a challenge is a queried point"))
    };
    let mut factors = Vec::with_capacity(packs.len());
    for (power, pack) in powers(gamma).zip(packs) {
        factors.push(power * first * over(vanishing(pack))?);
    }
    let places: Vec<Vec<Fr>> = (0..STRIDE)
        .into_par_iter()
        .map(|place| {
            let terms = factors
                .iter()
                .zip(packs)
                .filter_map(|(factor, pack)| Some((*factor, *pack.polynomials.get(place)?)));
            combination(&terms.collect::<Vec<_>>())
        })
        .collect();
    let mut total = interleaved(&places.iter().map(Vec::as_slice).collect::<Vec<_>>(), n);
    drop(places);
    let of_h = of_h * first * over(u - x)?;
    total.par_iter_mut().zip(&quotient).for_each(|(t, q)| *t -= first * q);
    total.par_iter_mut().zip(h).for_each(|(t, p)| *t += of_h * p);
    let witness = divided(total, u);
    write_points(&[params.commit_coefficients(&witness)], transcript)
}
