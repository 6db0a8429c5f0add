//! The replay of posted data: it follows every batch of the honest executor, and refuses everything
//! that no batch can have, each by its rule.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod followed;
mod refused;

use bastion_audit::replay::{Broken, Place, ReplayError};
use bastion_audit::Replay;
use bastion_protocol::account::{limiter_index, FIRST_USER as A};
use bastion_protocol::data::BatchData;
use bastion_protocol::field;
use bastion_protocol::keys::SecretKey;
use bastion_protocol::ops::{Action, Body, Deposit, Float, ForcedExit, Op};
use bastion_protocol::policy::{Policy, TokenLimits};
use bastion_protocol::records::{ExitRecord, Section};
use bastion_protocol::Kind;
use bastion_protocol::{Account, Address, Fr, Index};
use bastion_state::executor::order_chain;
use bastion_state::executor::{posted_data, BatchBuilder, BatchContext, BatchTrace};
use bastion_state::state::State;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

const TIME: u64 = 1_700_000_000;
const B: Index = A + 1;
const C: Index = A + 2;

fn key(name: &str) -> SecretKey {
    SecretKey::from_seed(name.as_bytes())
}

fn hash(name: &str) -> Fr {
    key(name).public().keyhash()
}

/// The exit address of a name: its first letter.
fn exit(name: &str) -> Address {
    Address([name.as_bytes()[0]; 20])
}

fn policy() -> Policy {
    Policy {
        guardian_keyhash: hash("guardian"),
        max_freeze: 100,
        cooldown: 200,
        fee_keyhash: hash("fees"),
        fee_exit: exit("fees"),
        default_limits: TokenLimits { rate: 10, burst_seconds: 50, max_delay: 1_000 },
        limits: [(1, TokenLimits { rate: 1, burst_seconds: 0, max_delay: 90 })].into(),
    }
}

fn context(time: u64) -> BatchContext {
    BatchContext { domain: Fr::from(9u64), time, policy: policy() }
}

fn execute(state: &mut State, time: u64, ops: &[Op]) -> BatchTrace {
    let mut batch = BatchBuilder::new(state, context(time)).unwrap();
    for op in ops {
        assert!(batch.push(op, |_| true).unwrap(), "{op:?}");
    }
    batch.finish()
}

fn data(trace: &BatchTrace) -> BatchData {
    let bytes = posted_data(&trace.ops).to_bytes();
    BatchData::read(&mut bytes.as_slice()).unwrap()
}

/// Replays a trace: state, accounts and order come out as the executor has them.
fn follows(replay: &mut Replay, state: &State, trace: &BatchTrace) {
    replay.apply(&data(trace), trace.context.time).unwrap();
    assert_eq!(replay.root(), trace.new_root);
    assert!(replay.accounts().map(|(i, a)| (i, *a)).eq(state.accounts().map(|(i, a)| (i, *a))));
    let chain = order_chain(Fr::from(0u64), &trace.ops);
    assert_eq!(replay.take_order().chain, chain);
}

fn deposit(name: &str, token: u16, amount: u128) -> Op {
    Op::Deposit(Deposit { token, amount, keyhash: hash(name), exit: exit(name) })
}

fn forced(index: Index, token: u16, name: &str) -> Op {
    Op::ForcedExit(ForcedExit { index, token, exit: exit(name) })
}

fn signed(state: &State, name: &str, account: Index, fee: u128, action: Action) -> Op {
    let guardian = matches!(action, Action::Freeze { .. } | Action::Unfreeze { .. });
    let held = state.account(account).unwrap();
    let (_, exit) = state.opening(held.owner).unwrap();
    let body = Body {
        account,
        token: held.token,
        nonce: if guardian { 0 } else { held.nonce },
        deadline: TIME + 1_000_000,
        fee,
        action,
    };
    let key = key(if guardian { "guardian" } else { name });
    Op::Signed(body.sign(&key, context(0).domain, exit).unwrap())
}

fn started() -> (State, Replay) {
    let mut replay = Replay::new();
    replay.set_policy(&policy());
    (State::new(), replay)
}
