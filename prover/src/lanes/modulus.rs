//! The two fields of the curve, as limbs.

use halo2_proofs::halo2curves::bn256::{Fq, Fr};
use halo2_proofs::halo2curves::ff::PrimeField;

/// A field of 254 bits whose elements stand in memory as four limbs of `x·2^256 mod p`, lowest
/// first.
pub(crate) trait Modulus: PrimeField {
    /// The modulus `p`, 64-bit limbs.
    const ORDER: [u64; 4];
}

impl Modulus for Fr {
    const ORDER: [u64; 4] = [
        0x43e1_f593_f000_0001,
        0x2833_e848_79b9_7091,
        0xb850_45b6_8181_585d,
        0x3064_4e72_e131_a029,
    ];
}

impl Modulus for Fq {
    const ORDER: [u64; 4] = [
        0x3c20_8c16_d87c_fd47,
        0x9781_6a91_6871_ca8d,
        0xb850_45b6_8181_585d,
        0x3064_4e72_e131_a029,
    ];
}

/// That elements are four limbs and nothing else is halo2curves' affair, and checked here.
pub(super) const LAYOUT: () = {
    assert!(size_of::<Fr>() == 32 && align_of::<Fr>() == align_of::<u64>());
    assert!(size_of::<Fq>() == 32 && align_of::<Fq>() == align_of::<u64>());
};

/// The limbs of an element as they stand in memory.
#[allow(unsafe_code)]
#[inline(always)]
pub(crate) fn limbs<F: Modulus>(x: &F) -> [u64; 4] {
    let () = LAYOUT;
    // SAFETY: `LAYOUT`; the trait is implemented above for these two fields alone.
    unsafe { *std::ptr::from_ref(x).cast::<[u64; 4]>() }
}

/// The element of which these are the limbs in memory. They must be below the modulus.
#[allow(unsafe_code)]
#[inline(always)]
pub(super) fn from_limbs<F: Modulus>(limbs: [u64; 4]) -> F {
    let () = LAYOUT;
    // SAFETY: as above; any limbs are bits of an element.
    unsafe { *std::ptr::from_ref(&limbs).cast::<F>() }
}

/// `-1/p mod 2^64`, by Newton's iteration: each step doubles the bits that are right.
pub(super) const fn negated_inverse(modulus: [u64; 4]) -> u64 {
    let mut inverse = 1_u64;
    let mut i = 0;
    while i < 6 {
        inverse = inverse.wrapping_mul(2_u64.wrapping_sub(modulus[0].wrapping_mul(inverse)));
        i += 1;
    }
    inverse.wrapping_neg()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check<F: Modulus>() {
        // -1 in memory is p - R mod p; that plus one is a multiple of the modulus.
        let one = limbs(&F::ONE);
        assert_eq!(from_limbs::<F>(one), F::ONE);
        let text = <F as PrimeField>::MODULUS.trim_start_matches("0x");
        let ours = F::ORDER.iter().rev().map(|l| format!("{l:016x}"));
        assert_eq!(ours.collect::<String>(), text.to_lowercase());
        let inverse = negated_inverse(F::ORDER);
        assert_eq!(inverse.wrapping_mul(F::ORDER[0]), u64::MAX);
        // R = 2^256 mod p, as Montgomery's form of one.
        let two = F::from(2);
        assert_eq!(from_limbs::<F>([1, 0, 0, 0]) * two.pow_vartime([256]), F::ONE);
    }

    #[test]
    fn limbs_are_those_of_the_curve_library() {
        check::<Fr>();
        check::<Fq>();
    }
}
