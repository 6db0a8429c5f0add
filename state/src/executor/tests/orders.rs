//! Orders and quotes: their effect, their traces, and what refuses them.

use super::*;
use crate::executor::{Flow, QuoteTrace, Quotes};
use bastion_auction::{Class, RuleError, TokenQuote, WHOLE};
use bastion_protocol::account::fee_index;
use bastion_protocol::{Limit, Quote};

/// Anna sells token 1 and has an account in token 2, Ben the other way round.
pub(super) const ANNA_SELLS: Index = FIRST_USER + 20;
pub(super) const ANNA_BUYS: Index = FIRST_USER + 21;
pub(super) const BEN_SELLS: Index = FIRST_USER + 22;
pub(super) const BEN_BUYS: Index = FIRST_USER + 23;
/// Anna's too: frozen, in token 1, and with as much as can be, in token 2.
const FROZEN: Index = FIRST_USER + 24;
pub(super) const BRIM: Index = FIRST_USER + 25;
/// Half of 2^128 in both tokens.
const VAST: [Index; 4] = [FIRST_USER + 26, FIRST_USER + 27, FIRST_USER + 28, FIRST_USER + 29];
pub(super) const MILLION: u128 = 1_000_000;

pub(super) fn market() -> State {
    let of = |name: Index| (key(name).public().keyhash(), exit(name));
    let (anna, ben) = (of(ANNA_SELLS), of(BEN_SELLS));
    let account = |index, (keyhash, exit), token, balance| {
        (index, Account { balance, ..Account::new(owner(keyhash, exit), token) })
    };
    let mut accounts = vec![
        account(ANNA_SELLS, anna, 1, 10 * MILLION),
        account(ANNA_BUYS, anna, 2, 0),
        account(BEN_SELLS, ben, 2, 10 * MILLION),
        account(BEN_BUYS, ben, 1, 0),
        account(FROZEN, anna, 1, MILLION),
        account(BRIM, anna, 2, u128::MAX),
        (limiter_index(1), Account::new(Fr::from(0u64), 1)),
    ];
    accounts[4].1.frozen_until = TIME + 1;
    accounts.extend(VAST.map(|index| account(index, anna, 1 + (index as u16 & 1), 1 << 127)));
    State::with_accounts(accounts, [anna, ben]).unwrap()
}

fn body(from: Index, to: Index, amount: u128, limit: Limit) -> Body {
    let token = 1 + u16::from(from == BEN_SELLS || from == ANNA_BUYS || from == BRIM);
    // There are two tokens, 1 and 2.
    let action = Action::Order { to, buy: 3 - token, amount, limit };
    Body { account: from, token, nonce: 0, deadline: TIME, fee: 10, action }
}

fn signed(body: Body) -> Op {
    let who = if [BEN_SELLS, BEN_BUYS].contains(&body.account) { BEN_SELLS } else { ANNA_SELLS };
    Op::Signed(body.sign(&key(who), Fr::from(DOMAIN), exit(who)).unwrap())
}

/// Sells for at least `bought / sold` each.
pub(super) fn order(from: Index, to: Index, amount: u128, bought: u128, sold: u128) -> Op {
    signed(body(from, to, amount, Limit::of(bought, sold).unwrap()))
}

/// Both tokens at one price, in one market, and a fraction of a half for who sells token 1.
pub(super) fn quotes(surplus: [u128; 2]) -> Quotes {
    let mut quotes = Quotes::default();
    quotes.insert(Quote::price(1, 0, 1 << 95).unwrap(), surplus[0]);
    quotes.insert(Quote::price(2, 0, 1 << 95).unwrap(), surplus[1]);
    quotes.insert(Quote::fraction(1, 2, WHOLE / 2).unwrap(), 0);
    quotes
}

/// Anna sells three million inside and two at the margin, of which half is filled; Ben sells four.
fn orders() -> Vec<Op> {
    let with_nonce = |nonce, op| match op {
        Op::Signed(s) => signed(Body { nonce, ..s.body }),
        other => other,
    };
    vec![
        order(ANNA_SELLS, ANNA_BUYS, 3 * MILLION, 9, 10),
        with_nonce(1, order(ANNA_SELLS, ANNA_BUYS, 2 * MILLION, 65_500, 65_536)),
        order(BEN_SELLS, BEN_BUYS, 4 * MILLION, 9, 10),
    ]
}

/// What is paid for so many units, at one price: two 65,536ths less, rounded down.
const fn paid(sold: u128) -> u128 {
    sold * 65_534 / 65_536
}

