//! The executor against a second ledger, written from `docs/protocol.md` alone: plain maps, one
//! rule a line, and a Merkle root computed from nothing after every batch.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../../protocol/src/seed.rs"]
mod seed;

use std::collections::BTreeMap;

use bastion_protocol::hash::compress;
use bastion_protocol::keys::SecretKey;
use bastion_protocol::ops::{Action, Body, Deposit, ForcedExit, Op};
use bastion_protocol::Kind;
use bastion_protocol::{Address, Fr, Limit, Policy, TokenLimits};
use bastion_state::executor::{BatchBuilder, BatchContext, BatchTrace};
use bastion_state::State;
use proptest::prelude::*;

const USERS: u32 = 1 << 17;
const LIMITERS: u32 = 1 << 16;
const START: u64 = 1_700_000_000;
const TOKENS: u16 = 2;
const KEYS: u8 = 4;

type Opened = (Fr, Address);

/// An account of the reference. Owners are kept open, limiters have none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Entry {
    owner: Option<Opened>,
    token: u16,
    nonce: u32,
    balance: u128,
    frozen_until: u64,
}

impl Entry {
    fn new(owner: Option<Opened>, token: u16, balance: u128) -> Self {
        Self { owner, token, nonce: 0, balance, frozen_until: 0 }
    }

    /// The leaf, by the protocol's sum of powers of two.
    fn leaf(&self) -> Fr {
        let power = |n: u32| (0..n).fold(Fr::from(1u64), |x, _| x + x);
        let packed = Fr::from(self.token)
            + Fr::from(self.nonce) * power(16)
            + Fr::from(self.balance) * power(48)
            + Fr::from(self.frozen_until) * power(176);
        let owner =
            self.owner.map_or(Fr::from(0u64), |(keyhash, exit)| compress(keyhash, exit.to_fr()));
        compress(owner, packed)
    }
}

/// What left: address, token, release time, amount, account.
type Exit = (Address, u16, u64, u128, u32);

#[derive(Clone, Debug, Default)]
struct Ledger {
    entries: BTreeMap<u32, Entry>,
}

impl Ledger {
    fn root(&self) -> Fr {
        fn node(leaves: &[(u32, Fr)], height: u32, empty: &[Fr]) -> Fr {
            if leaves.is_empty() {
                return empty[height as usize];
            }
            if height == 0 {
                return leaves[0].1;
            }
            let right = leaves.partition_point(|(i, _)| i >> (height - 1) & 1 == 0);
            compress(
                node(&leaves[..right], height - 1, empty),
                node(&leaves[right..], height - 1, empty),
            )
        }
        let mut empty = vec![Fr::from(0u64)];
        for h in 0..32 {
            empty.push(compress(empty[h], empty[h]));
        }
        let leaves: Vec<_> = self.entries.iter().map(|(i, e)| (*i, e.leaf())).collect();
        node(&leaves, 32, &empty)
    }

    fn next_free(&self) -> u32 {
        let taken = |i: &u32| self.entries.contains_key(i);
        (USERS..).find(|i| !taken(i)).unwrap()
    }

    fn limit(&mut self, token: u16, amount: u128, time: u64, policy: &Policy) -> u64 {
        let limits = policy.limits.get(&token).unwrap_or(&policy.default_limits);
        let entry =
            self.entries.entry(LIMITERS + u32::from(token)).or_insert(Entry::new(None, token, 0));
        let rate = u128::from(limits.rate);
        let q = amount / rate + u128::from(!amount.is_multiple_of(rate));
        let now = u128::from(time);
        entry.balance = (entry.balance.max(now) + q).min(1 << 127);
        let wait = entry.balance.saturating_sub(u128::from(limits.burst_seconds));
        let release = wait.max(now).min(now + u128::from(limits.max_delay));
        u64::try_from(release).unwrap()
    }

