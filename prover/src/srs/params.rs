//! The parameters of one size.

use std::ops::Deref;

use halo2_proofs::halo2curves::bn256::{Bn256, G1Affine, G1};
use halo2_proofs::poly::commitment::ParamsProver;
use halo2_proofs::poly::kzg::commitment::ParamsKZG;

use crate::msm::Bases;
use crate::Fr;

/// halo2's parameters for circuits with `2^k` rows, and both their bases ready for multiplication:
/// halo2's do not give the Lagrange basis back.
#[derive(Debug)]
pub struct Params {
    kzg: ParamsKZG<Bn256>,
    powers: Bases,
    lagrange: Bases,
}

impl Params {
    /// From halo2's parameters and their Lagrange basis.
    pub(crate) fn new(kzg: ParamsKZG<Bn256>, lagrange: &[G1Affine]) -> Self {
        Self { powers: Bases::new(kzg.get_g()), lagrange: Bases::new(lagrange), kzg }
    }

    /// halo2's.
    pub fn kzg(&self) -> &ParamsKZG<Bn256> {
        &self.kzg
    }

    /// Commitments to polynomials given by coefficients.
    pub fn commit_coefficients(&self, polynomials: &[&[Fr]]) -> Vec<G1> {
        self.powers.multiply_all(polynomials)
    }

    /// Commitments to polynomials given by their values on the domain.
    pub fn commit_values(&self, columns: &[&[Fr]]) -> Vec<G1> {
        self.lagrange.multiply_all(columns)
    }
}

impl Deref for Params {
    type Target = ParamsKZG<Bn256>;

    fn deref(&self) -> &ParamsKZG<Bn256> {
        &self.kzg
    }
}
