//! A prover that breaks one rule is stopped by the constraint that carries the rule's name.
//!
//! The cheater is a clever one: it alters what an operation did, and then recomputes accounts,
//! Merkle nodes and roots so that everything else fits.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod operations;
mod order;
mod statement;
#[path = "../support/mod.rs"]
mod support;

use std::collections::{BTreeMap, BTreeSet};

use bastion_circuits::check::{check, names};
use bastion_circuits::witness::{fill, generate_witness, ChainedInputs};
use bastion_circuits::{BatchCircuit, Shape};
use bastion_protocol::account::{leaf, FIRST_USER};
use bastion_protocol::keys::owner;
use bastion_protocol::ops::{Action, Op};
use bastion_protocol::Kind;
use bastion_protocol::{Account, Fr};
use bastion_state::executor::{Access, AccountTouch, BatchContext, BatchTrace, OpTrace};
use bastion_state::state::State;
use bastion_state::tree::Tree;
use halo2_proofs::dev::MockProver;
use support::{
    blob_link, context, deposit, exit, forced, key, link, run, signed, world, FIRST, TIME,
};

type Make = fn(&State) -> Op;

/// Recomputes what follows from the accesses of the operations.
fn rebuild(trace: &mut BatchTrace, mut tree: Tree) {
    let mut touched: BTreeMap<u32, AccountTouch> = BTreeMap::new();
    for access in trace.ops.iter().flat_map(|op| op.accesses.iter().flatten()) {
        touched.entry(access.index).and_modify(|t| t.after = access.after).or_insert(
            AccountTouch { index: access.index, before: access.before, after: access.after },
        );
    }
    trace.accounts = touched.into_values().collect();
    let leaves: Vec<_> = trace.accounts.iter().map(|t| (t.index, leaf(t.after.as_ref()))).collect();
    trace.nodes = tree.update_traced(&leaves);
    trace.new_root = tree.root();
}

/// The violated rules when the last of `ops` is altered.
fn cheat_in(
    context: &BatchContext,
    before: &[Make],
    make: Make,
    alter: impl Fn(&mut OpTrace),
) -> BTreeSet<String> {
    let mut state = world();
    run(&mut state, context, before).unwrap();
    let tree = state.tree().clone();
    let mut trace = run(&mut state, context, &[make]).unwrap();
    alter(&mut trace.ops[0]);
    rebuild(&mut trace, tree);
    violated(&trace)
}

fn violated(trace: &BatchTrace) -> BTreeSet<String> {
    let shape = Shape::tiny();
    let (grid, _) = fill(&shape, trace, &link()).unwrap();
    let names = names(&check(&shape, &grid));
    support::record("cheats", usize::from(!names.is_empty()));
    names
}

fn cheat(make: Make, alter: impl Fn(&mut OpTrace)) -> BTreeSet<String> {
    cheat_in(&context(), &[], make, alter)
}

fn set(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|n| (*n).to_string()).collect()
}

fn after(op: &mut OpTrace, i: usize) -> &mut Account {
    op.accesses[i].as_mut().unwrap().after.as_mut().unwrap()
}

const TRANSFER: Make =
    |s| signed(s, "alice", FIRST, 30, Action::Transfer { to: FIRST + 1, amount: 5_000 });
const TRANSFER_NEW: Make = |s| {
    let keyhash = key("frank").public().keyhash();
    signed(s, "alice", FIRST, 0, Action::TransferNew { keyhash, exit: exit("frank"), amount: 10 })
};
const WITHDRAW: Make = |s| {
    signed(s, "carol", FIRST + 2, 10, Action::Withdraw { to: exit("elsewhere"), amount: 1_234 })
};
const CHANGE_KEY: Make = |s| {
    signed(s, "bob", FIRST + 1, 1, Action::ChangeKey { keyhash: key("bob2").public().keyhash() })
};
const FREEZE: Make =
    |s| signed(s, "dave", FIRST + 3, 0, Action::Freeze { until: TIME + 1_000, old_until: 0 });
const UNFREEZE: Make =
    |s| signed(s, "dave", FIRST + 3, 0, Action::Unfreeze { old_until: TIME + 1_000 });
const DEPOSIT: Make = |_| deposit("alice", 0, 123);
const DEPOSIT_NEW: Make = |_| deposit("erin", 0, 77);
const FORCED: Make = |_| forced(FIRST + 3, 3, "dave");
const FORCED_NOOP: Make = |_| forced(FIRST + 3, 3, "carol");

#[test]
fn honest_operations_violate_nothing() {
    for make in [
        TRANSFER,
        TRANSFER_NEW,
        WITHDRAW,
        CHANGE_KEY,
        FREEZE,
        DEPOSIT,
        DEPOSIT_NEW,
        FORCED,
        FORCED_NOOP,
    ] {
        assert_eq!(cheat(make, |_| {}), set(&[]));
    }
    assert_eq!(cheat_in(&context(), &[FREEZE], UNFREEZE, |_| {}), set(&[]));
}
