//! Fourier transforms over lanes.
//!
//! A transform of `n = n1·n2` elements is done in two passes over memory (Bailey's four steps, with
//! the transposition in the second pass). Each takes eight short transforms at a time, one to a
//! lane, so that no element ever moves between lanes, within a buffer that fits the second-level
//! cache. Bounds double in three stages and grow by two in at most eleven further ones, so that
//! nothing is reduced between the multiplications that are needed anyhow.

use halo2_proofs::halo2curves::ff::{Field, PrimeField};
use rayon::prelude::*;

use crate::lanes::{self, Arithmetic, Engine, Kernel, Lanes, WIDTH};
use crate::Fr;

/// Least log2 of a size: eight short transforms of eight elements.
pub(super) const MIN_K: u32 = 6;

/// `factor · base^i`, by which element `i` is multiplied.
#[derive(Clone, Copy, Debug)]
pub(super) struct Powers {
    pub(super) factor: Fr,
    pub(super) base: Fr,
}

impl Powers {
    /// The factors of `2^k` elements.
    pub(super) fn table(&self, k: u32) -> Vec<Fr> {
        const CHUNK: usize = 1 << 10;
        let mut table = vec![Fr::zero(); 1 << k];
        table.par_chunks_mut(CHUNK).enumerate().for_each(|(i, chunk)| {
            let mut power = self.factor * self.base.pow_vartime([(i * CHUNK) as u64]);
            for x in chunk {
                *x = power;
                power *= self.base;
            }
        });
        table
    }
}

/// Roots of unity for transforms of one size in one direction.
#[derive(Debug)]
pub(super) struct Roots {
    k: u32,
    omega: Fr,
    /// `lift·ω^(j1·i2)`, by which element `(j1, i2)` is multiplied between the two passes.
    between: Vec<Fr>,
}

impl Roots {
    /// For `2^k` elements; `omega` has that order.
    ///
    /// # Panics
    /// If `k < MIN_K`.
    pub(super) fn new(k: u32, omega: Fr) -> Self {
        Self::on(Arithmetic::active(), k, omega)
    }

    /// The inverse direction of [`Self::new`], but for the division by `2^k`.
    pub(super) fn backward(k: u32) -> Self {
        Self::new(k, root(k).invert().unwrap_or(Fr::zero()))
    }

    fn on(arithmetic: Arithmetic, k: u32, omega: Fr) -> Self {
        assert!(k >= MIN_K, "transforms have at least 2^{MIN_K} elements");
        let n2 = 1 << (k / 2);
        let lift = lift_of(arithmetic);
        let mut between = vec![Fr::zero(); 1 << k];
        between.par_chunks_mut(n2).enumerate().for_each(|(j1, row)| {
            let step = omega.pow_vartime([j1 as u64]);
            let mut power = lift;
            for x in row {
                *x = power;
                power *= step;
            }
        });
        Self { k, omega, between }
    }

    /// log2 of the number of elements.
    pub(super) fn k(&self) -> u32 {
        self.k
    }

    /// `output[j] = post(j) · Σᵢ pre(i)·input[i]·ωⁱʲ`. A missing factor is 1; `pre` is in lanes' form.
    /// Without `post` the output is loose, in lanes' form if the input (after `pre`) is, else
    /// canonical.
    ///
    /// `scratch` has the length of the others.
    pub(super) fn transform(
        &self,
        input: &[Fr],
        output: &mut [Fr],
        scratch: &mut [Fr],
        pre: Option<&[Fr]>,
        post: Option<Powers>,
    ) {
        let n = 1 << self.k;
        assert!([input.len(), output.len(), scratch.len()] == [n; 3]);
        assert!(pre.is_none_or(|pre| pre.len() == n));
        lanes::run(Transform { roots: self, input, output, scratch, pre, post });
    }
}

/// A transform as a kernel.
struct Transform<'a> {
    roots: &'a Roots,
    input: &'a [Fr],
    output: &'a mut [Fr],
    scratch: &'a mut [Fr],
    pre: Option<&'a [Fr]>,
    post: Option<Powers>,
}

impl Kernel for Transform<'_> {
    type Output = ();

    #[inline(always)]
    fn run<E: Engine>(self) {
        passes::<E::Scalars>(self);
    }
}

/// Successive values of `factor · base^(start + lane·within + i·step)`, a vector for each `i`.
struct Running<L: Lanes<Field = Fr>> {
    now: L,
    step: L::Constant,
}

impl<L: Lanes<Field = Fr>> Running<L> {
    #[inline(always)]
    fn new(powers: Powers, start: u64, within: u64, step: u64) -> Self {
        let first = powers.factor * powers.base.pow_vartime([start]) * lift::<L>();
        let within = powers.base.pow_vartime([within]);
        let mut lanes = [first; WIDTH];
        for i in 1..WIDTH {
            lanes[i] = lanes[i - 1] * within;
        }
        Self { now: L::load(&lanes), step: L::constant(&powers.base.pow_vartime([step])) }
    }

