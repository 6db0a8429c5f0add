//! Orders and quotes: the replay follows every batch that clears, and refuses each that does not.

use bastion_audit::replay::ReplayError;
use bastion_protocol::quote::WHOLE;
use bastion_protocol::records::{value_record, L2Record, RecordError};
use bastion_protocol::{Limit, Quote};
use bastion_state::executor::{Packer, Quotes};

use super::*;

/// Accounts by who and token, in the order of the deposits: anna, ben and carl have one in each of three.
const NAMES: [&str; 3] = ["anna", "ben", "carl"];
const TOKENS: u16 = 3;

fn place(who: usize, token: u16) -> Index {
    A + (who as u32) * u32::from(TOKENS) + u32::from(token)
}

fn world() -> (State, Replay) {
    let (mut state, mut replay) = started();
    let all =
        NAMES.iter().flat_map(|name| (0..TOKENS).map(|token| deposit(name, token, 1_000_000)));
    let trace = execute(&mut state, TIME, &all.collect::<Vec<_>>());
    follows(&mut replay, &state, &trace);
    (state, replay)
}

fn order(state: &State, who: usize, (sell, buy): (u16, u16), amount: u128, limit: Limit) -> Op {
    let action = Action::Order { to: place(who, buy), buy, amount, limit };
    signed(state, NAMES[who], place(who, sell), 10, action)
}

/// Random orders, among other operations, packed with the prices that the solver finds.
#[test]
fn packed_batches_are_followed() {
    let mut rng = StdRng::seed_from_u64(5);
    let (mut filled, mut suspended, mut marginal) = (0, 0, 0);
    for _ in 0..40 {
        let (mut state, mut replay) = world();
        for _ in 0..3 {
            let mut packer = Packer::new(&mut state, context(TIME)).unwrap();
            for _ in 0..rng.gen_range(1..16) {
                let who = rng.gen_range(0..3);
                let sell = rng.gen_range(0..TOKENS);
                let buy = (sell + rng.gen_range(1..TOKENS)) % TOKENS;
                let amount = rng.gen_range(1..40_000);
                let op = if rng.gen_ratio(1, 6) {
                    let to = place((who + 1) % 3, sell);
                    let action = Action::Transfer { to, amount };
                    signed(packer.state(), NAMES[who], place(who, sell), 3, action)
                } else {
                    // Around a price of 1, so that some are better and some are worse.
                    let limit = Limit::of(rng.gen_range(64_000..66_000), 65_536).unwrap();
                    order(packer.state(), who, (sell, buy), amount, limit)
                };
                let _ = packer.push(&op, |_| true).unwrap();
            }
            let (trace, state) = packer.finish().unwrap();
            let orders: Vec<_> = trace.ops.iter().filter_map(|op| op.order).collect();
            filled += orders.iter().filter(|order| order.sold > 0).count();
            suspended += orders.iter().filter(|order| order.ruling.class.is_none()).count();
            marginal +=
                orders.iter().filter(|o| o.ruling.part > 0 && o.ruling.part < WHOLE).count();
            follows(&mut replay, state, &trace);
        }
    }
    assert!(filled > 200 && suspended > 20 && marginal > 5, "{filled} {suspended} {marginal}");
}

/// Both at one price; quotes stand anywhere.
fn quotes(fraction: u64, surplus: [u128; 2]) -> Quotes {
    let mut quotes = Quotes::default();
    quotes.insert(Quote::price(0, 4, 1 << 95).unwrap(), surplus[0]);
    quotes.insert(Quote::price(1, 4, 1 << 95).unwrap(), surplus[1]);
    quotes.insert(Quote::fraction(0, 1, fraction).unwrap(), 0);
    quotes
}

/// Anna sells 30,000 of token 0 inside the margin and carl 20,000 at it, ben 40,000 of token 1.
fn orders(state: &State) -> [Op; 3] {
    let good = Limit::of(9, 10).unwrap();
    let near = Limit::of(65_500, 65_536).unwrap();
    [
        order(state, 0, (0, 1), 30_000, good),
        order(state, 2, (0, 1), 20_000, near),
        order(state, 1, (1, 0), 40_000, good),
    ]
}

fn paid(sold: u128) -> u128 {
    sold * 65_534 / 65_536
}

fn batch() -> BatchTrace {
    let (mut state, _) = world();
    let surplus = [40_000 - paid(40_000), 40_000 - paid(30_000) - paid(10_000)];
    let quotes = quotes(WHOLE / 2, surplus);
    let quoted: Vec<Op> = quotes.ops().collect();
    let ops = orders(&state);
    let mut batch = BatchBuilder::with_quotes(&mut state, context(TIME), quotes).unwrap();
    for op in [quoted[2], ops[0], quoted[1], ops[1], ops[2], quoted[0]] {
        assert!(batch.push(&op, |_| true).unwrap());
    }
    batch.finish().unwrap()
}