    /// Executes one operation on a copy; `None` leaves everything as it was.
    fn step(&self, op: &Op, time: u64, policy: &Policy) -> Option<(Self, Option<Exit>)> {
        let mut next = self.clone();
        let exit = match op {
            Op::Noop => None,
            // These batches have no auction: tests of the audit follow those that have.
            Op::Quote(_) => return None,
            Op::Deposit(d) => {
                if d.amount == 0 || d.exit == Address([0; 20]) {
                    return None;
                }
                let owner = Some((d.keyhash, d.exit));
                let found = next
                    .entries
                    .iter()
                    .filter(|(i, _)| **i >= USERS)
                    .filter(|(_, e)| e.owner == owner && e.token == d.token)
                    .find(|(_, e)| u128::MAX - e.balance >= d.amount)
                    .map(|(i, _)| *i);
                match found {
                    Some(i) => {
                        let e = next.entries.get_mut(&i)?;
                        e.balance += d.amount;
                    }
                    None => {
                        let i = next.next_free();
                        let new = Entry::new(owner, d.token, d.amount);
                        next.entries.insert(i, new);
                    }
                }
                None
            }
            Op::ForcedExit(f) => {
                if f.index < USERS || f.exit == Address([0; 20]) {
                    return None;
                }
                let entry = next.entries.get_mut(&f.index);
                let entry = entry
                    .filter(|e| e.token == f.token && e.owner.is_some_and(|(_, x)| x == f.exit));
                match entry {
                    None => None,
                    Some(e) => {
                        let amount = std::mem::take(&mut e.balance);
                        let release = next.limit(f.token, amount, time, policy);
                        Some((f.exit, f.token, release, amount, f.index))
                    }
                }
            }
            Op::Signed(s) => {
                let b = &s.body;
                let e = *next.entries.get(&b.account)?;
                let (keyhash, own_exit) = e.owner?;
                let guardian = matches!(b.action, Action::Freeze { .. } | Action::Unfreeze { .. });
                let signer = if guardian { policy.guardian_keyhash } else { keyhash };
                let message = b.message(Fr::from(7u64), own_exit).ok()?;
                let rules = [
                    e.token == b.token,
                    time <= b.deadline,
                    s.key.keyhash() == signer,
                    s.key.verify(message, &s.signature),
                    b.nonce == if guardian { 0 } else { e.nonce },
                    !guardian || b.fee == 0,
                ];
                if rules.contains(&false) {
                    return None;
                }
                let frozen = time < e.frozen_until;
                let mut out = None;
                let mut me = e;
                if !guardian {
                    me.nonce = me.nonce.checked_add(1)?;
                    me.balance = me.balance.checked_sub(b.fee)?;
                    floats(b)?;
                }
                match b.action {
                    Action::Transfer { to, amount } => {
                        let receiver = next.entries.get(&to)?;
                        let fine = amount > 0
                            && !frozen
                            && to != b.account
                            && receiver.owner.is_some()
                            && receiver.token == e.token;
                        if !fine {
                            return None;
                        }
                        me.balance = me.balance.checked_sub(amount)?;
                        let receiver = next.entries.get_mut(&to)?;
                        receiver.balance = receiver.balance.checked_add(amount)?;
                    }
                    Action::TransferNew { keyhash, exit, amount } => {
                        if amount == 0 || frozen {
                            return None;
                        }
                        me.balance = me.balance.checked_sub(amount)?;
                        let i = next.next_free();
                        let new = Entry::new(Some((keyhash, exit)), e.token, amount);
                        next.entries.insert(i, new);
                    }
                    Action::Withdraw { to, amount } => {
                        if amount == 0 || (frozen && to != own_exit) {
                            return None;
                        }
                        me.balance = me.balance.checked_sub(amount)?;
                        let release = next.limit(e.token, amount, time, policy);
                        out = Some((to, e.token, release, amount, b.account));
                    }
                    Action::ChangeKey { keyhash } => {
                        if frozen {
                            return None;
                        }
                        me.owner = Some((keyhash, own_exit));
                    }
                    Action::Freeze { until, old_until } => {
                        let fine = old_until == e.frozen_until
                            && time < until
                            && until <= time + policy.max_freeze
                            && time >= e.frozen_until + policy.cooldown;
                        if !fine {
                            return None;
                        }
                        me.frozen_until = until;
                    }
                    Action::Unfreeze { old_until } => {
                        if old_until != e.frozen_until || !frozen {
                            return None;
                        }
                        me.frozen_until = time;
                    }
                    Action::Order { .. } => return None,
                }
                next.entries.insert(b.account, me);
                if !guardian {
                    let owner = (policy.fee_keyhash, policy.fee_exit);
                    let fees = next.entries.entry(u32::from(e.token)).or_insert(Entry::new(
                        Some(owner),
                        e.token,
                        0,
                    ));
                    fees.balance = fees.balance.checked_add(b.fee)?;
                }
                out
            }
        };
        Some((next, exit))
    }
}

