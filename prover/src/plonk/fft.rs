//! Fourier transforms over lanes.
//!
//! A transform of `n = n1·n2` elements is done in two passes over memory (Bailey's four steps, with
//! the transposition in the second pass). Each takes eight short transforms at a time, one to a
//! lane, so that no element ever moves between lanes, within a buffer that fits the second-level
//! cache. Bounds grow by two with each of at most fourteen stages, so that nothing is reduced
//! between the multiplications that are needed anyhow.

use halo2_proofs::halo2curves::ff::{Field, PrimeField};

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

/// Roots of unity for transforms of one size in one direction.
#[derive(Debug)]
pub(super) struct Roots {
    k: u32,
    omega: Fr,
}

impl Roots {
    /// For `2^k` elements; `omega` has that order.
    ///
    /// # Panics
    /// If `k < MIN_K`.
    pub(super) fn new(k: u32, omega: Fr) -> Self {
        assert!(k >= MIN_K, "transforms have at least 2^{MIN_K} elements");
        Self { k, omega }
    }

    /// `output[j] = post(j) · Σᵢ pre(i)·input[i]·ωⁱʲ`. A missing factor is 1; without `post` the
    /// output is loose, in lanes' form if the input (after `pre`) is, else canonical.
    ///
    /// `scratch` has the length of the others.
    pub(super) fn transform(
        &self,
        input: &[Fr],
        output: &mut [Fr],
        scratch: &mut [Fr],
        pre: Option<Powers>,
        post: Option<Powers>,
    ) {
        let n = 1 << self.k;
        assert!([input.len(), output.len(), scratch.len()] == [n; 3]);
        lanes::run(Transform {
            roots: self,
            input,
            output,
            scratch,
            pre,
            post,
        });
    }
}

/// A transform as a kernel.
struct Transform<'a> {
    roots: &'a Roots,
    input: &'a [Fr],
    output: &'a mut [Fr],
    scratch: &'a mut [Fr],
    pre: Option<Powers>,
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
        Self {
            now: L::load(&lanes),
            step: L::constant(&powers.base.pow_vartime([step])),
        }
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
    let Transform {
        roots,
        input,
        output,
        scratch,
        pre,
        post,
    } = transform;
    let (k1, k2) = (roots.k.div_ceil(2), roots.k / 2);
    let (n1, n2) = (1_usize << k1, 1_usize << k2);
    let mut buffer = vec![L::splat(&L::constant(&Fr::zero())); n1];
    let omega = roots.omega;

    // Columns: element (i1, i2) of the input stands at i1·n2 + i2.
    let twiddles = twiddles::<L>(omega.pow_vartime([n2 as u64]), k1);
    for i2 in (0..n2).step_by(WIDTH) {
        // A match, since a closure would not have the instructions that this function is inlined
        // for.
        #[allow(clippy::manual_map)]
        let mut scale = match pre {
            Some(powers) => Some(Running::<L>::new(powers, i2 as u64, 1, n2 as u64)),
            None => None,
        };
        for i1 in 0..n1 {
            let x = L::load(&input[i1 * n2 + i2..]);
            buffer[reversed(i1, k1)] = match &mut scale {
                Some(scale) => x.mul(scale.next()),
                None => x,
            };
        }
        short::<L>(&mut buffer[..n1], &twiddles);
        // ω^(i2·j1), where lanes differ in i2: the base of each lane is its own power.
        let one = Powers {
            factor: Fr::one(),
            base: omega,
        };
        let base = Running::<L>::new(one, i2 as u64, 1, 0).now;
        let mut factor = L::splat(&L::constant(&Fr::one()));
        for (j1, x) in buffer[..n1].iter().enumerate() {
            x.mul(factor).store(&mut scratch[j1 * n2 + i2..]);
            factor = factor.mul(base);
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
        #[allow(clippy::manual_map)]
        let mut scale = match post {
            Some(powers) => Some(Running::<L>::new(powers, j1 as u64, 1, n1 as u64)),
            None => None,
        };
        for (j2, x) in buffer[..n2].iter().enumerate() {
            let to = &mut output[j1 + n1 * j2..];
            match &mut scale {
                Some(scale) => x.mul(scale.next()).store_canonical(to),
                None => x.mul_constant(&one).store(to),
            }
        }
    }
}

/// Eight transforms of `values.len()` elements, from bit-reversed to natural order.
#[inline(always)]
fn short<L: Lanes<Field = Fr>>(values: &mut [L], twiddles: &[L::Constant]) {
    let n = values.len();
    // Input is below 4p: the first stage needs no multiplication, and lifts by that.
    let mut bound = 4;
    let mut half = 1;
    while half < n {
        let stride = n / (2 * half);
        for block in values.chunks_exact_mut(2 * half) {
            let (low, high) = block.split_at_mut(half);
            for (i, (a, b)) in low.iter_mut().zip(high).enumerate() {
                let (lift, t) = match i {
                    0 if half == 1 => (4, *b),
                    _ => (2, b.mul_constant(&twiddles[i * stride])),
                };
                (*a, *b) = (a.add(t), a.sub(t, lift));
            }
        }
        bound += if half == 1 { 4 } else { 2 };
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
