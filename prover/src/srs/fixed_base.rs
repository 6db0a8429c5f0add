//! Many multiples of one point: window tables and additions in affine coordinates.
//!
//! A scalar is cut into signed digits of w bits, and digit d of window j selects d * 2^(wj) * P
//! from a table. What is left is about 254/w additions per scalar. They are done for thousands
//! of scalars at a time in affine coordinates, with one field inversion per batch (Montgomery's
//! trick): 5 multiplications and a squaring each, against about 11 for a mixed projective
//! addition. Not constant time; the secret of a development SRS is worth nothing.

use halo2_proofs::halo2curves::{
    bn256::{Fq, Fr, G1Affine, G1},
    ff::{Field, PrimeField},
    group::{prime::PrimeCurveAffine, Curve, Group},
};
use rayon::prelude::*;

/// Scalars handled together: the accumulators (64 B each) and the window's row of the table
/// stay in the second-level cache.
const BATCH: usize = 1 << 12;
/// Wider windows would save no addition (254/16 and 254/17 round up alike, 16 and 15 windows)
/// but double the table, which no longer fits the cache.
const MAX_WINDOW: u32 = 16;

/// Precomputed multiples of one point.
pub(super) struct FixedBase {
    window: u32,
    /// One row per window: 1, 2, ..., 2^(window-1) times 2^(window * row) * P.
    rows: Vec<Vec<G1Affine>>,
}

impl FixedBase {
    /// Tables for `base`, of the width that makes `expected` multiplications cheapest.
    pub(super) fn new(base: G1Affine, expected: usize) -> Self {
        let cost = |w: u32| window_count(w) * ((1usize << (w - 1)) + expected);
        let window = (2..=MAX_WINDOW).min_by_key(|w| cost(*w)).unwrap_or(MAX_WINDOW);

        let firsts = std::iter::successors(Some(base.to_curve()), |point| {
            Some((0..window).fold(*point, |p, _| p.double()))
        });
        let firsts: Vec<G1> = firsts.take(window_count(window)).collect();
        let rows = firsts
            .into_par_iter()
            .map(|first| multiples(first.to_affine(), 1 << (window - 1)))
            .collect();
        Self { window, rows }
    }

    /// `scalar * P` for each scalar, in order.
    pub(super) fn mul_all(&self, scalars: &[Fr]) -> Vec<G1Affine> {
        let mut products = vec![G1Affine::identity(); scalars.len()];
        products
            .par_chunks_mut(BATCH)
            .zip(scalars.par_chunks(BATCH))
            .for_each(|(products, scalars)| self.mul_batch(scalars, products));
        products
    }

    fn mul_batch(&self, scalars: &[Fr], products: &mut [G1Affine]) {
        let reprs: Vec<[u8; 32]> = scalars.iter().map(|s| s.to_repr()).collect();
        let mut carries = vec![false; scalars.len()];
        let mut addends = vec![G1Affine::identity(); scalars.len()];
        let mut adder = BatchAdder::default();
        for (index, row) in self.rows.iter().enumerate() {
            let offset = index as u32 * self.window;
            for ((repr, carry), addend) in reprs.iter().zip(&mut carries).zip(&mut addends) {
                *addend = select(row, bits(repr, offset, self.window), self.window, carry);
            }
            adder.add_assign(products, &addends);
        }
    }
}

/// Number of w-bit windows for scalars below 2^254. There is always a spare bit at the top, so
/// that the carry of a signed digit is absorbed by the last window.
fn window_count(w: u32) -> usize {
    (Fr::NUM_BITS / w + 1) as usize
}

/// `len` bits of a little-endian number from bit `offset` on; `len` <= 24.
fn bits(repr: &[u8; 32], offset: u32, len: u32) -> u32 {
    let first = (offset / 8) as usize;
    let word = (0..4).fold(0u32, |word, i| {
        word | u32::from(repr.get(first + i).copied().unwrap_or(0)) << (8 * i)
    });
    (word >> (offset % 8)) & ((1 << len) - 1)
}

/// The table entry of a signed digit: digits above half the window's range stand for digit
/// minus range, with a carry into the next window.
fn select(row: &[G1Affine], digit: u32, window: u32, carry: &mut bool) -> G1Affine {
    let digit = digit + u32::from(*carry);
    *carry = digit as usize > row.len();
    let magnitude = if *carry { (1 << window) - digit } else { digit };
    match magnitude.checked_sub(1) {
        None => G1Affine::identity(),
        Some(i) if *carry => -row[i as usize],
        Some(i) => row[i as usize],
    }
}

