//! A prover for circuits without lookups.
//!
//! halo2's prover serves every circuit, and spent most of the time of our proofs on the evaluation
//! of gates, on every row of every coset. This one makes the same proofs (the protocol and the keys
//! are halo2's, and its verifier accepts them), and differs in how:
//!
//! - gates are compiled into a program over lanes of eight rows (`program`, `lanes`);
//! - a gate is evaluated on as many cosets as its degree asks for and no more (`quotient`);
//! - transforms are over lanes too (`fft`);
//! - one coset is in memory at a time, and the witness is taken as values, not as fractions
//!   (`synthesis`).
//!
//! Nothing depends on it for soundness: no proof is stored before verifiers have accepted it.
//!
//! # Order of the transcript
//!
//! As in halo2: the key's digest, the public inputs; for each phase its commitments and the
//! challenges after it; `theta`, which lookups would use; `beta` and `gamma`, the running products of
//! the `permutation`; the blinding polynomial; `y`; the pieces of the quotient; `x`; evaluations;
//! the opening (`shplonk`).
//!
//! Block proofs are made otherwise: `packed`.

mod fft;
mod linear;
mod measure;
pub mod packed;
mod permutation;
mod program;
mod quotient;
mod shplonk;
mod synthesis;
mod timings;

use std::io;

use halo2_proofs::halo2curves::bn256::G1Affine;
use halo2_proofs::halo2curves::ff::Field;
use halo2_proofs::halo2curves::group::Curve;
use halo2_proofs::plonk::{Circuit, ConstraintSystem, ProvingKey};
use halo2_proofs::poly::{Coeff, Polynomial, Rotation};
use halo2_proofs::transcript::{EncodedChallenge, TranscriptWrite};
use rand::{CryptoRng, RngCore, SeedableRng};
use rand_chacha::ChaCha20Rng;
use rayon::prelude::*;

use crate::srs::Params;
use crate::Fr;
use fft::{Powers, Roots, MIN_K};
use program::Rules;
use synthesis::synthesize;
use timings::Laps;
pub use timings::Timings;

pub use measure::{multiplication_seconds, transform_seconds, Work};

/// Whether a circuit is one that this prover can prove.
pub fn supports(system: &ConstraintSystem<Fr>, k: u32) -> bool {
    system.lookups().is_empty() && k >= MIN_K
}

