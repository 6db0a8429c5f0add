//! Between the field types of `bastion-state` (arkworks) and of halo2.

use ark_ff::{BigInt, PrimeField};
use halo2_proofs::arithmetic::Field;
use halo2_proofs::halo2curves::serde::SerdeObject;
use halo2_proofs::halo2curves::{bn256::Fr, ff::PrimeField as _};

/// To halo2's representation. Both libraries hold `x 2^256 mod p` in four limbs.
pub fn to_halo2(x: bastion_protocol::Fr) -> Fr {
    let mut bytes = [0; 32];
    for (chunk, limb) in bytes.chunks_exact_mut(8).zip(x.0 .0) {
        chunk.copy_from_slice(&limb.to_le_bytes());
    }
    Fr::from_raw_bytes_unchecked(&bytes)
}

/// To the representation of `bastion-state`.
pub fn to_state(x: &Fr) -> bastion_protocol::Fr {
    let bytes = x.to_repr();
    let mut limbs = [0; 4];
    for (limb, chunk) in limbs.iter_mut().zip(bytes.as_ref().chunks_exact(8)) {
        *limb = chunk.iter().rev().fold(0, |x, b| x << 8 | u64::from(*b));
    }
    // Canonical bytes are below the modulus.
    bastion_protocol::Fr::from_bigint(BigInt::new(limbs)).unwrap_or_default()
}

/// A small integer.
pub fn small(x: u64) -> Fr {
    Fr::from(x)
}

/// A 128-bit integer.
pub fn wide(x: u128) -> Fr {
    Fr::from_raw([x as u64, (x >> 64) as u64, 0, 0])
}

/// `1/2`.
pub fn inverse_of_two() -> Fr {
    Fr::from(2).invert().unwrap_or(Fr::ZERO)
}

/// The inverse, or 0 of 0: for cells that prove that something is not 0.
pub fn inverse_or_zero(x: Fr) -> Fr {
    x.invert().unwrap_or(Fr::ZERO)
}

/// The low 128 bits and the high 128 bits of the canonical integer.
pub fn halves(x: &Fr) -> (u128, u128) {
    let bytes = x.to_repr();
    let mut low = [0u8; 16];
    let mut high = [0u8; 16];
    low.copy_from_slice(&bytes.as_ref()[..16]);
    high.copy_from_slice(&bytes.as_ref()[16..]);
    (u128::from_le_bytes(low), u128::from_le_bytes(high))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn both_hold_the_same_number(x in any::<[u8; 32]>(), small in any::<u64>()) {
            for x in [bastion_protocol::field::reduce(&x), small.into(), -bastion_protocol::Fr::from(small)] {
                let there = to_halo2(x);
                prop_assert_eq!(there, Fr::from_raw(x.into_bigint().0));
                prop_assert_eq!(to_state(&there), x);
            }
        }
    }
}
