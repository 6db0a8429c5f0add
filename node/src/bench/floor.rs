//! The floor: what a proof takes if nothing but its multi-scalar multiplications and Fourier
//! transforms cost time.
//!
//! A proof over `n = 2^k` rows with `a` committed columns, `f` fixed and instance columns and a
//! quotient of `q` pieces cannot do without
//!
//! - `a + q + 3` multi-scalar multiplications of size `n`: the columns, the pieces, the blinding
//!   polynomial, the two of the opening argument;
//! - `a + q` inverse transforms of size `n`, and `q` transforms of size `n` for each of the
//!   `a + f` columns, which give their values on the cosets where the quotient is computed.
//!
//! Scalars are random, as in the worst case: columns of small values cost less, so that the ratio
//! to the floor can be below what an ideal prover would reach for them.

use std::time::Instant;

use bastion_prover::srs::Srs;
use halo2_proofs::arithmetic::best_multiexp;
use halo2_proofs::halo2curves::bn256::Fr;
use halo2_proofs::halo2curves::ff::Field;
use halo2_proofs::plonk::ConstraintSystem;
use halo2_proofs::poly::commitment::ParamsProver;
use halo2_proofs::poly::EvaluationDomain;
use rand::rngs::OsRng;
use serde::Serialize;

use crate::error::NodeError;

/// The floor of one proof on this machine.
#[derive(Debug, Clone, Serialize)]
pub struct Floor {
    /// log2 of the rows.
    pub k: u32,
    /// Multi-scalar multiplications of `2^k` terms.
    pub msms: usize,
    /// Transforms of size `2^k`.
    pub ffts: usize,
    /// Seconds of one multiplication, all cores at work.
    pub msm_seconds: f64,
    /// Seconds of one transform, all cores at work.
    pub fft_seconds: f64,
}

impl Floor {
    /// Seconds of the whole proof.
    pub fn seconds(&self) -> f64 {
        self.msms as f64 * self.msm_seconds + self.ffts as f64 * self.fft_seconds
    }

    /// Counts from a constraint system, unit costs from this machine.
    ///
    /// # Errors
    /// If the SRS is smaller than `2^k`.
    pub(super) fn measure(
        system: &ConstraintSystem<Fr>,
        k: u32,
        srs: &Srs,
    ) -> Result<Self, NodeError> {
        let params = srs.params(k)?;
        let degree = system.degree();
        let permuted = system.permutation().get_columns().len();
        // Products over chunks of columns, each of the degree that is left beside them.
        let products = permuted.div_ceil(degree - 2);
        let lookups = 3 * system.lookups().len();
        let committed = system.num_advice_columns() + products + lookups;
        let other = system.num_fixed_columns() + permuted + system.num_instance_columns();
        let pieces = degree - 1;

        let n = 1 << k;
        let scalars: Vec<Fr> = (0..n).map(|_| Fr::random(OsRng)).collect();
        let msm = Instant::now();
        std::hint::black_box(best_multiexp(&scalars, &params.get_g()[..n]));
        let msm_seconds = msm.elapsed().as_secs_f64();
        let domain = EvaluationDomain::<Fr>::new(degree as u32, k);
        let values = domain.lagrange_from_vec(scalars);
        let fft = Instant::now();
        std::hint::black_box(domain.lagrange_to_coeff(values));
        let fft_seconds = fft.elapsed().as_secs_f64();
        Ok(Self {
            k,
            msms: committed + pieces + 3,
            ffts: committed + pieces + pieces * (committed + other),
            msm_seconds,
            fft_seconds,
        })
    }
}
