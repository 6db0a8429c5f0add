//! What the elementary operations cost on this machine.

use std::hint::black_box;
use std::time::Instant;

use bastion_state::hash::compress;
use halo2_proofs::arithmetic::best_multiexp;
use halo2_proofs::halo2curves::bn256::{Fr, G1Affine, G1};
use halo2_proofs::halo2curves::ff::Field;
use halo2_proofs::halo2curves::group::Curve;
use halo2_proofs::poly::EvaluationDomain;
use rand::rngs::StdRng;
use rand::SeedableRng;
use serde::Serialize;

use crate::error::NodeError;

/// log2 of the size at which multi-scalar multiplications and transforms are measured.
const K: u32 = 14;
/// The shortest of several runs counts: others were disturbed.
const RUNS: usize = 8;

/// Seconds of one core.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct UnitCosts {
    /// A field multiplication with an addition, out of the cache.
    pub multiplication: f64,
    /// A term of a multi-scalar multiplication of `2^14` terms.
    pub msm_term: f64,
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
            let scalars: Vec<Fr> = (0..1 << K).map(|_| Fr::random(&mut rng)).collect();
            Self {
                multiplication: multiplication(&scalars[..1 << 11]),
                msm_term: msm(&scalars) / f64::from(1 << K),
                butterfly: transform(&scalars) / f64::from(K << (K - 1)),
                compression: compression(),
            }
        }))
    }

    /// Core-seconds of a multi-scalar multiplication of `2^k` terms. Terms of larger ones are
    /// cheaper, since the window grows (with the logarithm of the size, in halo2's).
    pub fn msm(&self, k: u32) -> f64 {
        let window = |k: u32| (f64::from(k.max(4)) * std::f64::consts::LN_2).ceil();
        let windows = |k: u32| (254.0 / window(k)).floor() + 1.0;
        self.msm_term * rows(k) * windows(k) / windows(K)
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

fn multiplication(values: &[Fr]) -> f64 {
    const ROUNDS: usize = 200;
    let mut sums = values.to_vec();
    let seconds = shortest(|| {
        for _ in 0..ROUNDS {
            for (sum, value) in sums.iter_mut().zip(values) {
                *sum = *sum * value + value;
            }
        }
    });
    black_box(sums);
    seconds / (ROUNDS * values.len()) as f64
}

fn msm(scalars: &[Fr]) -> f64 {
    let mut point = G1::generator();
    let points: Vec<G1> = scalars
        .iter()
        .map(|_| {
            point += G1::generator();
            point
        })
        .collect();
    let mut bases = vec![G1Affine::default(); points.len()];
    G1::batch_normalize(&points, &mut bases);
    shortest(|| {
        black_box(best_multiexp(scalars, &bases));
    })
}

fn transform(scalars: &[Fr]) -> f64 {
    let domain = EvaluationDomain::<Fr>::new(5, K);
    shortest(|| {
        let values = domain.lagrange_from_vec(scalars.to_vec());
        black_box(domain.lagrange_to_coeff(values));
    })
}

fn compression() -> f64 {
    const COUNT: usize = 1000;
    let mut x = bastion_state::Fr::from(1u64);
    let seconds = shortest(|| {
        for _ in 0..COUNT {
            x = compress(x, x);
        }
    });
    black_box(x);
    seconds / COUNT as f64
}
