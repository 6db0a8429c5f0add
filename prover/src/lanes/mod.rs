//! Eight elements of a field side by side.
//!
//! Transforms, gates and sums of points do the same to every row. [`Lanes`] is what they are
//! written in. All kinds give the same bytes:
//!
//! | kind | what it uses |
//! |---|---|
//! | [`Portable`] | 64-bit products of plain Rust, one element at a time |
//! | [`Avx2`] | the 32-bit multipliers of AVX2, four elements to a register |
//! | [`Ifma`] | the 52-bit multipliers of AVX-512, eight elements to a register |
//!
//! A [`Kernel`] is code that is written once and compiled for each of them; [`run`] takes the one
//! that [`Arithmetic::active`] names.
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
//! After every [`Lanes::RELAX`] terms of a sum, [`Lanes::relax`] must be called.
//!
//! # Montgomery form
//!
//! Elements in memory are 32 bytes: `x·2^256 mod p` in halo2curves. `Ifma` computes with
//! `x·2^260`, `Avx2` with `x·2^261`, so that a value that crosses over is multiplied by
//! [`Lanes::LIFT`] once; callers merge that factor with one they need anyhow.

#[cfg(target_arch = "x86_64")]
mod avx2;
mod choice;
#[cfg(target_arch = "x86_64")]
mod ifma;
mod modulus;
mod portable;
#[cfg(test)]
mod tests;

#[cfg(target_arch = "x86_64")]
pub(crate) use avx2::Avx2;
pub use choice::{Arithmetic, BadArithmetic};
#[cfg(target_arch = "x86_64")]
pub(crate) use ifma::Ifma;
pub(crate) use modulus::{limbs, Modulus};
pub(crate) use portable::Portable;

use halo2_proofs::halo2curves::bn256::{Fq, Fr};

/// Elements side by side.
pub(crate) const WIDTH: usize = 8;
/// Largest bound of a value: `64·p < 2^260`.
pub(crate) const MAX_BOUND: u32 = 64;
/// What a Montgomery reduction divides a bound by at least: `2^260 / p > 84`.
pub(crate) const SHRINK: u32 = 84;
/// Products that may be summed before a reduction: in `Ifma` a limb takes ten terms below `2^52` of
/// each, and as many again from the reduction, and must stay below `2^64`.
pub(crate) const MAX_TERMS: usize = 400;

/// Eight loose elements.
pub(crate) trait Lanes: Copy {
    /// The field.
    type Field: Modulus;
    /// A constant, the same in all lanes.
    type Constant: Copy + Send + Sync;
    /// A sum of products before its reduction.
    type Wide: Copy;
    /// What a value of halo2curves is multiplied by to be one in lanes.
    const LIFT: u64;
    /// Terms that a sum of products takes before it must be relaxed.
    const RELAX: usize;
    /// Vectors on which an instruction of a program works before the next is decoded: enough to
    /// hide its latency, few enough for the values to stay in the cache.
    const BLOCK: usize;

    /// A constant; its bound is 1.
    fn constant(x: &Self::Field) -> Self::Constant;
    /// The constant in all lanes.
    fn splat(x: &Self::Constant) -> Self;
    /// The first eight elements, as they are: their bound is that with which they were stored.
    fn load(from: &[Self::Field]) -> Self;
    /// Eight elements, `stride` apart.
    fn gather(from: &[Self::Field], stride: usize) -> Self;
    /// Stores loosely. The bound must be at most 4.
    fn store(self, to: &mut [Self::Field]);
    /// Stores in canonical form. The bound must be at most 4.
    fn store_canonical(self, to: &mut [Self::Field]);
    /// The sum.
    fn add(self, other: Self) -> Self;
    /// The difference, with `lift·p` added so that it is positive.
    fn sub(self, other: Self, lift: u32) -> Self;
    /// The empty sum of products.
    fn wide() -> Self::Wide;
    /// Adds a product.
    fn accumulate(wide: Self::Wide, a: &Self, b: &Self) -> Self::Wide;
    /// Adds a square.
    #[inline(always)]
    fn accumulate_square(wide: Self::Wide, a: &Self) -> Self::Wide {
        Self::accumulate(wide, a, a)
    }
    /// Adds a product with a constant.
    fn accumulate_constant(wide: Self::Wide, a: &Self, b: &Self::Constant) -> Self::Wide;
    /// Makes room for [`Self::RELAX`] further terms.
    fn relax(wide: Self::Wide) -> Self::Wide;
    /// Reduces a sum of products.
    fn reduce(wide: Self::Wide) -> Self;

