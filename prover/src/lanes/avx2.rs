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
    /// `2^261 - 2·p`, `2^261 - p`.
    const COMPLEMENTS: [[u64; LIMBS]; 2] = [Self::complement(1), Self::complement(0)];

    /// `2^261 - 2^doublings · p`.
    const fn complement(doublings: u32) -> [u64; LIMBS] {
        let p = F::ORDER;
        let doubled =
            [p[0] << 1, p[1] << 1 | p[0] >> 63, p[2] << 1 | p[1] >> 63, p[3] << 1 | p[2] >> 63];
        let limbs = split(if doublings == 1 { doubled } else { p });
        let (mut x, mut borrow, mut i) = ([0; LIMBS], 0, 0);
        while i < LIMBS {
            let taken = limbs[i] + borrow;
            borrow = (taken > 0) as u64;
            x[i] = (borrow << BITS) - taken;
            i += 1;
        }
        x
    }

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

/// Does something with each number as a constant. Loops over limbs that the compiler leaves as loops
/// keep values in memory, where each addition waits for the store of the last.
macro_rules! each {
    ($body:ident: $($n:literal)*) => {
        $( $body!($n); )*
    };
}

/// `acc + Σ aᵢ·b_{K-i}` over the limbs that there are.
#[inline(always)]
fn column<const K: usize>(mut acc: __m256i, a: &Limbs, b: &Limbs) -> __m256i {
    let mut i = K.saturating_sub(LIMBS - 1);
    while i <= K && i < LIMBS {
        acc = mul_add(acc, a[i], b[K - i]);
        i += 1;
    }
    acc
}

/// `acc + Σ aᵢ·a_{K-i}`, where `twice` is `2·a`: each pair once.
#[inline(always)]
fn column_of_square<const K: usize>(mut acc: __m256i, a: &Limbs, twice: &Limbs) -> __m256i {
    let mut i = K.saturating_sub(LIMBS - 1);
    while 2 * i < K {
        acc = mul_add(acc, twice[i], a[K - i]);
        i += 1;
    }
    if K.is_multiple_of(2) {
        acc = mul_add(acc, a[K / 2], a[K / 2]);
    }
    acc
}

/// Adds a square to the columns of a sum.
#[inline(always)]
fn add_square(w: &mut [__m256i; COLUMNS], a: &Limbs) {
    let twice = sum(*a, a);
    macro_rules! add {
        ($k:literal) => {
            w[$k] = column_of_square::<$k>(w[$k], a, &twice);
        };
    }
    each!(add: 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16);
}

/// Adds a product to the columns of a sum.
#[inline(always)]
fn add_product(w: &mut [__m256i; COLUMNS], a: &Limbs, b: &Limbs) {
    macro_rules! add {
        ($k:literal) => {
            w[$k] = column::<$k>(w[$k], a, b);
        };
    }
    each!(add: 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16);
}

/// Limbs below `2^34` brought to at most `2^29 + 31`, each carry by one limb alone, so that none
/// waits for another. The last limb takes what comes.
#[inline(always)]
fn relaxed(x: Limbs) -> Limbs {
    let mut out = x;
    macro_rules! take {
        ($i:literal) => {
            // SAFETY: see the module.
            unsafe {
                let carry = _mm256_srli_epi64::<{ BITS as i32 }>(x[$i]);
                out[$i] = _mm256_and_si256(out[$i], all(MASK));
                out[$i + 1] = _mm256_add_epi64(out[$i + 1], carry);
            }
        };
    }
    // From above, so that a limb is cut before the carry from below is added.
    each!(take: 7 6 5 4 3 2 1 0);
    out
}

/// Limbs below `2^29`, but for the last.
#[inline(always)]
fn normalized(mut x: Limbs) -> Limbs {
    macro_rules! carry {
        ($i:literal) => {
            // SAFETY: see the module.
            unsafe {
                let carry = _mm256_srli_epi64::<{ BITS as i32 }>(x[$i]);
                x[$i + 1] = _mm256_add_epi64(x[$i + 1], carry);
                x[$i] = _mm256_and_si256(x[$i], all(MASK));
            }
        };
    }
    each!(carry: 0 1 2 3 4 5 6 7);
    x
}

