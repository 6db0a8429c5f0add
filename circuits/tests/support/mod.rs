//! A small world in which every kind of operation happens.
#![allow(dead_code, clippy::unwrap_used, clippy::expect_used)]

use bastion_circuits::witness::{BlobLink, ChainedInputs};
use bastion_protocol::blob::Scalar;
use bastion_protocol::keys::SecretKey;
use bastion_protocol::ops::{Action, Body, Deposit, ForcedExit, Op};
use bastion_protocol::policy::{Policy, TokenLimits};
use bastion_protocol::quote::WHOLE;
use bastion_protocol::{Address, Fr, Limit, Quote};
use bastion_state::executor::{BatchBuilder, BatchContext, BatchTrace, Quotes, Rejection};
use bastion_state::state::State;

pub const TIME: u64 = 1_700_000_000;
pub const FIRST: u32 = 1 << 17;

pub fn key(name: &str) -> SecretKey {
    SecretKey::from_seed(name.as_bytes())
}

pub fn exit(name: &str) -> Address {
    let mut bytes = [0xe0; 20];
    for (b, n) in bytes.iter_mut().zip(name.bytes()) {
        *b = n;
    }
    Address(bytes)
}

pub fn policy() -> Policy {
    Policy {
        guardian_keyhash: key("guardian").public().keyhash(),
        max_freeze: 86_400,
        cooldown: 7 * 86_400,
        fee_keyhash: key("fees").public().keyhash(),
        fee_exit: exit("fees"),
        default_limits: TokenLimits { rate: 1_000, burst_seconds: 60, max_delay: 3_600 },
        limits: [(3, TokenLimits { rate: 7, burst_seconds: 10, max_delay: 100 })].into(),
    }
}

pub fn context() -> BatchContext {
    BatchContext {
        domain: bastion_protocol::header::domain(31_337, Address([0xc0; 20])),
        time: TIME,
        policy: policy(),
    }
}

pub fn link() -> ChainedInputs {
    ChainedInputs {
        c_in: Fr::from(11u64),
        y_in: Fr::from(22u64),
        r: Fr::from(0x1234_5678_9abc_def0u64),
        blob: None,
    }
}

/// The same with L2 and owner records in a blob.
pub fn blob_link() -> ChainedInputs {
    let blob = BlobLink { z: 0x9876_5432_10fe_dcba_0123_4567_89ab_cdef, to: Scalar::from(33u64) };
    ChainedInputs { blob: Some(blob), ..link() }
}

pub fn deposit(name: &str, token: u16, amount: u128) -> Op {
    Op::Deposit(Deposit { token, amount, keyhash: key(name).public().keyhash(), exit: exit(name) })
}

pub fn forced(index: u32, token: u16, name: &str) -> Op {
    Op::ForcedExit(ForcedExit { index, token, exit: exit(name) })
}

/// Signs with the right nonce and token of the account; `name`'s exit is the account's.
pub fn signed(state: &State, name: &str, account: u32, fee: u128, action: Action) -> Op {
    let current = state.account(account).copied();
    let guardian = matches!(action, Action::Freeze { .. } | Action::Unfreeze { .. });
    let body = Body {
        account,
        token: current.map_or(0, |a| a.token),
        nonce: if guardian { 0 } else { current.map_or(0, |a| a.nonce) },
        deadline: TIME + 600,
        fee,
        action,
    };
    let signer = if guardian { "guardian" } else { name };
    let own_exit = exit(name.split('/').next().unwrap());
    Op::Signed(body.sign(&key(signer), context().domain, own_exit).unwrap())
}

/// Alice (token 0), Bob (0), Carol (3) and Dave (3); Alice has token 3 too, and Carol token 0.
pub fn world() -> State {
    let mut state = State::new();
    run(
        &mut state,
        &context(),
        &[
            |_: &State| deposit("alice", 0, 1_000_000),
            |_: &State| deposit("bob", 0, 500),
            |_: &State| deposit("carol", 3, 70_000),
            |_: &State| deposit("dave", 3, 9_000),
            |_: &State| deposit("alice", 3, 40),
            |_: &State| deposit("carol", 0, 50),
        ],
    )
    .unwrap();
    state
}

