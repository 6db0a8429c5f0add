//! Solving and checking auctions.
#![allow(missing_docs, clippy::unwrap_used)]

use bastion_auction::sample::{book, Shape};
use bastion_auction::{solve, verify, Auction, Terms};
use criterion::{criterion_group, criterion_main, BenchmarkId, Criterion};

fn auctions(c: &mut Criterion) {
    let mut group = c.benchmark_group("auction");
    group.sample_size(20);
    for (tokens, orders, hub) in [
        (2, 2_000, 1),
        (3, 2_000, 2),
        (20, 2_000, 1),
        (20, 2_000, 2),
        (20, 2_000, 1 << 20),
        (50, 10_000, 2),
    ] {
        let shape = Shape { tokens, orders, spread: 1_300, hub };
        let auction = Auction::new(book(1, shape), Terms::default()).unwrap();
        let clearing = solve(&auction);
        let name = format!("{tokens} tokens, {orders} orders, hub {hub}");
        group.bench_function(BenchmarkId::new("solve", &name), |b| b.iter(|| solve(&auction)));
        group.bench_function(BenchmarkId::new("verify", &name), |b| {
            b.iter(|| verify(&auction, &clearing).unwrap());
        });
    }
    group.finish();
}

criterion_group!(benches, auctions);
criterion_main!(benches);