/// `a + b` limb by limb.
#[inline(always)]
fn sum(mut a: Limbs, b: &Limbs) -> Limbs {
    macro_rules! add {
        ($i:literal) => {
            // SAFETY: see the module.
            a[$i] = unsafe { _mm256_add_epi64(a[$i], b[$i]) };
        };
    }
    each!(add: 0 1 2 3 4 5 6 7 8);
    a
}

/// `a - b` limb by limb.
#[inline(always)]
fn difference(mut a: Limbs, b: &Limbs) -> Limbs {
    macro_rules! sub {
        ($i:literal) => {
            // SAFETY: see the module.
            a[$i] = unsafe { _mm256_sub_epi64(a[$i], b[$i]) };
        };
    }
    each!(sub: 0 1 2 3 4 5 6 7 8);
    a
}

/// A constant in all lanes.
#[inline(always)]
fn broadcast(x: &[u64; LIMBS]) -> Limbs {
    let mut out = [zero(); LIMBS];
    macro_rules! set {
        ($i:literal) => {
            out[$i] = all(x[$i]);
        };
    }
    each!(set: 0 1 2 3 4 5 6 7 8);
    out
}

/// `x` less a multiple of `p`, whose complement is given, where that can be taken.
#[inline(always)]
fn less(x: Limbs, complement: &[u64; LIMBS]) -> Limbs {
    let mut less = normalized(sum(x, &broadcast(complement)));
    let mut out = x;
    // SAFETY: see the module.
    unsafe {
        // Bit 261 tells that it could.
        let top = less[LIMBS - 1];
        let taken = _mm256_sub_epi64(zero(), _mm256_srli_epi64::<{ BITS as i32 }>(top));
        less[LIMBS - 1] = _mm256_and_si256(top, all(MASK));
        macro_rules! choose {
            ($i:literal) => {
                out[$i] = _mm256_blendv_epi8(x[$i], less[$i], taken);
            };
        }
        each!(choose: 0 1 2 3 4 5 6 7 8);
    }
    out
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
        macro_rules! cut {
            ($i:literal) => {
                x[$i] = _mm256_and_si256(x[$i], all(MASK));
            };
        }
        each!(cut: 0 1 2 3 4 5 6 7);
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
            or(x[0], _mm256_slli_epi64::<29>(x[1]), _mm256_slli_epi64::<58>(x[2])),
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

/// Four elements, `stride` apart.
#[inline(always)]
unsafe fn read<F>(from: *const F, stride: usize) -> Limbs {
    unpacked([
        _mm256_loadu_si256(from.cast()),
        _mm256_loadu_si256(from.add(stride).cast()),
        _mm256_loadu_si256(from.add(2 * stride).cast()),
        _mm256_loadu_si256(from.add(3 * stride).cast()),
    ])
}

/// Four elements side by side.
#[inline(always)]
unsafe fn write<F>(x: Limbs, to: *mut F) {
    let [a, b, c, d] = packed(x);
    let to = to.cast::<__m256i>();
    _mm256_storeu_si256(to, a);
    _mm256_storeu_si256(to.add(1), b);
    _mm256_storeu_si256(to.add(2), c);
    _mm256_storeu_si256(to.add(3), d);
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
        Self([broadcast(x); HALVES], PhantomData)
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
        // SAFETY: the furthest element is within the slice.
        let halves = unsafe { [read(from, stride), read(from.add(4 * stride), stride)] };
        Self(halves, PhantomData)
    }

    #[inline(always)]
    fn store(self, to: &mut [F]) {
        let to = to[..WIDTH].as_mut_ptr();
        // SAFETY: eight elements are within the slice.
        unsafe {
            write(normalized(self.0[0]), to);
            write(normalized(self.0[1]), to.add(4));
        }
    }

    #[inline(always)]
    fn store_canonical(self, to: &mut [F]) {
        let [twice, once] = &Constants::<F>::COMPLEMENTS;
        let [a, b] = self.0;
        let a = less(less(normalized(a), twice), once);
        let b = less(less(normalized(b), twice), once);
        Self([a, b], PhantomData).store(to);
    }

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        let ([a, b], [c, d]) = (self.0, other.0);
        Self([relaxed(sum(a, &c)), relaxed(sum(b, &d))], PhantomData)
    }

    #[inline(always)]
    fn sub(self, other: Self, lift: u32) -> Self {
        let lift = broadcast(&Constants::<F>::LIFTS[lift as usize]);
        let ([a, b], [c, d]) = (self.0, other.0);
        let (a, b) = (sum(a, &lift), sum(b, &lift));
        // Not relaxed: the last limb of a value near zero would be left negative.
        let (a, b) = (normalized(difference(a, &c)), normalized(difference(b, &d)));
        Self([a, b], PhantomData)
    }

    #[inline(always)]
    fn wide() -> Wide {
        Wide([[zero(); COLUMNS]; HALVES])
    }

    #[inline(always)]
    fn accumulate(mut wide: Wide, a: &Self, b: &Self) -> Wide {
        add_product(&mut wide.0[0], &a.0[0], &b.0[0]);
        add_product(&mut wide.0[1], &a.0[1], &b.0[1]);
        wide
    }

    #[inline(always)]
    fn accumulate_square(mut wide: Wide, a: &Self) -> Wide {
        add_square(&mut wide.0[0], &a.0[0]);
        add_square(&mut wide.0[1], &a.0[1]);
        wide
    }

    #[inline(always)]
    fn accumulate_constant(mut wide: Wide, a: &Self, b: &[u64; LIMBS]) -> Wide {
        let b = broadcast(b);
        add_product(&mut wide.0[0], &b, &a.0[0]);
        add_product(&mut wide.0[1], &b, &a.0[1]);
        wide
    }

    #[inline(always)]
    fn relax(mut wide: Wide) -> Wide {
        for w in &mut wide.0 {
            macro_rules! carry {
                ($i:literal) => {
                    // SAFETY: see the module.
                    unsafe {
                        let carry = _mm256_srli_epi64::<{ BITS as i32 }>(w[$i]);
                        w[$i + 1] = _mm256_add_epi64(w[$i + 1], carry);
                        w[$i] = _mm256_and_si256(w[$i], all(MASK));
                    }
                };
            }
            each!(carry: 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15);
        }
        wide
    }

    /// Montgomery: column by column from the lowest, a multiple of `p` is added that clears it. Both
    /// halves go side by side, as each multiple waits for the one before.
    #[inline(always)]
    fn reduce(wide: Wide) -> Self {
        let p = broadcast(&Constants::<F>::P);
        let mut out = [[zero(); LIMBS]; HALVES];
        let mut multiples = out;
        let mut carries = [zero(); HALVES];
        // SAFETY: see the module.
        macro_rules! clear {
            ($k:literal) => {
                for half in 0..HALVES {
                    unsafe {
                        let sum = _mm256_add_epi64(wide.0[half][$k], carries[half]);
                        let sum = column::<$k>(sum, &multiples[half], &p);
                        let m = _mm256_mul_epu32(sum, all(Constants::<F>::NEGATED_INVERSE));
                        let m = _mm256_and_si256(m, all(MASK));
                        multiples[half][$k] = m;
                        let sum = mul_add(sum, m, p[0]);
                        carries[half] = _mm256_srli_epi64::<{ BITS as i32 }>(sum);
                    }
                }
            };
        }
        macro_rules! keep {
            ($k:literal) => {
                for half in 0..HALVES {
                    unsafe {
                        let sum = _mm256_add_epi64(wide.0[half][$k], carries[half]);
                        let sum = column::<$k>(sum, &multiples[half], &p);
                        out[half][$k - LIMBS] = _mm256_and_si256(sum, all(MASK));
                        carries[half] = _mm256_srli_epi64::<{ BITS as i32 }>(sum);
                    }
                }
            };
        }
        each!(clear: 0 1 2 3 4 5 6 7 8);
        each!(keep: 9 10 11 12 13 14 15 16);
        out[0][LIMBS - 1] = carries[0];
        out[1][LIMBS - 1] = carries[1];
        Self(out, PhantomData)
    }
}
