//! Batches that are filled before their prices are known.

use super::orders::*;
use super::*;
use crate::executor::{execute_again, filled, Packer, Pushed, UnpricedBatch, MOST_PAID};
use bastion_auction::{post, solve, Auction, Posted};
use bastion_protocol::ops::SignedOp;
use bastion_protocol::Quote;

fn signed(op: Op) -> SignedOp {
    let Op::Signed(signed) = op else { panic!() };
    signed
}

fn resigned(op: Op, who: Index, spoil: impl FnOnce(&mut Body)) -> Op {
    let mut body = signed(op).body;
    spoil(&mut body);
    Op::Signed(body.sign(&key(who), Fr::from(DOMAIN), exit(who)).unwrap())
}

/// Anna and Ben ask for less than one for one.
fn pair() -> [Op; 2] {
    [
        order(ANNA_SELLS, ANNA_BUYS, 3 * MILLION, 9, 10),
        order(BEN_SELLS, BEN_BUYS, 3 * MILLION, 9, 10),
    ]
}

fn balances(state: &State) -> [u128; 4] {
    [ANNA_SELLS, ANNA_BUYS, BEN_SELLS, BEN_BUYS].map(|i| state.account(i).unwrap().balance)
}

#[test]
fn a_packed_batch_trades_and_has_its_quotes_at_the_end() {
    let mut state = market();
    let mut packer = Packer::new(&mut state, context()).unwrap();
    for op in pair() {
        assert_eq!(packer.push(&op, |_| true), Ok(Pushed::Taken));
    }
    assert!(packer.ops().eq(pair().iter()));
    let (trace, state) = packer.finish().unwrap();
    let kinds: Vec<Kind> = trace.ops.iter().map(|op| op.kind).collect();
    assert_eq!(kinds[..2], [Kind::Order; 2]);
    assert!(kinds[2..].iter().all(|kind| *kind == Kind::Quote) && kinds.len() >= 4);
    let [sells, buys, ..] = balances(state);
    assert!(sells < 10 * MILLION - MILLION && buys > MILLION, "{sells} {buys}");
    // The same operations, pushed with the same quotes, are the same batch.
    let ops: Vec<Op> = trace.ops.iter().map(|op| op.op).collect();
    let mut quotes = crate::executor::Quotes::default();
    for quoted in trace.ops.iter().filter_map(|op| op.quote) {
        quotes.insert(quoted.quote, quoted.surplus);
    }
    let mut again = market();
    let mut batch = BatchBuilder::with_quotes(&mut again, context(), quotes).unwrap();
    assert!(ops.iter().all(|op| batch.push(op, |_| true) == Ok(true)));
    assert_eq!(batch.finish().unwrap(), trace);
}

#[test]
fn orders_that_nobody_answers_are_posted_with_suspended_tokens() {
    let mut state = market();
    let mut packer = Packer::new(&mut state, context()).unwrap();
    assert_eq!(packer.push(&pair()[0], |_| true), Ok(Pushed::Taken));
    let (trace, state) = packer.finish().unwrap();
    assert_eq!(trace.ops.len(), 3);
    assert!(trace.ops[1..].iter().all(|op| op.quote.unwrap().quote.content().unwrap()
        == bastion_protocol::quote::Quoted::Price { market: 0, price: 0 }));
    assert_eq!(balances(state), [10 * MILLION - 10, 0, 10 * MILLION, 0]);
    assert_eq!(trace.new_root, state.root());
}

/// The whole amount is held back: what a later operation spends is there at any price.
#[test]
fn nothing_is_spent_twice() {
    let mut state = market();
    let mut packer = Packer::new(&mut state, context()).unwrap();
    let most = order(ANNA_SELLS, ANNA_BUYS, 9 * MILLION, 9, 10);
    assert_eq!(packer.push(&most, |_| true), Ok(Pushed::Taken));
    let second = resigned(most, ANNA_SELLS, |body| {
        body.nonce = 1;
        body.action = Action::Transfer { to: BEN_BUYS, amount: 2 * MILLION };
    });
    let refused = packer.push(&second, |_| true);
    assert!(matches!(refused, Err(Rejection::InsufficientBalance { .. })), "{refused:?}");
    // Nor can be spent what is not bought yet.
    let spent = Body {
        account: ANNA_BUYS,
        token: 2,
        nonce: 0,
        action: Action::Transfer { to: BEN_SELLS, amount: 1 },
        ..signed(most).body
    };
    let spent = resigned(most, ANNA_SELLS, |body| *body = spent);
    assert!(matches!(packer.push(&spent, |_| true), Err(Rejection::InsufficientBalance { .. })));
    let (trace, _) = packer.finish().unwrap();
    assert_eq!(trace.ops[0].kind, Kind::Order);
}

