//! The aggregator's chip: the witness of its blocks, of a whole multiplication and of a transcript's
//! permutation, and the constraints of one block of each kind.
#![allow(missing_docs, clippy::unwrap_used)]

use std::time::Duration;

use bastion_aggregator::chip::{
    add, double, entry, fill, gates, permutation, Base, Gate, Grid, Inputs, Kind, Layout, Sums,
};
use bastion_circuits::core::{Challenges, Expr};
use criterion::{criterion_group, criterion_main, Criterion};
use halo2_proofs::halo2curves::bn256::{Fr, G1Affine, G1};
use halo2_proofs::halo2curves::ff::Field;
use halo2_proofs::halo2curves::group::Curve;
use rand::rngs::StdRng;
use rand::SeedableRng;

/// One commitment and one point of a verifying key, each multiplied by a random scalar, and one
/// permutation: blocks of every kind.
fn example() -> (Sums, Inputs) {
    let mut rng = StdRng::seed_from_u64(1);
    let sums =
        Sums { bases: vec![Base::Witness(0), Base::Constant(point(3))], sums: vec![vec![0, 1]] };
    let inputs = Inputs {
        points: vec![point(2)],
        scalars: vec![Fr::random(&mut rng), Fr::random(&mut rng)],
        permutations: vec![[1, 2, 3].map(Fr::from)],
    };
    (sums, inputs)
}

fn point(n: u64) -> G1Affine {
    (G1::generator() * Fr::from(n)).to_affine()
}

fn witness(c: &mut Criterion) {
    let mut group = c.benchmark_group("chip, witness");
    group.warm_up_time(Duration::from_millis(200));
    group.measurement_time(Duration::from_secs(1));
    let mut grid = Grid::new(1 << 6);
    let (running, multiple) = (point(2), point(5));
    group.bench_function("addition", |bench| {
        let multiple = add::Multiple::explicit(multiple);
        let sum = Fr::from(7);
        let addend = add::Addend { multiple, digit: 5, negative: true, sum, uses: Fr::zero() };
        bench.iter(|| add::assign(&mut grid.block(1), &running, &addend))
    });
    group.bench_function("doubling", |bench| {
        bench.iter(|| double::assign(&mut grid.block(1), &running, Fr::zero()))
    });
    group.bench_function("ordinate written out", |bench| {
        bench.iter(|| entry::assign(&mut grid.block(1), &running))
    });
    group.bench_function("permutation", |bench| {
        let lanes = [1, 2, 3].map(Fr::from);
        bench.iter(|| permutation::assign(&mut grid, 1, &lanes))
    });

    group.sample_size(10);
    let (sums, inputs) = example();
    let layout = Layout::new(&sums, inputs.permutations.len());
    group.bench_function("two tables of multiples and their sum", |bench| {
        bench.iter(|| fill(&sums, &layout, &inputs))
    });
    group.finish();
}

/// Everything that a block's rules read: constraints, and the tuples with their multiplicities.
fn expressions(gate: &Gate) -> Vec<Expr> {
    let rules = gate.constraints.iter().map(|c| c.poly);
    let terms = gate.bus.iter().flatten();
    let tuples = terms.flat_map(|t| [t.multiplicity, t.tuple.fingerprint()]);
    rules.chain(tuples).collect()
}

fn constraints(c: &mut Criterion) {
    let (sums, inputs) = example();
    let layout = Layout::new(&sums, inputs.permutations.len());
    let grid = fill(&sums, &layout, &inputs);
    let (blocks, gates) = (layout.blocks(), gates());
    let challenges = Challenges { beta: Fr::from(1 << 40), gamma: Fr::from(1 << 41) };
    let mut group = c.benchmark_group("chip, constraints of one block");
    group.warm_up_time(Duration::from_millis(200));
    group.measurement_time(Duration::from_millis(500));
    for kind in Kind::ALL {
        let gate = &gates[kind as usize];
        let (_, row) = blocks.iter().find(|(k, _)| *k == kind).unwrap();
        for rule in &gate.constraints {
            let value = grid.evaluate(&rule.poly, *row, &challenges);
            assert_eq!(value, Fr::zero(), "{}.{}", kind.name(), rule.name);
        }
        let all = expressions(gate);
        group.bench_function(kind.name(), |bench| {
            bench.iter(|| {
                let values = all.iter().map(|e| grid.evaluate(e, *row, &challenges));
                values.sum::<Fr>()
            })
        });
    }
    group.finish();
}

criterion_group!(benches, witness, constraints);
criterion_main!(benches);
