//! Speed of the pieces: hash, signature, executor, witness.
#![allow(missing_docs, clippy::unwrap_used)]

use bastion_circuits::witness::{fill, Link};
use bastion_circuits::Shape;
use bastion_state::executor::{BatchBuilder, BatchContext, BatchTrace};
use bastion_state::hash::compress;
use bastion_state::keys::SecretKey;
use bastion_state::ops::{Deposit, Op};
use bastion_state::state::State;
use bastion_state::{Address, Fr};
use criterion::{criterion_group, criterion_main, Criterion};

fn context() -> BatchContext {
    BatchContext {
        domain: Fr::from(1u64),
        time: 1_700_000_000,
        policy: bastion_node::dev::dev_policy(),
    }
}

fn batch() -> BatchTrace {
    let mut state = State::new();
    let mut builder = BatchBuilder::new(&mut state, context()).unwrap();
    for i in 0..8u64 {
        let deposit = Op::Deposit(Deposit {
            token: 0,
            amount: 5,
            keyhash: Fr::from(i),
            exit: Address([1; 20]),
        });
        builder.push(&deposit, |_| true).unwrap();
    }
    builder.finish()
}

fn primitives(c: &mut Criterion) {
    let (a, b) = (Fr::from(1u64), Fr::from(2u64));
    c.bench_function("poseidon2 compression", |bench| {
        bench.iter(|| compress(a, b))
    });
    let key = SecretKey::from_seed(b"bench");
    let public = key.public();
    let signature = key.sign(a);
    c.bench_function("sign", |bench| bench.iter(|| key.sign(a)));
    c.bench_function("verify", |bench| {
        bench.iter(|| public.verify(a, &signature))
    });
    c.bench_function("execute 8 deposits", |bench| bench.iter(batch));
    let trace = batch();
    let link = Link {
        c_in: a,
        y_in: a,
        r: b,
    };
    let shape = Shape::tiny();
    c.bench_function("witness of a tiny batch", |bench| {
        bench.iter(|| fill(&shape, &trace, &link).unwrap())
    });
}

criterion_group!(benches, primitives);
criterion_main!(benches);