type Make = fn(&State) -> Op;

/// Both tokens are worth the same, and half of what sells token 3 at the margin is filled.
pub const PRICES: [fn() -> Quote; 3] = [
    || Quote::price(0, 1, 1 << 95).unwrap(),
    || Quote::price(3, 1, 1 << 95).unwrap(),
    || Quote::fraction(3, 0, WHOLE / 2).unwrap(),
];

/// What each leaves to the fee account: of 10,000 units, 9,999 are paid.
pub fn quotes() -> Quotes {
    let mut quotes = Quotes::default();
    for (make, surplus) in PRICES.into_iter().zip([1, 1, 0]) {
        quotes.insert(make(), surplus);
    }
    quotes
}

/// Alice sells 10,000 of token 0 well below the price, Carol 20,000 of token 3 just below it.
pub const ORDERS: [Make; 2] = [
    |s| signed(s, "alice", FIRST, 10, order(FIRST + 4, 3, 10_000, 9_000)),
    |s| signed(s, "carol", FIRST + 2, 0, order(FIRST + 5, 0, 20_000, 9_995)),
];

/// Sells an amount for at least `least` in 10,000.
pub fn order(to: u32, buy: u16, amount: u128, least: u128) -> Action {
    Action::Order { to, buy, amount, limit: Limit::of(least, 10_000).unwrap() }
}

pub fn run(
    state: &mut State,
    context: &BatchContext,
    ops: &[Make],
) -> Result<BatchTrace, Rejection> {
    let mut builder = BatchBuilder::with_quotes(state, context.clone(), quotes())?;
    for make in ops {
        let op = make(builder.state());
        assert!(builder.push(&op, |_| true)?);
    }
    builder.finish()
}

/// One operation of every kind, those of L1 first.
pub const EVERY_KIND: [Make; 16] = [
    |_| deposit("alice", 0, 123),
    |_| deposit("erin", 0, 77),
    |_| forced(FIRST + 3, 3, "dave"),
    |_| forced(FIRST + 2, 3, "dave"),
    |s| signed(s, "alice", FIRST, 30, Action::Transfer { to: FIRST + 1, amount: 5_000 }),
    |s| {
        let keyhash = key("frank").public().keyhash();
        signed(
            s,
            "alice",
            FIRST,
            0,
            Action::TransferNew { keyhash, exit: exit("frank"), amount: 10_000 },
        )
    },
    |s| {
        signed(s, "carol", FIRST + 2, 10, Action::Withdraw { to: exit("elsewhere"), amount: 1_234 })
    },
    |s| {
        signed(
            s,
            "bob",
            FIRST + 1,
            1,
            Action::ChangeKey { keyhash: key("bob2").public().keyhash() },
        )
    },
    |s| signed(s, "dave", FIRST + 3, 0, Action::Freeze { until: TIME + 1_000, old_until: 0 }),
    |s| signed(s, "dave", FIRST + 3, 0, Action::Unfreeze { old_until: TIME + 1_000 }),
    ORDERS[0],
    ORDERS[1],
    |_| Op::Quote(PRICES[0]()),
    |_| Op::Quote(PRICES[1]()),
    |_| Op::Quote(PRICES[2]()),
    |_| Op::Noop,
];

/// Adds a figure to the report of `make soundness`, if one is being written.
pub fn record(name: &str, value: usize) {
    let Ok(path) = std::env::var("BASTION_SOUNDNESS_REPORT") else {
        return;
    };
    use std::io::Write;
    let file = std::fs::File::options().create(true).append(true).open(path);
    writeln!(file.unwrap(), "{name} {value}").unwrap();
}
