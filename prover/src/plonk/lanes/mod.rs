//! Eight elements of the scalar field side by side.
//!
//! Transforms and the evaluation of gates do the same to every row. [`Lanes`] is what they are
//! written in; [`Portable`] is halo2curves' arithmetic eight times, [`Ifma`] uses the 52-bit
//! multipliers of AVX-512 and is about five times as fast. Both give the same bytes.
//!
//! # Loose values
//!
//! A value in lanes is a multiple of the modulus away from its canonical form, and need not be
//! less than the modulus `p`: each has a *bound* `b` such that it is below `b·p`. Whoever computes
//! with lanes keeps count:
//!
//! | operation | bound |
//! |---|---|
//! | `a.add(b)` | `a + b` |
//! | `a.sub(b, lift)` with `lift ≥ b` | `a + lift` |
//! | a sum of products | `⌈Σ aᵢ·bᵢ / SHRINK⌉ + 1` |
//! | constants, canonical values | 1 |
//!
//! No bound may pass [`MAX_BOUND`], no sum of products `SHRINK · MAX_BOUND` or [`MAX_TERMS`] terms.
//!
//! # Montgomery form
//!
//! Elements in memory are 32 bytes: `x·2^256 mod p` in halo2curves. `Ifma` computes with
//! `x·2^260`, so that a value that crosses over is multiplied by [`Lanes::LIFT`] once; callers
//! merge that factor with one they need anyhow.

#[cfg(target_arch = "x86_64")]
mod ifma;
mod portable;
#[cfg(test)]
mod tests;

use crate::Fr;

#[cfg(target_arch = "x86_64")]
pub(super) use ifma::Ifma;
pub(super) use portable::Portable;

/// Elements side by side.
pub(super) const WIDTH: usize = 8;
/// Largest bound of a value: `64·p < 2^260`.
pub(super) const MAX_BOUND: u32 = 64;
/// What a Montgomery reduction divides a bound by: `2^260 / p > 84`.
pub(super) const SHRINK: u32 = 84;
/// Products that may be summed before a reduction: a limb takes ten terms below `2^52` of each,
/// and as many again from the reduction, and must stay below `2^64`.
pub(super) const MAX_TERMS: usize = 400;

/// Eight loose elements.
pub(super) trait Lanes: Copy {
    /// A constant, the same in all lanes.
    type Constant: Copy + Send + Sync;
    /// A sum of products before its reduction.
    type Wide: Copy;
    /// What a value of halo2curves is multiplied by to be one in lanes.
    const LIFT: u64;

    /// A constant; its bound is 1.
    fn constant(x: &Fr) -> Self::Constant;
    /// The constant in all lanes.
    fn splat(x: &Self::Constant) -> Self;
    /// The first eight elements, as they are: their bound is that with which they were stored.
    fn load(from: &[Fr]) -> Self;
    /// Eight elements, `stride` apart.
    fn gather(from: &[Fr], stride: usize) -> Self;
    /// Stores loosely. The bound must be at most 4.
    fn store(self, to: &mut [Fr]);
    /// Stores in canonical form. The bound must be at most 2.
    fn store_canonical(self, to: &mut [Fr]);
    /// The sum.
    fn add(self, other: Self) -> Self;
    /// The difference, with `lift·p` added so that it is positive.
    fn sub(self, other: Self, lift: u32) -> Self;
    /// The empty sum of products.
    fn wide() -> Self::Wide;
    /// Adds a product.
    fn accumulate(wide: Self::Wide, a: Self, b: Self) -> Self::Wide;
    /// Adds a product with a constant.
    fn accumulate_constant(wide: Self::Wide, a: Self, b: &Self::Constant) -> Self::Wide;
    /// Reduces a sum of products.
    fn reduce(wide: Self::Wide) -> Self;

    /// The product. `a·b ≤ SHRINK` gives bound 2.
    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        Self::reduce(Self::accumulate(Self::wide(), self, other))
    }

    /// The product with a constant.
    #[inline(always)]
    fn mul_constant(self, other: &Self::Constant) -> Self {
        Self::reduce(Self::accumulate_constant(Self::wide(), self, other))
    }
}

/// Whether this machine has what [`Ifma`] needs.
pub(super) fn has_ifma() -> bool {
    #[cfg(target_arch = "x86_64")]
    {
        is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512ifma")
    }
    #[cfg(not(target_arch = "x86_64"))]
    false
}
