//! Elements and points from the document.

use ark_bn254::{Fq, Fq2, Fr, G1Affine, G2Affine};
use ark_ec::AffineRepr;
use ark_ff::{BigInt, PrimeField};

/// An element from big-endian bytes, if it is below the modulus.
pub(crate) fn element<F: PrimeField<BigInt = BigInt<4>>>(bytes: &[u8; 32]) -> Option<F> {
    let mut limbs = [0u64; 4];
    for (limb, chunk) in limbs.iter_mut().rev().zip(bytes.chunks_exact(8)) {
        *limb = u64::from_be_bytes(chunk.try_into().ok()?);
    }
    F::from_bigint(BigInt::new(limbs))
}

/// `0x` and 64 lower-case hex digits.
fn word(text: &str) -> Option<[u8; 32]> {
    let digits = text.strip_prefix("0x")?;
    let mut bytes = [0; 32];
    hex::decode_to_slice(digits, &mut bytes).ok()?;
    (!digits.bytes().any(|b| b.is_ascii_uppercase())).then_some(bytes)
}

pub(crate) fn scalar(text: &str) -> Option<Fr> {
    element(&word(text)?)
}

fn base(text: &str) -> Option<Fq> {
    element(&word(text)?)
}

/// A point of the first group that is not the identity.
pub(crate) fn affine(x: Fq, y: Fq) -> Option<G1Affine> {
    let point = G1Affine::new_unchecked(x, y);
    // The library takes (0, 0) for the identity, and the identity for a point of the curve. The group has
    // prime order: the curve is the subgroup.
    (!point.is_zero() && point.is_on_curve()).then_some(point)
}

pub(crate) fn g1(coordinates: &[String; 2]) -> Option<G1Affine> {
    affine(base(&coordinates[0])?, base(&coordinates[1])?)
}

pub(crate) fn g2(coordinates: &[[String; 2]; 2]) -> Option<G2Affine> {
    let [x, y] = coordinates;
    let x = Fq2::new(base(&x[0])?, base(&x[1])?);
    let y = Fq2::new(base(&y[0])?, base(&y[1])?);
    let point = G2Affine::new_unchecked(x, y);
    let on_curve = !point.is_zero() && point.is_on_curve();
    (on_curve && point.is_in_correct_subgroup_assuming_on_curve()).then_some(point)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_identity_is_no_point() {
        let (zero, one, two) = (Fq::from(0u64), Fq::from(1u64), Fq::from(2u64));
        assert_eq!(affine(zero, zero), None);
        assert_eq!(affine(one, two), Some(G1Affine::generator()));
        assert_eq!(affine(one, one), None);
        let word = format!("0x{}", "0".repeat(64));
        let pair = || [word.clone(), word.clone()];
        assert_eq!(g1(&pair()), None);
        assert_eq!(g2(&[pair(), pair()]), None);
    }
}