/// Room for the quotes is made with the order: a batch is never too full for them.
#[test]
fn quotes_have_their_room() {
    for room in 0..8 {
        let mut state = market();
        let mut packer = Packer::new(&mut state, context()).unwrap();
        let mut used = 0;
        let mut fits = |_: &Footprint| {
            used += 1;
            used <= room
        };
        let taken = pair().map(|op| packer.push(&op, &mut fits) == Ok(Pushed::Taken));
        assert_eq!(taken, [room >= 4, room >= 6], "{room}");
        let (trace, state) = packer.finish().unwrap();
        assert!(trace.ops.len() <= room, "{room}");
        assert_eq!(trace.ops.is_empty(), room < 4);
        assert_eq!(trace.new_root, state.root());
        assert!(
            trace.ops.iter().filter(|op| op.kind == Kind::Order).count()
                == taken.iter().filter(|t| **t).count()
        );
    }
}

#[test]
fn a_batch_without_orders_is_as_it_was() {
    let transfer = resigned(pair()[0], ANNA_SELLS, |body| {
        body.action = Action::Transfer { to: BEN_BUYS, amount: 5 };
    });
    let mut state = market();
    let mut packer = Packer::new(&mut state, context()).unwrap();
    assert_eq!(packer.push(&transfer, |_| true), Ok(Pushed::Taken));
    let (packed, _) = packer.finish().unwrap();
    let mut state = market();
    let mut batch = BatchBuilder::new(&mut state, context()).unwrap();
    assert!(batch.push(&transfer, |_| true).unwrap());
    assert_eq!(batch.finish().unwrap(), packed);
    let mut state = market();
    let mut packer = Packer::new(&mut state, context()).unwrap();
    let quote = Op::Quote(bastion_protocol::Quote::price(1, 0, 0).unwrap());
    assert_eq!(packer.push(&quote, |_| true), Err(Rejection::NotQuoted { a: 1, b: 1 }));
}

/// An auction takes so many tokens and so much of each: what is more waits.
#[test]
fn more_than_an_auction_takes_waits() {
    let mut state = market();
    let mut packer = Packer::new(&mut state, context()).unwrap();
    let half = 1u128 << 111;
    let vast = order(FIRST_USER + 26, ANNA_BUYS, half - half % 10u128.pow(24), 9, 10);
    let vast = resigned(vast, ANNA_SELLS, |_| {});
    assert_eq!(packer.push(&vast, |_| true), Ok(Pushed::Taken));
    let more =
        order(FIRST_USER + 28, ANNA_BUYS, half + 10u128.pow(24) - half % 10u128.pow(24), 9, 10);
    assert_eq!(packer.push(&more, |_| true), Ok(Pushed::Waits));
    assert_eq!(packer.push(&pair()[1], |_| true), Ok(Pushed::Taken));
    assert!(packer.finish().is_ok());
}

/// A quote makes the fee account of its token, at the end of the batch: no operation before that finds it
/// there.
#[test]
fn a_quote_makes_no_account_for_operations_before_it() {
    let mut state = market();
    let root = state.root();
    let mut packer = Packer::new(&mut state, context()).unwrap();
    assert_eq!(packer.push(&pair()[0], |_| true), Ok(Pushed::Taken));
    let fee = bastion_protocol::account::fee_index(2);
    assert_eq!(packer.state().account(fee), None);
    let pays = resigned(pair()[1], BEN_SELLS, |body| {
        body.fee = 0;
        body.action = Action::Transfer { to: fee, amount: 5 };
    });
    assert_eq!(packer.push(&pays, |_| true), Err(Rejection::NoSuchAccount(fee)));
    // With a fee account that something else has made, it is as ever.
    assert_eq!(packer.push(&pair()[1], |_| true), Ok(Pushed::Taken));
    let paid = resigned(pays, BEN_SELLS, |body| body.nonce = 1);
    assert_eq!(packer.push(&paid, |_| true), Ok(Pushed::Taken));
    let (trace, state) = packer.finish().unwrap();
    assert_ne!(trace.new_root, root);
    assert!(trace.ops.iter().any(|op| op.order.is_some_and(|order| order.paid > 0)));
    assert!(state.account(fee).unwrap().balance > 5);
}