    #[inline(always)]
    fn next(&mut self) -> L {
        let now = self.now;
        self.now = now.mul_constant(&self.step);
        now
    }
}

/// [`Lanes::LIFT`] as an element.
fn lift<L: Lanes>() -> Fr {
    Fr::from(L::LIFT)
}

/// The lift of an arithmetic.
pub(super) fn lift_of(arithmetic: Arithmetic) -> Fr {
    struct Lift;
    impl Kernel for Lift {
        type Output = Fr;

        #[inline(always)]
        fn run<E: Engine>(self) -> Fr {
            lift::<E::Scalars>()
        }
    }
    lanes::run_on(arithmetic, Lift)
}

#[inline(always)]
fn passes<L: Lanes<Field = Fr>>(transform: Transform<'_>) {
    let Transform { roots, input, output, scratch, pre, post } = transform;
    let (k1, k2) = (roots.k.div_ceil(2), roots.k / 2);
    let (n1, n2) = (1_usize << k1, 1_usize << k2);
    let mut buffer = vec![L::splat(&L::constant(&Fr::zero())); n1];
    let omega = roots.omega;

    // Columns: element (i1, i2) of the input stands at i1·n2 + i2.
    let twiddles = twiddles::<L>(omega.pow_vartime([n2 as u64]), k1);
    for i2 in (0..n2).step_by(WIDTH) {
        for i1 in 0..n1 {
            let at = i1 * n2 + i2;
            let x = L::load(&input[at..]);
            buffer[reversed(i1, k1)] = match pre {
                Some(pre) => x.mul(L::load(&pre[at..])),
                None => x,
            };
        }
        short::<L>(&mut buffer[..n1], &twiddles);
        for (j1, x) in buffer[..n1].iter().enumerate() {
            let at = j1 * n2 + i2;
            x.mul(L::load(&roots.between[at..])).store(&mut scratch[at..]);
        }
    }

    // Rows: eight values of j1 at a time. Element (j1, j2) of the output stands at j1 + n1·j2.
    let twiddles = self::twiddles::<L>(omega.pow_vartime([n1 as u64]), k2);
    let one = L::constant(&Fr::one());
    for j1 in (0..n1).step_by(WIDTH) {
        for i2 in 0..n2 {
            buffer[reversed(i2, k2)] = L::gather(&scratch[j1 * n2 + i2..], n2);
        }
        short::<L>(&mut buffer[..n2], &twiddles);
        match post {
            None => {
                for (j2, x) in buffer[..n2].iter().enumerate() {
                    x.mul_constant(&one).store(&mut output[j1 + n1 * j2..]);
                }
            }
            Some(Powers { factor, base }) if base == Fr::one() => {
                let factor = L::constant(&factor);
                for (j2, x) in buffer[..n2].iter().enumerate() {
                    let to = &mut output[j1 + n1 * j2..];
                    x.mul_constant(&factor).store_canonical(to);
                }
            }
            Some(powers) => {
                let mut scale = Running::<L>::new(powers, j1 as u64, 1, n1 as u64);
                for (j2, x) in buffer[..n2].iter().enumerate() {
                    let to = &mut output[j1 + n1 * j2..];
                    x.mul(scale.next()).store_canonical(to);
                }
            }
        }
    }
}

/// Eight transforms of `values.len()` elements, from bit-reversed to natural order.
#[inline(always)]
fn short<L: Lanes<Field = Fr>>(values: &mut [L], twiddles: &[L::Constant]) {
    let n = values.len();
    // Input is below 4p. The first factor of a stage is one: in the first stages, where these are
    // many, it is left out, and bounds double.
    let mut bound = 4;
    let mut half = 1;
    while half < n {
        let stride = n / (2 * half);
        let left_out = half <= 4;
        for block in values.chunks_exact_mut(2 * half) {
            let (low, high) = block.split_at_mut(half);
            for (i, (a, b)) in low.iter_mut().zip(high).enumerate() {
                let (lift, t) = match i {
                    0 if left_out => (bound, *b),
                    _ => (2, b.mul_constant(&twiddles[i * stride])),
                };
                (*a, *b) = (a.add(t), a.sub(t, lift));
            }
        }
        bound += if left_out { bound } else { 2 };
        half *= 2;
    }
    debug_assert!(bound <= lanes::MAX_BOUND);
}

/// `omega^i` for half of its order `2^k`.
fn twiddles<L: Lanes<Field = Fr>>(omega: Fr, k: u32) -> Vec<L::Constant> {
    let powers = std::iter::successors(Some(Fr::one()), |p| Some(*p * omega));
    let powers = powers.take(1 << (k - 1));
    powers.map(|p| L::constant(&p)).collect()
}

fn reversed(i: usize, bits: u32) -> usize {
    i.reverse_bits() >> (usize::BITS - bits)
}

/// The root of unity of order `2^k`.
pub(super) fn root(k: u32) -> Fr {
    (k..Fr::S).fold(Fr::ROOT_OF_UNITY, |root, _| root.square())
}

#[cfg(test)]
mod tests;
