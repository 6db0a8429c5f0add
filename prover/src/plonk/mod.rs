//! A prover for circuits of gates alone.
//!
//! halo2's prover serves every circuit. The batch circuit has neither copies nor lookups (its buses
//! are gates), and most of its proof used to be the evaluation of those gates, on every row of every
//! coset. This prover makes the same proofs, byte for byte the same protocol, from the same keys,
//! and differs in how:
//!
//! - gates are compiled into a program over lanes of eight rows ([`program`], [`lanes`]);
//! - a gate is evaluated on as many cosets as its degree asks for and no more ([`quotient`]);
//! - transforms are over lanes too ([`fft`]);
//! - one coset is in memory at a time, and the witness comes as columns, not as fractions.
//!
//! Nothing depends on it for soundness: [`crate::proof::prove`] has two verifiers accept each proof.
//!
//! # Order of the transcript
//!
//! As in halo2: the key's digest, the public inputs; for each phase its commitments and the
//! challenges after it; three challenges of arguments that are not there; the blinding polynomial;
//! `y`; the pieces of the quotient; `x`; the evaluations of advice and fixed queries and of the
//! blinding polynomial; the opening ([`shplonk`]).

mod fft;
mod lanes;
mod program;
mod quotient;
mod shplonk;

use std::io;

use halo2_proofs::arithmetic::eval_polynomial;
use halo2_proofs::halo2curves::bn256::{Bn256, G1Affine};
use halo2_proofs::halo2curves::ff::Field;
use halo2_proofs::halo2curves::group::Curve;
use halo2_proofs::plonk::{ConstraintSystem, ProvingKey};
use halo2_proofs::poly::commitment::{Blind, Params, ParamsProver};
use halo2_proofs::poly::kzg::commitment::ParamsKZG;
use halo2_proofs::poly::{Coeff, LagrangeCoeff, Polynomial, Rotation};
use halo2_proofs::transcript::{EncodedChallenge, TranscriptWrite};
use rand::{CryptoRng, RngCore, SeedableRng};
use rand_chacha::ChaCha20Rng;
use rayon::prelude::*;

use crate::Fr;
use fft::{root, Powers, Roots, MIN_K};
use quotient::Coefficients;

/// Whether a circuit has gates alone, and rows enough.
pub(crate) fn supports(system: &ConstraintSystem<Fr>, k: u32) -> bool {
    system.lookups().is_empty() && system.permutation().get_columns().is_empty() && k >= MIN_K
}

/// The values of a phase's advice columns, in order, given the challenges of the phases before.
/// Rows that are missing at the end are 0.
pub(crate) type Witness<'a> = dyn Fn(u8, &[Fr]) -> Option<Vec<Vec<Fr>>> + 'a;

