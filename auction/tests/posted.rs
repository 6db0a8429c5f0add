//! The posted form of clearings, and the rule of one order.
#![allow(clippy::unwrap_used, clippy::panic)]

mod support;

use bastion_auction::sample::{book, Shape};
use bastion_auction::{
    post, rule, solve, Auction, Class, Clearing, Fill, Limit, Order, Posted, RuleError, Terms,
    TokenQuote, WHOLE,
};
use proptest::prelude::*;
use support::{fill, order};

fn quote(market: u16, price: u128) -> TokenQuote {
    TokenQuote { market, price }
}

/// Two markets that trade on their own, {1, 2} and {3, 4}, joined to a circle by orders with token 5, which
/// is suspended; the second market fills two orders more.
fn two_markets() -> (Auction, Clearing) {
    let mut orders = vec![order(1, 2, 1_000_000, 9, 10), order(2, 1, 1_000_000, 9, 10)];
    for _ in 0..2 {
        orders.push(order(3, 4, 1_000_000, 9, 10));
        orders.push(order(4, 3, 1_000_000, 9, 10));
    }
    orders.push(order(1, 3, 1_000_000, 1_000_000, 1));
    orders.push(order(4, 5, 1_000_000, 1_000_000, 1));
    orders.push(order(5, 1, 1_000_000, 1_000_000, 1));
    let auction = Auction::new(orders, Terms::default()).unwrap();
    let price = |market| quote(market, 1 << 95);
    let quotes = [(1, price(0)), (2, price(0)), (3, price(1)), (4, price(1))];
    let paid = Fill { sold: 1_000_000, bought: 999_969 };
    let fills = [vec![paid; 6], vec![Fill::NONE; 3]].concat();
    let surplus = [(1, 31), (2, 31), (3, 62), (4, 62)];
    let clearing = Clearing {
        quotes: quotes.into(),
        fractions: Default::default(),
        fills,
        surplus: surplus.into(),
    };
    bastion_auction::verify(&auction, &clearing).unwrap();
    (auction, clearing)
}

#[test]
fn a_suspended_token_joins_no_markets() {
    let (auction, clearing) = two_markets();
    let posted = post(&auction, &clearing);
    let prices: Vec<u128> = posted.quotes.values().map(|quote| quote.price).collect();
    assert_eq!(prices, [1 << 95, 1 << 95, 1 << 95, 1 << 95, 0]);
    assert_eq!(posted.fills, clearing.fills);
    assert_eq!(posted.surplus, [(1, 31), (2, 31), (3, 62), (4, 62), (5, 0)].into());
}

#[test]
fn what_the_rule_refuses_becomes_no_trade() {
    let (auction, mut clearing) = two_markets();
    // An order pays for units that nobody sold.
    clearing.quotes.get_mut(&3).unwrap().price <<= 1;
    assert_eq!(post(&auction, &clearing), Posted::none(&auction));
    let none = Posted::none(&auction);
    assert_eq!(Posted::of(&auction, none.quotes.clone(), &none.fractions), Ok(none));
}

