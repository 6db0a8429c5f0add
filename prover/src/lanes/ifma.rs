//! Lanes in AVX-512: five limbs of 52 bits, eight elements to a register.
//!
//! The instructions `vpmadd52luq` and `vpmadd52huq` multiply 52-bit limbs and add the low or high
//! half of the product to a 64-bit lane, so that carries can wait. Limbs are below `2^52` between
//! operations.
//!
//! # Safety
//!
//! The intrinsics may run only on a machine that has them: [`super::run`] sees to that. Memory is
//! read and written within slices whose lengths are checked first; elements are four `u64` and
//! nothing else, which [`super::modulus`] asserts.
//!
//! There are no closures here: one that the compiler does not inline lacks the instructions of the
//! function that it stands in, and each intrinsic in it becomes a call.
#![allow(unsafe_code)]

use std::arch::x86_64::*;
use std::marker::PhantomData;

use super::modulus::{limbs, negated_inverse, LAYOUT};
use super::{Lanes, Modulus, MAX_BOUND, WIDTH};

const LIMBS: usize = 5;
const MASK: u64 = (1 << 52) - 1;

struct Constants<F>(PhantomData<F>);

impl<F: Modulus> Constants<F> {
    const P: [u64; LIMBS] = split(F::ORDER);
    const NEGATED_INVERSE: u64 = negated_inverse(F::ORDER) & MASK;
    /// `b·p` for every bound `b`.
    const MULTIPLES: [[u64; LIMBS]; MAX_BOUND as usize + 1] = {
        let mut table = [[0; LIMBS]; MAX_BOUND as usize + 1];
        let mut b = 1;
        while b < table.len() {
            let (mut carry, mut i) = (0, 0);
            while i < LIMBS {
                let sum = table[b - 1][i] + Self::P[i] + carry;
                table[b][i] = sum & MASK;
                carry = sum >> 52;
                i += 1;
            }
            assert!(carry == 0, "64 p is below 2^260");
            b += 1;
        }
        table
    };
}

const fn split(x: [u64; 4]) -> [u64; LIMBS] {
    [
        x[0] & MASK,
        (x[0] >> 52 | x[1] << 12) & MASK,
        (x[1] >> 40 | x[2] << 24) & MASK,
        (x[2] >> 28 | x[3] << 36) & MASK,
        x[3] >> 16,
    ]
}

/// Eight loose elements, five limbs each.
#[derive(Clone, Copy)]
pub(crate) struct Ifma<F>([__m512i; LIMBS], PhantomData<F>);

/// Ten columns of a product, carries pending.
#[derive(Clone, Copy)]
pub(crate) struct Wide([__m512i; 2 * LIMBS]);

#[inline(always)]
fn all(x: u64) -> __m512i {
    // SAFETY: see the module.
    unsafe { _mm512_set1_epi64(x as i64) }
}

/// Brings limbs, which may be negative or exceed 52 bits, below `2^52`. The whole is positive.
#[inline(always)]
fn carried(mut x: [__m512i; LIMBS]) -> [__m512i; LIMBS] {
    // SAFETY: see the module.
    unsafe {
        for i in 0..LIMBS - 1 {
            x[i + 1] = _mm512_add_epi64(x[i + 1], _mm512_srai_epi64::<52>(x[i]));
            x[i] = _mm512_and_si512(x[i], all(MASK));
        }
    }
    x
}

