//! An identity modulo the base field's order `p`, checked in the scalar field.
//!
//! `E = sum of products and terms - q p` is an integer. It is 0 if it is 0 modulo `2^320` (two
//! equations over limbs, with carries) and modulo the scalar field's order, since `|E| < 2^520`:
//! README, "Identities".

use std::sync::LazyLock;

use bastion_circuits::core::Expr;
use halo2_proofs::halo2curves::bn256::Fr;
use num_bigint::{BigInt, BigUint, Sign};
use num_traits::Signed;

use super::columns::{limb, Limbs, Parts, LIMB_BITS};
use super::gate::Gate;
use super::grid::{base_modulus, signed, to_fr, BlockWriter};

/// Wide limbs of a quotient.
const QUOTIENT: usize = 3;
/// Bits between them: each holds `2^90`, so that honest ones leave room for carries.
const QUOTIENT_BITS: u32 = 86;
/// What is added to a quotient to make it positive: `2^257 = 10.59 p`. Quotients of the identities in
/// use lie between `-6.1 p` and `6.1 p`, and the limbs hold `21 p` and more.
const QUOTIENT_SHIFT: u32 = 257;
/// What is added to a carry to make it positive.
const CARRY_SHIFT: u32 = 89;
/// Rows that an identity takes beside its numbers: quotient and two carries.
pub const ROWS: usize = QUOTIENT + 2;
/// Identities are checked modulo `2^320`, in two halves.
const HALF: u32 = 2 * LIMB_BITS;

/// The inverse of `p` modulo `2^320`.
static INVERSE: LazyLock<BigUint> = LazyLock::new(|| {
    let modulus = BigUint::from(1u8) << (2 * HALF);
    // Newton: each step doubles the bits that are right, and 1 has one.
    (0..9).fold(BigUint::from(1u8), |x, _| {
        let product = base_modulus() * &x % &modulus;
        let rest = (&modulus + 2u8 - product) % &modulus;
        x * rest % &modulus
    })
});

/// `sum of c a b + sum of c a + constant = 0 (mod p)`.
pub struct Identity {
    name: &'static str,
    sum: Parts,
    first: usize,
}

impl Identity {
    /// An identity whose quotient and carries stand in the limbs from row `first` on.
    pub fn new(name: &'static str, first: usize) -> Self {
        let zero = Expr::zero();
        Self { name, sum: Parts { low: zero, high: zero, native: zero }, first }
    }

    /// Adds `c a b`.
    pub fn product(self, c: i64, a: &Limbs, b: &Limbs) -> Self {
        self.parts(c, &Parts::product(a, b))
    }

    /// Adds `c a`.
    pub fn term(self, c: i64, a: &Limbs) -> Self {
        self.parts(c, &Parts::of(a))
    }

    /// Adds `c` times an integer of which these parts are known.
    pub fn parts(mut self, c: i64, parts: &Parts) -> Self {
        self.sum = self.sum.with(parts, |sum, part| sum + part * integer(c));
        self
    }

    /// Adds a constant.
    pub fn constant(mut self, c: i64) -> Self {
        let c = Expr::from(integer(c));
        self.sum.low = self.sum.low + c;
        self.sum.native = self.sum.native + c;
        self
    }

    /// Parts of the quotient times `p`: each limb of the quotient times the lower and the upper half
    /// of its place times `p`, modulo `2^320`.
    fn multiple(&self) -> Parts {
        let [low, high, native] = parts_at(QUOTIENT_SHIFT).map(|part| -Expr::from(part));
        (0..QUOTIENT).fold(Parts { low, high, native }, |sum, n| {
            let [low, high, native] = parts_at(QUOTIENT_BITS * n as u32);
            let limb = limb(self.first + n);
            Parts {
                low: sum.low + limb * low,
                high: sum.high + limb * high,
                native: sum.native + limb * native,
            }
        })
    }

    fn carry(&self, n: usize) -> Expr {
        limb(self.first + QUOTIENT + n) - Expr::pow2(CARRY_SHIFT)
    }

    /// The three constraints.
    pub fn constrain(&self, gate: &mut Gate) {
        gate.wide.extend(self.first..self.first + ROWS);
        let whole = Expr::pow2(HALF);
        let (name, multiple) = (self.name, self.multiple());
        gate.constrain(format!("{name}.low"), self.sum.low - multiple.low - self.carry(0) * whole);
        gate.constrain(
            format!("{name}.high"),
            self.sum.high + self.carry(0) - multiple.high - self.carry(1) * whole,
        );
        gate.constrain(format!("{name}.native"), self.sum.native - multiple.native);
    }

    /// Assigns quotient and carries, from the cells that the identity reads. If it does not hold
    /// the constraints will not either.
    pub fn assign(&self, writer: &mut BlockWriter<'_>) {
        let modulus = BigInt::from(1) << (2 * HALF);
        let low = signed(&writer.read(&self.sum.low));
        let high = signed(&writer.read(&self.sum.high));
        // The quotient is far below 2^319, so that it is its residue.
        let product = (&low + (&high << HALF)) * BigInt::from(INVERSE.clone());
        let residue = ((product % &modulus) + &modulus) % &modulus;
        let quotient = match residue.bits() < u64::from(2 * HALF) {
            true => residue,
            false => residue - &modulus,
        };
        let shifted = quotient + (BigInt::from(1) << QUOTIENT_SHIFT);
        let shifted = shifted.to_biguint().unwrap_or_default();
        let mask = (BigUint::from(1u8) << QUOTIENT_BITS) - 1u8;
        for n in 0..QUOTIENT {
            let limb = (&shifted >> (QUOTIENT_BITS as usize * n)) & &mask;
            writer.wide(self.first + n, &limb);
        }
        // With the quotient as the cells have it.
        let multiple = self.multiple();
        let low = (low - signed(&writer.read(&multiple.low))) >> HALF;
        let high = (high + &low - signed(&writer.read(&multiple.high))) >> HALF;
        for (n, carry) in [low, high].into_iter().enumerate() {
            let shifted = (carry + (BigInt::from(1) << CARRY_SHIFT)).abs();
            writer.wide(self.first + QUOTIENT + n, &shifted.to_biguint().unwrap_or_default());
        }
    }
}

fn integer(c: i64) -> Fr {
    let magnitude = Fr::from(c.unsigned_abs());
    if c < 0 {
        -magnitude
    } else {
        magnitude
    }
}

/// Of `2^place p`: the lower and the next `160` bits, and its value in the scalar field.
fn parts_at(place: u32) -> [Fr; 3] {
    let mask = (BigUint::from(1u8) << HALF) - 1u8;
    let value = base_modulus() << place;
    [&value & &mask, (&value >> HALF) & &mask, value]
        .map(|part| to_fr(&BigInt::from_biguint(Sign::Plus, part)))
}

/// `c p` in the scalar field.
pub fn modulus_times(c: u64) -> Fr {
    to_fr(&(BigInt::from(base_modulus().clone()) * c))
}
