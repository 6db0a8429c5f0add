//! Each check refuses an input that breaks exactly what it is about, and none refuses what the executor
//! does.

use std::collections::BTreeMap;

use bastion_protocol::account::{fee_index, FIRST_USER};
use bastion_protocol::keys::{owner, SecretKey};
use bastion_protocol::ops::{Action, Body, Deposit, ForcedExit, Op};
use bastion_protocol::{Account, Address, Fr, Index, Kind, Policy, TokenLimits};
use bastion_state::executor::{execute, BatchContext, OpenBatch};
use bastion_state::State;

mod auction;

use super::*;
use crate::rules::{RuleSet, Stage};
use crate::{Candidate, Config, Decision, Screener};

const TIME: u64 = 1_800_000_000;

fn run(steps: &str) -> (Screener, Vec<Input>) {
    let steps: Vec<crate::rules::Step> = serde_saphyr::from_str(steps).unwrap();
    let mut screener = Screener::empty(Config::default(), RuleSet::empty()).unwrap();
    let mut inputs = Stage::new().run(&steps).unwrap();
    let last = inputs.pop().unwrap();
    inputs.iter().for_each(|input| screener.learn(input));
    (screener, vec![last])
}

const SETUP: &str = "
- deposit: {to: alice, amount: 1000}
- deposit: {to: bob, amount: 1000}
- transfer: {from: bob, to: alice, amount: 1, fee: 1}
- freeze: {account: bob, seconds: 100}
";

/// The names of what a changed input breaks, after the set-up and `step`.
fn broken(step: &str, change: impl FnOnce(&mut Input)) -> Vec<String> {
    let (screener, mut inputs) = run(&format!("{SETUP}{step}"));
    let input = &mut inputs[0];
    let clean = screener.judge(input);
    assert!(clean.reasons.is_empty() && clean.decision == Decision::Allow, "{clean:?}");
    change(input);
    let verdict = screener.judge(input);
    assert_eq!(verdict.decision == Decision::Reject, !verdict.reasons.is_empty());
    verdict.reasons.into_iter().map(|r| r.detector).collect()
}

fn account(input: &mut Input, place: usize, after: bool) -> &mut Account {
    let access = input.trace.accesses[place].as_mut().unwrap();
    let account = if after { &mut access.after } else { &mut access.before };
    account.as_mut().unwrap()
}

const TRANSFER: &str = "- transfer: {from: alice, to: bob, amount: 10, fee: 1}";
const NEW: &str = "- transfer_new: {from: alice, to: carol, amount: 10, fee: 1}";
const WITHDRAW: &str = "- withdraw: {from: alice, to: x, amount: 10, fee: 1}";
const DEPOSIT: &str = "- deposit: {to: alice, amount: 10}";
const DEPOSIT_NEW: &str = "- deposit: {to: carol, amount: 10}";
const FORCED: &str = "- forced_exit: {account: alice}";
const KEY: &str = "- change_key: {account: alice}";
const FREEZE: &str = "- freeze: {account: alice, seconds: 100}";
const UNFREEZE: &str = "- unfreeze: {account: bob}";

#[test]
fn conservation() {
    for step in [TRANSFER, NEW, WITHDRAW, DEPOSIT, DEPOSIT_NEW] {
        let found = broken(step, |i| account(i, 0, true).balance += 1);
        assert!(found.contains(&"invariant.conservation".into()), "{step}: {found:?}");
        let found = broken(step, |i| account(i, 0, true).balance -= 1);
        assert_eq!(found, ["invariant.conservation"], "{step}");
    }
    for place in [1, 2] {
        let found = broken(TRANSFER, |i| account(i, place, true).balance += 1);
        assert!(found.contains(&"invariant.conservation".into()));
    }
    // A forced exit that leaves something behind.
    let found = broken(FORCED, |i| account(i, 0, true).balance = 1);
    assert!(found.contains(&"invariant.conservation".into()));
    // Amounts near the end of 128 bits do not wrap round.
    let found = broken(TRANSFER, |i| {
        account(i, 0, true).balance = u128::MAX;
        account(i, 1, true).balance = u128::MAX;
    });
    assert!(found.contains(&"invariant.conservation".into()));
}

#[test]
fn backing() {
    // Conserved within the operation, and yet more than was ever deposited: a forged account before.
    let found = broken(TRANSFER, |i| {
        account(i, 0, false).balance += 5000;
        account(i, 0, true).balance += 5000;
    });
    assert_eq!(found, ["invariant.backing"]);
}

#[test]
fn nonces() {
    for step in [TRANSFER, WITHDRAW, KEY] {
        for after in [0, 2] {
            let found = broken(step, |i| account(i, 0, true).nonce = after);
            assert_eq!(found, ["invariant.nonce"], "{step}");
        }
    }
    let found = broken(TRANSFER, |i| account(i, 1, true).nonce += 1);
    assert_eq!(found, ["invariant.nonce"]);
    let found = broken(TRANSFER, |i| {
        account(i, 0, false).nonce += 1;
        account(i, 0, true).nonce += 1;
    });
    assert_eq!(found, ["invariant.nonce"]);
    assert_eq!(broken(DEPOSIT, |i| account(i, 0, true).nonce += 1), ["invariant.nonce"]);
}

