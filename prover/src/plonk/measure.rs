//! What a proof takes, in counts of elementary operations, and what these cost on this machine.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::hint::black_box;
use std::time::Instant;

use halo2_proofs::halo2curves::ff::Field;
use halo2_proofs::plonk::ConstraintSystem;
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;
use rayon::prelude::*;

use super::fft::{root, Roots, MIN_K};
use super::packed::STRIDE;
use super::permutation;
use super::program::{compile, Program, Rules, Step};
use super::quotient::Values;
use crate::Fr;

/// Seconds for which a measurement is repeated.
const ENOUGH: f64 = 0.05;
/// log2 of the rows on which gates are evaluated to measure that: as many as one thread takes.
const GATES_K: u32 = 10;

/// Elementary operations of one proof by this prover of a circuit without lookups.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Work {
    /// Columns of the witness, to which the prover commits.
    pub witness: usize,
    /// Further polynomials to which it commits: running products of the permutation argument, the
    /// blinding polynomial, pieces of the quotient, two of the opening.
    pub further: usize,
    /// Transforms of the size of the domain: to coefficients, and for each coset those of the
    /// columns that its gates read, and of the numerators back.
    pub transforms: usize,
    /// Multiplications that the evaluation of gates takes for a row, of all cosets together.
    pub multiplications: usize,
}

impl Work {
    /// Counts them on the programs that a proof would run. Selectors count as fixed columns, as
    /// which key generation leaves them.
    pub fn of(system: &ConstraintSystem<Fr>) -> Self {
        let system = without_selectors(system);
        let programs = programs(&system);
        let products = permutation::sets(&system);
        let (witness, pieces) = (system.num_advice_columns(), system.degree() - 1);
        let on_cosets = programs.iter().map(|p| columns(p) + p.outputs.len());
        let transforms = witness + products + system.num_instance_columns();
        Self {
            witness,
            further: products + 1 + pieces + 2,
            transforms: transforms + on_cosets.sum::<usize>(),
            multiplications: programs.iter().map(multiplications).sum(),
        }
    }

    /// The same for packed proofs ([`super::packed`]): no blinding polynomial, the pieces of the
    /// quotient under one commitment, and an opening of two polynomials of [`STRIDE`] times the
    /// degree. Commitments are counted in multi-scalar multiplications of the size of the domain,
    /// as many as they have terms for.
    pub fn of_packed(system: &ConstraintSystem<Fr>) -> Self {
        let work = Self::of(system);
        Self { further: work.further - 1 - 2 + 2 * STRIDE, ..work }
    }

    /// Multi-scalar multiplications, one for each commitment.
    pub fn commitments(&self) -> usize {
        self.witness + self.further
    }
}

/// Seconds of one transform of `2^k` elements (at least 64), `at_once` of them side by side on
/// rayon's threads: the time of all over their number.
pub fn transform_seconds(k: u32, at_once: usize) -> f64 {
    let k = k.max(MIN_K);
    let (roots, n) = (Roots::new(k, root(k)), 1_usize << k);
    let input = random(n);
    let mut buffers = vec![(vec![Fr::zero(); n], vec![Fr::zero(); n]); at_once.max(1)];
    let seconds = shortest(|| {
        buffers.par_iter_mut().for_each(|(output, scratch)| {
            roots.transform(&input, output, scratch, None, None);
        });
    });
    black_box(&buffers);
    seconds / buffers.len() as f64
}

/// Seconds, on one thread, of a multiplication as [`Work`] counts them, with all else that the
/// evaluation of gates does: on random values, with the gates of `system`.
pub fn multiplication_seconds(system: &ConstraintSystem<Fr>) -> f64 {
    let system = without_selectors(system);
    let program = with_rules(&system, |rules| compile(rules, 0));
    let further = 2 * system.permutation().get_columns().len() + 4;
    let count = system.num_advice_columns()
        + system.num_instance_columns()
        + system.num_fixed_columns()
        + further;
    let column = random(1 << GATES_K);
    let coefficients = vec![column.as_slice(); count];
    let roots = Roots::new(GATES_K, root(GATES_K));
    let values = Values::on_coset(&coefficients, &roots, Fr::from(SOME), &program);
    let seconds = shortest(|| {
        black_box(values.run(&program));
    });
    seconds / (multiplications(&program).max(1) << GATES_K) as f64
}

/// A number that stands for a challenge. Like one, it is none of the small numbers with which the
/// compiler saves a multiplication.
const SOME: u64 = 0x9e37_79b9_7f4a_7c15;

