//! Each rejection by its name, by an operation that breaks that rule alone.

use super::*;

/// Refuses to compile when a rejection is added that the test below does not know.
fn number(rejection: &Rejection) -> usize {
    match rejection {
        Rejection::NoSuchAccount(_) => 0,
        Rejection::IsLimiter(_) => 1,
        Rejection::BadSignature(_) => 2,
        Rejection::NotOwner(_) => 3,
        Rejection::NotGuardian => 4,
        Rejection::WrongNonce { .. } => 5,
        Rejection::NonceExhausted(_) => 6,
        Rejection::InsufficientBalance { .. } => 7,
        Rejection::WrongToken { .. } => 8,
        Rejection::PastDeadline { .. } => 9,
        Rejection::Frozen { .. } => 10,
        Rejection::SelfTransfer(_) => 11,
        Rejection::ZeroAmount => 12,
        Rejection::BalanceOverflow(_) => 13,
        Rejection::FreezeOutOfBounds { .. } => 14,
        Rejection::Cooldown { .. } => 15,
        Rejection::WrongFreeze { .. } => 16,
        Rejection::Encoding(_) => 17,
        Rejection::TreeFull => 18,
        Rejection::TimeOutOfRange(_) => 19,
        Rejection::NotAFloat { .. } => 20,
        Rejection::CostOverflow { .. } => 21,
        Rejection::SystemAccount(_) => 22,
        Rejection::ZeroExit => 23,
        Rejection::BadPolicy(_) => 24,
        Rejection::OtherOwner { .. } => 25,
        Rejection::SameToken(_) => 26,
        Rejection::NoAuction => 27,
        Rejection::NoPrice(_) => 28,
        Rejection::Quotes(_) => 29,
        Rejection::FlowOverflow(_) => 30,
        Rejection::NotQuoted { .. } => 31,
        Rejection::QuotedTwice { .. } => 32,
        Rejection::QuoteMissing { .. } => 33,
        Rejection::Short { .. } => 34,
        Rejection::Surplus { .. } => 35,
        Rejection::NotCleared => 36,
    }
}
const REJECTIONS: usize = 37;

fn resigned(spoil: impl FnOnce(&mut Body)) -> Op {
    let mut body = transfer(BOB, 10);
    spoil(&mut body);
    Op::Signed(sign(body, &key(ALICE)))
}

#[test]
fn the_operation_that_the_others_spoil_is_valid() {
    let state = state();
    assert!(execute(&state, &context(), &spoiled(|_| {})).is_ok());
    let until = TIME + 50;
    let freeze = by_guardian(ALICE, Action::Freeze { until, old_until: 0 });
    assert!(execute(&state, &context(), &freeze).is_ok());
    // A frozen account leaves to its own exit address, and the whole balance may go.
    let leave = Action::Withdraw { to: exit(DAVE), amount: 100 };
    assert!(execute(&state, &context(), &by(DAVE, 0, leave)).is_ok());
}

