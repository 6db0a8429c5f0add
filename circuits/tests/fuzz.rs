//! The executor against the circuit: whatever it takes satisfies every rule.
//!
//! `BASTION_FUZZ_BATCHES` and `BASTION_FUZZ_SEED` try more, or others.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "support/fuzz.rs"]
mod fuzz;

use std::collections::BTreeMap;

use bastion_circuits::check::{check, holds, names};
use bastion_circuits::witness::convert::to_halo2;
use bastion_circuits::witness::{fill, BlobLink, ChainedInputs};
use bastion_circuits::{Shape, Slots};
use bastion_protocol::blob::layout::groups;
use bastion_protocol::blob::Scalar;
use bastion_protocol::data::BatchData;
use bastion_protocol::Fr;
use bastion_protocol::Kind;
use bastion_state::executor::order_chain;
use bastion_state::executor::{posted_data, BatchContext, BatchTrace};
use bastion_state::State;
use fuzz::{add, held, record, shrunk, Case, Plan, BATCHES};
use rayon::prelude::*;

/// Most operations of a batch, quotes aside.
const OPERATIONS: usize = 4;

/// Room for many limiters and policies, which edge states use more than others, and for orders with their quotes.
fn shape() -> Shape {
    let shape = Shape {
        name: "fuzz".into(),
        k: 13,
        slots: Slots {
            ops: 9,
            accounts: 11,
            nodes: 165,
            signatures: 4,
            hashes: 140,
            ranges128: 80,
            ranges40: 160,
            limiters: 4,
            policies: 3,
            orders: 3,
            quotes: 5,
            ..Slots::empty()
        }
        .with_blob(17, 4),
    };
    shape.check().unwrap();
    shape
}

fn link() -> ChainedInputs {
    ChainedInputs {
        c_in: Fr::from(3u64),
        y_in: Fr::from(4u64),
        r: Fr::from(0x1234_5678_9abc_def0u64),
        blob: None,
    }
}

/// What is wrong with a batch, if anything is: with its data in calldata, or in a blob.
fn wrong(shape: &Shape, trace: &BatchTrace, usage: Option<&Slots>) -> Option<String> {
    let blob = BlobLink { z: u128::MAX / 3, to: Scalar::from(5u64) };
    let in_blob = ChainedInputs { blob: Some(blob), ..link() };
    let faults = [link(), in_blob].map(|link| wrong_in(&link, shape, trace, usage));
    faults.into_iter().flatten().next()
}

fn wrong_in(
    link: &ChainedInputs,
    shape: &Shape,
    trace: &BatchTrace,
    usage: Option<&Slots>,
) -> Option<String> {
    let (grid, pools) = match fill(shape, trace, link) {
        Ok(filled) => filled,
        Err(e) => return Some(e.to_string()),
    };
    if let Some(usage) = usage {
        let groups = groups(posted_data(&trace.ops).counts()) as usize;
        let bounds = [
            (usage.groups, groups),
            (usage.hashes, pools.hashes.len()),
            (usage.ranges40, pools.ranges40.len()),
            (usage.ranges128, pools.ranges128.len()),
        ];
        if bounds.iter().any(|(bound, used)| used > bound) {
            return Some(format!("more is used than was counted: {bounds:?}"));
        }
    }
    if !pools.out_of_range.is_empty() || !holds(shape, &grid) {
        let names = names(&check(shape, &grid));
        return Some(format!("{names:?} {:?}", pools.out_of_range));
    }
    let data = posted_data(&trace.ops);
    let public = [
        trace.old_root,
        trace.new_root,
        link.c_in,
        order_chain(link.c_in, &trace.ops),
        link.y_in,
        data.evaluate_in(link.mode(), link.y_in, link.r),
    ];
    if grid.public()[..6] != public.map(to_halo2) {
        return Some("public inputs differ".into());
    }
    if BatchData::read(&mut data.to_bytes().as_slice()).ok() != Some(data) {
        return Some("data do not read back".into());
    }
    None
}

/// Deposits in, exits out, and nothing else changes what is held of a token.
fn conserved(before: &State, after: &State, trace: &BatchTrace) -> bool {
    let (mut left, mut right) = (held(before), held(after));
    for op in &trace.ops {
        match op.kind {
            Kind::Deposit | Kind::DepositNew => {
                let token = op.accesses[0].unwrap().after.unwrap().token;
                add(&mut left, token, op.amount);
            }
            Kind::Withdraw | Kind::ForcedExit => {
                add(&mut right, op.limiter.unwrap().token, op.amount);
            }
            _ => {}
        }
    }
    left.retain(|_, sum| *sum != (0, 0));
    right.retain(|_, sum| *sum != (0, 0));
    left == right
}

/// One case: kinds that were executed, and what went wrong.
fn run(shape: &Shape, mut case: Case) -> (BTreeMap<Kind, u64>, Vec<String>) {
    let (mut kinds, mut faults) = (BTreeMap::new(), Vec::new());
    for _ in 0..BATCHES {
        let before = case.state.clone();
        let context: BatchContext = case.context.clone();
        let mut usage = Slots::empty();
        let trace = case.batch(OPERATIONS, |f| {
            let next = usage.with(f.kind, f.accounts, f.nodes, f.tokens);
            let fits = next.fits(&shape.slots);
            if fits {
                usage = next;
            }
            fits
        });
        for op in &trace.ops {
            *kinds.entry(op.kind).or_default() += 1;
        }
        if let Some(why) = wrong(shape, &trace, Some(&usage)) {
            let fails = |t: &BatchTrace| wrong(shape, t, None).is_some();
            faults.push(format!("{why}\n{}", shrunk(&before, &context, &trace, fails)));
        }
        if !conserved(&before, &case.state, &trace) {
            faults.push(format!("money is made or lost: {:?}", trace.ops));
        }
        case.later();
    }
    (kinds, faults)
}

#[test]
fn what_the_executor_takes_can_be_proven() {
    let (plan, shape) = (Plan::from_env(), shape());
    let results: Vec<_> =
        (0..plan.cases).into_par_iter().map(|n| (n, run(&shape, plan.case(n)))).collect();
    let mut kinds: BTreeMap<Kind, u64> = BTreeMap::new();
    let mut faults = Vec::new();
    for (n, (executed, wrong)) in results {
        for (kind, count) in executed {
            *kinds.entry(kind).or_default() += count;
        }
        faults.extend(wrong.into_iter().map(|w| (n, w)));
    }
    println!("{kinds:?}");
    record("fuzzed_batches", plan.cases * BATCHES as u64);
    record("fuzz_disagreements", faults.len() as u64);
    for (n, fault) in faults.iter().take(5) {
        println!("BASTION_FUZZ_SEED={}, case {n}: {fault}", plan.seed);
    }
    assert!(faults.is_empty(), "{} batches disagree", faults.len());
    // The draws reach every kind, so that agreement means something.
    for kind in Kind::ALL {
        let count = kinds.get(&kind).copied().unwrap_or(0);
        let enough = kind == Kind::Noop || count * 100 >= plan.cases;
        assert!(enough, "{kind:?} was executed {count} times");
    }
}
