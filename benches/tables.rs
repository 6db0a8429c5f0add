//! The tables of the batch circuit: the witness of a whole batch, and the constraints and bus tuples
//! of one block of each table, as the witness checker evaluates them.
#![allow(missing_docs, clippy::unwrap_used)]

mod support;

use std::time::Duration;

use bastion_circuits::core::{Challenges, Expr, Grid, Layout, RowBlock, Table};
use bastion_circuits::witness::fill;
use bastion_circuits::{tables, Fr, Shape};
use criterion::{criterion_group, criterion_main, Criterion};

const CHALLENGES: (u64, u64) = (1 << 40, 1 << 41);

/// Everything that a block's rules read: constraints, and the tuples with their multiplicities.
fn expressions(block: &RowBlock) -> Vec<Expr> {
    let rules = block.constraints.iter().map(|c| c.poly);
    let terms = block.bus.iter().flatten();
    let tuples = terms.flat_map(|t| [t.multiplicity, t.tuple.fingerprint()]);
    rules.chain(tuples).collect()
}

fn witness(c: &mut Criterion) {
    let shape = Shape::tiny();
    let (trace, link) = support::batch();
    let mut group = c.benchmark_group("witness");
    group.sample_size(20);
    group.bench_function("of a tiny batch", |bench| {
        bench.iter(|| fill(&shape, &trace, &link).unwrap())
    });
    group.finish();
}

fn constraints(c: &mut Criterion) {
    let shape = Shape::tiny();
    let (trace, link) = support::batch();
    let (grid, _) = fill(&shape, &trace, &link).unwrap();
    let (layout, blocks) = (Layout::new(&shape), tables::blocks(&shape));
    let (beta, gamma) = (Fr::from(CHALLENGES.0), Fr::from(CHALLENGES.1));
    let challenges = Challenges { beta, gamma };
    let value = |grid: &Grid, expr: &Expr, row: usize| grid.evaluate(expr, row, &challenges, &[]);

    let mut group = c.benchmark_group("constraints of one block");
    group.warm_up_time(Duration::from_millis(200)).measurement_time(Duration::from_millis(500));
    for table in Table::ALL {
        let block = &blocks[table as usize];
        let row = layout.rows_of(table)[0];
        for rule in &block.constraints {
            assert_eq!(value(&grid, &rule.poly, row), Fr::zero(), "{}", rule.name);
        }
        let all = expressions(block);
        group.bench_function(table.name(), |bench| {
            bench.iter(|| {
                let values = all.iter().map(|e| value(&grid, e, row));
                values.sum::<Fr>()
            })
        });
    }
    group.finish();

    c.bench_function("bus sums of a tiny batch", |bench| {
        bench.iter(|| grid.bus_sums(&layout, &blocks, &challenges))
    });
}

criterion_group!(benches, witness, constraints);
criterion_main!(benches);