const SURPLUS: [u128; 2] =
    [4 * MILLION - paid(4 * MILLION), 4 * MILLION - paid(3 * MILLION) - paid(MILLION)];

fn run(quotes: Quotes, ops: impl IntoIterator<Item = Op>) -> Result<BatchTrace, Rejection> {
    let mut state = market();
    let mut batch = BatchBuilder::with_quotes(&mut state, context(), quotes)?;
    for op in ops {
        assert!(batch.push(&op, |_| true)?);
    }
    batch.finish()
}

#[test]
fn orders_are_filled_by_the_quotes_of_their_batch() {
    let mut state = market();
    let quotes = quotes(SURPLUS);
    // Where the quotes stand among the operations does not matter.
    let quoted: Vec<Op> = quotes.ops().collect();
    let [first, second, third] = [orders()[0], orders()[1], orders()[2]];
    let ops = [quoted[1], first, second, quoted[0], third, quoted[2]];
    let mut batch = BatchBuilder::with_quotes(&mut state, context(), quotes).unwrap();
    for op in &ops {
        assert!(batch.push(op, |_| true).unwrap());
    }
    let trace = batch.finish().unwrap();
    let balance = |index| state.account(index).unwrap().balance;
    assert_eq!(balance(ANNA_SELLS), 10 * MILLION - 4 * MILLION - 20);
    assert_eq!(balance(ANNA_BUYS), paid(3 * MILLION) + paid(MILLION));
    assert_eq!(balance(BEN_SELLS), 10 * MILLION - 4 * MILLION - 10);
    assert_eq!(balance(BEN_BUYS), paid(4 * MILLION));
    assert_eq!(balance(fee_index(1)), SURPLUS[0] + 20);
    assert_eq!(balance(fee_index(2)), SURPLUS[1] + 10);
    assert_eq!(state.account(fee_index(1)).unwrap().owner, context().policy.fee_owner());
    assert_eq!(state.account(ANNA_SELLS).unwrap().nonce, 2);

    let order = trace.ops[2].order.unwrap();
    assert_eq!((order.sell, order.buy, order.amount), (1, 2, 2 * MILLION));
    assert_eq!(order.quotes, [TokenQuote { market: 0, price: 1 << 95 }; 2]);
    assert_eq!((order.ruling.class, order.ruling.part), (Some(Class::Marginal), WHOLE / 2));
    assert_eq!((order.sold, order.paid), (MILLION, paid(MILLION)));
    let [sold, bought] = [3 * MILLION, paid(3 * MILLION)];
    assert_eq!(order.before, [Flow { sold, paid: 0 }, Flow { sold: 0, paid: bought }]);
    let [sold, bought] = [4 * MILLION, bought + paid(MILLION)];
    assert_eq!(order.after, [Flow { sold, paid: 0 }, Flow { sold: 0, paid: bought }]);
    let quote = |op: usize| trace.ops[op].quote.unwrap();
    let Op::Quote(fraction) = ops[0] else { panic!() };
    let QuoteTrace { quote: posted, previous, surplus, uses } = quote(0);
    assert_eq!((posted, previous, surplus, uses), (fraction, Some(quote(3).quote.key()), 0, 1));
    assert_eq!((quote(3).previous, quote(3).uses, quote(3).surplus), (None, 3, SURPLUS[0]));
    assert_eq!((quote(5).previous, quote(5).uses), (Some(fraction.key()), 3));

    // Two records each, of which the second is a number; a leaf of the order chain has both words.
    let data = posted_data(&trace.ops);
    assert_eq!(data.counts(), [0, 12, 0, 0]);
    let words: Vec<usize> = trace.ops.iter().map(|op| op.words().len()).collect();
    assert_eq!(words, [2; 6]);
    let mut rest = data.section(bastion_protocol::records::Section::L2);
    for op in &trace.ops {
        let posted = bastion_protocol::records::L2Posted::take(&mut rest).unwrap().unwrap();
        assert_eq!(posted.kind, op.kind);
        match op.op {
            Op::Quote(quote) => assert_eq!(posted.quote().unwrap().0, quote),
            _ => assert_eq!(posted.limit().unwrap(), op.order.unwrap().limit),
        }
    }
}