#[test]
fn every_rule_refuses_by_its_name() {
    use Rejection as R;
    let withdraw = |to, amount| Action::Withdraw { to, amount };
    let freeze = |until, old_until| Action::Freeze { until, old_until };
    let new = Action::TransferNew { keyhash: Fr::from(1u64), exit: exit(BOB), amount: 1 };
    let change = Action::ChangeKey { keyhash: Fr::from(1u64) };
    let deposit = |index: Index| {
        Op::Deposit(Deposit {
            token: 0,
            amount: 1,
            keyhash: key(index).public().keyhash(),
            exit: exit(index),
        })
    };
    let forced = |index, exit| Op::ForcedExit(ForcedExit { index, token: 0, exit });
    let queued =
        |amount, exit| Op::Deposit(Deposit { token: 0, amount, keyhash: Fr::from(1u64), exit });
    // The largest amount of the wire, and a fee that does not fit beside it.
    let (most, rest) = (34_028_236_692 * 10u128.pow(28), 10u128.pow(29));
    let zero = Address([0; 20]);
    let other_chain =
        transfer(BOB, 10).sign(&key(ALICE), Fr::from(DOMAIN + 1), exit(ALICE)).unwrap();
    let paid_freeze = Body { nonce: 0, action: freeze(TIME + 1, 0), ..transfer(BOB, 0) };
    let counted_freeze = Body { nonce: 5, fee: 0, ..paid_freeze };
    let frozen = || R::Frozen { account: DAVE, until: TIME + 1 };
    let bounds = |until| R::FreezeOutOfBounds { until, time: TIME, max: 50 };
    let poor = |balance, needed| R::InsufficientBalance { account: ALICE, balance, needed };
    let cases: Vec<(&str, Op, Rejection)> = vec![
        ("absent sender", by(NOBODY, 0, change), R::NoSuchAccount(NOBODY)),
        (
            "absent receiver",
            resigned(|b| b.action = Action::Transfer { to: NOBODY, amount: 1 }),
            R::NoSuchAccount(NOBODY),
        ),
        ("limiter as sender", by(limiter_index(0), 0, change), R::IsLimiter(limiter_index(0))),
        (
            "limiter as receiver",
            resigned(|b| b.action = Action::Transfer { to: limiter_index(0), amount: 1 }),
            R::IsLimiter(limiter_index(0)),
        ),
        (
            "frozen limiter",
            by_guardian(limiter_index(0), freeze(TIME + 1, 0)),
            R::IsLimiter(limiter_index(0)),
        ),
        (
            "changed amount",
            spoiled(|op| op.body.action = Action::Transfer { to: BOB, amount: 11 }),
            R::BadSignature(ALICE),
        ),
        (
            "changed receiver",
            spoiled(|op| op.body.action = Action::Transfer { to: FRANK, amount: 10 }),
            R::BadSignature(ALICE),
        ),
        ("changed fee", spoiled(|op| op.body.fee = 2), R::BadSignature(ALICE)),
        ("changed deadline", spoiled(|op| op.body.deadline += 1), R::BadSignature(ALICE)),
        (
            "changed response",
            spoiled(|op| op.signature.s += op.signature.s),
            R::BadSignature(ALICE),
        ),
        ("another chain", Op::Signed(other_chain), R::BadSignature(ALICE)),
        ("another key", Op::Signed(sign(transfer(BOB, 10), &key(BOB))), R::NotOwner(ALICE)),
        ("freeze by the owner", by(ALICE, 0, freeze(TIME + 1, 0)), R::NotGuardian),
        (
            "used nonce",
            resigned(|b| b.nonce = 4),
            R::WrongNonce { account: ALICE, expected: 5, got: 4 },
        ),
        (
            "future nonce",
            resigned(|b| b.nonce = 6),
            R::WrongNonce { account: ALICE, expected: 5, got: 6 },
        ),
        (
            "guardian with a nonce",
            Op::Signed(sign(counted_freeze, &guardian())),
            R::WrongNonce { account: ALICE, expected: 0, got: 5 },
        ),
        ("last nonce", by(ERIN, u32::MAX, change), R::NonceExhausted(ERIN)),
        (
            "amount over the balance",
            resigned(|b| {
                b.fee = 0;
                b.action = Action::Transfer { to: BOB, amount: 101 }
            }),
            poor(100, 101),
        ),
        (
            "fee over the balance",
            resigned(|b| b.action = Action::Transfer { to: BOB, amount: 100 }),
            poor(100, 101),
        ),
        (
            "withdraw over the balance",
            resigned(|b| b.action = withdraw(exit(BOB), 100)),
            poor(100, 101),
        ),
        (
            "largest amount",
            resigned(|b| b.action = withdraw(exit(BOB), 34_028_236_692 * 10u128.pow(28))),
            poor(100, 34_028_236_692 * 10u128.pow(28) + 1),
        ),
        (
            "amount and fee over 128 bits",
            resigned(|b| {
                b.fee = rest;
                b.action = withdraw(exit(BOB), most);
            }),
            R::CostOverflow { account: ALICE, amount: most, fee: rest },
        ),
        (
            "fee of too many digits",
            spoiled(|op| op.body.fee = 10u128.pow(34)),
            R::NotAFloat {
                what: "fee",
                value: 10u128.pow(34),
                bits: 7,
                below: 127 * 10u128.pow(31),
            },
        ),
        (
            "amount of too many digits",
            spoiled(|op| op.body.action = Action::Transfer { to: BOB, amount: (1 << 35) + 1 }),
            R::NotAFloat { what: "amount", value: (1 << 35) + 1, bits: 35, below: 34_359_738_360 },
        ),
        ("deposit of nothing", queued(0, exit(BOB)), R::ZeroAmount),
        ("deposit without an exit", queued(1, zero), R::ZeroExit),
        ("exit of nobody", forced(ALICE, zero), R::ZeroExit),
        ("exit of a fee account", forced(0, exit(ALICE)), R::SystemAccount(0)),
        (
            "exit of a limiter",
            forced(limiter_index(0), exit(ALICE)),
            R::SystemAccount(limiter_index(0)),
        ),
        (
            "exit of the last limiter",
            forced(FIRST_USER - 1, exit(ALICE)),
            R::SystemAccount(FIRST_USER - 1),
        ),
        (
            "another token than the account's",
            resigned(|b| b.token = 1),
            R::WrongToken { account: ALICE, expected: 0, got: 1 },
        ),
        (
            "receiver of another token",
            resigned(|b| b.action = Action::Transfer { to: CAROL, amount: 1 }),
            R::WrongToken { account: CAROL, expected: 1, got: 0 },
        ),
        (
            "past deadline",
            resigned(|b| b.deadline = TIME - 1),
            R::PastDeadline { deadline: TIME - 1, time: TIME },
        ),
        ("frozen sender", by(DAVE, 0, Action::Transfer { to: BOB, amount: 1 }), frozen()),
        ("frozen creator", by(DAVE, 0, new), frozen()),
        ("frozen key", by(DAVE, 0, change), frozen()),
        ("frozen, to another exit", by(DAVE, 0, withdraw(exit(BOB), 1)), frozen()),
        (
            "self-transfer",
            resigned(|b| b.action = Action::Transfer { to: ALICE, amount: 1 }),
            R::SelfTransfer(ALICE),
        ),
        (
            "transfer of nothing",
            resigned(|b| b.action = Action::Transfer { to: BOB, amount: 0 }),
            R::ZeroAmount,
        ),
        ("withdraw of nothing", resigned(|b| b.action = withdraw(exit(BOB), 0)), R::ZeroAmount),
        (
            "receiver's balance",
            resigned(|b| b.action = Action::Transfer { to: RICH, amount: 1 }),
            R::BalanceOverflow(RICH),
        ),
        ("freeze that is over", by_guardian(ALICE, freeze(TIME, 0)), bounds(TIME)),
        ("freeze too long", by_guardian(ALICE, freeze(TIME + 51, 0)), bounds(TIME + 51)),
        (
            "freeze too soon",
            by_guardian(FRANK, freeze(TIME + 1, TIME - 1)),
            R::Cooldown { account: FRANK, from: TIME + 59 },
        ),
        (
            "freeze after another one",
            by_guardian(ALICE, freeze(TIME + 1, 7)),
            R::WrongFreeze { account: ALICE, until: 0, got: 7 },
        ),
        (
            "unfreeze of another freeze",
            by_guardian(DAVE, Action::Unfreeze { old_until: 7 }),
            R::WrongFreeze { account: DAVE, until: TIME + 1, got: 7 },
        ),
        (
            "unfreeze without a freeze",
            by_guardian(FRANK, Action::Unfreeze { old_until: TIME - 1 }),
            R::WrongFreeze { account: FRANK, until: TIME - 1, got: TIME - 1 },
        ),
    ];
    let mut seen = [false; REJECTIONS];
    let state = state();
    for (name, op, expected) in cases {
        let got = execute(&state, &context(), &op).unwrap_err();
        assert_eq!(got, expected, "{name}");
        seen[number(&got)] = true;
    }

    for (name, got, expected) in super::orders::refusals() {
        assert_eq!(got, expected, "{name}");
        seen[number(&got)] = true;
    }

    // What the wire cannot carry.
    let late = spoiled(|op| op.body.deadline = TIME_BOUND);
    let got = execute(&state, &context(), &late).unwrap_err();
    assert!(matches!(got, Rejection::Encoding(_)), "{got}");
    seen[number(&got)] = true;
    let paid = Op::Signed(sign(paid_freeze, &guardian()));
    let got = execute(&state, &context(), &paid).unwrap_err();
    assert!(matches!(got, Rejection::Encoding(_)), "{got}");

    // No place left, for a deposit and for a transfer.
    let full = state.without_free_index();
    for op in [deposit(NOBODY), resigned(|b| b.action = new)] {
        let got = execute(&full, &context(), &op).unwrap_err();
        assert_eq!(got, Rejection::TreeFull);
        seen[number(&got)] = true;
    }

    // No time left for the longest delay and for the longest freeze.
    for time in [TIME_BOUND - 100, TIME_BOUND - 1, u64::MAX] {
        let context = BatchContext { time, ..context() };
        let mut state = State::new();
        let got = BatchBuilder::new(&mut state, context).err().unwrap();
        assert_eq!(got, Rejection::TimeOutOfRange(time));
        seen[number(&got)] = true;
    }

    // A policy that no circuit could enforce.
    for spoil in [
        |p: &mut Policy| p.cooldown = 49,
        |p: &mut Policy| p.default_limits.rate = 0,
        |p: &mut Policy| p.max_freeze = TIME_BOUND,
    ] {
        let mut context = context();
        spoil(&mut context.policy);
        let mut state = State::new();
        let got = BatchBuilder::new(&mut state, context).err().unwrap();
        assert!(matches!(got, Rejection::BadPolicy(_)), "{got}");
        seen[number(&got)] = true;
    }
    assert_eq!(seen, [true; REJECTIONS]);
}