/// Whether amount and fee are numbers of the wire.
fn floats(body: &Body) -> Option<()> {
    let is = |value: u128, mantissa: u128| {
        let of = |e: u32| value.is_multiple_of(10u128.pow(e)) && value / 10u128.pow(e) < mantissa;
        (0..32).any(of).then_some(())
    };
    is(body.fee, 1 << 7)?;
    match body.action {
        Action::Transfer { amount, .. }
        | Action::TransferNew { amount, .. }
        | Action::Withdraw { amount, .. } => is(amount, 1 << 35),
        _ => Some(()),
    }
}

fn key(n: u8) -> SecretKey {
    SecretKey::from_seed(&[n])
}

fn exit(n: u8) -> Address {
    Address([n; 20])
}

fn context(time: u64) -> BatchContext {
    let limits = |rate, burst_seconds, max_delay| TokenLimits { rate, burst_seconds, max_delay };
    BatchContext {
        domain: Fr::from(7u64),
        time,
        policy: Policy {
            guardian_keyhash: key(200).public().keyhash(),
            max_freeze: 50,
            cooldown: 60,
            fee_keyhash: key(201).public().keyhash(),
            fee_exit: exit(201),
            default_limits: limits(3, 10, 1000),
            limits: BTreeMap::from([(1, limits(1_000_000, 0, 5))]),
        },
    }
}

/// What is drawn; amounts, nonces and times become numbers when the state is known.
#[derive(Clone, Debug)]
struct Draw {
    kind: u8,
    account: u8,
    other: u8,
    token: u16,
    amount: u8,
    fee: u8,
    /// One time in six something is wrong: nonce, key, token, deadline or signature.
    fault: u8,
    step: u8,
}

fn draw() -> impl Strategy<Value = Draw> {
    ((0u8..13, 0u8..12, 0u8..12, 0..TOKENS), (any::<u8>(), 0u8..4, 0u8..36, 0u8..30)).prop_map(
        |((kind, account, other, token), (amount, fee, fault, step))| Draw {
            kind,
            account,
            other,
            token,
            amount,
            fee,
            fault,
            step,
        },
    )
}

/// Mostly users, but also fee accounts, limiters and places that are empty.
fn place(n: u8) -> u32 {
    match n {
        0 => 0,
        1 => 1,
        2 => LIMITERS,
        3 => LIMITERS + 1,
        n => USERS + u32::from(n) - 4,
    }
}

