//! An identity modulo the base field's order `p`, checked in the scalar field.
//!
//! `E = sum of products and terms - q p` is an integer. It is 0 if it is 0 modulo `2^320` (two
//! equations over limbs, with carries) and modulo the scalar field's order, since `|E| < 2^517`:
//! README, "Identities".

use bastion_circuits::core::{pow2, Expr};
use halo2_proofs::halo2curves::bn256::Fr;
use num_bigint::{BigInt, BigUint, Sign};
use num_traits::{Signed, ToPrimitive, Zero};

use super::columns::{chunk, native, number, Limbs, CHUNK_BITS, LIMBS, LIMB_BITS, NUMBER};
use super::gate::Gate;
use super::grid::{base_modulus, signed, to_fr, BlockWriter};

/// Chunks of a carry: five whole ones and one that overlaps them, so that a carry stays below
/// `2^92 + 2^80`.
const CARRY: usize = 6;
/// Place of the carry's last chunk.
const CARRY_TOP: u32 = 76;
/// What is added to a carry to make it positive.
const CARRY_SHIFT: u32 = 91;
/// What is added to a quotient to make it positive: `13 x 2^251 = 2.149 p`. Quotients of the
/// identities in use lie between `-2.001 p` and `3.001 p`, and a number holds `5.29 p`.
const QUOTIENT_SHIFT: (u64, u32) = (13, 251);
/// Chunks that an identity takes beside its numbers: quotient and two carries.
pub const CELLS: usize = NUMBER + 2 * CARRY;

/// `sum of c a b + sum of c a + constant = 0 (mod p)`.
pub struct Identity {
    name: &'static str,
    products: Vec<(i64, Limbs, Limbs)>,
    terms: Vec<(i64, Limbs)>,
    constant: i64,
    first: usize,
}

impl Identity {
    /// An identity whose quotient and carries stand in the chunks from `first` on.
    pub fn new(name: &'static str, first: usize) -> Self {
        Self { name, products: Vec::new(), terms: Vec::new(), constant: 0, first }
    }

    /// Adds `c a b`.
    pub fn product(mut self, c: i64, a: &Limbs, b: &Limbs) -> Self {
        self.products.push((c, *a, *b));
        self
    }

    /// Adds `c a`.
    pub fn term(mut self, c: i64, a: &Limbs) -> Self {
        self.terms.push((c, *a));
        self
    }

    /// Adds a constant.
    pub fn constant(mut self, c: i64) -> Self {
        self.constant += c;
        self
    }

    fn quotient(&self) -> Limbs {
        let mut q = number(self.first);
        let (factor, bits) = QUOTIENT_SHIFT;
        let top = bits - LIMB_BITS * (LIMBS as u32 - 1);
        q[LIMBS - 1] = q[LIMBS - 1] - Expr::from(factor << top);
        q
    }

    fn carry(&self, n: usize) -> Expr {
        let first = self.carry_first(n);
        let whole: Expr =
            (0..CARRY - 1).map(|i| chunk(first + i) * Expr::pow2(CHUNK_BITS * i as u32)).sum();
        whole + chunk(first + CARRY - 1) * Expr::pow2(CARRY_TOP) - Expr::pow2(CARRY_SHIFT)
    }

    fn carry_first(&self, n: usize) -> usize {
        self.first + NUMBER + n * CARRY
    }

    /// The coefficient of `2^(80 k)` in `E + q p`.
    fn limb(&self, k: usize) -> Expr {
        let pairs = |a: &Limbs, b: &Limbs| -> Expr { (0..=k).map(|i| a[i] * b[k - i]).sum() };
        let mut sum = Expr::zero();
        for (c, a, b) in &self.products {
            sum = sum + pairs(a, b) * integer(*c);
        }
        for (c, a) in &self.terms {
            sum = sum + a[k] * integer(*c);
        }
        if k == 0 {
            sum = sum + Expr::from(integer(self.constant));
        }
        sum
    }

    /// The coefficients of `2^(80 k)` and `2^(80 (k + 1))` in `q p`, the second times `2^80`.
    fn multiple(&self, k: usize) -> Expr {
        let p = modulus_limbs();
        let weight = pow2(LIMB_BITS);
        let mut sum = Expr::zero();
        for (i, limb) in self.quotient().into_iter().enumerate().take(k + 2) {
            let low = if i <= k { p[k - i] } else { Fr::zero() };
            sum = sum + limb * (low + p[k + 1 - i] * weight);
        }
        sum
    }