/// Two elements to each register in, one limb of eight elements to each register out, split.
#[inline(always)]
unsafe fn transposed(pairs: [__m512i; 4]) -> [__m512i; LIMBS] {
    let low = _mm512_setr_epi64(0, 4, 8, 12, 1, 5, 9, 13);
    let high = _mm512_setr_epi64(2, 6, 10, 14, 3, 7, 11, 15);
    let a = _mm512_permutex2var_epi64(pairs[0], low, pairs[1]);
    let b = _mm512_permutex2var_epi64(pairs[0], high, pairs[1]);
    let c = _mm512_permutex2var_epi64(pairs[2], low, pairs[3]);
    let d = _mm512_permutex2var_epi64(pairs[2], high, pairs[3]);
    let x = [
        _mm512_shuffle_i64x2::<0x44>(a, c),
        _mm512_shuffle_i64x2::<0xee>(a, c),
        _mm512_shuffle_i64x2::<0x44>(b, d),
        _mm512_shuffle_i64x2::<0xee>(b, d),
    ];
    let mut limbs = [
        x[0],
        _mm512_or_si512(_mm512_srli_epi64::<52>(x[0]), _mm512_slli_epi64::<12>(x[1])),
        _mm512_or_si512(_mm512_srli_epi64::<40>(x[1]), _mm512_slli_epi64::<24>(x[2])),
        _mm512_or_si512(_mm512_srli_epi64::<28>(x[2]), _mm512_slli_epi64::<36>(x[3])),
        _mm512_srli_epi64::<16>(x[3]),
    ];
    for limb in &mut limbs[..LIMBS - 1] {
        *limb = _mm512_and_si512(*limb, all(MASK));
    }
    limbs
}

impl<F: Modulus> Lanes for Ifma<F> {
    type Field = F;
    type Constant = [u64; LIMBS];
    type Wide = Wide;
    const LIFT: u64 = 16;
    const RELAX: usize = usize::MAX;
    const BLOCK: usize = 2;

    #[inline(always)]
    fn constant(x: &F) -> [u64; LIMBS] {
        split(limbs(&(*x * F::from(Self::LIFT))))
    }

    #[inline(always)]
    fn splat(x: &[u64; LIMBS]) -> Self {
        let limbs = [all(x[0]), all(x[1]), all(x[2]), all(x[3]), all(x[4])];
        Self(limbs, PhantomData)
    }

    #[inline(always)]
    fn load(from: &[F]) -> Self {
        let () = LAYOUT;
        let from = from[..WIDTH].as_ptr().cast::<__m512i>();
        // SAFETY: eight elements of 32 bytes are four registers.
        unsafe {
            let mut pairs = [all(0); 4];
            for (i, pair) in pairs.iter_mut().enumerate() {
                *pair = _mm512_loadu_si512(from.add(i).cast());
            }
            Self(transposed(pairs), PhantomData)
        }
    }

    #[inline(always)]
    fn gather(from: &[F], stride: usize) -> Self {
        let last = (WIDTH - 1) * stride;
        let from = from[..=last].as_ptr();
        // SAFETY: the furthest element is within the slice.
        unsafe {
            let mut pairs = [all(0); 4];
            for (i, pair) in pairs.iter_mut().enumerate() {
                let even = _mm256_loadu_si256(from.add(2 * i * stride).cast());
                let odd = _mm256_loadu_si256(from.add((2 * i + 1) * stride).cast());
                *pair = _mm512_inserti64x4::<1>(_mm512_castsi256_si512(even), odd);
            }
            Self(transposed(pairs), PhantomData)
        }
    }

    #[inline(always)]
    fn store(self, to: &mut [F]) {
        let to = to[..WIDTH].as_mut_ptr().cast::<__m512i>();
        let x = self.0;
        // SAFETY: eight elements of 32 bytes are four registers.
        unsafe {
            let l = [
                _mm512_or_si512(x[0], _mm512_slli_epi64::<52>(x[1])),
                _mm512_or_si512(_mm512_srli_epi64::<12>(x[1]), _mm512_slli_epi64::<40>(x[2])),
                _mm512_or_si512(_mm512_srli_epi64::<24>(x[2]), _mm512_slli_epi64::<28>(x[3])),
                _mm512_or_si512(_mm512_srli_epi64::<36>(x[3]), _mm512_slli_epi64::<16>(x[4])),
            ];
            let first = _mm512_setr_epi64(0, 4, 8, 12, 1, 5, 9, 13);
            let second = _mm512_setr_epi64(2, 6, 10, 14, 3, 7, 11, 15);
            let a = _mm512_shuffle_i64x2::<0x44>(l[0], l[1]);
            let b = _mm512_shuffle_i64x2::<0x44>(l[2], l[3]);
            let c = _mm512_shuffle_i64x2::<0xee>(l[0], l[1]);
            let d = _mm512_shuffle_i64x2::<0xee>(l[2], l[3]);
            let out = [
                _mm512_permutex2var_epi64(a, first, b),
                _mm512_permutex2var_epi64(a, second, b),
                _mm512_permutex2var_epi64(c, first, d),
                _mm512_permutex2var_epi64(c, second, d),
            ];
            for (i, pair) in out.into_iter().enumerate() {
                _mm512_storeu_si512(to.add(i).cast(), pair);
            }
        }
    }

