//! Does an SRS hold the powers of one secret? Pairings and random linear combinations.

use halo2_proofs::{
    arithmetic::best_multiexp,
    halo2curves::{
        bn256::{pairing, Fr, G1Affine, G2Affine, G1},
        ff::{Field, PrimeField},
        group::{prime::PrimeCurveAffine, Curve, Group},
    },
    poly::{
        commitment::{Blind, Params as _, ParamsProver},
        Coeff, EvaluationDomain, LagrangeCoeff, Polynomial,
    },
};
use rand::{CryptoRng, Rng, RngCore};

use super::{Params, Srs};
use crate::{ProverError, Result};

impl Srs {
    /// Checks that all powers belong to the secret of `s_g2`, and that every Lagrange basis in
    /// memory belongs to the powers.
    ///
    /// * `g[0]` and g2 are the generators, `s_g2` is in the subgroup of order r and not trivial;
    /// * `e(g[1], g2) = e(g[0], s_g2)`;
    /// * for random 128-bit r_i, `e(sum r_i g[i+1], g2) = e(sum r_i g[i], s_g2)`: wrong in any
    ///   power, it holds with probability 2^-128;
    /// * for each basis in memory, a random polynomial has one commitment in both bases.
    ///
    /// Costs two multi-exponentiations over the SRS and two over each basis. Points are assumed
    /// to be on the curve, which [`Srs::open`] has checked.
    ///
    /// # Errors
    /// [`ProverError::SrsInconsistent`] with the equation that fails.
    pub fn check_consistency(&self, mut rng: impl RngCore + CryptoRng) -> Result<()> {
        let fail = |reason: &str| {
            Err(ProverError::SrsInconsistent { id: self.id, reason: reason.to_owned() })
        };
        if self.g[0] != G1Affine::generator() || self.g2 != G2Affine::generator() {
            return fail("g[0] and g2 are not the generators of BN254");
        }
        if bool::from(self.s_g2.is_identity()) || !in_subgroup(&self.s_g2) {
            return fail("s_g2 is not in the subgroup of order r");
        }
        if !self.same_ratio(&self.g[0], &self.g[1]) {
            return fail("e(g[1], g2) != e(g[0], s_g2)");
        }

        let n = self.g.len() - 1;
        let weights: Vec<Fr> = (0..n).map(|_| Fr::from_u128(rng.gen())).collect();
        // halo2's sums, not the prover's own: here points of strangers are judged.
        let low = best_multiexp(&weights, &self.g[..n]);
        let high = best_multiexp(&weights, &self.g[1..]);
        if !self.same_ratio(&low.to_affine(), &high.to_affine()) {
            return fail("a random combination of the powers is not tau times the one before");
        }

        for (k, lagrange) in &self.unsaved_lagrange {
            let (values, coefficients) = random_polynomial(*k, &mut rng);
            let in_powers: G1 = best_multiexp(&coefficients, self.powers(*k));
            if best_multiexp(&values, lagrange) != in_powers {
                return fail(&format!("the Lagrange basis for k = {k} does not fit the powers"));
            }
        }
        let made: Vec<_> = self.cache().values().cloned().collect();
        for params in made {
            if !lagrange_fits(&params, &mut rng) {
                let k = params.kzg().k();
                return fail(&format!("the Lagrange basis for k = {k} does not fit the powers"));
            }
        }
        Ok(())
    }

    /// Is `b` tau times `a`, with the tau of `s_g2`?
    fn same_ratio(&self, a: &G1Affine, b: &G1Affine) -> bool {
        pairing(b, &self.g2) == pairing(a, &self.s_g2)
    }
}

/// r * point = 0, written as (r - 1) * point = -point because r itself is zero in the field.
fn in_subgroup(point: &G2Affine) -> bool {
    bool::from((point.to_curve() * -Fr::ONE + point.to_curve()).is_identity())
}

fn lagrange_fits(params: &Params, rng: &mut impl RngCore) -> bool {
    let (values, coefficients) = random_polynomial(params.kzg().k(), rng);
    // By halo2, whose keys are made in this basis, and by the prover's own sums.
    let expected = params.kzg().commit(&coefficients, Blind::default());
    params.kzg().commit_lagrange(&values, Blind::default()) == expected
        && params.commit_values(&[&values]) == [expected]
        && params.commit_coefficients(&[&coefficients]) == [expected]
}

/// One polynomial, by its values on the domain of size 2^k and by its coefficients.
fn random_polynomial(
    k: u32,
    rng: &mut impl RngCore,
) -> (Polynomial<Fr, LagrangeCoeff>, Polynomial<Fr, Coeff>) {
    let domain = EvaluationDomain::<Fr>::new(1, k);
    let mut values = domain.empty_lagrange();
    values.iter_mut().for_each(|value| *value = Fr::random(&mut *rng));
    let coefficients = domain.lagrange_to_coeff(values.clone());
    (values, coefficients)
}
