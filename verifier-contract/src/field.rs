//! The two moduli of BN254 and the little arithmetic that the generator does itself.

use alloy_primitives::{uint, U256};

/// Order of the curve's groups: the modulus of scalars.
pub const SCALAR_MODULUS: U256 =
    uint!(21888242871839275222246405745257275088548364400416034343698204186575808495617_U256);

/// Modulus of coordinates.
pub const BASE_MODULUS: U256 =
    uint!(21888242871839275222246405745257275088696311157297823662689037894645226208583_U256);

/// `value` to the power `-1` in the scalar field; zero stays zero.
pub(crate) fn invert(value: U256) -> U256 {
    value.pow_mod(SCALAR_MODULUS - U256::from(2), SCALAR_MODULUS)
}

/// `omega^exponent` for an `omega` whose order is a power of two, `exponent` of either sign.
pub(crate) fn power(omega: U256, exponent: i32) -> U256 {
    let magnitude = omega.pow_mod(U256::from(exponent.unsigned_abs()), SCALAR_MODULUS);
    if exponent < 0 {
        invert(magnitude)
    } else {
        magnitude
    }
}

/// `a - b` in the scalar field, for reduced operands.
pub(crate) fn subtract(a: U256, b: U256) -> U256 {
    a.add_mod(SCALAR_MODULUS - b, SCALAR_MODULUS)
}
