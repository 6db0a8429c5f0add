//! Executor and state tree, in a state of 10,000 accounts.
#![allow(missing_docs, clippy::unwrap_used)]

mod support;

use bastion_node::devnet::{dev_exit, dev_key};
use bastion_protocol::account::FIRST_USER;
use bastion_protocol::keys::owner;
use bastion_protocol::ops::{Action, Body, Op};
use bastion_protocol::{Account, Fr, Index};
use bastion_state::executor::{BatchBuilder, BatchTrace};
use bastion_state::state::State;
use criterion::{criterion_group, criterion_main, BatchSize, Criterion};
use support::{context, TIME};

const ACCOUNTS: Index = 10_000;
const TRANSFERS: Index = 64;
const NAME: &str = "bench";

/// User number `n`: spread over the first `2^20` places.
fn place(n: Index) -> Index {
    FIRST_USER + n.wrapping_mul(0x9e37_79b1) % (1 << 20)
}

fn state() -> State {
    let opening = (dev_key(NAME).public().keyhash(), dev_exit(NAME));
    let account =
        Account { balance: 1_000_000_000_000, ..Account::new(owner(opening.0, opening.1), 0) };
    let accounts = (0..ACCOUNTS).map(|n| (place(n), account));
    State::with_accounts(accounts, [opening]).unwrap()
}

fn transfers() -> Vec<Op> {
    let transfer = |n: Index| {
        let body = Body {
            account: place(n),
            token: 0,
            nonce: 0,
            deadline: TIME + 60,
            fee: 1_000,
            action: Action::Transfer { to: place(TRANSFERS + n), amount: 1_000_000 },
        };
        let signed = body.sign(&dev_key(NAME), context().domain, dev_exit(NAME));
        Op::Signed(signed.unwrap())
    };
    (0..TRANSFERS).map(transfer).collect()
}

fn execute(mut state: State, ops: &[Op]) -> (BatchTrace, State) {
    let mut builder = BatchBuilder::new(&mut state, context()).unwrap();
    for op in ops {
        assert!(builder.push(op, |_| true).unwrap());
    }
    let trace = builder.finish().unwrap();
    // The state is handed back so that its release is not measured.
    (trace, state)
}

fn executor(c: &mut Criterion) {
    let (state, ops) = (state(), transfers());
    let mut group = c.benchmark_group("state");
    group.sample_size(20);
    group.bench_function(format!("execute {TRANSFERS} transfers"), |bench| {
        let fresh = || state.clone();
        bench.iter_batched(fresh, |s| execute(s, &ops), BatchSize::PerIteration);
    });

    let mut tree = state.tree().clone();
    let mut value = 0u64;
    for leaves in [1, 1_000] {
        group.bench_function(format!("tree update of {leaves} leaves"), |bench| {
            bench.iter(|| {
                value += 1;
                let leaf = |n| (place(n), Fr::from(value));
                let changed: Vec<(Index, Fr)> = (0..leaves).map(leaf).collect();
                tree.update(&changed);
            })
        });
    }
    group.finish();
}

criterion_group!(benches, executor);
criterion_main!(benches);
