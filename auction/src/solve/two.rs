//! Two tokens: the price at which supply and demand cross, found among all critical prices.
//!
//! Let the ratio be the first token's price over the second's. What sellers of the first token offer at or
//! before the outer end of their margin only grows with it, what sellers of the second offer only falls. So
//! the value of the one less that of the other grows, and changes its sign once: there the volume is
//! largest, and everything that must be filled can be.

use super::clear::{better, clear, Cleared};
use super::markets::{Local, Market};
use crate::{Class, Terms, ONE, PRICE_BITS};
use ruint::aliases::U256;
use std::cmp::Ordering;

/// Largest price.
const TOP: u128 = (1 << PRICE_BITS) - 1;

/// Parts of the margin by which prices are moved from a crossing, as powers of 2. At the crossing itself
/// an order's limit is met exactly, and rounding the payment down breaks it.
const STEPS: [u32; 5] = [0, 1, 3, 6, 12];

/// Prices of both tokens.
type Prices = [u128; 2];

/// Clears a market of two tokens; `None` if it does not clear.
pub(super) fn solve(market: &Market, terms: Terms) -> Option<Cleared> {
    let mut critical: Vec<Prices> =
        market.orders.iter().filter_map(|order| last(order, terms)).collect();
    critical.sort_by(compare);
    critical.dedup();
    // The first critical price at which more of the first token is offered than the second pays for.
    let crossing =
        critical.partition_point(|prices| offered(market, *prices, terms).0 != Ordering::Greater);
    let around = critical.get(crossing.saturating_sub(1)..)?.iter().copied().take(2);
    let mut bases: Vec<Prices> = around.collect();
    // All that is offered on both sides, if it is the same set on both sides of a price between them.
    let at = critical.get(crossing).or(critical.last())?;
    let before = critical.get(crossing.saturating_sub(1)).unwrap_or(at);
    let (_, first) = offered(market, *before, terms);
    let (_, second) = offered(market, *at, terms);
    bases.extend(scale(U256::from(second[1]), U256::from(first[0]), false));

    let mut best = None;
    for base in bases {
        best = better(best, clear(market, &base, terms));
        for step in STEPS {
            for up in [true, false] {
                let moved = moved(base, terms, step, up);
                best = better(best, moved.and_then(|prices| clear(market, &prices, terms)));
            }
        }
    }
    best
}

/// The outermost prices at which an order may be filled: `p_s / p_b = L ONE / (ONE - fee)`, rounded to the
/// order's advantage.
fn last(order: &Local, terms: Terms) -> Option<Prices> {
    let asked = U256::from(order.limit.mantissa()) * U256::from(ONE);
    let unit = U256::from(terms.net()) << usize::from(order.limit.exponent());
    match order.sell {
        0 => scale(asked, unit, true),
        _ => scale(unit, asked, false),
    }
}

/// Prices with the ratio `first / second`, the larger one being [`TOP`]; the ratio is rounded up or down.
fn scale(first: U256, second: U256, up: bool) -> Option<Prices> {
    let top = U256::from(TOP);
    // `divided` is the smaller price: rounding the second one down rounds the ratio up.
    let divided = |small: U256, large: U256, up: bool| {
        let product = small.checked_mul(top)?;
        let price = if up {
            product.checked_div(large)? + U256::from(u8::from(!(product % large).is_zero()))
        } else {
            product.checked_div(large)?
        };
        u128::try_from(price).ok().filter(|price| *price > 0)
    };
    match first >= second {
        true => Some([TOP, divided(second, first, !up)?]),
        false => Some([divided(first, second, up)?, TOP]),
    }
}

/// Prices with a ratio that is larger or smaller by half the margin's width times `2^-step`.
fn moved(prices: Prices, terms: Terms, step: u32, up: bool) -> Option<Prices> {
    let band = u128::from(terms.margin() - terms.fee());
    let one = u128::from(ONE) << (step + 1);
    let [first, second] = prices.map(U256::from);
    let (more, less) = (U256::from(one + band), U256::from(one));
    match up {
        true => scale(first * more, second * less, true),
        false => scale(first * less, second * more, false),
    }
}

/// Orders prices by their ratio.
fn compare(a: &Prices, b: &Prices) -> Ordering {
    let product = |x: u128, y: u128| U256::from(x) * U256::from(y);
    product(a[0], b[1]).cmp(&product(b[0], a[1]))
}

/// What is offered of both tokens inside and at the margin, and the order of their worths.
fn offered(market: &Market, prices: Prices, terms: Terms) -> (Ordering, [u128; 2]) {
    let mut sums = [0_u128; 2];
    for order in &market.orders {
        match Class::of(order.limit, prices[order.sell], prices[order.buy], terms) {
            // Below 2^112 together, see `Auction::new`.
            Class::Inside | Class::Marginal => sums[order.sell] += order.amount,
            Class::Outside => {}
        }
    }
    let worth = |i: usize| U256::from(sums[i]) * U256::from(prices[i]);
    (worth(0).cmp(&worth(1)), sums)
}
