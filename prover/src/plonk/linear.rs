//! Sums of scaled polynomials, and values of polynomials at points, in lanes: each sum is reduced
//! once for many of its terms.

use rayon::prelude::*;

use super::fft::{lift_of, Powers};
use crate::lanes::{self, Arithmetic, Engine, Kernel, Lanes, WIDTH};
use crate::Fr;

/// Coefficients that one task takes.
const CHUNK: usize = 1 << 10;
/// Products of canonical values that are summed before a reduction.
const TERMS: usize = 256;

/// `Σ cᵢ·pᵢ`, as long as the longest.
pub(super) fn combination(terms: &[(Fr, &[Fr])]) -> Vec<Fr> {
    let n = terms.iter().map(|(_, p)| p.len()).max().unwrap_or(0);
    let mut total = vec![Fr::zero(); n];
    let chunks = total.par_chunks_mut(CHUNK).enumerate();
    chunks.for_each(|(i, chunk)| {
        let (start, end) = (i * CHUNK, i * CHUNK + chunk.len());
        let whole = terms.iter().all(|(_, p)| p.len() >= end);
        if whole && chunk.len().is_multiple_of(WIDTH) {
            lanes::run(Combination { terms, start, chunk });
            return;
        }
        for (scale, polynomial) in terms {
            let rest = polynomial.get(start..).unwrap_or_default();
            for (t, p) in chunk.iter_mut().zip(rest) {
                *t += *scale * p;
            }
        }
    });
    total
}

struct Combination<'a> {
    terms: &'a [(Fr, &'a [Fr])],
    start: usize,
    chunk: &'a mut [Fr],
}

impl Kernel for Combination<'_> {
    type Output = ();

    #[inline(always)]
    fn run<E: Engine>(self) {
        self.sum::<E::Scalars>();
    }
}

impl Combination<'_> {
    #[inline(always)]
    fn sum<L: Lanes<Field = Fr>>(self) {
        let mut scales: Vec<L::Constant> = Vec::with_capacity(self.terms.len());
        for (scale, _) in self.terms {
            scales.push(L::constant(scale));
        }
        let one = L::constant(&Fr::one());
        for at in (0..self.chunk.len()).step_by(WIDTH) {
            let mut total = L::splat(&L::constant(&Fr::zero()));
            for (block, scales) in self.terms.chunks(TERMS).zip(scales.chunks(TERMS)) {
                let mut wide = L::wide();
                for (i, ((_, polynomial), scale)) in block.iter().zip(scales).enumerate() {
                    if i > 0 && i.is_multiple_of(L::RELAX) {
                        wide = L::relax(wide);
                    }
                    let x = L::load(&polynomial[self.start + at..]);
                    wide = L::accumulate_constant(wide, &x, scale);
                }
                // Bounds: 2 and 5 give 2 again.
                total = total.add(L::reduce(wide)).mul_constant(&one);
            }
            total.store_canonical(&mut self.chunk[at..]);
        }
    }
}

/// The value of each polynomial, given by `2^k` coefficients, at its point.
pub(super) fn evaluations(queries: &[(&[Fr], Fr)], k: u32) -> Vec<Fr> {
    let mut values = vec![Fr::zero(); queries.len()];
    let mut points: Vec<Fr> = Vec::new();
    for (_, point) in queries {
        if !points.contains(point) {
            points.push(*point);
        }
    }
    let lift = lift_of(Arithmetic::active());
    for point in points {
        let powers = Powers { factor: lift, base: point };
        let powers = powers.table(k);
        let here = values.par_iter_mut().zip(queries);
        here.filter(|(_, (_, at))| *at == point).for_each(|(value, (polynomial, _))| {
            *value = lanes::run(Product { a: polynomial, b: &powers });
        });
    }
    values
}

/// `Σ aᵢ·bᵢ` of as many elements, a multiple of [`WIDTH`]; `b` is in lanes' form.
struct Product<'a> {
    a: &'a [Fr],
    b: &'a [Fr],
}

impl Kernel for Product<'_> {
    type Output = Fr;

    #[inline(always)]
    fn run<E: Engine>(self) -> Fr {
        self.sum::<E::Scalars>()
    }
}

impl Product<'_> {
    #[inline(always)]
    fn sum<L: Lanes<Field = Fr>>(self) -> Fr {
        let one = L::constant(&Fr::one());
        let mut total = L::splat(&L::constant(&Fr::zero()));
        let blocks = self.a.chunks(TERMS * WIDTH).zip(self.b.chunks(TERMS * WIDTH));
        for (a, b) in blocks {
            let mut wide = L::wide();
            let vectors = a.chunks_exact(WIDTH).zip(b.chunks_exact(WIDTH));
            for (i, (a, b)) in vectors.enumerate() {
                if i > 0 && i.is_multiple_of(L::RELAX) {
                    wide = L::relax(wide);
                }
                wide = L::accumulate(wide, &L::load(a), &L::load(b));
            }
            // Bounds: 2 and 5 give 2 again.
            total = total.add(L::reduce(wide)).mul_constant(&one);
        }
        let mut lanes = [Fr::zero(); WIDTH];
        total.store_canonical(&mut lanes);
        lanes.iter().sum()
    }
}

#[cfg(test)]
mod tests {
    use halo2_proofs::arithmetic::eval_polynomial;
    use halo2_proofs::halo2curves::ff::Field;

    use super::*;
    use crate::testing::rng;

    fn polynomial(n: usize, seed: u64) -> Vec<Fr> {
        let mut random = rng(seed);
        let mut all: Vec<Fr> = (0..n).map(|_| Fr::random(&mut random)).collect();
        all[0] = -Fr::one();
        all[n / 2..n / 2 + 9].fill(-Fr::one());
        all
    }

    #[test]
    fn combinations_are_those_of_the_terms() {
        for (count, n) in [(0, 64), (1, 64), (3, 1 << 11), (300, 1 << 7), (2, 20)] {
            let polynomials: Vec<Vec<Fr>> = (0..count).map(|i| polynomial(n, i)).collect();
            let terms: Vec<(Fr, &[Fr])> =
                polynomials.iter().map(|p| (-p[1], p.as_slice())).collect();
            let total = combination(&terms);
            assert_eq!(total.len(), if count == 0 { 0 } else { n });
            for (i, x) in total.iter().enumerate() {
                assert_eq!(*x, terms.iter().map(|(c, p)| *c * p[i]).sum::<Fr>());
            }
        }
        // Of different lengths.
        let (long, short) = (polynomial(64, 1), polynomial(40, 2));
        let two = Fr::from(2);
        let total = combination(&[(two, &long), (Fr::one(), &short)]);
        for (i, x) in total.iter().enumerate() {
            let of_short = short.get(i).copied().unwrap_or_default();
            assert_eq!(*x, two * long[i] + of_short);
        }
    }

    #[test]
    fn values_are_those_of_halo2() {
        for k in [6, 11, 13] {
            let polynomials = [polynomial(1 << k, 1), polynomial(1 << k, 2)];
            let [p, q] = [polynomials[0].as_slice(), polynomials[1].as_slice()];
            let points = [Fr::from(3), -Fr::one(), Fr::zero()];
            let queries: Vec<(&[Fr], Fr)> =
                points.into_iter().flat_map(|point| [(p, point), (q, point)]).collect();
            let expected = queries.iter().map(|(p, x)| eval_polynomial(p, *x));
            assert_eq!(evaluations(&queries, k), expected.collect::<Vec<_>>());
        }
    }
}