/// 1, 2, ..., `count` times `point`; `count` is a power of two.
fn multiples(point: G1Affine, count: usize) -> Vec<G1Affine> {
    let mut row = Vec::with_capacity(count);
    row.push(point);
    let mut adder = BatchAdder::default();
    while row.len() < count {
        let top = vec![row[row.len() - 1]; row.len()];
        let mut next = row.clone();
        adder.add_assign(&mut next, &top);
        row.append(&mut next);
    }
    row
}

/// Additions in affine coordinates that share one inversion. Keeps its buffers between calls.
#[derive(Default)]
struct BatchAdder {
    denominators: Vec<Fq>,
    prefixes: Vec<Fq>,
}

impl BatchAdder {
    /// `sums[i] += addends[i]` for all i; both slices have one length. All cases of the group
    /// law are handled.
    fn add_assign(&mut self, sums: &mut [G1Affine], addends: &[G1Affine]) {
        self.denominators.clear();
        self.prefixes.clear();
        let mut product = Fq::ONE;
        for (sum, addend) in sums.iter().zip(addends) {
            let denominator = denominator(sum, addend);
            self.denominators.push(denominator);
            self.prefixes.push(product);
            product *= denominator;
        }
        // No denominator is zero, hence neither is the product.
        let mut inverse = product.invert().unwrap_or(Fq::ONE);
        for (i, (sum, addend)) in sums.iter_mut().zip(addends).enumerate().rev() {
            let denominator_inverse = inverse * self.prefixes[i];
            inverse *= self.denominators[i];
            *sum = add(sum, addend, denominator_inverse);
        }
    }
}

/// Denominator of the slope of the line through both points, or 1 if the sum needs no slope.
fn denominator(a: &G1Affine, b: &G1Affine) -> Fq {
    let zero = bool::from(a.is_identity()) || bool::from(b.is_identity());
    match () {
        () if zero => Fq::ONE,
        () if a.x != b.x => b.x - a.x,
        // BN254 has odd order: y = 0 does not occur.
        () if a.y == b.y => a.y.double(),
        () => Fq::ONE,
    }
}

fn add(a: &G1Affine, b: &G1Affine, denominator_inverse: Fq) -> G1Affine {
    if bool::from(b.is_identity()) {
        return *a;
    }
    if bool::from(a.is_identity()) {
        return *b;
    }
    let slope = if a.x != b.x {
        (b.y - a.y) * denominator_inverse
    } else if a.y == b.y {
        let x2 = a.x.square();
        (x2.double() + x2) * denominator_inverse
    } else {
        return G1Affine::identity();
    };
    let x = slope.square() - a.x - b.x;
    let y = slope * (a.x - x) - a.y;
    G1Affine { x, y }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;
    use rand_chacha::ChaCha20Rng;

    fn check(table: &FixedBase, base: G1Affine, scalars: &[Fr]) {
        let expected: Vec<G1Affine> = scalars.iter().map(|s| (base * s).to_affine()).collect();
        assert_eq!(table.mul_all(scalars), expected);
    }

    #[test]
    fn agrees_with_scalar_multiplication_at_every_width() {
        let mut rng = ChaCha20Rng::seed_from_u64(1);
        let base = G1::random(&mut rng).to_affine();
        for expected in [0, 100, 10_000, 1 << 20] {
            let table = FixedBase::new(base, expected);
            let w = table.window;
            let half = Fr::from(1u64 << (w - 1));
            let mut scalars = vec![
                Fr::ZERO,
                Fr::ONE,
                -Fr::ONE,
                half,
                half + Fr::ONE,
                -half,
                Fr::from(2).pow_vartime([253]),
                Fr::from(2).pow_vartime([u64::from(w)]) - Fr::ONE,
            ];
            scalars.extend((0..50).map(|_| Fr::random(&mut rng)));
            check(&table, base, &scalars);
        }
    }

    #[test]
    fn addition_covers_every_case_of_the_group_law() {
        let mut rng = ChaCha20Rng::seed_from_u64(2);
        let p = G1::random(&mut rng).to_affine();
        let q = G1::random(&mut rng).to_affine();
        let o = G1Affine::identity();
        let mut sums = [o, o, p, p, p, p];
        let addends = [o, q, o, q, p, -p];
        let expected = [o, q, p, (p + q).to_affine(), (p + p).to_affine(), o];
        BatchAdder::default().add_assign(&mut sums, &addends);
        assert_eq!(sums, expected);
    }
}
