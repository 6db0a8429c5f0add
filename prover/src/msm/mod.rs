//! Multi-scalar multiplication: `Σ sᵢ·Pᵢ` over fixed bases, for many columns of scalars.
//!
//! Pippenger's method with affine points throughout (Bernstein, Doumen, Lange, Oosterwijk: "Faster
//! batch forgery identification", section 4, for the buckets; Montgomery's trick for inversions):
//!
//! 1. Scalars above half of the order are replaced by their negatives, so that small negative
//!    numbers are small. Zeros are dropped, small and large scalars are summed apart (`classes`):
//!    many columns of a witness are bits, or numbers of 16 bits.
//! 2. Scalars are cut into windows of signed digits. For each window the points are sorted by digit
//!    by counting (`digits`).
//! 3. The points of each bucket are added as a tree, level by level, many buckets at once. Additions
//!    of a level do not depend on each other, so that a thousand of them share an inversion, eight
//!    stand side by side in lanes, and none waits for another (`pairs`, `buckets`).
//! 4. Running sums over the buckets are such additions too, one for each stretch of buckets.
//!
//! Columns, windows and, where these are fewer than threads, parts of a column are work for the pool.
//!
//! Equal points, opposite points and the identity are told apart when pairs are formed, so that
//! results are right for any bases.

mod buckets;
mod classes;
mod digits;
mod pairs;
#[cfg(test)]
mod tests;

use halo2_proofs::halo2curves::bn256::{Fq, Fr, G1Affine, G1};
use halo2_proofs::halo2curves::ff::Field;
use halo2_proofs::halo2curves::group::Group;
use rayon::prelude::*;

use crate::lanes::{self, Engine, Kernel, Lanes};
use classes::classes;
pub use digits::additions;
use digits::Windows;

/// An affine point, its coordinates in lanes' form; the identity is zero twice. One line of a cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(align(64))]
struct Point {
    x: Fq,
    y: Fq,
}

impl Point {
    const IDENTITY: Self = Self { x: Fq::ZERO, y: Fq::ZERO };

    #[inline(always)]
    fn is_identity(&self) -> bool {
        // No point of the curve has x = 0 and y = 0.
        self.x == Fq::ZERO && self.y == Fq::ZERO
    }

    /// The lowest limb of the abscissa: equal points have equal ones, that of the identity is zero.
    #[inline(always)]
    fn lowest(&self) -> u64 {
        lanes::limbs(&self.x)[0]
    }

    #[inline(always)]
    fn negated_if(self, negative: bool) -> Self {
        match negative {
            true => Self { x: self.x, y: -self.y },
            false => self,
        }
    }
}

/// Between halo2curves' form of coordinates and that of lanes.
#[derive(Clone, Copy, Debug)]
struct Form {
    lift: Fq,
    drop: Fq,
}

impl Form {
    /// That of the arithmetic in use.
    fn active() -> Self {
        struct Lift;
        impl Kernel for Lift {
            type Output = u64;

            #[inline(always)]
            fn run<E: Engine>(self) -> u64 {
                E::Coordinates::LIFT
            }
        }
        let lift = Fq::from(lanes::run(Lift));
        Self { lift, drop: lift.invert().unwrap_or(Fq::ZERO) }
    }

    fn point(&self, point: &G1Affine) -> Point {
        Point { x: point.x * self.lift, y: point.y * self.lift }
    }

    fn affine(&self, point: &Point) -> G1Affine {
        match point.is_identity() {
            true => G1Affine::default(),
            false => G1Affine { x: point.x * self.drop, y: point.y * self.drop },
        }
    }
}

/// Points that scalars are multiplied with.
pub struct Bases {
    points: Vec<Point>,
    form: Form,
}

impl std::fmt::Debug for Bases {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Bases").field("len", &self.points.len()).finish_non_exhaustive()
    }
}

impl Bases {
    /// Any points of the curve.
    pub fn new(points: &[G1Affine]) -> Self {
        let form = Form::active();
        let points = points.par_iter().map(|point| form.point(point)).collect();
        Self { points, form }
    }

    /// Their number.
    pub fn len(&self) -> usize {
        self.points.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.points.is_empty()
    }

    /// The sum over the scalars of one column, as many as there are bases or fewer.
    pub fn multiply(&self, scalars: &[Fr]) -> G1 {
        self.part(scalars, 0, rayon::current_num_threads())
    }

    /// The sums of several columns.
    pub fn multiply_all(&self, columns: &[&[Fr]]) -> Vec<G1> {
        let threads = rayon::current_num_threads().div_ceil(columns.len().max(1));
        let columns = columns.par_iter();
        columns.map(|column| self.part(column, 0, threads)).collect()
    }

    /// The sum of scalars for the bases from `first` on, for as many threads.
    fn part(&self, scalars: &[Fr], first: usize, threads: usize) -> G1 {
        /// Windows that a column of large scalars has at least.
        const WINDOWS: usize = 12;
        /// Scalars with which it pays to form buckets of their own.
        const LEAST: usize = 1 << 14;
        if threads > WINDOWS && scalars.len() >= 2 * LEAST {
            let (left, right) = scalars.split_at(scalars.len() / 2);
            let (a, b) = rayon::join(
                || self.part(left, first, threads / 2),
                || self.part(right, first + left.len(), threads - threads / 2),
            );
            return a + b;
        }
        let sums = classes(scalars, first, &self.points).into_par_iter();
        let sums = sums.map(|class| {
            let windows = Windows::new(class);
            let sums: Vec<G1> = (0..windows.count())
                .into_par_iter()
                .map(|window| buckets::sum(self, &windows, window))
                .collect();
            let high_first = sums.into_iter().rev();
            high_first.fold(G1::identity(), |sum, next| {
                (0..windows.bits()).fold(sum, |sum, _| sum.double()) + next
            })
        });
        sums.reduce(G1::identity, |a, b| a + b)
    }
}
