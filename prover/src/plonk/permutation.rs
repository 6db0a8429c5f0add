//! Copy constraints: halo2's permutation argument, as columns and gates like any other.
//!
//! The columns under copy constraints are cut into sets of `degree - 2`. For each, a running product
//! `z` of `(p_j + δʲ·β·X + γ) / (p_j + β·σ_j + γ)` over the rows, which starts where that of the set
//! before ends (halo2 book, "Permutation argument"). As expressions, over columns that follow the
//! fixed ones, its rules go through the compiler of gates.

use halo2_proofs::halo2curves::bn256::G1Affine;
use halo2_proofs::halo2curves::ff::{BatchInvert, Field, PrimeField};
use halo2_proofs::plonk::{
    Any, Column, ConstraintSystem, Expression, FirstPhase, Fixed, ProvingKey,
};
use halo2_proofs::poly::Rotation;
use rand::RngCore;
use rayon::prelude::*;

use super::fft::root;
use crate::Fr;

/// Challenges of the argument.
#[derive(Clone, Copy, Debug)]
pub(super) struct Challenges {
    pub(super) beta: Fr,
    pub(super) gamma: Fr,
}

/// Columns in one set.
fn set_size(system: &ConstraintSystem<Fr>) -> usize {
    system.degree() - 2
}

/// Sets, each of which has a running product.
pub(super) fn sets(system: &ConstraintSystem<Fr>) -> usize {
    let columns = system.permutation().get_columns().len();
    columns.div_ceil(set_size(system))
}

/// Rotation to the last usable row.
pub(super) fn last(system: &ConstraintSystem<Fr>) -> Rotation {
    Rotation(-(system.blinding_factors() as i32 + 1))
}

/// Whether a running product of a set starts where that of the set before ends, as in halo2, or at 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Start {
    Chained,
    AtOne,
}

/// The running products, on all rows, blinded.
pub(super) fn products(
    pk: &ProvingKey<G1Affine>,
    advice: &[Vec<Fr>],
    public: &[Fr],
    challenges: Challenges,
    starts: Start,
    rng: &mut impl RngCore,
) -> Vec<Vec<Fr>> {
    const CHUNK: usize = 1 << 10;
    let system = pk.get_vk().cs();
    let k = pk.get_vk().get_domain().k();
    let (n, omega) = (1_usize << k, root(k));
    let Challenges { beta, gamma } = challenges;
    let columns = system.permutation().get_columns();
    let sigmas = pk.permutation().permutations();
    let value = |column: &Column<Any>, row: usize| match column.column_type() {
        Any::Advice(_) => advice[column.index()][row],
        Any::Fixed => pk.fixed_values()[column.index()][row],
        Any::Instance => public.get(row).copied().unwrap_or_default(),
    };
    let mut shift = Fr::one();
    let mut start = Fr::one();
    let usable = n - (system.blinding_factors() + 1);
    let mut products = Vec::new();
    for (columns, sigmas) in columns.chunks(set_size(system)).zip(sigmas.chunks(set_size(system))) {
        let mut steps = vec![Fr::one(); n];
        steps.par_chunks_mut(CHUNK).enumerate().for_each(|(i, steps)| {
            let first = i * CHUNK;
            for (offset, step) in steps.iter_mut().enumerate() {
                for (column, sigma) in columns.iter().zip(sigmas) {
                    let row = first + offset;
                    *step *= value(column, row) + beta * sigma[row] + gamma;
                }
            }
            steps.batch_invert();
            let mut place = shift * beta * omega.pow_vartime([first as u64]);
            for (offset, step) in steps.iter_mut().enumerate() {
                let mut here = place;
                for column in columns {
                    *step *= value(column, first + offset) + here + gamma;
                    here *= Fr::DELTA;
                }
                place *= omega;
            }
        });
        shift *= Fr::DELTA.pow_vartime([columns.len() as u64]);
        let mut product = start;
        for step in &mut steps {
            product *= std::mem::replace(step, product);
        }
        if starts == Start::Chained {
            start = steps[usable];
        }
        steps[usable + 1..].fill_with(|| Fr::random(&mut *rng));
        products.push(steps);
    }
    products
}

/// The columns that the argument adds behind the fixed ones: the σ, the running products, `l_0`,
/// `l_last`, `l_active` and `X`.
struct Further {
    columns: Vec<Column<Fixed>>,
    /// Fixed columns, columns under copy constraints, running products.
    counts: [usize; 3],
}

impl Further {
    /// Behind those of a constraint system; `source` makes them, as only such a system can.
    fn of(system: &ConstraintSystem<Fr>, source: &mut ConstraintSystem<Fr>) -> Self {
        let permuted = system.permutation().get_columns().len();
        let counts = [system.num_fixed_columns(), permuted, sets(system)];
        let all = 0..counts.iter().sum::<usize>() + 4;
        Self { columns: all.map(|_| source.fixed_column()).collect(), counts }
    }

