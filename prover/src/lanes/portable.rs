//! Lanes in plain Rust, one element at a time, always canonical.
//!
//! Sums of products are kept in 576 bits and reduced once.

use super::modulus::{from_limbs, limbs, negated_inverse};
use super::{Lanes, Modulus, WIDTH};

/// Limbs of a sum of products: `400·p² < 2^517`.
const LONG: usize = 9;

/// Eight canonical elements in halo2curves' form.
#[derive(Clone, Copy)]
pub(crate) struct Portable<F>([F; WIDTH]);

/// Eight sums of products.
#[derive(Clone, Copy)]
pub(crate) struct Wide([[u64; LONG]; WIDTH]);

struct Constants<F>(F);

impl<F: Modulus> Constants<F> {
    const NEGATED_INVERSE: u64 = negated_inverse(F::ORDER);
    /// `⌊2^304 / p⌋`: `⌊⌊x / 2^240⌋ · this / 2^64⌋` is `⌊x / p⌋` or one less for `x < 2^263`.
    const RECIPROCAL: u64 = {
        // As 2^176 / (p / 2^128), the divisor rounded up.
        let (mut quotient, mut rest, mut i) = (0_u128, 1_u128, 0);
        let divisor = ((F::ORDER[3] as u128) << 64 | F::ORDER[2] as u128) + 1;
        while i < 176 {
            rest <<= 1;
            quotient <<= 1;
            if rest >= divisor {
                rest -= divisor;
                quotient |= 1;
            }
            i += 1;
        }
        quotient as u64
    };
}

/// `a + b·c + carry`, low and high.
#[inline(always)]
const fn mac(a: u64, b: u64, c: u64, carry: u64) -> (u64, u64) {
    let sum = a as u128 + b as u128 * c as u128 + carry as u128;
    (sum as u64, (sum >> 64) as u64)
}

#[inline(always)]
fn add_product(wide: &mut [u64; LONG], a: [u64; 4], b: [u64; 4]) {
    for (i, a) in a.into_iter().enumerate() {
        let mut carry = 0;
        for (j, b) in b.into_iter().enumerate() {
            (wide[i + j], carry) = mac(wide[i + j], a, b, carry);
        }
        for limb in &mut wide[i + 4..] {
            let overflow;
            (*limb, overflow) = limb.overflowing_add(carry);
            carry = u64::from(overflow);
        }
    }
}

/// Montgomery's reduction, then the canonical form: the sum is below `400·p²`, what is left of it
/// below `78·p`.
#[inline(always)]
fn reduced<F: Modulus>(mut wide: [u64; LONG]) -> F {
    let p = F::ORDER;
    let mut overflow = 0;
    for i in 0..4 {
        let m = wide[i].wrapping_mul(Constants::<F>::NEGATED_INVERSE);
        let mut carry = 0;
        for (j, p) in p.into_iter().enumerate() {
            (wide[i + j], carry) = mac(wide[i + j], m, p, carry);
        }
        let sum = u128::from(wide[i + 4]) + u128::from(carry) + u128::from(overflow);
        (wide[i + 4], overflow) = (sum as u64, (sum >> 64) as u64);
    }
    let top = wide[8] + overflow;
    // `⌊x / p⌋` or one less.
    let high = top << 16 | wide[7] >> 48;
    let quotient = ((u128::from(high) * u128::from(Constants::<F>::RECIPROCAL)) >> 64) as u64;
    let (mut x, mut taken, mut borrow) = ([0; 4], 0, false);
    for i in 0..4 {
        let low;
        (low, taken) = mac(0, quotient, p[i], taken);
        let (difference, first) = wide[4 + i].overflowing_sub(low);
        let second;
        (x[i], second) = difference.overflowing_sub(u64::from(borrow));
        borrow = first | second;
    }
    for _ in 0..2 {
        let (mut less, mut borrow) = ([0; 4], false);
        for i in 0..4 {
            let (difference, first) = x[i].overflowing_sub(p[i]);
            let second;
            (less[i], second) = difference.overflowing_sub(u64::from(borrow));
            borrow = first | second;
        }
        if !borrow {
            x = less;
        }
    }
    from_limbs(x)
}

impl<F: Modulus> Portable<F> {
    #[inline(always)]
    fn zip(self, other: Self, f: impl Fn(F, F) -> F) -> Self {
        Self(std::array::from_fn(|i| f(self.0[i], other.0[i])))
    }
}

impl<F: Modulus> Lanes for Portable<F> {
    type Field = F;
    type Constant = F;
    type Wide = Wide;
    const LIFT: u64 = 1;
    const RELAX: usize = usize::MAX;
    const BLOCK: usize = 1;

    #[inline(always)]
    fn constant(x: &F) -> F {
        *x
    }

    #[inline(always)]
    fn splat(x: &F) -> Self {
        Self([*x; WIDTH])
    }

    #[inline(always)]
    fn load(from: &[F]) -> Self {
        Self(std::array::from_fn(|i| from[i]))
    }

    #[inline(always)]
    fn gather(from: &[F], stride: usize) -> Self {
        Self(std::array::from_fn(|i| from[i * stride]))
    }

    #[inline(always)]
    fn store(self, to: &mut [F]) {
        to[..WIDTH].copy_from_slice(&self.0);
    }

    #[inline(always)]
    fn store_canonical(self, to: &mut [F]) {
        self.store(to);
    }

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        self.zip(other, |a, b| a + b)
    }

    #[inline(always)]
    fn sub(self, other: Self, _: u32) -> Self {
        self.zip(other, |a, b| a - b)
    }

    #[inline(always)]
    fn wide() -> Wide {
        Wide([[0; LONG]; WIDTH])
    }

    #[inline(always)]
    fn accumulate(mut wide: Wide, a: &Self, b: &Self) -> Wide {
        for ((wide, a), b) in wide.0.iter_mut().zip(&a.0).zip(&b.0) {
            add_product(wide, limbs(a), limbs(b));
        }
        wide
    }

    #[inline(always)]
    fn accumulate_constant(mut wide: Wide, a: &Self, b: &F) -> Wide {
        let b = limbs(b);
        for (wide, a) in wide.0.iter_mut().zip(&a.0) {
            add_product(wide, limbs(a), b);
        }
        wide
    }

    #[inline(always)]
    fn relax(wide: Wide) -> Wide {
        wide
    }

    #[inline(always)]
    fn reduce(wide: Wide) -> Self {
        Self(wide.0.map(reduced))
    }

    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        self.zip(other, |a, b| a * b)
    }

    #[inline(always)]
    fn square(self) -> Self {
        Self(self.0.map(|x| x.square()))
    }

    #[inline(always)]
    fn mul_constant(self, other: &F) -> Self {
        Self(self.0.map(|x| x * other))
    }
}
