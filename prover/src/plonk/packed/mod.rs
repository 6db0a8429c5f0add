//! Packed proofs: one commitment for many polynomials, for the verifier that pays most for each.
//!
//! The idea is FFLONK's (eprint 2021/1167). A pack of polynomials `fᵢ` below degree `n = 2^k` is
//! committed to as `P(X) = Σ Xⁱ·fᵢ(X^s)`, with the stride `s`. Its remainder by `X^s - c` is the list of
//! the values `fᵢ(c)`, so that one opening shows them all, and no `s`-th root of a point is needed
//! (`open`). `plan` says which polynomials go together.
//!
//! The arithmetisation is halo2's, and so are the keys, but for the permutation argument (its running
//! products start at 1 in each set, so that they can be committed to beside the second phase) and two
//! polynomials that its verifier computes: that of the last row, and of the rows before it. They stand
//! in the key.
//!
//! # Order of the transcript
//!
//! A digest of the verifier; the public inputs; the packs of the first phase; the circuit's
//! challenges, `beta`, `gamma`; the packs of the second phase with the running products; `y`; the
//! quotient, as one polynomial; `x`; the values of each pack, the key's first, by rotation, then by
//! place; the opening.

mod open;
mod plan;
#[cfg(test)]
mod tests;

use std::io;

use halo2_proofs::halo2curves::bn256::G1Affine;
use halo2_proofs::halo2curves::ff::Field;
use halo2_proofs::halo2curves::group::Curve;
use halo2_proofs::plonk::{Circuit, ConstraintSystem, Expression, ProvingKey};
use halo2_proofs::poly::{Coeff, Polynomial, Rotation};
use halo2_proofs::transcript::{EncodedChallenge, TranscriptWrite};
use rand::{CryptoRng, RngCore};

use super::fft::MIN_K;
use super::program::Rules;
use super::synthesis::synthesize;
use super::timings::{Laps, Timings};
use super::{coefficients, permutation, quotient, write_points};
use crate::srs::PackedParams;
pub use crate::srs::STRIDE;
use crate::Fr;
use open::{interleaved, Opened};
pub use plan::{Pack, Plan, Source};

/// Whether a circuit is one that has packed proofs: no lookups, columns with more random values than
/// evaluations, no challenge but after the first of
/// at most two phases, copies between columns of the first phase, public inputs and constants.
pub fn supports(system: &ConstraintSystem<Fr>, k: u32) -> bool {
    let phases = system.advice_column_phase();
    let copied = system.permutation().get_columns();
    let copied_late = copied.iter().any(|column| match column.column_type() {
        halo2_proofs::plonk::Any::Advice(_) => phases[column.index()] > 0,
        _ => false,
    });
    // Packs evaluate a column more often than its gates ask for. One value more is the commitment's.
    let blinded = |pack: &Pack| pack.rotations.len() < system.blinding_factors();
    system.lookups().is_empty()
        && k >= MIN_K
        && Plan::new(system).packs().all(blinded)
        && phases.iter().all(|phase| *phase < 2)
        && system.challenge_phase().iter().all(|phase| *phase == 0)
        && !copied_late
        && permutation::sets(system) < system.degree()
        // The quotient is one polynomial.
        && system.degree() - 1 <= STRIDE
}

/// All constraints in the order in which `y` combines them. The columns that the permutation argument
/// adds follow the fixed ones: σ, running products, the polynomials of the first and the last row and
/// of those before it, `X`. Its challenges follow the circuit's.
pub fn constraints(system: &ConstraintSystem<Fr>) -> Vec<Expression<Fr>> {
    let gates = system.gates().iter().flat_map(|gate| gate.polynomials());
    gates.cloned().chain(permutation::packed_rules(system)).collect()
}

/// Running products of the permutation argument.
pub fn products(system: &ConstraintSystem<Fr>) -> usize {
    permutation::sets(system)
}

/// Commitments to the packs of the key.
pub fn key_commitments(params: &PackedParams, pk: &ProvingKey<G1Affine>) -> Vec<G1Affine> {
    let n = 1 << params.k();
    let plan = Plan::new(pk.get_vk().cs());
    let commit = |pack: &Pack| {
        let places: Vec<&[Fr]> = pack.sources.iter().map(|source| of_key(pk, *source)).collect();
        params.commit_coefficients(&interleaved(&places, n)).to_affine()
    };
    plan.fixed.iter().map(commit).collect()
}

/// A polynomial of the key, in coefficients.
fn of_key(pk: &ProvingKey<G1Affine>, source: Source) -> &[Fr] {
    match source {
        Source::Fixed(column) => pk.fixed_polys()[column].values(),
        Source::Sigma(column) => pk.permutation().polys()[column].values(),
        Source::Last => pk.l_last().values(),
        Source::Active => pk.l_active_row().values(),
        Source::Advice(_) | Source::Product(_) => &[],
    }
}

