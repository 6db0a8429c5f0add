//! From prices to a clearing of one market: the exact part. Classes say what must be filled and what may
//! be; a circulation says how much of the rest is; fills are computed as the rule says, and counted.

use super::flow::{circulation, saturate, Arc};
use super::markets::{Local, Market};
use crate::{Class, Fill, Terms, ONE, PAYMENT_BITS, WHOLE};
use ruint::aliases::U256;
use std::cmp::Reverse;
use std::collections::BTreeMap;

/// Bits of the values that circulate: their sums, with those of the fee account, fit 128 bits.
const VALUE_BITS: usize = 112;

/// What clears a market.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Cleared {
    pub prices: Vec<u128>,
    /// Of pairs with orders at the margin.
    pub fractions: BTreeMap<(usize, usize), u64>,
    /// By the place in the market.
    pub fills: Vec<Fill>,
    /// What all orders sold, at these prices.
    pub value: U256,
}

/// One pair at given prices.
struct Pair<'a> {
    orders: &'a [Local],
    classes: Vec<Class>,
    /// Worth of what must be sold, and of what is sold if all orders at the margin are filled whole.
    low: U256,
    high: U256,
    /// Orders at the margin.
    marginal: u32,
}

/// A clearing of the market at these prices in which nobody who could trade more is left; `None` if there
/// is none, or rounding makes it fail.
pub(super) fn clear(market: &Market, prices: &[u128], terms: Terms) -> Option<Cleared> {
    let pairs: Vec<Pair> = market.pairs().map(|orders| pair(orders, prices, terms)).collect();
    // Where hardly anything must be filled there are no fees to keep a reserve of, and without one it often
    // works out as well.
    [true, false].into_iter().find_map(|reserve| clear_with(market, &pairs, prices, terms, reserve))
}

fn pair<'a>(orders: &'a [Local], prices: &[u128], terms: Terms) -> Pair<'a> {
    let mut pair =
        Pair { orders, classes: Vec::new(), low: U256::ZERO, high: U256::ZERO, marginal: 0 };
    for order in orders {
        let (sell, buy) = (prices[order.sell], prices[order.buy]);
        let class = Class::of(order.limit, sell, buy, terms);
        pair.classes.push(class);
        // What the limit does not survive, filled whole, is not counted.
        if class != Class::Outside && fill(order, prices, WHOLE, terms) != Some(Fill::NONE) {
            let worth = U256::from(order.amount) * U256::from(sell);
            pair.high += worth;
            match class {
                Class::Inside => pair.low += worth,
                Class::Marginal | Class::Outside => pair.marginal += 1,
            }
        }
    }
    pair
}

/// What the rule gives an order: `None` if the payment does not fit.
fn fill(order: &Local, prices: &[u128], fraction: u64, terms: Terms) -> Option<Fill> {
    let sold = match fraction {
        WHOLE => order.amount,
        _ => u128::try_from(U256::from(order.amount) * U256::from(fraction) / U256::from(WHOLE))
            .ok()?,
    };
    let worth = U256::from(sold) * U256::from(prices[order.sell]) * U256::from(terms.net());
    let bought = worth / (U256::from(prices[order.buy]) * U256::from(ONE));
    if bought >> PAYMENT_BITS as usize != U256::ZERO {
        return None;
    }
    if sold == 0 || bought < order.limit.least(sold) {
        return Some(Fill::NONE);
    }
    Some(Fill { sold, bought: u128::try_from(bought).ok()? })
}

