//! Every rejection, by an operation that breaks exactly one rule.

mod concealed;
mod edges;
mod orders;
mod packing;
mod promised;
mod refusals;

use std::collections::BTreeMap;

use super::*;
use bastion_protocol::account::{limiter_index, FIRST_USER};
use bastion_protocol::keys::{owner, SecretKey};
use bastion_protocol::ops::{Action, Body, Deposit, ForcedExit, SignedOp};
use bastion_protocol::{Address, TokenLimits};

const TIME: u64 = 1_000;
const DOMAIN: u64 = 9;
/// Alice and Bob in token 0; Carol in token 1; Dave is frozen, Erin's nonces are used up; Rich
/// holds all that 128 bits can.
const ALICE: Index = FIRST_USER;
const BOB: Index = FIRST_USER + 1;
const CAROL: Index = FIRST_USER + 2;
const DAVE: Index = FIRST_USER + 3;
const ERIN: Index = FIRST_USER + 4;
const RICH: Index = FIRST_USER + 5;
/// Frozen until a moment ago.
const FRANK: Index = FIRST_USER + 6;
const NOBODY: Index = FIRST_USER + 7;

fn key(index: Index) -> SecretKey {
    SecretKey::from_seed(&index.to_be_bytes())
}

fn guardian() -> SecretKey {
    SecretKey::from_seed(b"guardian")
}

fn exit(index: Index) -> Address {
    Address([index as u8 + 1; 20])
}

fn context() -> BatchContext {
    BatchContext {
        domain: Fr::from(DOMAIN),
        time: TIME,
        policy: Policy {
            guardian_keyhash: guardian().public().keyhash(),
            max_freeze: 50,
            cooldown: 60,
            fee_keyhash: Fr::from(1u64),
            fee_exit: Address([0xfe; 20]),
            default_limits: TokenLimits { rate: 1, burst_seconds: 0, max_delay: 100 },
            limits: BTreeMap::new(),
        },
    }
}

fn state() -> State {
    let account = |index: Index, token, balance, nonce, frozen_until| {
        let owner = owner(key(index).public().keyhash(), exit(index));
        let account = Account { owner, token, nonce, balance, frozen_until };
        (index, account)
    };
    let limiter = Account::new(Fr::from(0u64), 0);
    State::with_accounts(
        [
            account(ALICE, 0, 100, 5, 0),
            account(BOB, 0, 0, 0, 0),
            account(CAROL, 1, 100, 0, 0),
            account(DAVE, 0, 100, 0, TIME + 1),
            account(ERIN, 0, 100, u32::MAX, 0),
            account(RICH, 0, u128::MAX, 0, 0),
            account(FRANK, 0, 100, 0, TIME - 1),
            (limiter_index(0), limiter),
        ],
        [ALICE, BOB, CAROL, DAVE, ERIN, RICH, FRANK].map(|i| (key(i).public().keyhash(), exit(i))),
    )
    .unwrap()
}

/// A valid transfer of Alice, to be spoiled.
fn transfer(to: Index, amount: u128) -> Body {
    Body {
        account: ALICE,
        token: 0,
        nonce: 5,
        deadline: TIME,
        fee: 1,
        action: Action::Transfer { to, amount },
    }
}

fn sign(body: Body, key: &SecretKey) -> SignedOp {
    body.sign(key, Fr::from(DOMAIN), exit(body.account)).unwrap()
}

fn by(account: Index, nonce: u32, action: Action) -> Op {
    let body =
        Body { account, token: u16::from(account == CAROL), nonce, deadline: TIME, fee: 0, action };
    Op::Signed(sign(body, &key(account)))
}

fn by_guardian(account: Index, action: Action) -> Op {
    let body = Body { account, token: 0, nonce: 0, deadline: TIME, fee: 0, action };
    Op::Signed(sign(body, &guardian()))
}

fn spoiled(spoil: impl FnOnce(&mut SignedOp)) -> Op {
    let mut op = sign(transfer(BOB, 10), &key(ALICE));
    spoil(&mut op);
    Op::Signed(op)
}