fn operation(ledger: &Ledger, d: &Draw, time: u64) -> Op {
    let index = place(d.account);
    if d.kind < 2 {
        return Op::Deposit(Deposit {
            token: d.token,
            amount: if d.amount > 250 { u128::MAX } else { u128::from(d.amount) * 1000 },
            keyhash: key(d.other % KEYS).public().keyhash(),
            exit: exit(d.account % 2),
        });
    }
    let entry = ledger.entries.get(&index);
    if d.kind == 2 {
        let own = entry.and_then(|e| e.owner).map_or(exit(0), |o| o.1);
        return Op::ForcedExit(ForcedExit {
            index,
            token: entry.map_or(0, |e| e.token) ^ u16::from(d.fault == 1),
            exit: if d.fault == 2 { exit(9) } else { own },
        });
    }
    let entry = entry.copied().unwrap_or(Entry::new(None, 0, 0));
    let amount = match d.amount % 8 {
        0 => 0,
        1 => entry.balance,
        2 => entry.balance.saturating_add(1),
        3 => 1 << 34,
        n => u128::from(n),
    };
    let to = place(d.other);
    let old_until = entry.frozen_until + u64::from(d.fault == 3);
    let action = match d.kind {
        3 | 4 => Action::Transfer { to, amount },
        5 => Action::TransferNew {
            keyhash: key(d.other % KEYS).public().keyhash(),
            exit: exit(d.account % 2),
            amount,
        },
        6 | 7 => Action::Withdraw { to: exit(d.other % 3), amount },
        8 => Action::ChangeKey { keyhash: key(d.other % KEYS).public().keyhash() },
        9 | 10 => Action::Freeze { until: time + u64::from(d.amount % 64), old_until },
        12 => Action::Order { to, buy: 1, amount, limit: Limit::of(1, 2).unwrap() },
        _ => Action::Unfreeze { old_until },
    };
    let guardian = matches!(action, Action::Freeze { .. } | Action::Unfreeze { .. });
    let signer = (0..KEYS)
        .chain([201])
        .map(key)
        .find(|k| entry.owner.is_some_and(|o| o.0 == k.public().keyhash()));
    let signer = match (guardian, signer) {
        (_, _) if d.fault == 4 => key(77),
        (true, _) => key(200),
        (false, Some(key)) => key,
        (false, None) => key(77),
    };
    let body = Body {
        account: index,
        token: entry.token ^ u16::from(d.fault == 5),
        nonce: if guardian { 0 } else { entry.nonce } + u32::from(d.fault == 6),
        deadline: time + 10 - 20 * u64::from(d.fault == 7),
        fee: if guardian && d.fault != 8 { 0 } else { u128::from(d.fee) },
        action,
    };
    let own_exit = entry.owner.map_or(exit(0), |o| o.1);
    // Amounts that the wire cannot carry are signed as if they were smaller; both must refuse.
    let signed = body.sign(&signer, Fr::from(7u64), own_exit).or_else(|_| {
        let small = Body { action: Action::ChangeKey { keyhash: Fr::from(1u64) }, ..body };
        small
            .sign(&signer, Fr::from(7u64), own_exit)
            .map(|s| bastion_protocol::ops::SignedOp { body, ..s })
    });
    let mut signed = signed.unwrap();
    if d.fault == 9 {
        signed.signature.s += signed.signature.s;
    }
    Op::Signed(signed)
}