/// Proves `circuit`, whose key must satisfy [`supports`]. `digest` is the verifier's, `rng` blinds the
/// witness.
///
/// # Errors
/// If the witness does not have the form of the circuit, or the transcript cannot be written to.
pub fn create_proof<C, E, T>(
    params: &PackedParams,
    pk: &ProvingKey<G1Affine>,
    digest: Fr,
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
    if !supports(system, k) || params.k() != k {
        return Err(io::Error::other("the circuit has no packed proofs under these parameters"));
    }
    let plan = Plan::new(system);
    let n = 1_usize << k;
    transcript.common_scalar(digest)?;
    for value in public {
        transcript.common_scalar(*value)?;
    }

    let (mut laps, mut timings) = (Laps::start(), Timings::default());
    let usable = n - (system.blinding_factors() + 1);
    let mut advice: Vec<Vec<Fr>> = vec![Vec::new(); system.num_advice_columns()];
    let mut of_permutation = None;
    let mut end_phase = |columns: Vec<(usize, Vec<Fr>)>| {
        timings.synthesis += laps.lap();
        for (place, mut values) in columns {
            values[usable..].fill_with(|| Fr::random(&mut rng));
            advice[place] = values;
        }
        if of_permutation.is_some() {
            return Ok(Vec::new());
        }
        for pack in &plan.rounds[0] {
            let columns: Vec<&[Fr]> =
                pack.sources.iter().map(|source| column(&advice, *source)).collect();
            write_points(&[params.commit_values(&columns)], transcript)?;
        }
        let numbers = 0..system.num_challenges();
        let squeezed = numbers.map(|i| (i, *transcript.squeeze_challenge_scalar::<()>()));
        let squeezed: Vec<_> = squeezed.collect();
        of_permutation = Some(permutation::Challenges {
            beta: *transcript.squeeze_challenge_scalar::<()>(),
            gamma: *transcript.squeeze_challenge_scalar::<()>(),
        });
        timings.commit += laps.lap();
        Ok(squeezed)
    };
    let rows = (usable, n);
    let mut challenges = synthesize(circuit, system, rows, public, &mut end_phase)?;
    timings.synthesis += laps.lap();
    let of_permutation =
        of_permutation.ok_or_else(|| io::Error::other("a circuit without columns"))?;
    challenges.extend([of_permutation.beta, of_permutation.gamma]);

    let start = permutation::Start::AtOne;
    let products = permutation::products(pk, &advice, public, of_permutation, start, &mut rng);
    let advice = coefficients(k, advice);
    let products = coefficients(k, products);
    let polynomial = |source: Source| match source {
        Source::Advice(column) => advice[column].values(),
        Source::Product(set) => products[set].values(),
        source => of_key(pk, source),
    };
    for pack in &plan.rounds[1] {
        let places: Vec<&[Fr]> = pack.sources.iter().map(|source| polynomial(*source)).collect();
        write_points(&[params.commit_coefficients(&interleaved(&places, n))], transcript)?;
    }
    let rules = Rules {
        system,
        challenges: &challenges,
        permutation: permutation::packed_rules(system),
        y: *transcript.squeeze_challenge_scalar::<()>(),
    };
    timings.commit += laps.lap();

    let (fixed, sigmas) = (pk.fixed_polys(), pk.permutation().polys());
    let h = {
        let mut instance = public.to_vec();
        instance.resize(n, Fr::zero());
        let mut identity = vec![Fr::zero(); n];
        identity[1] = Fr::one();
        let instance = coefficients(k, vec![instance; system.num_instance_columns()]);
        let committed: [&[Polynomial<Fr, Coeff>]; 5] =
            [&advice, &instance, fixed, sigmas, &products];
        let committed = committed.into_iter().flatten().map(Polynomial::values);
        let rows = [pk.l0(), pk.l_last(), pk.l_active_row()].map(Polynomial::values);
        let columns: Vec<&[Fr]> = committed.chain(rows).chain([identity.as_slice()]).collect();
        quotient::pieces(&rules, k, &columns).concat()
    };
    write_points(&[params.commit_coefficients(&h)], transcript)?;
    timings.quotient = laps.lap();

    let x = *transcript.squeeze_challenge_scalar::<()>();
    let opened = plan.packs().map(|pack| Opened {
        polynomials: pack.sources.iter().map(|source| polynomial(*source)).collect(),
        points: pack
            .rotations
            .iter()
            .map(|rotation| vk.get_domain().rotate_omega(x, Rotation(*rotation)))
            .collect(),
    });
    open::open(params, &opened.collect::<Vec<_>>(), (&h, x), transcript)?;
    timings.open = laps.lap();
    timings.record();
    Ok(())
}

/// A column of the witness, by its values.
fn column(advice: &[Vec<Fr>], source: Source) -> &[Fr] {
    match source {
        Source::Advice(column) => &advice[column],
        _ => &[],
    }
}
