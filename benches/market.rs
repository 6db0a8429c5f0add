//! The simulated market: how fast its rounds are traded, and what they show.
#![allow(missing_docs, clippy::unwrap_used)]

use bastion_auction::meter::{market, Scenario};
use criterion::{criterion_group, criterion_main, Criterion};

fn rounds(c: &mut Criterion) {
    let scenario = Scenario { seed: 1, blocks: 20, users: 12 };
    println!("{}", market(scenario).unwrap());
    let mut group = c.benchmark_group("market");
    group.sample_size(10);
    group.bench_function("one round on all venues, with all operators", |bench| {
        bench.iter(|| market(Scenario { blocks: 1, ..scenario }).unwrap())
    });
    group.finish();
}

criterion_group!(benches, rounds);
criterion_main!(benches);