/// Who may be paid so much that an account cannot hold it is refused before anything is promised.
#[test]
fn what_could_overflow_is_refused_at_once() {
    let mut state = market();
    let mut packer = Packer::new(&mut state, context()).unwrap();
    let full = order(ANNA_SELLS, BRIM, MILLION, 9, 10);
    assert_eq!(packer.push(&full, |_| true), Err(Rejection::BalanceOverflow(BRIM)));
    for op in pair() {
        assert_eq!(packer.push(&op, |_| true), Ok(Pushed::Taken));
    }
    // What comes later must not leave too little room either.
    let most = u128::MAX - MOST_PAID;
    let from_brim = |to, amount| {
        let body = Body {
            account: BRIM,
            token: 2,
            nonce: 0,
            deadline: TIME,
            fee: 0,
            action: Action::Transfer { to, amount },
        };
        Op::Signed(body.sign(&key(ANNA_SELLS), Fr::from(DOMAIN), exit(ANNA_SELLS)).unwrap())
    };
    let largest =
        |most: u128, bits: u32| bastion_protocol::ops::Float::floor(most, bits).value().unwrap();
    let whole = largest(u128::MAX, bastion_protocol::ops::AMOUNT_BITS);
    let refused = packer.push(&from_brim(ANNA_BUYS, whole), |_| true);
    assert_eq!(refused, Err(Rejection::BalanceOverflow(ANNA_BUYS)));
    let fee = bastion_protocol::account::fee_index(2);
    assert_eq!(packer.push(&from_brim(fee, whole), |_| true), Err(Rejection::BalanceOverflow(fee)));
    let less = largest(most, bastion_protocol::ops::AMOUNT_BITS);
    assert!(less < most && less > u128::MAX / 2);
    assert_eq!(packer.push(&from_brim(ANNA_BUYS, less), |_| true), Ok(Pushed::Taken));
    let (trace, _) = packer.finish().unwrap();
    assert!(trace.ops[0].order.unwrap().paid > 0);
}

/// A transfer to an account of which an order holds something back: it may come back.
#[test]
fn what_is_held_back_counts_as_held() {
    let fund = |balance| {
        let mut accounts: Vec<_> = market().accounts().map(|(i, account)| (i, *account)).collect();
        accounts.iter_mut().find(|(i, _)| *i == BEN_SELLS).unwrap().1.balance = balance;
        let of = |name: Index| (key(name).public().keyhash(), exit(name));
        State::with_accounts(accounts, [of(ANNA_SELLS), of(BEN_SELLS)]).unwrap()
    };
    let back = |amount| {
        let body = Body {
            account: BRIM,
            token: 2,
            nonce: 0,
            deadline: TIME,
            fee: 0,
            action: Action::Transfer { to: BEN_SELLS, amount },
        };
        Op::Signed(body.sign(&key(ANNA_SELLS), Fr::from(DOMAIN), exit(ANNA_SELLS)).unwrap())
    };
    // With the order of 3,000,000 and its fee of 10 there is room for 9 and for no more.
    for (amount, pushed) in
        [(10, Ok(Pushed::Taken)), (11, Err(Rejection::BalanceOverflow(BEN_SELLS)))]
    {
        let mut state = fund(u128::MAX);
        let mut packer = Packer::new(&mut state, context()).unwrap();
        assert_eq!(packer.push(&pair()[1], |_| true), Ok(Pushed::Taken));
        assert_eq!(packer.push(&back(amount), |_| true), pushed);
        let (trace, state) = packer.finish().unwrap();
        assert_eq!(trace.ops[0].order.unwrap().sold, 0);
        let held = state.account(BEN_SELLS).unwrap().balance;
        assert_eq!(held, u128::MAX - 10 + if amount == 10 { 10 } else { 0 });
    }
}