fn clear_with(
    market: &Market,
    pairs: &[Pair],
    prices: &[u128],
    terms: Terms,
    reserve: bool,
) -> Option<Cleared> {
    let total = pairs.iter().fold(U256::ZERO, |sum, pair| sum + pair.high);
    let shift = total.bit_len().saturating_sub(VALUE_BITS);
    let scaled = |x: U256| -> u128 { (x >> shift).saturating_to() };

    let tokens = market.tokens.len();
    let mut arcs: Vec<Arc> = pairs
        .iter()
        .filter_map(|pair| {
            let first = pair.orders.first()?;
            let (low, high) = (scaled(pair.low), scaled(pair.high));
            Some(Arc { from: first.sell, to: first.buy, low, high })
        })
        .collect();
    if reserve {
        let arc = |token| slack(token, pairs, prices, terms, &scaled, tokens);
        arcs.extend((0..tokens).flat_map(arc));
    }
    let mut flow = circulation(tokens + 1, &arcs)?;
    saturate(tokens, &arcs[..pairs.len()], &mut flow[..pairs.len()]);

    let mut fractions = BTreeMap::new();
    for ((pair, arc), flow) in pairs.iter().zip(&arcs).zip(&flow) {
        if pair.marginal > 0 {
            let (part, whole) = (U256::from(flow - arc.low), U256::from(arc.high - arc.low));
            let fraction = match flow == &arc.high {
                true => WHOLE,
                false => (part * U256::from(WHOLE) / whole).saturating_to(),
            };
            fractions.insert((arc.from, arc.to), fraction);
        }
    }
    settle(market, pairs, prices, terms, fractions)
}

/// The arcs between a token and the fee account. Up to the fee of what is surely bought, more may be
/// demanded of a token than is offered. What rounding may take from its sellers must be offered beyond that.
fn slack(
    token: usize,
    pairs: &[Pair],
    prices: &[u128],
    terms: Terms,
    scaled: &impl Fn(U256) -> u128,
    account: usize,
) -> Vec<Arc> {
    let of = |end: fn(&Local) -> usize| {
        pairs.iter().filter(move |p| p.orders.first().is_some_and(|o| end(o) == token))
    };
    let bought = of(|o| o.buy).fold(U256::ZERO, |sum, pair| sum + pair.low);
    let fee = scaled(bought * U256::from(terms.fee()) / U256::from(ONE));
    if of(|o| o.sell).chain(of(|o| o.buy)).all(|pair| pair.high.is_zero()) {
        return Vec::new();
    }
    // A unit for each order, the part by which fractions are rounded, and one unit of value for each
    // bound that was.
    let mut reserve = pairs.len() as u128;
    for pair in of(|o| o.sell).filter(|pair| pair.marginal > 0) {
        let rounded = (pair.high - pair.low) / U256::from(WHOLE);
        reserve += scaled(U256::from(pair.marginal) * U256::from(prices[token]) + rounded) + 1;
    }
    let most = 1 << VALUE_BITS;
    vec![
        Arc { from: token, to: account, low: 0, high: fee.saturating_sub(reserve) },
        Arc { from: account, to: token, low: reserve.saturating_sub(fee), high: most },
    ]
}

/// Fills all orders by the rule, and counts; `None` if a token is short.
fn settle(
    market: &Market,
    pairs: &[Pair],
    prices: &[u128],
    terms: Terms,
    fractions: BTreeMap<(usize, usize), u64>,
) -> Option<Cleared> {
    let mut fills = Vec::with_capacity(market.orders.len());
    let mut value = U256::ZERO;
    let mut sums = vec![(0_u128, 0_u128); market.tokens.len()];
    for pair in pairs {
        for (order, class) in pair.orders.iter().zip(&pair.classes) {
            let fraction = match class {
                Class::Inside => WHOLE,
                Class::Marginal => fractions.get(&(order.sell, order.buy)).copied().unwrap_or(0),
                Class::Outside => 0,
            };
            let fill = fill(order, prices, fraction, terms)?;
            value += U256::from(fill.sold) * U256::from(prices[order.sell]);
            sums[order.sell].0 = sums[order.sell].0.checked_add(fill.sold)?;
            sums[order.buy].1 = sums[order.buy].1.checked_add(fill.bought)?;
            fills.push(fill);
        }
    }
    let covered = sums.iter().all(|(sold, paid)| sold >= paid);
    covered.then_some(Cleared { prices: prices.to_vec(), fractions, fills, value })
}

/// The clearing with the larger value, the earlier one if both have the same.
pub(super) fn better(a: Option<Cleared>, b: Option<Cleared>) -> Option<Cleared> {
    [a, b].into_iter().flatten().min_by_key(|c| Reverse(c.value))
}
