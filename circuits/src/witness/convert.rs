//! Between the field types of `bastion-state` (arkworks) and of halo2.

use ark_ff::PrimeField;
use halo2_proofs::arithmetic::Field;
use halo2_proofs::halo2curves::{bn256::Fr, ff::PrimeField as _};

/// To halo2's representation.
pub fn to_halo2(x: bastion_state::Fr) -> Fr {
    Fr::from_raw(x.into_bigint().0)
}

/// To the representation of `bastion-state`.
pub fn to_state(x: &Fr) -> bastion_state::Fr {
    bastion_state::Fr::from_le_bytes_mod_order(x.to_repr().as_ref())
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