    /// The three constraints.
    pub fn constrain(&self, gate: &mut Gate) {
        let shift = Expr::pow2(LIMB_BITS);
        let whole = Expr::pow2(2 * LIMB_BITS);
        let name = self.name;
        gate.constrain(
            format!("{name}.low"),
            self.limb(0) + self.limb(1) * shift - self.multiple(0) - self.carry(0) * whole,
        );
        gate.constrain(
            format!("{name}.high"),
            self.limb(2) + self.limb(3) * shift + self.carry(0)
                - self.multiple(2)
                - self.carry(1) * whole,
        );
        let mut sum = Expr::from(integer(self.constant));
        for (c, a, b) in &self.products {
            sum = sum + native(a) * native(b) * integer(*c);
        }
        for (c, a) in &self.terms {
            sum = sum + native(a) * integer(*c);
        }
        let p = to_fr(&BigInt::from(base_modulus().clone()));
        gate.constrain(format!("{name}.native"), sum - native(&self.quotient()) * p);
    }

    /// Assigns quotient and carries, from the cells that the identity reads. If it does not hold
    /// the constraints will not either.
    pub fn assign(&self, writer: &mut BlockWriter<'_>) {
        let mut cache: Vec<(Expr, BigInt)> = Vec::new();
        let mut read = |limbs: &Limbs| -> [BigInt; LIMBS] {
            std::array::from_fn(|k| {
                let limb = &limbs[k];
                if let Some((_, value)) = cache.iter().find(|(e, _)| e == limb) {
                    return value.clone();
                }
                let value = signed(&writer.read(limb));
                cache.push((*limb, value.clone()));
                value
            })
        };
        let mut limbs: [BigInt; 2 * LIMBS - 1] = Default::default();
        for (c, a, b) in &self.products {
            let (a, b) = (read(a), read(b));
            for (i, a) in a.iter().enumerate() {
                for (j, b) in b.iter().enumerate() {
                    limbs[i + j] += a * b * *c;
                }
            }
        }
        for (c, a) in &self.terms {
            for (k, a) in read(a).iter().enumerate() {
                limbs[k] += a * *c;
            }
        }
        limbs[0] += self.constant;
        let total = limbs.iter().rev().fold(BigInt::zero(), |sum, limb| (sum << LIMB_BITS) + limb);
        let p = BigInt::from(base_modulus().clone());
        let (factor, bits) = QUOTIENT_SHIFT;
        let quotient = (total / &p) + (BigInt::from(factor) << bits);
        let quotient = quotient.to_biguint().unwrap_or_default();
        writer.number(self.first, &quotient);

        // The limbs of q p, with the quotient as the cells have it.
        let q = self.quotient().map(|limb| signed(&writer.read(&limb)));
        let p = modulus_limbs().map(|limb| signed(&limb));
        for (i, q) in q.iter().enumerate() {
            for (j, p) in p.iter().enumerate() {
                limbs[i + j] -= q * p;
            }
        }
        let low = (&limbs[0] + (&limbs[1] << LIMB_BITS)) >> (2 * LIMB_BITS);
        let high = (&limbs[2] + (&limbs[3] << LIMB_BITS) + &low) >> (2 * LIMB_BITS);
        for (n, carry) in [low, high].into_iter().enumerate() {
            let shifted = (carry + (BigInt::from(1) << CARRY_SHIFT)).abs();
            let top = (&shifted >> CARRY_TOP).to_u64().unwrap_or(0) & 0xffff;
            let rest = shifted - (BigInt::from(top) << CARRY_TOP);
            let first = self.carry_first(n);
            writer.chunks(first, CARRY - 1, &rest.to_biguint().unwrap_or_default());
            writer.set(&chunk(first + CARRY - 1), Fr::from(top));
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

/// The limbs of `p`.
fn modulus_limbs() -> [Fr; LIMBS] {
    let mask = (BigUint::from(1u8) << LIMB_BITS) - 1u8;
    std::array::from_fn(|k| {
        let limb = (base_modulus() >> (LIMB_BITS * k as u32)) & &mask;
        to_fr(&BigInt::from_biguint(Sign::Plus, limb))
    })
}

/// `c p` in the scalar field.
pub fn modulus_times(c: u64) -> Fr {
    to_fr(&(BigInt::from(base_modulus().clone()) * c))
}
