//! The executor against the replay: posted data alone lead from each root to the next.
//!
//! `BASTION_FUZZ_BATCHES` and `BASTION_FUZZ_SEED` try more, or others.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../../circuits/tests/support/fuzz.rs"]
mod fuzz;

use bastion_audit::Replay;
use bastion_protocol::data::BatchData;
use bastion_protocol::Fr;
use bastion_state::executor::order_chain;
use bastion_state::executor::{posted_data, BatchContext, BatchTrace};
use bastion_state::State;
use fuzz::{record, shrunk, Case, Plan, BATCHES};

/// Operations of a batch.
const MOST: usize = 24;

fn replay_of(state: &State, context: &BatchContext) -> Replay {
    let accounts = state.accounts().map(|(i, a)| (i, *a));
    let mut replay = Replay::starting_from(accounts, state.openings().copied());
    replay.set_policy(&context.policy);
    replay
}

/// What is wrong with a batch, if anything is.
fn wrong(replay: &mut Replay, trace: &BatchTrace) -> Option<String> {
    let bytes = posted_data(&trace.ops).to_bytes();
    let data = BatchData::read(&mut bytes.as_slice()).unwrap();
    if let Err(e) = replay.apply(&data, trace.context.time) {
        return Some(e.to_string());
    }
    if replay.take_order().chain != order_chain(Fr::from(0u64), &trace.ops) {
        return Some("the order is another".into());
    }
    (replay.root() != trace.new_root).then(|| "the root is another".into())
}

/// One case; the replay goes on from batch to batch.
fn run(mut case: Case) -> Option<String> {
    let mut replay = replay_of(&case.state, &case.context);
    assert_eq!(replay.root(), case.state.root());
    for _ in 0..BATCHES {
        let before = case.state.clone();
        let context = case.context.clone();
        let trace = case.batch(MOST, |_| true);
        if let Some(why) = wrong(&mut replay, &trace) {
            let fails = |t: &BatchTrace| wrong(&mut replay_of(&before, &context), t).is_some();
            return Some(format!("{why}\n{}", shrunk(&before, &context, &trace, fails)));
        }
        case.later();
    }
    None
}

#[test]
fn what_the_executor_posts_is_replayed() {
    let plan = Plan::from_env();
    let mut faults = 0;
    for n in 0..plan.cases {
        if let Some(fault) = run(plan.case(n)) {
            println!("BASTION_FUZZ_SEED={}, case {n}: {fault}", plan.seed);
            faults += 1;
        }
    }
    record("fuzz_replayed", plan.cases * BATCHES as u64);
    record("fuzz_disagreements", faults);
    assert_eq!(faults, 0, "cases disagree");
}
