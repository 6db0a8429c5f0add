//! The parameters of packed commitments (`crate::plonk::packed`).
//!
//! A pack `P(X) = Σ Xⁱ·fᵢ(X^s)` of polynomials below degree `n` takes `s·n` powers of the secret. Columns that
//! are given by their values take the basis `[Xⁱ·L_j(X^s)]`, with `L_j` the Lagrange polynomials of
//! the domain of size `n`: numbers of a few bits stay such, and a column costs what it costs
//! without packing. For the secret `tau`, the points of place `i` are the Lagrange basis that the
//! strided powers `tau^(i + s·l)` have: one transform in the group for each place.

use std::sync::Arc;

use halo2_proofs::arithmetic::g_to_lagrange;
use halo2_proofs::halo2curves::bn256::{G1Affine, G1};
use halo2_proofs::halo2curves::group::prime::PrimeCurveAffine;
use tracing::info;

use super::{Srs, MIN_K};
use crate::msm::Bases;
use crate::{Fr, ProverError, Result};

/// Places of a pack: the stride `s`.
pub const STRIDE: usize = 16;
/// Places of packs of columns that are given by values: that many parts has their basis.
pub const PLACES: usize = 8;

/// Powers and the packed Lagrange basis for circuits with `2^k` rows.
#[derive(Debug)]
pub struct PackedParams {
    k: u32,
    generator: G1Affine,
    powers: Bases,
    lagrange: Bases,
}

impl PackedParams {
    /// log2 of the rows.
    pub fn k(&self) -> u32 {
        self.k
    }

    /// The first power: the generator.
    pub fn generator(&self) -> G1Affine {
        self.generator
    }

    /// The pack of at most [`PLACES`] columns, each by its `2^k` values.
    pub(crate) fn commit_values(&self, columns: &[&[Fr]]) -> G1 {
        self.lagrange.multiply(&columns.concat())
    }

    /// The polynomial of these coefficients, at most [`STRIDE`]` · 2^k`.
    pub(crate) fn commit_coefficients(&self, coefficients: &[Fr]) -> G1 {
        self.powers.multiply(coefficients)
    }
}

/// log2 of the powers that packs of polynomials below degree `2^k` take.
pub fn packed_k(k: u32) -> u32 {
    k + STRIDE.ilog2()
}

impl Srs {
    /// The parameters of packed commitments for circuits with `2^k` rows. Later calls return the same
    /// object.
    ///
    /// The basis is taken from the cache file, or else computed by transforms in the group and
    /// stored. A development SRS that was made for it has it from the start.
    ///
    /// # Errors
    /// As [`Srs::params`]; the SRS must have [`packed_k`] powers.
    pub fn packed(&self, k: u32) -> Result<Arc<PackedParams>> {
        if k < MIN_K {
            return Err(ProverError::SrsSize { k });
        }
        if packed_k(k) > self.k {
            return Err(ProverError::SrsTooSmall { needed: packed_k(k), held: self.k });
        }
        let mut cache = self.packed_cache();
        if let Some(params) = cache.get(&k) {
            return Ok(params.clone());
        }
        let lagrange = match self.unsaved_packed.get(&k) {
            Some(basis) => Bases::new(basis),
            None => match self.read_packed(k) {
                Some(basis) => Bases::new(&basis),
                None => Bases::new(&self.compute_packed(k)?),
            },
        };
        let powers = Bases::new(self.powers(packed_k(k)));
        let params = Arc::new(PackedParams { k, generator: self.g[0], powers, lagrange });
        cache.insert(k, params.clone());
        Ok(params)
    }

    /// The basis, place after place.
    pub(super) fn packed_basis(&self, k: u32) -> Vec<G1Affine> {
        let powers = self.powers(packed_k(k));
        let place = |i: usize| {
            let strided = powers.iter().skip(i).step_by(STRIDE).map(|g| g.to_curve()).collect();
            g_to_lagrange(strided, k)
        };
        (0..PLACES).flat_map(place).collect()
    }

    fn compute_packed(&self, k: u32) -> Result<Vec<G1Affine>> {
        info!(k, "computing the packed Lagrange basis by {PLACES} transforms in the group");
        let basis = self.packed_basis(k);
        let stored = self.write_packed(k, &basis);
        self.storing.outcome("the packed Lagrange basis", stored)?;
        Ok(basis)
    }
}

#[cfg(test)]
mod tests {
    use halo2_proofs::halo2curves::ff::Field;
    use halo2_proofs::halo2curves::group::Curve;

    use super::*;
    use crate::testing::rng;

    const K: u32 = 4;

    #[test]
    fn the_basis_of_a_known_secret_is_that_of_the_transforms() {
        let srs = Srs::generate_unsafe_dev_packed(packed_k(K), &[], &[K], rng(1)).unwrap();
        assert_eq!(srs.unsaved_packed[&K], srs.packed_basis(K));
    }

    #[test]
    fn values_and_coefficients_have_one_commitment() {
        let srs = Srs::generate_unsafe_dev_packed(packed_k(K), &[], &[K], rng(2)).unwrap();
        let params = srs.packed(K).unwrap();
        let n = 1 << K;
        let mut rng = rng(3);
        // Constants: all values equal, all coefficients but one zero.
        let constants = [Fr::random(&mut rng), Fr::random(&mut rng)];
        let columns = constants.map(|c| vec![c; n]);
        let mut coefficients = vec![Fr::zero(); STRIDE * n];
        coefficients[..2].copy_from_slice(&constants);
        let values = params.commit_values(&[&columns[0], &columns[1]]);
        assert_eq!(values.to_affine(), params.commit_coefficients(&coefficients).to_affine());
    }

    #[test]
    fn it_is_cached_and_damage_costs_a_computation() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("some.srs");
        let mut srs = Srs::generate_unsafe_dev_packed(packed_k(K), &[], &[K], rng(1)).unwrap();
        assert!(srs.save(&path).unwrap());
        let file = dir.path().join("some-packed-4.srs");
        let stored = std::fs::read(&file).unwrap();
        let commitment = |srs: &Srs| {
            let params = srs.packed(K).unwrap();
            params.commit_values(&[&vec![Fr::from(3); 1 << K]]).to_affine()
        };
        let expected = commitment(&Srs::open(&path).unwrap());
        assert_eq!(std::fs::read(&file).unwrap(), stored);
        std::fs::write(&file, &stored[..stored.len() - 1]).unwrap();
        assert_eq!(commitment(&Srs::open(&path).unwrap()), expected);
        assert_eq!(std::fs::read(&file).unwrap(), stored);
    }

    #[test]
    fn it_takes_more_powers_than_rows() {
        let srs = Srs::generate_unsafe_dev(packed_k(K) - 1, &[], rng(1)).unwrap();
        assert!(matches!(srs.packed(K), Err(ProverError::SrsTooSmall { needed: 8, held: 7 })));
        assert!(matches!(srs.packed(2), Err(ProverError::SrsSize { k: 2 })));
    }
}