/// What is bought may go to an account that pays for the next operation; fees too.
#[test]
fn what_was_bought_can_be_spent() {
    let spend = Body {
        account: ANNA_BUYS,
        token: 2,
        nonce: 0,
        deadline: TIME,
        fee: 5,
        action: Action::Transfer { to: BEN_SELLS, amount: MILLION },
    };
    let quotes = quotes(SURPLUS);
    let quoted: Vec<Op> = quotes.ops().collect();
    let trace = run(quotes, orders().into_iter().chain([signed(spend)]).chain(quoted)).unwrap();
    assert_eq!(trace.ops.len(), 7);
}

#[test]
fn suspended_tokens_are_not_traded() {
    for (sell, buy) in [((0, 0), (0, 1 << 95)), ((0, 1 << 95), (0, 0)), ((3, 1), (4, 1))] {
        let mut quotes = Quotes::default();
        quotes.insert(Quote::price(1, sell.0, sell.1).unwrap(), 0);
        quotes.insert(Quote::price(2, buy.0, buy.1).unwrap(), 0);
        let quoted: Vec<Op> = quotes.ops().collect();
        let trace = run(quotes, [orders()[0]].into_iter().chain(quoted)).unwrap();
        let order = trace.ops[0].order.unwrap();
        assert_eq!((order.sold, order.paid, order.ruling.class), (0, 0, None));
        assert_eq!(trace.ops[0].fee, 10);
    }
}

/// A batch that is refused at its end is taken back.
#[test]
fn a_batch_that_does_not_clear_leaves_no_mark() {
    let mut state = market();
    let before: Vec<_> = state.accounts().map(|(i, a)| (i, *a)).collect();
    let mut batch = BatchBuilder::with_quotes(&mut state, context(), quotes([0, 0])).unwrap();
    for op in orders() {
        assert!(batch.push(&op, |_| true).unwrap());
    }
    assert!(batch.finish().is_err());
    assert!(state.accounts().map(|(i, a)| (i, *a)).eq(before));
    assert_eq!(state.root(), market().root());
}