    /// The product. `a·b ≤ SHRINK` gives bound 2.
    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        Self::reduce(Self::accumulate(Self::wide(), &self, &other))
    }

    /// The square.
    #[inline(always)]
    fn square(self) -> Self {
        Self::reduce(Self::accumulate_square(Self::wide(), &self))
    }

    /// The product with a constant.
    #[inline(always)]
    fn mul_constant(self, other: &Self::Constant) -> Self {
        Self::reduce(Self::accumulate_constant(Self::wide(), &self, other))
    }
}

/// Lanes of both fields of the curve.
pub(crate) trait Engine {
    /// Of the scalar field.
    type Scalars: Lanes<Field = Fr>;
    /// Of the base field.
    type Coordinates: Lanes<Field = Fq>;
}

/// Code over lanes. `run` must be `inline(always)`, and so must all that it calls: what is not
/// inlined lacks the instructions of the machine. Closures often are not.
pub(crate) trait Kernel {
    /// What it gives.
    type Output;

    /// Runs on one kind of lanes.
    fn run<E: Engine>(self) -> Self::Output;
}

struct Plain;

impl Engine for Plain {
    type Scalars = Portable<Fr>;
    type Coordinates = Portable<Fq>;
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use super::*;

    pub(super) struct Vectors256;

    impl Engine for Vectors256 {
        type Scalars = Avx2<Fr>;
        type Coordinates = Avx2<Fq>;
    }

    pub(super) struct Vectors512;

    impl Engine for Vectors512 {
        type Scalars = Ifma<Fr>;
        type Coordinates = Ifma<Fq>;
    }

    #[target_feature(enable = "avx2,bmi2,adx")]
    pub(super) fn with_avx2<K: Kernel>(kernel: K) -> K::Output {
        kernel.run::<Vectors256>()
    }

    #[target_feature(enable = "avx512f,avx512ifma,bmi2,adx")]
    pub(super) fn with_ifma<K: Kernel>(kernel: K) -> K::Output {
        kernel.run::<Vectors512>()
    }
}

/// Asks the machine to bring a value near, which will be read soon.
#[allow(unsafe_code)]
#[inline(always)]
pub(crate) fn prefetch<T>(value: &T) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: a hint; every x86-64 processor has the instruction.
    unsafe {
        use std::arch::x86_64::{_mm_prefetch, _MM_HINT_T0};
        _mm_prefetch::<_MM_HINT_T0>(std::ptr::from_ref(value).cast());
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = value;
}

/// Runs a kernel on the arithmetic in use.
pub(crate) fn run<K: Kernel>(kernel: K) -> K::Output {
    run_on(Arithmetic::active(), kernel)
}

/// Runs a kernel on an arithmetic that this machine has.
#[allow(unsafe_code)]
pub(crate) fn run_on<K: Kernel>(arithmetic: Arithmetic, kernel: K) -> K::Output {
    assert!(arithmetic.is_supported(), "{arithmetic} is not for this processor");
    match arithmetic {
        Arithmetic::Portable => kernel.run::<Plain>(),
        // SAFETY: the machine has the instructions.
        #[cfg(target_arch = "x86_64")]
        Arithmetic::Mulx => unsafe { x86::with_avx2(kernel) },
        #[cfg(target_arch = "x86_64")]
        Arithmetic::Ifma => unsafe { x86::with_ifma(kernel) },
        #[cfg(not(target_arch = "x86_64"))]
        Arithmetic::Mulx | Arithmetic::Ifma => kernel.run::<Plain>(),
    }
}
