//! Hash and signature: what the executor spends its time on.
#![allow(missing_docs, clippy::unwrap_used)]

use std::time::Duration;

use bastion_protocol::hash::compress;
use bastion_protocol::keys::{check_claims, Claim, SecretKey};
use bastion_protocol::Fr;
use criterion::{criterion_group, criterion_main, Criterion};

fn primitives(c: &mut Criterion) {
    let (a, b) = (Fr::from(1u64), Fr::from(2u64));
    c.bench_function("poseidon2 compression", |bench| bench.iter(|| compress(a, b)));
    let key = SecretKey::from_seed(b"bench");
    let public = key.public();
    let signature = key.sign(a);
    assert!(public.verify(a, &signature));
    c.bench_function("signature: sign", |bench| bench.iter(|| key.sign(a)));
    c.bench_function("signature: check", |bench| bench.iter(|| public.verify(a, &signature)));
    for n in [8u64, 100, 1_000] {
        let claim = |n: u64| {
            let key = SecretKey::from_seed(&n.to_be_bytes());
            Claim::new(key.public(), Fr::from(n), key.sign(Fr::from(n)))
        };
        let claims: Vec<Claim> = (0..n).map(claim).collect();
        assert!(check_claims(&claims).iter().all(Option::is_some));
        c.bench_function(&format!("signature: check {n} together"), |bench| {
            bench.iter(|| check_claims(&claims))
        });
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2));
    targets = primitives
}
criterion_main!(benches);
