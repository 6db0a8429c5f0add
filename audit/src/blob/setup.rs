//! The reference string of EIP-4844, and commitments under it.

use std::sync::OnceLock;

use ark_bls12_381::{Fr, G1Affine, G1Projective};
use ark_ec::{CurveGroup, VariableBaseMSM};
use ark_serialize::{CanonicalDeserialize, CanonicalSerialize, Compress, Validate};
use rayon::prelude::*;

use super::ELEMENTS;

/// Bytes of a point.
const POINT: usize = 48;

/// The published points in Lagrange form, compressed, by the power of the root of unity.
static POINTS: &[u8] = include_bytes!("g1_lagrange.bin");

/// The points, none if the file is damaged. That it is the published one is tested, so they are not
/// checked at every start.
fn points() -> &'static [G1Affine] {
    static READ: OnceLock<Vec<G1Affine>> = OnceLock::new();
    READ.get_or_init(|| {
        let read = |bytes| G1Affine::deserialize_with_mode(bytes, Compress::Yes, Validate::No).ok();
        let points: Option<Vec<_>> = POINTS.par_chunks(POINT).map(read).collect();
        points.unwrap_or_default()
    })
}

/// The commitment to the polynomial with these values at the powers of the root of unity, in their
/// order. `None` for another number of values.
pub(super) fn commit(values: &[Fr]) -> Option<[u8; POINT]> {
    let points = points();
    if points.len() != ELEMENTS {
        return None;
    }
    let commitment = G1Projective::msm(points, values).ok()?.into_affine();
    let mut bytes = [0; POINT];
    commitment.serialize_compressed(&mut bytes[..]).ok()?;
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use ark_bls12_381::{Bls12_381, G2Affine};
    use ark_ec::pairing::Pairing;
    use ark_ec::AffineRepr;
    use ark_ff::{AdditiveGroup, FftField, Field};
    use sha2::{Digest, Sha256};

    use super::*;

    /// The second point of the published setup's second group, `tau` times the generator.
    const TAU_2: &str = "b5bfd7dd8cdeb128843bc287230af38926187075cbfbefa81009a2ce615ac53d2914e5870cb452d2afaaab24f3499f72185cbfee53492714734429b7b38608e23926c911cceceac9a36851477ba4c60b087041de621000edc98edada20c1def2";

    #[test]
    fn the_points_are_the_published_ones() {
        let hash = hex::encode(Sha256::digest(POINTS));
        assert_eq!(hash, "52c7615a9bd3eb20df67eb5a81ee701c96787c82a5ff638740b54fbadfde960b");
        let points = points();
        assert_eq!(points.len(), ELEMENTS);
        for point in points {
            assert!(point.is_on_curve() && point.is_in_correct_subgroup_assuming_on_curve());
        }
    }

    /// Lagrange polynomials add up to 1, and weighted with the roots of unity to `X`.
    #[test]
    fn the_points_belong_to_one_secret() {
        let one = G1Projective::msm(points(), &vec![Fr::ONE; ELEMENTS]).unwrap();
        assert_eq!(one.into_affine(), G1Affine::generator());
        let root = Fr::get_root_of_unity(ELEMENTS as u64).unwrap();
        let roots: Vec<Fr> =
            std::iter::successors(Some(Fr::ONE), |x| Some(*x * root)).take(ELEMENTS).collect();
        let tau = G1Projective::msm(points(), &roots).unwrap();
        let bytes = hex::decode(TAU_2).unwrap();
        let tau_2 = G2Affine::deserialize_compressed(&bytes[..]).unwrap();
        let pair = |a: G1Affine, b| Bls12_381::pairing(a, b);
        let generators = (G1Affine::generator(), G2Affine::generator());
        assert_eq!(pair(tau.into_affine(), generators.1), pair(generators.0, tau_2));
        // A point more or less would show.
        let other = G1Projective::msm(&points()[1..], &roots[1..]).unwrap();
        assert_ne!(pair(other.into_affine(), generators.1), pair(generators.0, tau_2));
    }

    #[test]
    fn only_all_values_have_a_commitment() {
        assert!(commit(&vec![Fr::ZERO; ELEMENTS - 1]).is_none());
        let infinity = commit(&vec![Fr::ZERO; ELEMENTS]).unwrap();
        assert_eq!((infinity[0], infinity[1..] == [0; 47]), (0xc0, true));
    }
}
