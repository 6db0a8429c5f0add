//! The rule once more, in numbers without bounds and with division: what the crate is compared with.
#![allow(dead_code, clippy::unwrap_used, clippy::expect_used)]

use bastion_auction::{Auction, Clearing, Fill, Limit, Order, Terms, WHOLE};
use bastion_protocol::Token;
use num_bigint::BigUint;
use std::collections::BTreeMap;

pub fn big(x: impl Into<BigUint>) -> BigUint {
    x.into()
}

/// What the rule gives an order at two prices and a fraction of its pair.
pub fn fill(order: &Order, sell: u128, buy: u128, fraction: u64, terms: Terms) -> Fill {
    let (fee, margin) = (u64::from(terms.fee()), u64::from(terms.margin()));
    let one = 65_536_u64;
    let asked = big(order.limit.mantissa()) * buy * one;
    let price = big(sell) << order.limit.exponent();
    let part = if asked <= &price * (one - margin) {
        WHOLE
    } else if asked <= &price * (one - fee) {
        fraction
    } else {
        0
    };
    let sold: BigUint = big(order.amount) * part / WHOLE;
    let bought = &sold * sell * (one - fee) / (big(buy.max(1)) * one);
    if bought >= big(1_u8) << 120 {
        return Fill { sold: u128::MAX, bought: u128::MAX };
    }
    // The limit, as a fraction.
    if sold == big(0_u8) || &bought << order.limit.exponent() < &sold * order.limit.mantissa() {
        return Fill::NONE;
    }
    Fill { sold: sold.try_into().unwrap(), bought: bought.try_into().unwrap() }
}

/// Whether a clearing keeps the rule.
pub fn keeps(auction: &Auction, clearing: &Clearing) -> bool {
    let orders = auction.orders();
    let named = |t: Token| orders.iter().any(|o| o.sell == t || o.buy == t);
    let mut largest: BTreeMap<u16, u128> = BTreeMap::new();
    for quote in clearing.quotes.values() {
        let most = largest.entry(quote.market).or_default();
        *most = quote.price.max(*most);
    }
    let range = 1_u128..1 << 96;
    let mut good = clearing.fills.len() == orders.len()
        && largest.values().all(|price| *price >= 1 << 95)
        && clearing.quotes.iter().all(|(t, q)| range.contains(&q.price) && named(*t))
        && clearing.fractions.values().all(|f| *f <= WHOLE);
    for (order, got) in orders.iter().zip(&clearing.fills) {
        let quotes = (clearing.quotes.get(&order.sell), clearing.quotes.get(&order.buy));
        let due = match quotes {
            (Some(s), Some(b)) if s.market == b.market => {
                let pair = (order.sell, order.buy);
                let fraction = clearing.fractions.get(&pair).copied().unwrap_or(0);
                fill(order, s.price, b.price, fraction.min(WHOLE), auction.terms())
            }
            (Some(s), Some(b)) => {
                good &= s.market < b.market;
                Fill::NONE
            }
            _ => Fill::NONE,
        };
        good &= due == *got;
    }
    let sum = |of: &dyn Fn(&Order) -> Token, part: fn(&Fill) -> u128, token| -> BigUint {
        let pairs = orders.iter().zip(&clearing.fills);
        pairs.filter(|(o, _)| of(o) == token).map(|(_, f)| big(part(f))).sum()
    };
    good && clearing.surplus.keys().all(|t| clearing.quotes.contains_key(t))
        && clearing.quotes.keys().all(|&t| {
            let surplus = clearing.surplus.get(&t).copied().unwrap_or(0);
            sum(&|o| o.sell, |f| f.sold, t) == sum(&|o| o.buy, |f| f.bought, t) + surplus
        })
}

/// An order of one of two tokens with a limit of so many 65,536ths.
pub fn order(sell: Token, buy: Token, amount: u128, bought: u128, sold: u128) -> Order {
    Order { sell, buy, amount, limit: Limit::of(bought, sold).unwrap() }
}