    fn sigma(&self, j: usize) -> Expression<Fr> {
        self.columns[self.counts[0] + j].query_cell(Rotation::cur())
    }

    fn product(&self, set: usize, rotation: Rotation) -> Expression<Fr> {
        self.columns[self.counts[0] + self.counts[1] + set].query_cell(rotation)
    }

    /// `l_0`, `l_last`, `l_active` and `X`.
    fn selectors(&self) -> [Expression<Fr>; 4] {
        let first = self.counts.iter().sum::<usize>();
        [0, 1, 2, 3].map(|i| self.columns[first + i].query_cell(Rotation::cur()))
    }
}

/// The argument's rules as packed proofs have them, over the same further columns, with `beta` and
/// `gamma` as the challenges that follow those of the circuit. A running product starts at 1 in each
/// set, and those of all sets end with the product 1: so no set reads the last row of another one.
pub(super) fn packed_rules(system: &ConstraintSystem<Fr>) -> Vec<Expression<Fr>> {
    let columns = system.permutation().get_columns();
    if columns.is_empty() {
        return Vec::new();
    }
    let size = set_size(system);
    let sets = sets(system);
    // Only a constraint system makes columns and challenges.
    let mut source = ConstraintSystem::<Fr>::default();
    source.advice_column();
    let challenges: Vec<Expression<Fr>> = (0..system.num_challenges() + 2)
        .map(|_| source.challenge_usable_after(FirstPhase).expr())
        .collect();
    let beta = || challenges[system.num_challenges()].clone();
    let gamma = || challenges[system.num_challenges() + 1].clone();
    let further = Further::of(system, &mut source);
    let sigma = |j: usize| further.sigma(j);
    let product = |s: usize, rotation: Rotation| further.product(s, rotation);
    let [l_0, l_last, l_active, x] = further.selectors();
    let one = || Expression::Constant(Fr::one());

    let ends = (0..sets).map(|s| product(s, Rotation::cur())).reduce(|all, z| all * z);
    let mut rules = vec![l_last * (ends.unwrap_or_else(one) - one())];
    for s in 0..sets {
        rules.push(l_0.clone() * (one() - product(s, Rotation::cur())));
    }
    let mut shift = Fr::one();
    for (s, set) in columns.chunks(size).enumerate() {
        let mut left = product(s, Rotation::next());
        let mut right = product(s, Rotation::cur());
        for (j, column) in set.iter().enumerate() {
            let value = column.query_cell(Rotation::cur()) + gamma();
            left = left * (value.clone() + sigma(s * size + j) * beta());
            right = right * (value + x.clone() * beta() * shift);
            shift *= Fr::DELTA;
        }
        rules.push(l_active.clone() * (left - right));
    }
    rules
}

/// The argument's rules, in halo2's order, over columns that follow the `fixed` ones: the σ, the
/// running products, `l_0`, `l_last`, `l_active` and `X`.
pub(super) fn rules(system: &ConstraintSystem<Fr>, challenges: Challenges) -> Vec<Expression<Fr>> {
    let columns = system.permutation().get_columns();
    if columns.is_empty() {
        return Vec::new();
    }
    let size = set_size(system);
    let sets = sets(system);
    // Only a constraint system makes columns.
    let mut source = ConstraintSystem::<Fr>::default();
    let further = Further::of(system, &mut source);
    let sigma = |j: usize| further.sigma(j);
    let product = |s: usize, rotation: Rotation| further.product(s, rotation);
    let [l_0, l_last, l_active, x] = further.selectors();
    let cur = |s: usize| product(s, Rotation::cur());
    let one = Expression::Constant(Fr::one());

    let mut rules = vec![
        l_0.clone() * (one - cur(0)),
        l_last * (cur(sets - 1) * cur(sets - 1) - cur(sets - 1)),
    ];
    for s in 1..sets {
        rules.push(l_0.clone() * (cur(s) - product(s - 1, last(system))));
    }
    let Challenges { beta, gamma } = challenges;
    let mut shift = beta;
    for (s, set) in columns.chunks(size).enumerate() {
        let mut left = product(s, Rotation::next());
        let mut right = cur(s);
        for (j, column) in set.iter().enumerate() {
            let value = column.query_cell(Rotation::cur()) + Expression::Constant(gamma);
            left = left * (value.clone() + sigma(s * size + j) * beta);
            right = right * (value + x.clone() * shift);
            shift *= Fr::DELTA;
        }
        rules.push(l_active.clone() * (left - right));
    }
    rules
}