#[test]
fn owners() {
    let other = Fr::from(77u64);
    for (step, place) in [
        (TRANSFER, 0),
        (TRANSFER, 1),
        (NEW, 1),
        (DEPOSIT, 0),
        (DEPOSIT_NEW, 0),
        (FORCED, 0),
        (KEY, 0),
        (FREEZE, 0),
        (WITHDRAW, 1),
    ] {
        let found = broken(step, |i| account(i, place, true).owner = other);
        assert_eq!(found, ["invariant.owner"], "{step} {place}");
    }
    // An account that goes away.
    let found = broken(TRANSFER, |i| i.trace.accesses[1].as_mut().unwrap().after = None);
    assert!(found.contains(&"invariant.owner".into()));
}

#[test]
fn frozen_accounts() {
    let freeze = |i: &mut Input| {
        for after in [false, true] {
            account(i, 0, after).frozen_until = i.time + 1;
        }
    };
    for step in [TRANSFER, NEW, WITHDRAW, KEY] {
        assert_eq!(broken(step, freeze), ["invariant.frozen"], "{step}");
    }
    assert!(broken("- withdraw: {from: alice, to: own, amount: 10}", freeze).is_empty());
    assert!(broken(FORCED, freeze).is_empty());
}

#[test]
fn freezes() {
    for (step, change) in [
        (FREEZE, (|i, a| a.frozen_until = i) as fn(u64, &mut Account)),
        (FREEZE, |i, a| a.frozen_until = i + 72 * 3600 + 1),
        (UNFREEZE, |i, a| a.frozen_until = i + 1),
        (UNFREEZE, |i, a| a.frozen_until = i - 1),
        (TRANSFER, |i, a| a.frozen_until = i + 1),
        (DEPOSIT, |i, a| a.frozen_until = i + 1),
    ] {
        let found = broken(step, |i| {
            let time = i.time;
            change(time, account(i, 0, true));
        });
        assert_eq!(found, ["invariant.freeze"], "{step}");
    }
}

#[test]
fn system_accounts() {
    let found = broken(TRANSFER, |i| i.trace.accesses[2].as_mut().unwrap().index = fee_index(1));
    assert!(found.contains(&"invariant.system".into()), "{found:?}");
    for index in [FIRST_USER - 1, 3] {
        let found = broken(TRANSFER, |i| i.trace.accesses[1].as_mut().unwrap().index = index);
        assert!(found.contains(&"invariant.system".into()), "{found:?}");
    }
    let found = broken(NEW, |i| i.trace.accesses[1].as_mut().unwrap().index = 9);
    assert!(found.contains(&"invariant.system".into()), "{found:?}");
    let found = broken(WITHDRAW, |i| i.trace.accesses[1].as_mut().unwrap().index += 1);
    assert!(found.contains(&"invariant.system".into()), "{found:?}");
}

#[test]
fn kinds_amounts_tokens_and_befores() {
    let found = broken(TRANSFER, |i| i.trace.kind = Kind::TransferNew);
    assert!(found.contains(&"invariant.kind".into()));
    let found = broken(DEPOSIT, |i| i.trace.kind = Kind::DepositNew);
    assert_eq!(found, ["invariant.kind"]);
    let found = broken(TRANSFER, |i| i.trace.accesses[1] = None);
    assert!(found.contains(&"invariant.kind".into()));
    for step in [TRANSFER, NEW, WITHDRAW, DEPOSIT, FORCED] {
        let found = broken(step, |i| i.trace.amount += 1);
        assert_eq!(found, ["invariant.amount"], "{step}");
    }
    assert_eq!(broken(KEY, |i| i.trace.fee += 1), ["invariant.amount"]);
    let found = broken(TRANSFER, |i| account(i, 1, true).token = 1);
    assert_eq!(found, ["invariant.token"]);
    assert_eq!(broken(TRANSFER, |i| i.stale = Some(5)), ["invariant.before"]);
}

#[test]
fn limiters() {
    let limiter = |i: &mut Input| i.trace.limiter.unwrap();
    for step in [WITHDRAW, FORCED] {
        assert_eq!(broken(step, |i| i.trace.limiter = None), ["invariant.limiter"]);
        for change in [0, 1, 2] {
            let found = broken(step, |i| {
                let mut used = limiter(i);
                match change {
                    0 => used.amount += 1,
                    1 => used.release_time -= 1,
                    _ => used.tat_after += 1,
                }
                i.trace.limiter = Some(used);
            });
            assert_eq!(found, ["invariant.limiter"], "{step} {change}");
        }
    }
    let used = run(&format!("{SETUP}{WITHDRAW}")).1[0].trace.limiter;
    assert_eq!(broken(TRANSFER, |i| i.trace.limiter = used), ["invariant.limiter"]);
}

fn exit(n: u8) -> Address {
    Address([n + 1; 20])
}

fn key(n: u8) -> SecretKey {
    SecretKey::from_seed(&[n])
}

