//! Edges of order, size and value.

use super::*;

/// An L1 operation after a signed one belongs into the next batch, whoever signed; what it would be
/// refused for it is refused for at once.
#[test]
fn a_signed_operation_ends_the_l1_part() {
    let deposit = |amount| {
        Op::Deposit(Deposit {
            token: 0,
            amount,
            keyhash: key(BOB).public().keyhash(),
            exit: exit(BOB),
        })
    };
    let request = Op::ForcedExit(ForcedExit { index: DAVE, token: 0, exit: exit(DAVE) });
    let no_match = Op::ForcedExit(ForcedExit { index: DAVE, token: 1, exit: exit(DAVE) });
    let freeze = Action::Freeze { until: TIME + 1, old_until: 0 };
    for signed in [spoiled(|_| {}), by_guardian(BOB, freeze)] {
        let mut state = state();
        let mut builder = BatchBuilder::new(&mut state, context()).unwrap();
        let mut push = |op: &Op| builder.push(op, |_| true);
        for l1 in [deposit(5), no_match, Op::Noop, request] {
            assert_eq!(push(&l1), Ok(true));
        }
        assert_eq!(push(&signed), Ok(true));
        for l1 in [deposit(5), no_match, request] {
            assert_eq!(push(&l1), Ok(false));
        }
        assert_eq!(push(&deposit(0)), Err(Rejection::ZeroAmount));
        assert_eq!(push(&Op::Noop), Ok(true));
        let trace = builder.finish().unwrap();
        assert_eq!(trace.ops.len(), 6);
        let mut builder = BatchBuilder::new(&mut state, context()).unwrap();
        assert_eq!(builder.push(&request, |_| true), Ok(true));
    }
}

/// A batch never has more words than its sections can count.
#[test]
fn a_batch_has_no_more_operations_than_data_can_count() {
    let mut state = State::new();
    let mut builder = BatchBuilder::new(&mut state, context()).unwrap();
    let noop = Op::ForcedExit(ForcedExit { index: NOBODY, token: 0, exit: exit(NOBODY) });
    for _ in 0..MAX_OPS {
        assert!(builder.push(&noop, |_| true).unwrap());
    }
    assert!(!builder.push(&noop, |_| true).unwrap());
    let data = posted_data(&builder.finish().unwrap().ops);
    let bytes = data.to_bytes();
    let read = bastion_protocol::data::BatchData::read(&mut bytes.as_slice()).unwrap();
    assert_eq!(read, data);
}

/// L1 queues what it holds, so that a deposit never stops the queue: it goes where it fits.
#[test]
fn a_deposit_that_has_no_place_gets_another_account() {
    let mut state = state();
    let free = state.free_index().unwrap();
    for (kind, index, balance) in [(Kind::DepositNew, free, 5), (Kind::Deposit, free, 10)] {
        let deposit = Op::Deposit(Deposit {
            token: 0,
            amount: 5,
            keyhash: key(RICH).public().keyhash(),
            exit: exit(RICH),
        });
        let mut batch = BatchBuilder::new(&mut state, context()).unwrap();
        assert!(batch.push(&deposit, |_| true).unwrap());
        assert_eq!(batch.finish().unwrap().ops[0].kind, kind);
        assert_eq!(state.account(index).unwrap().balance, balance);
        assert_eq!(state.account(RICH).unwrap().balance, u128::MAX);
    }
}

#[test]
fn the_fee_accounts_balance_stays_below_128_bits() {
    let mut state = state();
    let rich = Account {
        balance: u128::MAX,
        ..Account::new(owner(Fr::from(1u64), Address([0xfe; 20])), 0)
    };
    let accounts: Vec<_> = state.accounts().map(|(i, a)| (i, *a)).collect();
    let openings: Vec<_> = state.openings().copied().collect();
    state = State::with_accounts(accounts.into_iter().chain([(0, rich)]), openings).unwrap();
    let got = execute(&state, &context(), &spoiled(|_| {})).unwrap_err();
    assert_eq!(got, Rejection::BalanceOverflow(0));
}
