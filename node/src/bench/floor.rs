//! The floor: what a proof takes if nothing but its multi-scalar multiplications and Fourier
//! transforms cost time.
//!
//! A proof over `n = 2^k` rows with `w` columns of the witness, `s` running products of copy
//! constraints and a quotient of `q` pieces cannot do without
//!
//! - `w + s + q + 3` multi-scalar multiplications of size `n`: the columns, the products, the
//!   pieces, the blinding polynomial, the two of the opening argument (a packed proof has no
//!   blinding polynomial, and an opening of `2·16` such sizes);
//! - transforms of size `n`: to the coefficients of every column, and for each coset to the values
//!   of the columns that its gates read, and back. As gates of low degree stand on few cosets,
//!   [`bastion_prover::plonk::Work`] counts them on the programs that a proof runs.
//!
//! Columns of the witness hold many small values, to which it costs less to commit. As many
//! scalars of their multiplications are small here as in a block full of transfers
//! ([`SMALL_OF_BATCH`], [`SMALL_OF_BLOCK`]); those of all others are random. Transforms are those of
//! the prover, one on each core.

use std::time::Instant;

use bastion_prover::plonk::{transform_seconds, Work};
use bastion_prover::srs::Srs;
use halo2_proofs::halo2curves::bn256::Fr;
use halo2_proofs::halo2curves::ff::Field;
use rand::rngs::OsRng;
use rand::RngCore;
use serde::Serialize;

use crate::error::NodeError;

/// Part of the values in a batch proof's witness that is below 2^16, zeros included, as counted
/// on full batches of `small`.
pub(crate) const SMALL_OF_BATCH: f64 = 0.27;
/// The same of a block proof, as counted on one of two batches.
pub(crate) const SMALL_OF_BLOCK: f64 = 0.65;

/// The floor of one proof on this machine.
#[derive(Debug, Clone, Serialize)]
pub struct Floor {
    /// log2 of the rows.
    pub k: u32,
    /// Multi-scalar multiplications of `2^k` terms with values of the witness.
    pub witness_msms: usize,
    /// Others, with random scalars.
    pub random_msms: usize,
    /// Transforms of size `2^k`.
    pub ffts: usize,
    /// Seconds of one multiplication with values of the witness, all cores at work.
    pub witness_msm_seconds: f64,
    /// Seconds of one multiplication with random scalars, all cores at work.
    pub random_msm_seconds: f64,
    /// Seconds of one transform, all cores at work: one on each, their time over their number.
    pub fft_seconds: f64,
}

impl Floor {
    /// Seconds of the whole proof.
    pub fn seconds(&self) -> f64 {
        self.witness_msms as f64 * self.witness_msm_seconds
            + self.random_msms as f64 * self.random_msm_seconds
            + self.ffts as f64 * self.fft_seconds
    }

    /// Counts of a proof, unit costs from this machine. `small` is the part of the
    /// witness that is below 2^16.
    ///
    /// # Errors
    /// If the SRS is smaller than `2^k`.
    pub(super) fn measure(work: Work, k: u32, small: f64, srs: &Srs) -> Result<Self, NodeError> {
        let params = srs.params(k)?;
        let n = 1_usize << k;
        let msm_seconds = |scalars: Vec<Fr>| {
            let start = Instant::now();
            std::hint::black_box(params.commit_coefficients(&[&scalars]));
            start.elapsed().as_secs_f64()
        };
        Ok(Self {
            k,
            witness_msms: work.witness,
            random_msms: work.further,
            ffts: work.transforms,
            witness_msm_seconds: msm_seconds(scalars(n, small, &mut OsRng)),
            random_msm_seconds: msm_seconds(scalars(n, 0.0, &mut OsRng)),
            fft_seconds: transform_seconds(k, rayon::current_num_threads()),
        })
    }
}

/// Random scalars, `small` of them below 2^16.
pub(crate) fn scalars(n: usize, small: f64, rng: &mut impl RngCore) -> Vec<Fr> {
    let threshold = (small * 256.0) as u32;
    let scalar = |_| match rng.next_u32() {
        drawn if drawn & 255 < threshold => Fr::from(u64::from(drawn >> 16)),
        _ => Fr::random(&mut *rng),
    };
    (0..n).map(scalar).collect()
}