#[test]
fn quotes_that_are_wrong_for_an_order_are_named() {
    let terms = Terms::default();
    let limit = Limit::of(1, 1).unwrap();
    let most = Order { sell: 1, buy: 2, amount: 1 << 60, limit };
    let at = |sell, buy, fraction| rule(&most, sell, buy, fraction, terms);
    let (one, half) = (quote(0, 1 << 95), quote(0, 1 << 35));
    let higher = quote(1, 1 << 95);
    assert_eq!(at(higher, one, None), Err(RuleError::Descends { from: 1, to: 0 }));
    assert_eq!(
        at(quote(0, 1 << 16), quote(0, (1 << 16) - 10), None).unwrap_err(),
        RuleError::NoFraction
    );
    // 2^60 units at 2^60 and less than 2^60 each.
    assert_eq!(at(one, half, None).map(|ruling| ruling.payment >> 119), Ok(1));
    let whole = Order { amount: 1 << 61, ..most };
    assert_eq!(rule(&whole, one, half, None, terms), Err(RuleError::Payment));
    for (sell, buy) in [(quote(1, 0), one), (one, quote(0, 0)), (one, higher)] {
        let ruling = at(sell, buy, None).unwrap();
        assert_eq!((ruling.class, ruling.part, ruling.payment), (None, 0, 0));
        assert!(ruling.fits && ruling.fill() == Fill::NONE);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]
    /// Against the rule in numbers without bounds; and what is left is less than a unit.
    #[test]
    fn as_the_plain_rule(mantissa in 1_u64 << 63.., exponent in 0_u8..128, amount in 1_u128..1 << 112,
                         shift in 0_u32..112, near in 60_000_u128..70_000, bought in 1_u128..1 << 79,
                         fraction in 0..=WHOLE) {
        let (limit, terms) = (Limit::new(mantissa, exponent).unwrap(), Terms::default());
        let order = Order { sell: 1, buy: 2, amount: (amount >> shift).max(1), limit };
        // A price near the limit, if it has one.
        let sold = (support::big(bought) * mantissa * near) >> (usize::from(exponent) + 16);
        let sold = u128::try_from(sold).unwrap_or(u128::MAX).clamp(1, (1 << 96) - 1);
        let expected = fill(&order, sold, bought, fraction, terms);
        match rule(&order, quote(0, sold), quote(0, bought), Some(fraction), terms) {
            Err(error) => {
                prop_assert_eq!(error, RuleError::Payment);
                prop_assert_eq!(expected.sold, u128::MAX);
            }
            Ok(ruling) => {
                prop_assert_eq!(ruling.fill(), expected);
                let parts = support::big(order.amount) * ruling.part;
                prop_assert_eq!(parts, support::big(ruling.due) * WHOLE + ruling.due_rest);
                prop_assert!(ruling.due_rest < WHOLE && ruling.payment_rest < bought << 16);
                let worth = support::big(ruling.due) * sold * 65_534_u32;
                let paid = support::big(ruling.payment) * bought * 65_536_u32;
                prop_assert_eq!(worth, paid + ruling.payment_rest);
                let part = match ruling.class {
                    Some(Class::Inside) => WHOLE,
                    Some(Class::Marginal) => fraction,
                    Some(Class::Outside) | None => 0,
                };
                prop_assert_eq!(ruling.part, part);
            }
        }
    }

    /// What is posted for a solved book fills what the solver filled, but for markets that give way.
    #[test]
    fn solved_books_are_posted(seed: u64, tokens in 2_u16..9, orders in 1_usize..40,
                               spread in 50_u32..20_000, hub in 1_u64..4) {
        let shape = Shape { tokens, orders, spread, hub };
        let auction = Auction::new(book(seed, shape), Terms::default()).unwrap();
        let clearing = solve(&auction);
        let posted = post(&auction, &clearing);
        let named: Vec<_> = auction.tokens().collect();
        prop_assert!(posted.quotes.keys().copied().eq(named));
        for (order, fill) in auction.orders().iter().zip(&posted.fills) {
            let (sell, buy) = (posted.quotes[&order.sell], posted.quotes[&order.buy]);
            prop_assert!(sell.price == 0 || buy.price == 0 || sell.market <= buy.market);
            let fraction = posted.fractions.get(&(order.sell, order.buy)).copied();
            let ruling = rule(order, sell, buy, fraction, auction.terms()).unwrap();
            prop_assert_eq!(ruling.fill(), *fill);
        }
        let gave_way = clearing.quotes.iter().any(|(t, q)| q.price != posted.quotes[t].price);
        prop_assert!(gave_way || posted.fills == clearing.fills);
        for (token, surplus) in &clearing.surplus {
            prop_assert!(gave_way || posted.surplus[token] == *surplus);
        }
    }
}
