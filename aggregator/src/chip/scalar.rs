//! A scalar, and its digits.
//!
//! Digits are odd, between -31 and 31, one for each of [`WINDOWS`] windows of five bits, highest
//! first. The circuit holds `k = sum of d_i 32^(50 - i)` modulo the group's order, which is the
//! scalar field's: no canonical form is needed.

use bastion_circuits::core::{Expr, Term};
use halo2_proofs::halo2curves::bn256::Fr;
use num_bigint::BigInt;
use num_traits::ToPrimitive;

use super::add::{scalar_tuple, PLACE};
use super::columns::{constant, word};
use super::gate::{Gate, Kind, DIGITS};
use super::grid::{scalar_modulus, signed, BlockWriter};

/// Bits of a window.
pub const WINDOW_BITS: usize = 5;
/// Windows of a scalar.
pub const WINDOWS: usize = 51;

/// The place of a term's first window among all windows: the last window of a term leaves a place
/// that is not the first of the next one.
pub(super) fn first_place(term: usize) -> u64 {
    ((WINDOWS + 1) * term) as u64
}

/// The scalar; copy constraints connect it.
pub fn value() -> Expr {
    word(0, 0)
}

/// The constraints: nothing but the bus.
pub fn gate() -> Gate {
    let mut gate = Gate::new(Kind::Scalar);
    let start = scalar_tuple(constant(PLACE), Expr::zero());
    gate.bus(DIGITS, Term::produce("start", Expr::one(), start));
    let end = scalar_tuple(constant(PLACE) + Expr::from(WINDOWS as u64), value());
    gate.bus(DIGITS, Term::consume("end", Expr::one(), end));
    gate
}

/// Assigns a scalar.
pub fn assign(writer: &mut BlockWriter<'_>, scalar: Fr) {
    writer.set(&value(), scalar);
}

/// The digits of a scalar, highest first: magnitude, and whether negative.
pub fn digits(scalar: &Fr) -> [(u64, bool); WINDOWS] {
    // Of k in (-r/2, r/2) and k + r one is odd.
    let mut k = signed(scalar);
    if !k.bit(0) {
        k += BigInt::from(scalar_modulus().clone());
    }
    let mut digits = [(0, false); WINDOWS];
    for (i, digit) in digits.iter_mut().rev().enumerate() {
        let d: BigInt = if i + 1 < WINDOWS {
            let low = (&k & BigInt::from(63)).to_i64().unwrap_or(0);
            BigInt::from(low - 32)
        } else {
            k.clone()
        };
        k = (k - &d) >> WINDOW_BITS;
        let d = d.to_i64().unwrap_or(0);
        *digit = (d.unsigned_abs(), d < 0);
    }
    digits
}