/// Proves `circuit`, whose key must satisfy [`supports`]. `rng` blinds the witness.
///
/// # Errors
/// If the witness does not have the form of the circuit, or the transcript cannot be written to.
pub fn create_proof<C, E, T>(
    params: &Params,
    pk: &ProvingKey<G1Affine>,
    circuit: &C,
    public: &[Fr],
    mut rng: impl RngCore + CryptoRng,
    transcript: &mut T,
) -> io::Result<()>
where
    C: Circuit<Fr>,
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

    let (mut laps, mut timings) = (Laps::start(), Timings::default());
    let usable = n - (system.blinding_factors() + 1);
    let mut advice: Vec<Vec<Fr>> = vec![Vec::new(); system.num_advice_columns()];
    let mut phase = 0;
    let mut end_phase = |columns: Vec<(usize, Vec<Fr>)>| {
        timings.synthesis += laps.lap();
        let places: Vec<usize> = columns.iter().map(|(place, _)| *place).collect();
        let mut values: Vec<Vec<Fr>> = columns.into_iter().map(|(_, values)| values).collect();
        for column in &mut values {
            column[usable..].fill_with(|| Fr::random(&mut rng));
        }
        for (place, values) in places.into_iter().zip(commit(params, values, transcript)?) {
            advice[place] = values;
        }
        let after = system.challenge_phase().into_iter().enumerate();
        let after = after.filter(|(_, p)| *p == phase);
        let squeezed = after.map(|(i, _)| (i, *transcript.squeeze_challenge_scalar::<()>()));
        let squeezed: Vec<_> = squeezed.collect();
        phase += 1;
        timings.commit += laps.lap();
        Ok(squeezed)
    };
    let rows = (usable, n);
    let challenges = synthesize(circuit, system, rows, public, &mut end_phase)?;

    let _theta = transcript.squeeze_challenge_scalar::<()>();
    let of_permutation = permutation::Challenges {
        beta: *transcript.squeeze_challenge_scalar::<()>(),
        gamma: *transcript.squeeze_challenge_scalar::<()>(),
    };
    let products = permutation::products(
        pk,
        &advice,
        public,
        of_permutation,
        permutation::Start::Chained,
        &mut rng,
    );
    let products = commit(params, products, transcript)?;

    let blinding = random_polynomial(n, &mut rng);
    write_points(&params.commit_coefficients(&[blinding.values()]), transcript)?;
    let rules = Rules {
        system,
        challenges: &challenges,
        permutation: permutation::rules(system, of_permutation),
        y: *transcript.squeeze_challenge_scalar::<()>(),
    };

    let advice = coefficients(k, advice);
    let products = coefficients(k, products);
    let (fixed, sigmas) = (pk.fixed_polys(), pk.permutation().polys());
    timings.commit += laps.lap();
    let pieces = {
        let mut instance = public.to_vec();
        instance.resize(n, Fr::zero());
        let mut identity = vec![Fr::zero(); n];
        identity[1] = Fr::one();
        let instance = coefficients(k, vec![instance; system.num_instance_columns()]);
        let committed = [&advice, &instance, fixed, sigmas, &products];
        let committed = committed.into_iter().flatten().map(Polynomial::values);
        let rows = [pk.l0(), pk.l_last(), pk.l_active_row()].map(Polynomial::values);
        let columns: Vec<&[Fr]> = committed.chain(rows).chain([identity.as_slice()]).collect();
        quotient::pieces(&rules, k, &columns)
    };
    let pieces: Vec<Polynomial<Fr, Coeff>> = pieces.into_iter().map(Polynomial::new).collect();
    let values: Vec<&[Fr]> = pieces.iter().map(Polynomial::values).collect();
    write_points(&params.commit_coefficients(&values), transcript)?;
    timings.quotient = laps.lap();

    let x = *transcript.squeeze_challenge_scalar::<()>();
    let at = |rotation: Rotation| vk.get_domain().rotate_omega(x, rotation);
    let of = |(column, rotation): (usize, Rotation), columns| -> Query<'_> {
        let columns: &[Polynomial<Fr, Coeff>] = columns;
        (&columns[column], at(rotation))
    };
    let mut queries: Vec<Query<'_>> = Vec::new();
    for (column, rotation) in system.advice_queries() {
        queries.push(of((column.index(), *rotation), &advice));
    }
    for (column, rotation) in system.fixed_queries() {
        queries.push(of((column.index(), *rotation), fixed));
    }
    queries.push((&blinding, x));
    queries.extend(sigmas.iter().map(|sigma| (sigma, x)));
    for (set, product) in products.iter().enumerate() {
        queries.push((product, x));
        queries.push((product, at(Rotation::next())));
        if set + 1 < products.len() {
            queries.push((product, at(permutation::last(system))));
        }
    }
    let asked: Vec<(&[Fr], Fr)> = queries.iter().map(|(p, x)| (p.values(), *x)).collect();
    let evaluations = linear::evaluations(&asked, k);
    for evaluation in evaluations {
        transcript.write_scalar(evaluation)?;
    }

    // Opened in another order: products before fixed columns, the quotient and the blinding last.
    let quotient = folded(pieces, x.pow_vartime([n as u64]));
    let fixed_first = system.advice_queries().len();
    let blinding_at = fixed_first + system.fixed_queries().len();
    let products_first = blinding_at + 1 + sigmas.len();
    let opened = [
        &queries[..fixed_first],
        &queries[products_first..],
        &queries[fixed_first..blinding_at],
        &queries[blinding_at + 1..products_first],
        &[(&quotient, x), (&blinding, x)],
    ];
    shplonk::open(params, &opened.concat(), transcript)?;
    timings.open = laps.lap();
    timings.record();
    Ok(())
}

/// A polynomial and the point at which it is opened.
type Query<'a> = (&'a Polynomial<Fr, Coeff>, Fr);

/// Commits to columns given by their values, and returns these.
fn commit<E, T>(
    params: &Params,
    columns: Vec<Vec<Fr>>,
    transcript: &mut T,
) -> io::Result<Vec<Vec<Fr>>>
where
    E: EncodedChallenge<G1Affine>,
    T: TranscriptWrite<G1Affine, E>,
{
    let values: Vec<&[Fr]> = columns.iter().map(Vec::as_slice).collect();
    write_points(&params.commit_values(&values), transcript)?;
    Ok(columns)
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
    let roots = Roots::backward(k);
    let post = Powers { factor: inverse(Fr::from(n as u64)), base: Fr::one() };
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
    values.par_chunks_mut(1 << 12).enumerate().for_each(|(stream, chunk)| {
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
        total.par_iter_mut().zip(piece).for_each(|(t, p)| *t = *t * xn + p);
    }
    Polynomial::new(total)
}

#[cfg(test)]
mod tests;