/// What refuses orders and quotes: a name, what came out, and what should.
pub(super) fn refusals() -> Vec<(&'static str, Rejection, Rejection)> {
    use Rejection as R;
    let known = quotes(SURPLUS);
    let quoted: Vec<Op> = known.ops().collect();
    let limit = Limit::of(9, 10).unwrap();
    let refused = |quotes: &Quotes, ops: &[Op]| run(quotes.clone(), ops.to_vec()).unwrap_err();
    let one = |body| refused(&known, &[signed(body)]);
    let good = body(ANNA_SELLS, ANNA_BUYS, MILLION, limit);
    let sells = |to, buy, amount| Body { action: Action::Order { to, buy, amount, limit }, ..good };
    let to = |to| sells(to, 2, MILLION);
    let all = |without: Option<usize>| -> Vec<Op> {
        let posted = quoted.iter().enumerate().filter(|(i, _)| Some(*i) != without);
        orders().into_iter().chain(posted.map(|(_, op)| *op)).collect()
    };
    let mut unpriced = Quotes::default();
    unpriced.insert(Quote::price(1, 0, 1).unwrap(), 0);
    let mut unfractioned = unpriced.clone();
    unfractioned.insert(Quote::price(1, 0, 65_536).unwrap(), 0);
    unfractioned.insert(Quote::price(2, 0, 65_536).unwrap(), 0);
    let mut descending = unfractioned.clone();
    descending.insert(Quote::price(1, 7, 65_536).unwrap(), 0);
    let mut dear = unfractioned.clone();
    dear.insert(Quote::price(1, 0, (1 << 96) - 1).unwrap(), 0);
    dear.insert(Quote::price(2, 0, 1).unwrap(), 0);
    let mut whole = quotes([SURPLUS[0] + MILLION, 0]);
    whole.insert(Quote::fraction(1, 2, WHOLE).unwrap(), 0);
    let second = Op::Quote(Quote::fraction(1, 2, 7).unwrap());
    let stranger = Op::Quote(Quote::price(9, 0, 7).unwrap());
    let [(a, b), (c, d)] = [(1, 2), (9, 9)];
    vec![
        ("paid account", one(to(NOBODY)), R::NoSuchAccount(NOBODY)),
        ("limiter", one(to(limiter_index(1))), R::IsLimiter(limiter_index(1))),
        ("somebody else", one(to(BEN_SELLS)), R::OtherOwner { account: ANNA_SELLS, to: BEN_SELLS }),
        ("one token", one(to(VAST[0])), R::SameToken(VAST[0])),
        ("itself", one(to(ANNA_SELLS)), R::SameToken(ANNA_SELLS)),
        (
            "frozen",
            one(Body { account: FROZEN, ..good }),
            R::Frozen { account: FROZEN, until: TIME + 1 },
        ),
        (
            "another token than is bought",
            one(sells(ANNA_BUYS, 9, MILLION)),
            R::WrongToken { account: ANNA_BUYS, expected: 2, got: 9 },
        ),
        ("nothing", one(sells(ANNA_BUYS, 2, 0)), R::ZeroAmount),
        ("paid beyond 128 bits", one(to(BRIM)), R::BalanceOverflow(BRIM)),
        (
            "balance",
            one(sells(ANNA_BUYS, 2, 11 * MILLION)),
            R::InsufficientBalance {
                account: ANNA_SELLS,
                balance: 10 * MILLION,
                needed: 11 * MILLION + 10,
            },
        ),
        ("no auction", refused(&Quotes::default(), &[signed(good)]), R::NoAuction),
        ("no price", refused(&unpriced, &[signed(good)]), R::NoPrice(2)),
        (
            "no fraction",
            refused(
                &unfractioned,
                &[orders()[1]].map(|op| match op {
                    Op::Signed(s) => signed(Body { nonce: 0, ..s.body }),
                    other => other,
                }),
            ),
            R::Quotes(RuleError::NoFraction),
        ),
        (
            "market order",
            refused(&descending, &[signed(good)]),
            R::Quotes(RuleError::Descends { from: 7, to: 0 }),
        ),
        (
            "2^120",
            refused(&dear, &[signed(body(VAST[0], ANNA_BUYS, 1 << 30, limit))]),
            R::Quotes(RuleError::Payment),
        ),
        ("another fraction", refused(&known, &[second]), R::NotQuoted { a, b }),
        ("an unknown quote", refused(&known, &[stranger]), R::NotQuoted { a: c, b: d }),
        ("quoted twice", refused(&known, &[quoted[1], quoted[1]]), R::QuotedTwice { a, b }),
        ("price not posted", refused(&known, &all(Some(2))), R::QuoteMissing { a: 2, b: 2 }),
        ("fraction not posted", refused(&known, &all(Some(1))), R::QuoteMissing { a, b }),
        (
            "short",
            refused(&whole, &{
                let mut ops = orders();
                ops.extend(whole.ops());
                ops
            }),
            R::Short { token: 2, sold: 4 * MILLION, paid: paid(3 * MILLION) + paid(2 * MILLION) },
        ),
        (
            "surplus",
            refused(&quotes([SURPLUS[0], SURPLUS[1] - 1]), &all(None)),
            R::Surplus { token: 2, named: SURPLUS[1] - 1, left: SURPLUS[1] },
        ),
        (
            "surplus of nothing",
            refused(&known, &quoted),
            R::Surplus { token: 1, named: SURPLUS[0], left: 0 },
        ),
        ("never cleared", never_cleared(), R::NotCleared),
        ("flows", overflowing_flow(), R::FlowOverflow(1)),
    ]
}

fn never_cleared() -> Rejection {
    let mut state = market();
    let mut batch = OpenBatch::reserving(&mut state, context()).unwrap();
    assert!(batch.push(&mut state, &orders()[0], None, |_| true).unwrap());
    batch.close(&state).unwrap_err()
}

/// No balances add up to 2^128 of what orders sell, at most 2^112 each: the sum is set.
fn overflowing_flow() -> Rejection {
    let mut state = market();
    let mut batch = OpenBatch::with_quotes(&mut state, context(), quotes(SURPLUS)).unwrap();
    batch.book.set_flow(1, Flow { sold: u128::MAX, paid: 0 });
    batch.push(&mut state, &orders()[0], None, |_| true).unwrap_err()
}

#[test]
fn a_value_that_is_no_quote_is_refused() {
    for (a, b, value) in [(1, 2, 1 << 33), (1, 1, 1 << 112)] {
        let mut quotes = Quotes::default();
        let quote = Quote { a, b, value };
        quotes.insert(quote, 0);
        let refused = run(quotes, [Op::Quote(quote)]);
        assert!(matches!(refused, Err(Rejection::Encoding(_))), "{refused:?}");
    }
    // The wire has no such order.
    let large = body(VAST[0], ANNA_BUYS, 6 * 10u128.pow(33), Limit::of(1, 1).unwrap());
    assert!(large.sign(&key(ANNA_SELLS), Fr::from(DOMAIN), exit(ANNA_SELLS)).is_err());
}
