//! Lanes in AVX2: nine limbs of 29 bits, four elements to a register, two registers to a limb.
//!
//! `vpmuludq` multiplies the low halves of 64-bit lanes, and two such units do twice what the one
//! unit for 64-bit products does four limbs at a time: 81 products of 29 bits for four elements take
//! about 40 cycles, 16 products of 64 bits for one element about 20. Carries can wait: a sum takes
//! [`RELAX`](Lanes::RELAX) products and a reduction before its columns pass `2^64`.
//!
//! Limbs may exceed `2^29` by a few units between operations; [`normalized`] makes them exact.
//!
//! # Safety
//!
//! The intrinsics may run only on a machine that has them: [`super::run`] sees to that. Memory is
//! read and written within slices whose lengths are checked first; elements are four `u64` and
//! nothing else, which [`super::modulus`] asserts.
#![allow(unsafe_code)]

use std::arch::x86_64::*;
use std::marker::PhantomData;

use super::modulus::{limbs, negated_inverse, LAYOUT};
use super::{Lanes, Modulus, MAX_BOUND, WIDTH};

const LIMBS: usize = 9;
const BITS: u32 = 29;
const MASK: u64 = (1 << BITS) - 1;
/// Columns of a product.
const COLUMNS: usize = 2 * LIMBS - 1;
/// Registers to a limb.
const HALVES: usize = 2;

type Limbs = [__m256i; LIMBS];

/// Eight loose elements, nine limbs each.
#[derive(Clone, Copy)]
pub(crate) struct Avx2<F>([Limbs; HALVES], PhantomData<F>);

/// Columns of a sum of products, carries pending.
#[derive(Clone, Copy)]
pub(crate) struct Wide([[__m256i; COLUMNS]; HALVES]);

struct Constants<F>(PhantomData<F>);

impl<F: Modulus> Constants<F> {
    const P: [u64; LIMBS] = split(F::ORDER);
    const NEGATED_INVERSE: u64 = negated_inverse(F::ORDER) & MASK;
    /// `2^261 - p`.
    const COMPLEMENT: [u64; LIMBS] = {
        let (mut x, mut borrow, mut i) = ([0; LIMBS], 0, 0);
        while i < LIMBS {
            let taken = Self::P[i] + borrow;
            borrow = (taken > 0) as u64;
            x[i] = (borrow << BITS) - taken;
            i += 1;
        }
        assert!(borrow == 1);
        x
    };
    /// `b·p` for every bound `b`, with limbs from which those of any value can be taken: each but
    /// the last has lent `2^31` of the next.
    const LIFTS: [[u64; LIMBS]; MAX_BOUND as usize + 1] = {
        let mut table = [[0; LIMBS]; MAX_BOUND as usize + 1];
        let mut b = 0;
        while b < table.len() {
            let (mut carry, mut i) = (0, 0);
            while i < LIMBS {
                let sum = Self::P[i] * b as u64 + carry;
                table[b][i] = sum & MASK;
                carry = sum >> BITS;
                i += 1;
            }
            assert!(carry == 0, "64 p is below 2^261");
            i = 0;
            while i < LIMBS {
                if i + 1 < LIMBS {
                    table[b][i] += 4 << BITS;
                }
                if i > 0 {
                    table[b][i] = table[b][i].wrapping_sub(4);
                }
                i += 1;
            }
            b += 1;
        }
        table
    };
}

/// Nine limbs of 29 bits.
const fn split(x: [u64; 4]) -> [u64; LIMBS] {
    let (mut out, mut i) = ([0; LIMBS], 0);
    while i < LIMBS {
        let (word, offset) = (i * BITS as usize / 64, i as u32 * BITS % 64);
        out[i] = x[word] >> offset;
        if offset + BITS > 64 && word < 3 {
            out[i] |= x[word + 1] << (64 - offset);
        }
        out[i] &= MASK;
        i += 1;
    }
    out
}