fn without_selectors(system: &ConstraintSystem<Fr>) -> Cow<'_, ConstraintSystem<Fr>> {
    match system.num_selectors() {
        0 => Cow::Borrowed(system),
        count => {
            // Which rows are selected is of no account here.
            let rows = vec![Vec::new(); count];
            Cow::Owned(system.clone().directly_convert_selectors_to_fixed(rows).0)
        }
    }
}

/// Hands on the rules, with numbers for the challenges.
fn with_rules<T>(system: &ConstraintSystem<Fr>, f: impl FnOnce(&Rules<'_>) -> T) -> T {
    let challenge = |i: usize| Fr::from(SOME) + Fr::from(i as u64);
    let of_permutation = permutation::Challenges { beta: challenge(0), gamma: challenge(1) };
    let challenges: Vec<Fr> = (3..).map(challenge).take(system.num_challenges()).collect();
    f(&Rules {
        system,
        challenges: &challenges,
        permutation: permutation::rules(system, of_permutation),
        y: challenge(2),
    })
}

/// The programs of all cosets that have one.
fn programs(system: &ConstraintSystem<Fr>) -> Vec<Program> {
    with_rules(system, |rules| {
        let programs = (0..system.degree() - 1).map(|coset| compile(rules, coset));
        programs.take_while(|p| !p.outputs.is_empty()).collect()
    })
}

/// Columns that a program reads.
fn columns(program: &Program) -> usize {
    let read = program.steps.iter().filter_map(|step| match step {
        Step::Load(_, cell) => Some(cell.column),
        _ => None,
    });
    read.collect::<BTreeSet<_>>().len()
}

fn multiplications(program: &Program) -> usize {
    program.products.len() + program.scaled.len()
}

fn random(n: usize) -> Vec<Fr> {
    let mut rng = ChaCha20Rng::seed_from_u64(1);
    (0..n).map(|_| Fr::random(&mut rng)).collect()
}

/// The shortest of several runs: others were disturbed.
fn shortest(mut run: impl FnMut()) -> f64 {
    // The first run fills caches and is not counted.
    run();
    let (begun, mut least) = (Instant::now(), f64::INFINITY);
    while least.is_infinite() || begun.elapsed().as_secs_f64() < ENOUGH {
        let start = Instant::now();
        run();
        least = least.min(start.elapsed().as_secs_f64());
    }
    least
}

#[cfg(test)]
mod tests {
    use halo2_proofs::poly::Rotation;

    use super::*;

    /// A gate of degree 2, one of degree 4, a copied column.
    fn system() -> ConstraintSystem<Fr> {
        let mut system = ConstraintSystem::default();
        let (a, b) = (system.advice_column(), system.advice_column());
        let selector = system.selector();
        system.create_gate("product", |meta| {
            let [a, b] = [a, b].map(|c| meta.query_advice(c, Rotation::cur()));
            vec![meta.query_selector(selector) * (b - a)]
        });
        system.create_gate("power", |meta| {
            let (a, next) =
                (meta.query_advice(a, Rotation::cur()), meta.query_advice(a, Rotation::next()));
            vec![next.clone() * next * a.clone() * a]
        });
        system
    }

    #[test]
    fn work_is_counted_on_the_cosets_that_need_it() {
        let mut system = system();
        let work = Work::of(&system);
        assert_eq!((work.witness, work.further), (2, 1 + 3 + 2));
        // The first coset: a, b, the selector, and two classes; two more: a, and one class.
        assert_eq!(work.transforms, 2 + (3 + 2) + 2 * (1 + 1));
        assert_eq!(work.commitments(), 8);
        // Packed: the three pieces, and two polynomials of the opening of sixteen times the size.
        assert_eq!(Work::of_packed(&system).further, 3 + 2 * 16);
        // The second gate takes a few multiplications on each coset, the first one on one.
        assert!((3 * 3 + 1..3 * 3 + 8).contains(&work.multiplications), "{work:?}");

        let copied = system.advice_column();
        system.enable_equality(copied);
        let permuted = Work::of(&system);
        assert_eq!(permuted.witness, 3);
        assert_eq!(permuted.further, work.further + 1);
        assert!(permuted.transforms > work.transforms + 5);
        assert!(permuted.multiplications > work.multiplications);
    }

    #[test]
    fn units_are_measured_and_grow_with_the_work() {
        assert!(transform_seconds(0, 3) > 0.0);
        assert!(multiplication_seconds(&system()) > 0.0);
        // Five times the stages and 256 times the elements: ten times is a bound that holds however
        // busy the machine is, as both are the shortest of several runs.
        let transform = |k| transform_seconds(k, 1);
        assert!(transform(14) > 10.0 * transform(6));
    }
}
