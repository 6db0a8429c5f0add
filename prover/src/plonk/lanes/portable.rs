//! Lanes of halo2curves' elements, always canonical.

use super::{Lanes, WIDTH};
use crate::Fr;

/// Eight canonical elements in halo2curves' form.
#[derive(Clone, Copy)]
pub(in crate::plonk) struct Portable([Fr; WIDTH]);

impl Portable {
    #[inline(always)]
    fn zip(self, other: Self, f: impl Fn(Fr, Fr) -> Fr) -> Self {
        Self(std::array::from_fn(|i| f(self.0[i], other.0[i])))
    }
}

impl Lanes for Portable {
    type Constant = Fr;
    type Wide = Self;
    const LIFT: u64 = 1;

    #[inline(always)]
    fn constant(x: &Fr) -> Fr {
        *x
    }

    #[inline(always)]
    fn splat(x: &Fr) -> Self {
        Self([*x; WIDTH])
    }

    #[inline(always)]
    fn load(from: &[Fr]) -> Self {
        Self(std::array::from_fn(|i| from[i]))
    }

    #[inline(always)]
    fn gather(from: &[Fr], stride: usize) -> Self {
        Self(std::array::from_fn(|i| from[i * stride]))
    }

    #[inline(always)]
    fn store(self, to: &mut [Fr]) {
        to[..WIDTH].copy_from_slice(&self.0);
    }

    #[inline(always)]
    fn store_canonical(self, to: &mut [Fr]) {
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
    fn wide() -> Self {
        Self([Fr::zero(); WIDTH])
    }

    #[inline(always)]
    fn accumulate(wide: Self, a: Self, b: Self) -> Self {
        Self(std::array::from_fn(|i| wide.0[i] + a.0[i] * b.0[i]))
    }

    #[inline(always)]
    fn accumulate_constant(wide: Self, a: Self, b: &Fr) -> Self {
        Self(std::array::from_fn(|i| wide.0[i] + a.0[i] * b))
    }

    #[inline(always)]
    fn reduce(wide: Self) -> Self {
        wide
    }
}