#[inline(always)]
fn all(x: u64) -> __m256i {
    // SAFETY: see the module.
    unsafe { _mm256_set1_epi64x(x as i64) }
}

#[inline(always)]
fn zero() -> __m256i {
    // SAFETY: see the module.
    unsafe { _mm256_setzero_si256() }
}

/// `a·b + c`, of the low halves of `a` and `b`.
#[inline(always)]
fn mul_add(c: __m256i, a: __m256i, b: __m256i) -> __m256i {
    // SAFETY: see the module.
    unsafe { _mm256_add_epi64(c, _mm256_mul_epu32(a, b)) }
}

/// Limbs below `2^34` brought to at most `2^29 + 31`, each carry by one limb alone, so that none
/// waits for another. The last limb takes what comes.
#[inline(always)]
fn relaxed(x: Limbs) -> Limbs {
    let mut out = x;
    // SAFETY: see the module.
    unsafe {
        out[0] = _mm256_and_si256(x[0], all(MASK));
        for i in 1..LIMBS {
            let carry = _mm256_srli_epi64::<{ BITS as i32 }>(x[i - 1]);
            let kept = match i + 1 < LIMBS {
                true => _mm256_and_si256(x[i], all(MASK)),
                false => x[i],
            };
            out[i] = _mm256_add_epi64(kept, carry);
        }
    }
    out
}

/// Limbs below `2^29`, but for the last.
#[inline(always)]
fn normalized(mut x: Limbs) -> Limbs {
    // SAFETY: see the module.
    unsafe {
        for i in 0..LIMBS - 1 {
            x[i + 1] = _mm256_add_epi64(x[i + 1], _mm256_srli_epi64::<{ BITS as i32 }>(x[i]));
            x[i] = _mm256_and_si256(x[i], all(MASK));
        }
    }
    x
}

/// The transposed matrix of four registers. It is its own inverse.
#[inline(always)]
fn transposed(r: [__m256i; 4]) -> [__m256i; 4] {
    // SAFETY: see the module.
    unsafe {
        let a = _mm256_unpacklo_epi64(r[0], r[1]);
        let b = _mm256_unpackhi_epi64(r[0], r[1]);
        let c = _mm256_unpacklo_epi64(r[2], r[3]);
        let d = _mm256_unpackhi_epi64(r[2], r[3]);
        [
            _mm256_permute2x128_si256::<0x20>(a, c),
            _mm256_permute2x128_si256::<0x20>(b, d),
            _mm256_permute2x128_si256::<0x31>(a, c),
            _mm256_permute2x128_si256::<0x31>(b, d),
        ]
    }
}

/// Bits from `64 - $left` of one word on, the first of the next above them.
macro_rules! straddling {
    ($low:expr, $right:literal, $high:expr) => {
        _mm256_or_si256(
            _mm256_srli_epi64::<$right>($low),
            _mm256_slli_epi64::<{ 64 - $right }>($high),
        )
    };
}

/// One element to each register in, one limb of four elements to each register out.
#[inline(always)]
fn unpacked(elements: [__m256i; 4]) -> Limbs {
    let w = transposed(elements);
    // SAFETY: see the module.
    unsafe {
        let mut x = [
            w[0],
            _mm256_srli_epi64::<29>(w[0]),
            straddling!(w[0], 58, w[1]),
            _mm256_srli_epi64::<23>(w[1]),
            straddling!(w[1], 52, w[2]),
            _mm256_srli_epi64::<17>(w[2]),
            straddling!(w[2], 46, w[3]),
            _mm256_srli_epi64::<11>(w[3]),
            _mm256_srli_epi64::<40>(w[3]),
        ];
        for limb in &mut x[..LIMBS - 1] {
            *limb = _mm256_and_si256(*limb, all(MASK));
        }
        x
    }
}