proptest! {
    #![proptest_config(seed::config(64))]

    #[test]
    fn the_executor_agrees_with_the_reference(
        batches in prop::collection::vec(prop::collection::vec(draw(), 1..40), 1..4)
    ) {
        let mut state = State::new();
        let mut ledger = Ledger::default();
        let mut time = START;
        for batch in &batches {
            time += u64::from(batch[0].step);
            let context = context(time);
            let mut rest = batch.as_slice();
            // One round a batch: an L1 operation after a signed one is for the next.
            while !rest.is_empty() {
                let mut builder = BatchBuilder::new(&mut state, context.clone()).unwrap();
                let (mut exits, mut signed) = (Vec::new(), false);
                while let Some((d, after)) = rest.split_first() {
                    let op = operation(&ledger, d, time);
                    let expected = ledger.step(&op, time, &context.policy);
                    let got = builder.push(&op, |_| true);
                    let later = signed && matches!(op, Op::Deposit(_) | Op::ForcedExit(_));
                    match expected {
                        None => prop_assert!(got.is_err(), "accepted {op:?}"),
                        Some(_) if later => {
                            prop_assert_eq!(got, Ok(false));
                            break;
                        }
                        Some((next, exit)) => {
                            prop_assert_eq!(got, Ok(true), "refused {:?}", op);
                            signed |= matches!(op, Op::Signed(_));
                            ledger = next;
                            exits.extend(exit);
                        }
                    }
                    rest = after;
                }
                let trace = builder.finish().unwrap();
                let posted: Vec<Exit> = trace
                    .ops
                    .iter()
                    .filter_map(|op| op.exit_record())
                    .map(|e| (e.to, e.token, e.release_time, e.amount, e.index))
                    .collect();
                prop_assert_eq!(posted, exits);
                prop_assert_eq!(trace.new_root, ledger.root());
                // A job's input is what was executed, in a binary form and in text.
                let bytes = postcard::to_stdvec(&trace).unwrap();
                prop_assert_eq!(postcard::from_bytes::<BatchTrace>(&bytes).unwrap(), trace.clone());
                let json = serde_json::to_string(&trace).unwrap();
                prop_assert_eq!(serde_json::from_str::<BatchTrace>(&json).unwrap(), trace);
            }
            for (index, entry) in &ledger.entries {
                prop_assert_eq!(state.account(*index).unwrap().leaf(), entry.leaf(), "{}", index);
            }
            prop_assert_eq!(state.accounts().count(), ledger.entries.len());
        }
    }

    /// Whatever is refused leaves no mark: the state is that of a run without it.
    #[test]
    fn refused_operations_leave_no_mark(batch in prop::collection::vec(draw(), 1..40)) {
        let mut state = State::new();
        let mut ledger = Ledger::default();
        let mut kept = Vec::new();
        let mut builder = BatchBuilder::new(&mut state, context(START)).unwrap();
        for d in &batch {
            let op = operation(&ledger, d, START);
            if builder.push(&op, |_| true) == Ok(true) {
                ledger = ledger.step(&op, START, &context(START).policy).unwrap().0;
                kept.push(op);
            }
            // Nor does what does not fit.
            prop_assert!(!matches!(builder.push(&op, |_| false), Ok(true)));
        }
        let first = builder.finish().unwrap();
        let mut again = State::new();
        let mut builder = BatchBuilder::new(&mut again, context(START)).unwrap();
        for op in &kept {
            prop_assert!(builder.push(op, |_| true).unwrap());
        }
        prop_assert_eq!(builder.finish().unwrap().new_root, first.new_root);
    }
}

/// The draws above reach every kind, so that agreement means something.
#[test]
fn the_draws_reach_every_kind() {
    use proptest::strategy::ValueTree;
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let mut state = State::new();
    let mut ledger = Ledger::default();
    let mut counts = BTreeMap::new();
    let mut refused = 0;
    for batch in 0..16 {
        let time = START + 40 * batch;
        let context = context(time);
        let mut count = |builder: BatchBuilder<'_>| {
            for op in builder.finish().unwrap().ops {
                *counts.entry(op.kind).or_insert(0) += 1;
            }
        };
        let mut builder = BatchBuilder::new(&mut state, context.clone()).unwrap();
        for _ in 0..200 {
            let d = draw().new_tree(&mut runner).unwrap().current();
            let op = operation(&ledger, &d, time);
            match ledger.step(&op, time, &context.policy) {
                Some((next, _)) => ledger = next,
                None => refused += 1,
            }
            if builder.push(&op, |_| true) == Ok(false) {
                count(builder);
                builder = BatchBuilder::new(&mut state, context.clone()).unwrap();
                builder.push(&op, |_| true).unwrap();
            }
        }
        count(builder);
    }
    for kind in Kind::ALL {
        let count = counts.get(&kind).copied().unwrap_or(0);
        let elsewhere = matches!(kind, Kind::Noop | Kind::Order | Kind::Quote);
        assert!(elsewhere || count >= 3, "{kind:?}: {count}");
    }
    assert!(refused > 100, "{refused}");
}