    #[inline(always)]
    fn store_canonical(self, to: &mut [F]) {
        let mut reduced = self.0;
        for multiple in [2, 1] {
            let taken = &Constants::<F>::MULTIPLES[multiple];
            // SAFETY: see the module.
            unsafe {
                let mut less = reduced;
                for (limb, p) in less.iter_mut().zip(taken) {
                    *limb = _mm512_sub_epi64(*limb, all(*p));
                }
                let less = carried(less);
                let negative = _mm512_cmplt_epi64_mask(less[LIMBS - 1], all(0));
                for (old, new) in reduced.iter_mut().zip(less) {
                    *old = _mm512_mask_blend_epi64(negative, new, *old);
                }
            }
        }
        Self(reduced, PhantomData).store(to);
    }

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        let mut x = self.0;
        for (x, y) in x.iter_mut().zip(other.0) {
            // SAFETY: see the module.
            *x = unsafe { _mm512_add_epi64(*x, y) };
        }
        Self(carried(x), PhantomData)
    }

    #[inline(always)]
    fn sub(self, other: Self, lift: u32) -> Self {
        let lift = &Constants::<F>::MULTIPLES[lift as usize];
        let mut x = self.0;
        for i in 0..LIMBS {
            // SAFETY: see the module.
            x[i] = unsafe { _mm512_sub_epi64(_mm512_add_epi64(x[i], all(lift[i])), other.0[i]) };
        }
        Self(carried(x), PhantomData)
    }

    #[inline(always)]
    fn wide() -> Wide {
        Wide([all(0); 2 * LIMBS])
    }

    #[inline(always)]
    fn accumulate(mut wide: Wide, a: &Self, b: &Self) -> Wide {
        // SAFETY: see the module.
        unsafe {
            for i in 0..LIMBS {
                for j in 0..LIMBS {
                    wide.0[i + j] = _mm512_madd52lo_epu64(wide.0[i + j], a.0[i], b.0[j]);
                }
                for j in 0..LIMBS {
                    wide.0[i + j + 1] = _mm512_madd52hi_epu64(wide.0[i + j + 1], a.0[i], b.0[j]);
                }
            }
        }
        wide
    }

    #[inline(always)]
    fn accumulate_constant(wide: Wide, a: &Self, b: &[u64; LIMBS]) -> Wide {
        Self::accumulate(wide, a, &Self::splat(b))
    }

    #[inline(always)]
    fn relax(wide: Wide) -> Wide {
        wide
    }

    /// Montgomery: a multiple of `p` clears the lowest limb, five times.
    #[inline(always)]
    fn reduce(Wide(mut w): Wide) -> Self {
        // SAFETY: see the module.
        unsafe {
            for i in 0..LIMBS {
                let m = _mm512_madd52lo_epu64(all(0), w[i], all(Constants::<F>::NEGATED_INVERSE));
                for j in 0..LIMBS {
                    w[i + j] = _mm512_madd52lo_epu64(w[i + j], m, all(Constants::<F>::P[j]));
                }
                for j in 0..LIMBS {
                    w[i + j + 1] =
                        _mm512_madd52hi_epu64(w[i + j + 1], m, all(Constants::<F>::P[j]));
                }
                w[i + 1] = _mm512_add_epi64(w[i + 1], _mm512_srli_epi64::<52>(w[i]));
            }
            // Sums of 64 bits: a logical shift, where `carried` takes the top bit for a sign.
            let mut x = [w[5], w[6], w[7], w[8], w[9]];
            for i in 0..LIMBS - 1 {
                x[i + 1] = _mm512_add_epi64(x[i + 1], _mm512_srli_epi64::<52>(x[i]));
                x[i] = _mm512_and_si512(x[i], all(MASK));
            }
            Self(x, PhantomData)
        }
    }
}