/// The reverse; limbs must be normalized and the whole below `2^256`.
#[inline(always)]
fn packed(x: Limbs) -> [__m256i; 4] {
    // SAFETY: see the module.
    unsafe {
        let or = |a, b, c| _mm256_or_si256(_mm256_or_si256(a, b), c);
        transposed([
            or(
                x[0],
                _mm256_slli_epi64::<29>(x[1]),
                _mm256_slli_epi64::<58>(x[2]),
            ),
            or(
                _mm256_srli_epi64::<6>(x[2]),
                _mm256_slli_epi64::<23>(x[3]),
                _mm256_slli_epi64::<52>(x[4]),
            ),
            or(
                _mm256_srli_epi64::<12>(x[4]),
                _mm256_slli_epi64::<17>(x[5]),
                _mm256_slli_epi64::<46>(x[6]),
            ),
            or(
                _mm256_srli_epi64::<18>(x[6]),
                _mm256_slli_epi64::<11>(x[7]),
                _mm256_slli_epi64::<40>(x[8]),
            ),
        ])
    }
}

impl<F: Modulus> Avx2<F> {
    #[inline(always)]
    fn write(halves: [Limbs; HALVES], to: &mut [F]) {
        let to = to[..WIDTH].as_mut_ptr().cast::<__m256i>();
        for (half, limbs) in halves.into_iter().enumerate() {
            for (i, element) in packed(limbs).into_iter().enumerate() {
                // SAFETY: eight elements of 32 bytes are eight registers.
                unsafe { _mm256_storeu_si256(to.add(4 * half + i), element) };
            }
        }
    }
}

impl<F: Modulus> Lanes for Avx2<F> {
    type Field = F;
    type Constant = [u64; LIMBS];
    type Wide = Wide;
    const LIFT: u64 = 32;
    // A product adds less than 9·(2^29 + 32)^2 to a column; six of them, what `relax` leaves and
    // what the reduction adds, as much as a product, stay below 2^64.
    const RELAX: usize = 6;
    const BLOCK: usize = 1;

    #[inline(always)]
    fn constant(x: &F) -> [u64; LIMBS] {
        split(limbs(&(*x * F::from(Self::LIFT))))
    }

    #[inline(always)]
    fn splat(x: &[u64; LIMBS]) -> Self {
        let mut out = [zero(); LIMBS];
        for i in 0..LIMBS {
            out[i] = all(x[i]);
        }
        Self([out; HALVES], PhantomData)
    }

    #[inline(always)]
    fn load(from: &[F]) -> Self {
        Self::gather(from, 1)
    }

    #[inline(always)]
    fn gather(from: &[F], stride: usize) -> Self {
        let () = LAYOUT;
        let last = (WIDTH - 1) * stride;
        let from = from[..=last].as_ptr();
        let mut out = [[zero(); LIMBS]; HALVES];
        for (half, limbs) in out.iter_mut().enumerate() {
            let mut elements = [zero(); 4];
            for (i, element) in elements.iter_mut().enumerate() {
                let at = (4 * half + i) * stride;
                // SAFETY: the furthest element is within the slice.
                *element = unsafe { _mm256_loadu_si256(from.add(at).cast()) };
            }
            *limbs = unpacked(elements);
        }
        Self(out, PhantomData)
    }

    #[inline(always)]
    fn store(self, to: &mut [F]) {
        Self::write([normalized(self.0[0]), normalized(self.0[1])], to);
    }