/// Every kind, by the real executor, breaks nothing; and a state that differs is noticed.
#[test]
fn what_the_executor_does_is_right() {
    let guardian = key(99);
    let limits = TokenLimits { rate: 1, burst_seconds: 0, max_delay: 100 };
    let policy = Policy {
        guardian_keyhash: guardian.public().keyhash(),
        max_freeze: 50,
        cooldown: 60,
        fee_keyhash: Fr::from(1u64),
        fee_exit: exit(0xfe),
        default_limits: limits,
        limits: BTreeMap::new(),
    };
    let context = BatchContext { domain: Fr::from(9u64), time: TIME, policy };
    let holder = |n: u8, frozen_until| {
        let owner = owner(key(n).public().keyhash(), exit(n));
        (
            FIRST_USER + Index::from(n),
            Account { owner, token: 0, nonce: 0, balance: 1000, frozen_until },
        )
    };
    let accounts = [holder(0, 0), holder(1, 0), holder(2, TIME + 9), holder(3, 0)];
    let openings = [0, 1, 2, 3].map(|n| (key(n).public().keyhash(), exit(n)));
    let mut state = State::with_accounts(accounts, openings).unwrap();
    let mut screener = Screener::new(Config::default(), RuleSet::empty(), &state).unwrap();
    let by = |n: u8, nonce, action| {
        let account = FIRST_USER + Index::from(n);
        let body = Body { account, token: 0, nonce, deadline: TIME, fee: 1, action };
        Op::Signed(body.sign(&key(n), context.domain, exit(n)).unwrap())
    };
    let guard = |n: u8, action| {
        let account = FIRST_USER + Index::from(n);
        let body = Body { account, token: 0, nonce: 0, deadline: TIME, fee: 0, action };
        Op::Signed(body.sign(&guardian, context.domain, exit(n)).unwrap())
    };
    let deposit = |n: u8| {
        let keyhash = key(n).public().keyhash();
        Op::Deposit(Deposit { token: 0, amount: 5, keyhash, exit: exit(n) })
    };
    let forced = |n: u8, e: u8| {
        let index = FIRST_USER + Index::from(n);
        Op::ForcedExit(ForcedExit { index, token: 0, exit: exit(e) })
    };
    let ops = [
        deposit(0),
        deposit(4),
        forced(3, 3),
        forced(1, 7),
        forced(200, 7),
        by(0, 0, Action::Transfer { to: FIRST_USER + 1, amount: 10 }),
        by(0, 1, Action::Transfer { to: fee_index(0), amount: 10 }),
        by(0, 2, Action::TransferNew { keyhash: Fr::from(5u64), exit: exit(8), amount: 10 }),
        by(0, 3, Action::Withdraw { to: exit(9), amount: 10 }),
        by(2, 0, Action::Withdraw { to: exit(2), amount: 10 }),
        by(0, 4, Action::ChangeKey { keyhash: Fr::from(6u64) }),
        guard(1, Action::Freeze { until: TIME + 50, old_until: 0 }),
        guard(1, Action::Unfreeze { old_until: TIME + 50 }),
    ];
    let mut batch = OpenBatch::new(&mut state, context.clone()).unwrap();
    let mut kinds = std::collections::BTreeSet::new();
    for (i, op) in ops.iter().enumerate() {
        let trace = execute(&state, &context, op).unwrap();
        let candidate = Candidate {
            trace: &trace,
            state: &state,
            policy: &context.policy,
            hash: [i as u8; 32],
            time: TIME,
            arrived_ms: TIME * 1000,
        };
        let verdict = screener.screen(&candidate);
        assert!(verdict.reasons.is_empty(), "{op:?}: {verdict:?}");
        screener.observe(&candidate);
        kinds.insert(trace.kind);
        let (hash, time, arrived_ms) = (candidate.hash, candidate.time, candidate.arrived_ms);
        assert!(batch.push(&mut state, op, None, |_| true).unwrap());
        // Judged again, over a state that it already changed, it does not fit any more.
        let policy = &context.policy;
        let late = Candidate { trace: &trace, state: &state, policy, hash, time, arrived_ms };
        let fits = trace.accesses.iter().flatten().all(|a| a.before == a.after);
        let found = screener.screen(&late).reasons.iter().any(|r| r.detector == "invariant.before");
        assert_eq!(found, !fits, "{op:?}");
    }
    // Noops, orders and quotes are elsewhere.
    assert_eq!(kinds.len(), Kind::ALL.len() - 3);
    // The totals are those of the state, and come back when the batch is dropped.
    let totals = crate::ledger::Ledger::of(&state).totals(0);
    assert_eq!(screener.memory().ledger.totals(0).live, totals.live);
    let traces = batch.ops().to_vec();
    screener.take_back(&traces).unwrap();
    let expected = 4000u128.into();
    let totals = screener.memory().ledger.totals(0);
    assert_eq!((totals.live, totals.deposited, totals.exited), (expected, expected, 0.into()));
    let mut fresh = Screener::empty(Config::default(), RuleSet::empty()).unwrap();
    assert!(matches!(fresh.take_back(&traces), Err(crate::SentinelError::TakenBack { .. })));
}