/// A fee account that is made in the batch is bought into by its owner, made by a fee or by a quote.
#[test]
fn a_fee_account_of_the_same_batch_buys() {
    for by_quote in [false, true] {
        let (mut state, mut replay) = world();
        let fees = execute(&mut state, TIME, &[deposit("fees", 0, 1_000)]);
        follows(&mut replay, &state, &fees);
        let own = A + u32::from(TOKENS) * NAMES.len() as u32;
        let mut quotes = Quotes::default();
        for token in [0, 1] {
            quotes.insert(Quote::price(token, 0, 0).unwrap(), 0);
        }
        let [first, second] = [0, 1].map(|n| quotes.ops().nth(n).unwrap());
        let mut batch = BatchBuilder::with_quotes(&mut state, context(TIME), quotes).unwrap();
        let pays = signed(
            batch.state(),
            "ben",
            place(1, 1),
            5,
            Action::Transfer { to: place(0, 1), amount: 7 },
        );
        assert!(batch.push(if by_quote { &second } else { &pays }, |_| true).unwrap());
        let limit = Limit::of(1, 1).unwrap();
        let order = signed(
            batch.state(),
            "fees",
            own,
            0,
            Action::Order { to: 1, buy: 1, amount: 10, limit },
        );
        for op in [&order, &first].into_iter().chain((!by_quote).then_some(&second)) {
            assert!(batch.push(op, |_| true).unwrap());
        }
        let trace = batch.finish().unwrap();
        follows(&mut replay, &state, &trace);
    }
}

#[test]
fn quotes_may_stand_anywhere() {
    let (_, mut replay) = world();
    let trace = batch();
    let before = replay.operations;
    replay.apply(&data(&trace), TIME).unwrap();
    assert_eq!(replay.root(), trace.new_root);
    assert_eq!(replay.operations, before + 6);
}

/// The records of that batch by operation: price of 1, anna, fraction, carl, ben, price of 0.
const ANNA: usize = 2;
const FRACTION: usize = 4;
const CARL: usize = 6;
const BEN: usize = 8;
const PRICE_0: usize = 10;

fn refused(spoil: impl FnOnce(&mut Vec<Vec<u8>>)) -> ReplayError {
    let (_, mut replay) = world();
    let mut data = data(&batch());
    spoil(&mut data.records[Section::L2 as usize]);
    replay.apply(&data, TIME).unwrap_err()
}

fn main_word(records: &mut [Vec<u8>], at: usize, change: impl FnOnce(&mut L2Record)) {
    let mut record = L2Record::read(&records[at]).unwrap();
    change(&mut record);
    records[at] = record.to_bytes();
}