/// A fee account that holds no more stops the orders of its token, and only those.
#[test]
fn a_full_fee_account_stops_its_token_only() {
    let fee = bastion_protocol::account::fee_index(2);
    let state = market();
    let mut accounts: Vec<_> = state.accounts().map(|(index, account)| (index, *account)).collect();
    let owner = context().policy.fee_owner();
    accounts.push((fee, Account { balance: u128::MAX, ..Account::new(owner, 2) }));
    let of = |name: Index| (key(name).public().keyhash(), exit(name));
    let mut state = State::with_accounts(accounts, [of(ANNA_SELLS), of(BEN_SELLS)]).unwrap();
    let free = |op, who| resigned(op, who, |body| body.fee = 0);
    let [anna, ben] = pair();
    let pays = resigned(anna, ANNA_SELLS, |body| {
        body.action = Action::Transfer { to: BEN_BUYS, amount: 5 };
    });
    let mut packer = Packer::new(&mut state, context()).unwrap();
    let overflow = Err(Rejection::BalanceOverflow(fee));
    assert_eq!(packer.push(&pays, |_| true), Ok(Pushed::Taken));
    let anna = resigned(anna, ANNA_SELLS, |body| body.nonce = 1);
    assert_eq!(packer.push(&anna, |_| true), overflow);
    assert_eq!(packer.push(&free(ben, BEN_SELLS), |_| true), overflow);
    assert_eq!(packer.finish().unwrap().0.ops.len(), 1);
}

/// A batch that is executed again from its operations and quotes is the same, and no other quotes will do.
#[test]
fn a_closed_batch_executes_again() {
    let mut state = market();
    let mut packer = Packer::new(&mut state, context()).unwrap();
    for op in pair() {
        assert_eq!(packer.push(&op, |_| true), Ok(Pushed::Taken));
    }
    let (trace, _) = packer.finish().unwrap();
    let quotes: Vec<Quote> = trace.ops.iter().filter_map(|op| Some(op.quote?.quote)).collect();
    let again = |quotes: &[Quote]| {
        let mut state = market();
        let closed = execute_again(&mut state, &context(), &pair(), quotes);
        if closed.is_err() {
            assert!(state.accounts().eq(market().accounts()));
        }
        closed.map(|closed| closed.seal(state.tree_mut()))
    };
    assert_eq!(again(&quotes).unwrap(), trace);
    for op in &trace.ops {
        let fill = op.order.map(|order| (order.sold, order.paid));
        let found = filled(&op.op, &quotes).unwrap();
        assert_eq!(found.map(|fill| (fill.sold, fill.bought)), fill);
    }
    assert!(matches!(filled(&pair()[0], &[]), Err(Rejection::NoPrice(1))));
    assert!(again(&quotes[1..]).is_err(), "a token without a price");
    assert!(again(&[&quotes[..], &quotes[..1]].concat()).is_err(), "one twice");
    let unused = Quote::fraction(2, 1, 7).unwrap();
    assert!(again(&[&quotes[..], &[unused]].concat()).is_err(), "one that nobody uses");
    let none: Vec<Quote> = [1, 2].map(|token| Quote::price(token, 0, 0).unwrap()).to_vec();
    assert_eq!(again(&none).unwrap().ops[0].order.unwrap().sold, 0);
    let dear = Quote::price(2, 0, (1 << 96) - 1).unwrap();
    assert!(again(&[Quote::price(1, 0, 1 << 95).unwrap(), dear]).is_err(), "prices do not clear");
}

/// Prices that do not clear, and a solver that fails, are no reason not to keep a promise.
#[test]
fn without_good_prices_nothing_is_traded() {
    let wrong = |auction: &Auction| {
        let mut posted = post(auction, &solve(auction));
        *posted.surplus.values_mut().next().unwrap() += 1;
        posted
    };
    let dear = |auction: &Auction| {
        let mut posted = Posted::none(auction);
        for (token, quote) in &mut posted.quotes {
            quote.price = (1 << 95) + (u128::from(*token) << 94);
        }
        posted
    };
    let nothing = |_: &Auction| Posted::default();
    let fails = |_: &Auction| -> Posted { panic!("a fault of the solver") };
    let finders: [fn(&Auction) -> Posted; 4] = [wrong, dear, nothing, fails];
    for (n, find) in finders.into_iter().enumerate() {
        let mut state = market();
        let mut batch = UnpricedBatch::new(&mut state, context()).unwrap();
        for op in pair() {
            let trace = batch.execute(&state, &op, None).unwrap();
            assert_eq!(batch.include(&mut state, trace, None, |_| true), Pushed::Taken);
        }
        let closed = batch.close_at(&mut state, find).unwrap();
        let kinds: Vec<Kind> = closed.ops().iter().map(|op| op.kind).collect();
        assert_eq!(kinds, [Kind::Order, Kind::Order, Kind::Quote, Kind::Quote], "{n}");
        assert!(closed.ops().iter().filter_map(|op| op.order).all(|order| order.sold == 0), "{n}");
        let paid = 10 * MILLION - 10;
        assert_eq!(balances(&state), [paid, 0, paid, 0], "{n}");
    }
}