    #[inline(always)]
    fn store_canonical(self, to: &mut [F]) {
        let mut halves = self.0;
        for half in &mut halves {
            let old = normalized(*half);
            let mut less = old;
            // SAFETY: see the module.
            unsafe {
                for i in 0..LIMBS {
                    less[i] = _mm256_add_epi64(less[i], all(Constants::<F>::COMPLEMENT[i]));
                }
                let mut less = normalized(less);
                // Bit 261 tells that nothing was borrowed: p could be taken.
                let top = less[LIMBS - 1];
                let taken = _mm256_srli_epi64::<{ BITS as i32 }>(top);
                let taken = _mm256_sub_epi64(zero(), taken);
                less[LIMBS - 1] = _mm256_and_si256(top, all(MASK));
                for i in 0..LIMBS {
                    half[i] = _mm256_blendv_epi8(old[i], less[i], taken);
                }
            }
        }
        Self::write(halves, to);
    }

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        let mut out = self.0;
        for half in 0..HALVES {
            for i in 0..LIMBS {
                // SAFETY: see the module.
                out[half][i] = unsafe { _mm256_add_epi64(self.0[half][i], other.0[half][i]) };
            }
            out[half] = relaxed(out[half]);
        }
        Self(out, PhantomData)
    }

    #[inline(always)]
    fn sub(self, other: Self, lift: u32) -> Self {
        let lift = &Constants::<F>::LIFTS[lift as usize];
        let mut out = self.0;
        for half in 0..HALVES {
            for i in 0..LIMBS {
                // SAFETY: see the module.
                out[half][i] = unsafe {
                    let lifted = _mm256_add_epi64(self.0[half][i], all(lift[i]));
                    _mm256_sub_epi64(lifted, other.0[half][i])
                };
            }
            // Not relaxed: the last limb of a value near zero would be left negative.
            out[half] = normalized(out[half]);
        }
        Self(out, PhantomData)
    }

    #[inline(always)]
    fn wide() -> Wide {
        Wide([[zero(); COLUMNS]; HALVES])
    }

    #[inline(always)]
    fn accumulate(mut wide: Wide, a: &Self, b: &Self) -> Wide {
        for half in 0..HALVES {
            let (w, a, b) = (&mut wide.0[half], &a.0[half], &b.0[half]);
            for i in 0..LIMBS {
                for j in 0..LIMBS {
                    w[i + j] = mul_add(w[i + j], a[i], b[j]);
                }
            }
        }
        wide
    }

    #[inline(always)]
    fn accumulate_constant(mut wide: Wide, a: &Self, b: &[u64; LIMBS]) -> Wide {
        for half in 0..HALVES {
            let (w, a) = (&mut wide.0[half], &a.0[half]);
            for i in 0..LIMBS {
                for j in 0..LIMBS {
                    w[i + j] = mul_add(w[i + j], a[i], all(b[j]));
                }
            }
        }
        wide
    }

    #[inline(always)]
    fn relax(mut wide: Wide) -> Wide {
        for w in &mut wide.0 {
            // SAFETY: see the module.
            unsafe {
                for i in 0..COLUMNS - 1 {
                    w[i + 1] =
                        _mm256_add_epi64(w[i + 1], _mm256_srli_epi64::<{ BITS as i32 }>(w[i]));
                    w[i] = _mm256_and_si256(w[i], all(MASK));
                }
            }
        }
        wide
    }

    /// Montgomery: a multiple of `p` clears the lowest column, nine times.
    #[inline(always)]
    fn reduce(wide: Wide) -> Self {
        let mut out = [[zero(); LIMBS]; HALVES];
        for (mut w, out) in wide.0.into_iter().zip(&mut out) {
            // SAFETY: see the module.
            unsafe {
                for i in 0..LIMBS {
                    let m = _mm256_mul_epu32(w[i], all(Constants::<F>::NEGATED_INVERSE));
                    let m = _mm256_and_si256(m, all(MASK));
                    for j in 0..LIMBS {
                        w[i + j] = mul_add(w[i + j], m, all(Constants::<F>::P[j]));
                    }
                    w[i + 1] =
                        _mm256_add_epi64(w[i + 1], _mm256_srli_epi64::<{ BITS as i32 }>(w[i]));
                }
                for i in 0..LIMBS - 1 {
                    out[i] = w[LIMBS + i];
                }
            }
            *out = normalized(*out);
        }
        Self(out, PhantomData)
    }
}
