//! What the elementary operations cost on this machine.

use std::hint::black_box;
use std::time::Instant;

use bastion_circuits::{BatchCircuit, Shape};
use bastion_protocol::hash::compress;
use bastion_prover::msm::{additions, Bases};
use bastion_prover::plonk::{multiplication_seconds, transform_seconds};
use bastion_prover::Arithmetic;
use halo2_proofs::halo2curves::bn256::{Fr, G1Affine, G1};
use halo2_proofs::halo2curves::group::Curve;
use halo2_proofs::plonk::{Circuit, ConstraintSystem};
use rand::rngs::StdRng;
use rand::SeedableRng;
use serde::Serialize;

use crate::bench::scalars;
use crate::error::NodeError;

/// log2 of the size at which multi-scalar multiplications and transforms are measured.
const K: u32 = 14;
/// The shortest of several runs counts: others were disturbed.
const RUNS: usize = 5;

/// Seconds of one core.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct UnitCosts {
    /// Arithmetic that they were measured on.
    pub arithmetic: &'static str,
    /// A multiplication in the evaluation of gates, with all else that this does.
    pub multiplication: f64,
    /// A term of a multi-scalar multiplication of `2^14` terms with a random scalar.
    pub msm_term: f64,
    /// A term with a scalar below `2^16`.
    pub small_term: f64,
    /// A butterfly of a transform (there are `k 2^(k-1)` in one of size `2^k`).
    pub butterfly: f64,
    /// A Poseidon2 compression of the executor.
    pub compression: f64,
}

impl UnitCosts {
    /// Measures them, in about a second, on one core.
    ///
    /// # Errors
    /// If no thread can be started.
    pub fn measure() -> Result<Self, NodeError> {
        let alone = rayon::ThreadPoolBuilder::new().num_threads(1).build();
        let alone = alone.map_err(|e| NodeError::Measuring(e.to_string()))?;
        Ok(alone.install(|| {
            let mut rng = StdRng::seed_from_u64(1);
            let bases = Bases::new(&bases());
            let term = |scalars: Vec<Fr>| {
                let seconds = shortest(|| {
                    black_box(bases.multiply(&scalars));
                });
                seconds / scalars.len() as f64
            };
            let mut system = ConstraintSystem::default();
            BatchCircuit::configure_with_params(&mut system, Shape::tiny());
            // Half of the scalars small: sums of small ones alone would leave windows out.
            let msm_term = term(scalars(bases.len(), 0.0, &mut rng));
            let half = term(scalars(bases.len(), 0.5, &mut rng));
            Self {
                arithmetic: Arithmetic::active().name(),
                multiplication: multiplication_seconds(&system),
                msm_term,
                small_term: (2.0 * half - msm_term).max(0.0),
                butterfly: transform_seconds(K, 1) / f64::from(K << (K - 1)),
                compression: compression(),
            }
        }))
    }

    /// Core-seconds of a multi-scalar multiplication of `2^k` terms, of whose scalars `small` is the
    /// part below `2^16`. Terms take fewer additions the more there are.
    pub fn msm(&self, k: u32, small: f64) -> f64 {
        let term = |unit: f64, bits: u32| {
            let of_one = |k: u32| additions(1 << k, bits) as f64 / rows(k);
            unit * of_one(k) / of_one(K)
        };
        let (large, small_term) = (term(self.msm_term, 253), term(self.small_term, 16));
        rows(k) * ((1.0 - small) * large + small * small_term)
    }

    /// Core-seconds of a transform of size `2^k`.
    pub fn transform(&self, k: u32) -> f64 {
        self.butterfly * rows(k) / 2.0 * f64::from(k)
    }
}

/// `2^k`.
pub(super) fn rows(k: u32) -> f64 {
    f64::from(k).exp2()
}

fn shortest(mut run: impl FnMut()) -> f64 {
    let times = (0..RUNS).map(|_| {
        let start = Instant::now();
        run();
        start.elapsed().as_secs_f64()
    });
    times.fold(f64::INFINITY, f64::min)
}

/// `2·G, 3·G` and so on.
fn bases() -> Vec<G1Affine> {
    let mut point = G1::generator();
    let points: Vec<G1> = (0..1 << K)
        .map(|_| {
            point += G1::generator();
            point
        })
        .collect();
    let mut bases = vec![G1Affine::default(); points.len()];
    G1::batch_normalize(&points, &mut bases);
    bases
}

fn compression() -> f64 {
    const COUNT: usize = 1000;
    let mut x = bastion_protocol::Fr::from(1u64);
    let seconds = shortest(|| {
        for _ in 0..COUNT {
            x = compress(x, x);
        }
    });
    black_box(x);
    seconds / COUNT as f64
}
