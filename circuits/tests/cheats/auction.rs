//! Orders and quotes as operations. What an order sells and is paid is for the tables of the auction,
//! which have their own cheats.

use super::*;
use bastion_protocol::Quote;
use support::{order, ORDERS, PRICES};

const QUOTED: [Make; 5] = [
    ORDERS[0],
    ORDERS[1],
    |_| Op::Quote(PRICES[0]()),
    |_| Op::Quote(PRICES[1]()),
    |_| Op::Quote(PRICES[2]()),
];
const ALICE: usize = 0;
const CAROL: usize = 1;
const PRICE: usize = 2;

/// The rules that are broken when an auction is altered.
fn cheat_auction(alter: impl Fn(&mut BatchTrace)) -> BTreeSet<String> {
    let mut state = world();
    let tree = state.tree().clone();
    let mut trace = run(&mut state, &context(), &QUOTED).unwrap();
    alter(&mut trace);
    rebuild(&mut trace, tree);
    violated(&trace)
}

#[test]
fn an_honest_auction_violates_nothing() {
    assert_eq!(cheat_auction(|_| {}), set(&[]));
}

#[test]
fn orders_move_what_the_auction_says() {
    let more = |i: usize, by: i128| {
        cheat_auction(move |trace| {
            let account = after(&mut trace.ops[ALICE], i);
            account.balance = account.balance.checked_add_signed(by).unwrap();
        })
    };
    assert_eq!(more(0, 1), set(&["op.seller_sells"]));
    assert_eq!(more(1, 1), set(&["op.buyer_is_paid"]));
    assert_eq!(more(1, -1), set(&["op.buyer_is_paid"]));
    assert!(more(2, 1).contains("op.fee_is_paid"));
    let nonce = cheat_auction(|trace| after(&mut trace.ops[ALICE], 0).nonce -= 1);
    assert_eq!(nonce, set(&["op.nonce_increments"]));
    let token = cheat_auction(|trace| after(&mut trace.ops[ALICE], 1).token = 9);
    assert_eq!(token, set(&["op.bought_token"]));
    // More is sold than the rule says, and the account pays it.
    let sold = cheat_auction(|trace| {
        let op = &mut trace.ops[ALICE];
        after(op, 0).balance -= 1;
        let order = op.order.as_mut().unwrap();
        (order.sold, order.after[0].sold) = (order.sold + 1, order.after[0].sold + 1);
    });
    assert!(sold.contains("order.sold"), "{sold:?}");
}

/// Alice signs an order that pays an account and buys a token.
fn signs(op: &mut OpTrace, to: u32, buy: u16) {
    if let Op::Signed(s) = &mut op.op {
        s.body.action = order(to, buy, 10_000, 9_000);
        let message = s.body.message(context().domain, exit("alice")).unwrap();
        s.signature = key("alice").sign(message);
        op.message = Some(message);
    }
}

/// Alice's order pays another account, which the cheater has her sign.
fn pays(to: u32) -> BTreeSet<String> {
    cheat_auction(|trace| {
        let op = &mut trace.ops[ALICE];
        let before = world().account(to).copied().unwrap();
        let paid = Account { balance: before.balance + 9_999, ..before };
        op.accesses[1] = Some(Access { index: to, before: Some(before), after: Some(paid) });
        signs(op, to, before.token);
    })
}

#[test]
fn an_order_pays_its_owner() {
    // Dave has token 3, but is another owner.
    assert_eq!(pays(FIRST + 3), set(&["op.order_has_one_owner"]));
    // Bob is another owner, and has what is sold.
    let names = pays(FIRST + 1);
    assert!(names.is_superset(&set(&["op.order_has_one_owner", "op.order_names_two_tokens"])));
}

/// The account that is paid is Alice's, but of another token than the one that she signed to buy.
#[test]
fn an_order_buys_the_token_that_was_signed() {
    let buys = |token| cheat_auction(move |trace| signs(&mut trace.ops[ALICE], FIRST + 4, token));
    assert_eq!(buys(3), set(&[]));
    for token in [0, 4, u16::MAX] {
        assert_eq!(buys(token), set(&["op.order_signs_bought_token"]));
    }
}

#[test]
fn the_surplus_is_credited_to_the_tokens_fee_account() {
    let kept = cheat_auction(|trace| after(&mut trace.ops[PRICE], 2).balance -= 1);
    assert_eq!(kept, set(&["op.fee_is_paid"]));
    let elsewhere = cheat_auction(|trace| {
        trace.ops[PRICE].accesses[2].as_mut().unwrap().index += 7;
    });
    assert!(elsewhere.contains("op.fee_index"), "{elsewhere:?}");
    let smaller = cheat_auction(|trace| {
        let op = &mut trace.ops[PRICE];
        after(op, 2).balance -= 1;
        op.quote.as_mut().unwrap().surplus = 0;
    });
    assert!(smaller.contains("quote.last_sum"), "{smaller:?}");
}

#[test]
fn a_good_order_is_not_left_out() {
    let names = cheat_auction(|trace| {
        let op = &mut trace.ops[ALICE];
        let order = op.order.as_mut().unwrap();
        order.ruling.class = Some(bastion_auction::Class::Outside);
        (order.ruling.part, order.ruling.due, order.ruling.payment) = (0, 0, 0);
        (order.sold, order.paid, order.after) = (0, 0, order.before);
        let [seller, buyer] = [0, 1].map(|i| op.accesses[i].unwrap().before.unwrap().balance);
        after(op, 0).balance = seller - 10;
        after(op, 1).balance = buyer;
    });
    assert!(names.contains("order.class2_range"), "{names:?}");
}

#[test]
fn quotes_are_those_that_are_posted() {
    // Carol's order is cleared by another fraction than the posted one.
    let names = cheat_auction(|trace| {
        let order = trace.ops[CAROL].order.as_mut().unwrap();
        order.ruling.part -= 1;
    });
    assert!(names.contains("order.shared_fraction"), "{names:?}");
    // The posted price is another one than that of the auction.
    let names = cheat_auction(|trace| {
        let value = PRICES[0]().value - 1;
        trace.ops[PRICE].op = Op::Quote(Quote { value, ..PRICES[0]() });
    });
    assert!(names.contains("quote.quote") && names.contains("op.auction"), "{names:?}");
    // An order without a quote of its token.
    let names = cheat_auction(|trace| {
        trace.ops.remove(PRICE);
    });
    assert!(names.contains("order.sell_price"), "{names:?}");
}

#[test]
fn an_order_has_its_deadline_and_no_frozen_account() {
    let mut state = world();
    let mut trace = run(&mut state, &context(), &QUOTED).unwrap();
    trace.context.time = TIME + 601;
    assert!(violated(&trace).contains("op.deadline_not_passed"));
    // The account was frozen all along; the cheater leaves it so and sends.
    let mut trace = run(&mut world(), &context(), &QUOTED).unwrap();
    let access = trace.ops[ALICE].accesses[0].as_mut().unwrap();
    for account in [&mut access.before, &mut access.after] {
        account.as_mut().unwrap().frozen_until = TIME + 1_000;
    }
    let before = access.before;
    let mut tree = world().tree().clone();
    tree.set(FIRST, leaf(before.as_ref()));
    trace.old_root = tree.root();
    rebuild(&mut trace, tree);
    assert_eq!(violated(&trace), set(&["op.frozen_sends_nothing"]));
}