/// Proves. The key must satisfy [`supports`].
///
/// # Errors
/// If the witness does not have the form of the circuit, or the transcript cannot be written to.
pub(crate) fn create_proof<E, T>(
    params: &ParamsKZG<Bn256>,
    pk: &ProvingKey<G1Affine>,
    witness: &Witness<'_>,
    public: &[Fr],
    mut rng: impl RngCore + CryptoRng,
    transcript: &mut T,
) -> io::Result<()>
where
    E: EncodedChallenge<G1Affine>,
    T: TranscriptWrite<G1Affine, E>,
{
    let (vk, system) = (pk.get_vk(), pk.get_vk().cs());
    let k = vk.get_domain().k();
    let n = 1_usize << k;
    vk.hash_into(transcript)?;
    for value in public {
        transcript.common_scalar(*value)?;
    }

    let usable = n - (system.blinding_factors() + 1);
    let mut advice: Vec<Vec<Fr>> = vec![Vec::new(); system.num_advice_columns()];
    let mut challenges = vec![Fr::zero(); system.num_challenges()];
    let phases = system.advice_column_phase();
    for phase in 0..=phases.iter().max().copied().unwrap_or(0) {
        let mut columns = witness(phase, &challenges).unwrap_or_default();
        let places: Vec<_> = (0..advice.len()).filter(|i| phases[*i] == phase).collect();
        if columns.len() != places.len() || columns.iter().any(|c| c.len() > usable) {
            return Err(io::Error::other(format!(
                "phase {phase} has {} columns of at most {usable} rows, the witness {} of up to {}",
                places.len(),
                columns.len(),
                columns.iter().map(Vec::len).max().unwrap_or(0),
            )));
        }
        for column in &mut columns {
            column.resize(usable, Fr::zero());
            column.resize_with(n, || Fr::random(&mut rng));
        }
        let mut commitments = Vec::with_capacity(columns.len());
        for (place, column) in places.into_iter().zip(columns) {
            let values: Polynomial<Fr, LagrangeCoeff> = Polynomial::new(column);
            commitments.push(params.commit_lagrange(&values, Blind::default()));
            advice[place] = values.into_values();
        }
        write_points(&commitments, transcript)?;
        for (i, after) in system.challenge_phase().into_iter().enumerate() {
            if after == phase {
                challenges[i] = *transcript.squeeze_challenge_scalar::<()>();
            }
        }
    }
    for _argument in ["lookups", "permutation", "permutation"] {
        let _ = transcript.squeeze_challenge_scalar::<()>();
    }

    let blinding = random_polynomial(n, &mut rng);
    write_points(&[params.commit(&blinding, Blind::default())], transcript)?;
    let y = *transcript.squeeze_challenge_scalar::<()>();

    let advice = coefficients(k, advice);
    let mut instance = public.to_vec();
    instance.resize(n, Fr::zero());
    let instance = coefficients(k, vec![instance]);
    let fixed = pk.fixed_polys();
    let columns = Coefficients {
        advice: advice.iter().map(|c| c.values()).collect(),
        fixed: fixed.iter().map(|c| c.values()).collect(),
        instance: instance.iter().map(|c| c.values()).collect(),
    };
    let pieces = quotient::pieces(system, k, &columns, &challenges, y);
    let pieces: Vec<Polynomial<Fr, Coeff>> = pieces.into_iter().map(Polynomial::new).collect();
    let commitments: Vec<_> = pieces
        .iter()
        .map(|piece| params.commit(piece, Blind::default()))
        .collect();
    write_points(&commitments, transcript)?;

    let x = *transcript.squeeze_challenge_scalar::<()>();
    let at = |rotation: &Rotation| vk.get_domain().rotate_omega(x, *rotation);
    let advice_queries = system.advice_queries().iter();
    let fixed_queries = system.fixed_queries().iter();
    let queries: Vec<(&Polynomial<Fr, Coeff>, Fr)> = advice_queries
        .map(|(column, rotation)| (&advice[column.index()], at(rotation)))
        .chain(fixed_queries.map(|(column, rotation)| (&fixed[column.index()], at(rotation))))
        .collect();
    let evaluations: Vec<Fr> = queries
        .par_iter()
        .map(|(polynomial, point)| eval_polynomial(polynomial.values(), *point))
        .collect();
    for evaluation in evaluations {
        transcript.write_scalar(evaluation)?;
    }
    transcript.write_scalar(eval_polynomial(blinding.values(), x))?;

    let quotient = folded(pieces, x.pow_vartime([n as u64]));
    let all = [(&quotient, x), (&blinding, x)];
    let queries: Vec<_> = queries.into_iter().chain(all).collect();
    shplonk::open(params, &queries, transcript)
}

fn write_points<E, T>(
    points: &[<G1Affine as halo2_proofs::arithmetic::CurveAffine>::CurveExt],
    transcript: &mut T,
) -> io::Result<()>
where
    E: EncodedChallenge<G1Affine>,
    T: TranscriptWrite<G1Affine, E>,
{
    for point in points {
        transcript.write_point(point.to_affine())?;
    }
    Ok(())
}

/// Values on the domain to coefficients, column by column.
fn coefficients(k: u32, columns: Vec<Vec<Fr>>) -> Vec<Polynomial<Fr, Coeff>> {
    let n = 1_usize << k;
    let inverse = |x: Fr| x.invert().unwrap_or(Fr::zero());
    let roots = Roots::new(k, inverse(root(k)));
    let post = Powers {
        factor: inverse(Fr::from(n as u64)),
        base: Fr::one(),
    };
    columns
        .into_par_iter()
        .map_init(
            || vec![Fr::zero(); n],
            |scratch, values| {
                let mut output = vec![Fr::zero(); n];
                roots.transform(&values, &mut output, scratch, None, Some(post));
                Polynomial::new(output)
            },
        )
        .collect()
}

/// Coefficients from a generator that `rng` seeds, in parallel.
fn random_polynomial(n: usize, rng: &mut (impl RngCore + CryptoRng)) -> Polynomial<Fr, Coeff> {
    let mut seed = [0; 32];
    rng.fill_bytes(&mut seed);
    let mut values = vec![Fr::zero(); n];
    values
        .par_chunks_mut(1 << 12)
        .enumerate()
        .for_each(|(stream, chunk)| {
            let mut rng = ChaCha20Rng::from_seed(seed);
            rng.set_stream(stream as u64);
            chunk.fill_with(|| Fr::random(&mut rng));
        });
    Polynomial::new(values)
}

/// `Σ xⁿᵠ·h_q`.
fn folded(pieces: Vec<Polynomial<Fr, Coeff>>, xn: Fr) -> Polynomial<Fr, Coeff> {
    let mut pieces = pieces.into_iter().rev().map(Polynomial::into_values);
    let mut total = pieces.next().unwrap_or_default();
    for piece in pieces {
        total
            .par_iter_mut()
            .zip(piece)
            .for_each(|(t, p)| *t = *t * xn + p);
    }
    Polynomial::new(total)
}

#[cfg(test)]
mod tests;
