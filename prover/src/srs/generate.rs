//! A development SRS from a random tau, fast: with tau known, the Lagrange bases need no FFT.

use halo2_proofs::halo2curves::{
    bn256::{Fr, G1Affine, G2Affine},
    ff::{BatchInvert, Field, PrimeField},
    group::Curve,
};
use rand::{CryptoRng, RngCore};
use rayon::prelude::*;
use tracing::warn;

use super::packed::{packed_k, PLACES, STRIDE};
use super::{fixed_base::FixedBase, Srs, SrsOrigin, MAX_K, MIN_K};
use crate::{ProverError, Result};

/// Scalars computed by one task.
const CHUNK: usize = 1 << 13;

impl Srs {
    /// An SRS of size k from a random tau, with the Lagrange bases of all `lagrange_ks` under
    /// the same tau.
    ///
    /// Whoever sees tau in this process's memory, or knows the seed of `rng`, can forge proofs:
    /// the result is marked [`SrsOrigin::UnsafeDev`] for good.
    ///
    /// # Errors
    /// [`ProverError::SrsSize`] or [`ProverError::SrsTooSmall`] if a size is out of range.
    pub fn generate_unsafe_dev(
        k: u32,
        lagrange_ks: &[u32],
        rng: impl RngCore + CryptoRng,
    ) -> Result<Self> {
        Self::generate_unsafe_dev_packed(k, lagrange_ks, &[], rng)
    }

    /// The same, with the packed Lagrange bases of all `packed_ks` too.
    ///
    /// # Errors
    /// As [`Srs::generate_unsafe_dev`].
    pub fn generate_unsafe_dev_packed(
        k: u32,
        lagrange_ks: &[u32],
        packed_ks: &[u32],
        mut rng: impl RngCore + CryptoRng,
    ) -> Result<Self> {
        let packed = || packed_ks.iter().map(|k| packed_k(*k));
        let ks = || lagrange_ks.iter().copied().chain(packed());
        let sizes = || std::iter::once(k).chain(ks()).chain(packed_ks.iter().copied());
        if let Some(k) = sizes().find(|k| !(MIN_K..=MAX_K).contains(k)) {
            return Err(ProverError::SrsSize { k });
        }
        if let Some(needed) = ks().find(|needed| *needed > k) {
            return Err(ProverError::SrsTooSmall { needed, held: k });
        }
        warn!(k, "making an UNSAFE development SRS: its secret is known to this machine");
        let tau = random_tau(k, &mut rng);
        Self::from_tau(k, lagrange_ks, packed_ks, tau)
    }

    pub(super) fn from_tau(
        k: u32,
        lagrange_ks: &[u32],
        packed_ks: &[u32],
        tau: Fr,
    ) -> Result<Self> {
        let sizes = std::iter::once(&k).chain(lagrange_ks).map(|k| 1 << k);
        let sizes = sizes.chain(packed_ks.iter().map(|k| PLACES << k));
        let table = FixedBase::new(G1Affine::generator(), sizes.sum());
        let g = table.mul_all(&powers(tau, 1 << k));
        let g2 = G2Affine::generator();
        let s_g2 = (g2 * tau).to_affine();
        let mut srs = Self::from_powers(SrsOrigin::UnsafeDev, g, g2, s_g2)?;
        for &k in lagrange_ks {
            let lagrange = table.mul_all(&lagrange_at(tau, k));
            srs.unsaved_lagrange.insert(k, lagrange);
        }
        for &k in packed_ks {
            srs.unsaved_packed.insert(k, table.mul_all(&packed_at(tau, k)));
        }
        Ok(srs)
    }
}

/// A tau outside of the largest domain (and so of all smaller ones): there no Lagrange
/// polynomial vanishes, and no power is zero.
fn random_tau(k: u32, rng: &mut impl RngCore) -> Fr {
    loop {
        let tau = Fr::random(&mut *rng);
        if tau != Fr::ZERO && tau.pow_vartime([1u64 << k]) != Fr::ONE {
            return tau;
        }
    }
}

/// 1, tau, tau^2, ...
fn powers(tau: Fr, n: usize) -> Vec<Fr> {
    let mut powers = vec![Fr::ZERO; n];
    powers.par_chunks_mut(CHUNK).enumerate().for_each(|(chunk, powers)| {
        let mut power = tau.pow_vartime([(chunk * CHUNK) as u64]);
        for slot in powers {
            *slot = power;
            power *= tau;
        }
    });
    powers
}

/// The packed Lagrange basis at tau, place after place: `tau^i · L_j(tau^s)`.
fn packed_at(tau: Fr, k: u32) -> Vec<Fr> {
    // tau^s is outside of the domain too: the powers are more than s times as many.
    let lagrange = lagrange_at(tau.pow_vartime([STRIDE as u64]), k);
    let places = powers(tau, PLACES);
    places.iter().flat_map(|place| lagrange.iter().map(move |l| *place * l)).collect()
}

/// All Lagrange polynomials of the domain of size n = 2^k at tau:
/// `L_i(tau) = (tau^n - 1) / n * w^i / (tau - w^i)`.
fn lagrange_at(tau: Fr, k: u32) -> Vec<Fr> {
    let n = 1usize << k;
    let omega = (k..Fr::S).fold(Fr::ROOT_OF_UNITY, |omega, _| omega.square());
    let n_inverse = Fr::TWO_INV.pow_vartime([u64::from(k)]);
    let factor = (tau.pow_vartime([n as u64]) - Fr::ONE) * n_inverse;

    let mut values = vec![Fr::ZERO; n];
    values.par_chunks_mut(CHUNK).enumerate().for_each(|(chunk, values)| {
        let first = omega.pow_vartime([(chunk * CHUNK) as u64]);
        let mut root = first;
        for value in values.iter_mut() {
            *value = tau - root;
            root *= omega;
        }
        // tau is outside of the domain: nothing here is zero.
        values.iter_mut().batch_invert();
        let mut scale = factor * first;
        for value in values {
            *value *= scale;
            scale *= omega;
        }
    });
    values
}