#[test]
fn each_rule_of_orders_and_quotes_refuses_data_that_break_it() {
    let price =
        |market: u16, price: u128| value_record(Quote::price(0, market, price).unwrap().value);
    let at = |place, broken| ReplayError { at: Place::L2(place), broken };
    let to = |to| refused(|r| main_word(r, ANNA, |word| word.to = to));
    assert_eq!(to(A + 99), at(ANNA, Broken::NoAccount(A + 99)));
    let limiter = limiter_index(1);
    assert_eq!(to(limiter).broken, Broken::NoAccount(limiter));
    let other = place(1, 1);
    assert_eq!(to(other), at(ANNA, Broken::OtherOwner { from: place(0, 0), to: other }));
    assert_eq!(to(place(0, 0)), at(ANNA, Broken::SameToken(place(0, 0))));
    let amount = |amount: u128| {
        let amount = Float::floor(amount, 35).encoded();
        refused(move |r| main_word(r, ANNA, |word| word.amount40 = amount))
    };
    assert_eq!(amount(0), at(ANNA, Broken::ZeroAmount));
    assert_eq!(amount(1 << 113), at(ANNA, Broken::OrderAmount));
    let (amount, fee) = (1_000_000, 10);
    let all = refused(|r| main_word(r, ANNA, |word| word.amount40 = amount as u64 * 32));
    assert_eq!(
        all,
        at(ANNA, Broken::Balance { index: place(0, 0), balance: 1_000_000, amount, fee })
    );
    let wrong = 1u128 << 69;
    let limit = refused(|r| r[ANNA + 1] = value_record(wrong));
    assert_eq!(limit, at(ANNA, Broken::Record(RecordError::Value(wrong))));
    let cut = refused(|r| {
        r.pop();
    });
    assert_eq!(cut, at(PRICE_0, Broken::Record(RecordError::NoValue)));

    let value = |value: Vec<u8>| move |r: &mut Vec<Vec<u8>>| r[PRICE_0 + 1] = value;
    let wide = refused(value(value_record(1 << 112)));
    assert_eq!(wide, at(PRICE_0, Broken::Record(RecordError::Value(1 << 112))));
    let above = Broken::Record(RecordError::Value(u128::from(WHOLE) + 1));
    let fraction = |part: u64| refused(move |r| r[FRACTION + 1] = value_record(part.into()));
    assert_eq!(fraction(WHOLE + 1), at(FRACTION, above));
    let token = refused(|r| main_word(r, PRICE_0, |word| word.from = 1 << 16));
    assert_eq!(token, at(PRICE_0, Broken::Record(RecordError::Token(1 << 16))));
    let fee = refused(|r| main_word(r, PRICE_0, |word| word.fee12 = 32));
    assert_eq!(fee, at(PRICE_0, Broken::Record(RecordError::NotZero("the fee"))));

    let missing = |at: usize| refused(move |r| drop(r.drain(at..at + 2)));
    assert_eq!(missing(PRICE_0), at(ANNA, Broken::NoPrice(0)));
    assert_eq!(missing(FRACTION).broken, Broken::NoFraction { a: 0, b: 1 });
    let twice = refused(|r| {
        let quote = r[FRACTION..FRACTION + 2].to_vec();
        r.extend(quote);
    });
    assert_eq!(twice.broken, Broken::QuotedTwice { a: 0, b: 1 });
    let twice = refused(|r| r.extend([r[PRICE_0].clone(), price(0, 0)]));
    assert_eq!(twice.broken, Broken::QuotedTwice { a: 0, b: 0 });
    let descends = refused(value(price(5, 1 << 95)));
    assert_eq!(descends, at(ANNA, Broken::Descends { from: 5, to: 4 }));
    // The other way round ben's order descends.
    let descends = refused(value(price(3, 1 << 95)));
    assert_eq!(descends, at(BEN, Broken::Descends { from: 4, to: 3 }));
    let short = |sold: u128, paid: u128| Broken::Short {
        token: 1,
        sold: sold.to_string(),
        paid: paid.to_string(),
    };
    let much = ReplayError { at: Place::Batch, broken: short(40_000, paid(30_000) + paid(20_000)) };
    assert_eq!(fraction(WHOLE), much);
    // At ten times the price, who buys token 1 would get more than was sold.
    let dear = refused(|r| r[1] = value_record(Quote::price(1, 4, 1 << 90).unwrap().value));
    assert!(matches!(dear.broken, Broken::Short { token: 1, .. }), "{dear}");

    // A payment of 121 bits: carl sells much for hardly anything.
    let (mut state, mut replay) = world();
    let rich = execute(&mut state, TIME, &[deposit("carl", 0, 10u128.pow(33))]);
    follows(&mut replay, &state, &rich);
    let mut large = data(&batch());
    let records = &mut large.records[Section::L2 as usize];
    main_word(records, CARL, |word| word.amount40 = Float::floor(10u128.pow(33), 35).encoded());
    records[PRICE_0 + 1] = price(4, (1 << 96) - 1);
    records[1] = value_record(Quote::price(1, 4, 1).unwrap().value);
    let error = replay.apply(&large, TIME).unwrap_err();
    assert_eq!(error, at(CARL, Broken::Payment));
}

/// A frozen account sends no orders, also if nothing would be filled.
#[test]
fn frozen_accounts_send_no_orders() {
    let (mut state, mut replay) = world();
    let freeze = Action::Freeze { until: TIME + 50, old_until: 0 };
    let freeze = signed(&state, "anna", place(0, 0), 0, freeze);
    let frozen = execute(&mut state, TIME, &[freeze]);
    follows(&mut replay, &state, &frozen);
    let error = replay.apply(&data(&batch()), TIME).unwrap_err();
    let until = TIME + 50;
    assert_eq!(error.broken, Broken::Frozen { index: place(0, 0), until });
}

/// What leaves no trace in balances is in the order chain: another limit of an order that is filled whole.
#[test]
fn the_order_chain_has_both_words() {
    let (_, mut replay) = world();
    let mut data = data(&batch());
    let word = Limit::of(8, 10).unwrap().word();
    data.records[Section::L2 as usize][ANNA + 1] = value_record(word);
    let trace = batch();
    replay.take_order();
    replay.apply(&data, TIME).unwrap();
    assert_eq!(replay.root(), trace.new_root);
    assert_ne!(replay.take_order().chain, order_chain(Fr::from(0u64), &trace.ops));
}
