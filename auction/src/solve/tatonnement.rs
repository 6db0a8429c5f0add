//! Three tokens and more: tâtonnement, one token's price at a time.
//!
//! A token's price rises while more of it is demanded than offered, and falls while more is offered, the
//! other prices staying as they are. Swaps are gross substitutes (a dearer token makes no other token less
//! wanted), so what is offered less what is demanded of a token grows with its own price, and the price at
//! which it balances is found by bisection: there is no step size to choose. Going round over all tokens
//! comes to prices at which all balance.
//!
//! With the margin as narrow as it is, demand is almost a staircase. So the search begins with a wide margin,
//! and narrows it.

use super::clear::{clear, Cleared};
use super::demand::Demand;
use super::log::{Exp2, FRACTION, OCTAVE};
use super::markets::Market;
use crate::clearing::PRICE_BITS;
use crate::Terms;

/// Rounds over all tokens at the true margin, at most.
const ROUNDS: usize = 256;
/// Rounds over all tokens at each wider margin.
const WIDE_ROUNDS: usize = 4;
/// Furthest that a price moves from where all tokens offer the same worth.
const RANGE: i64 = 192 * OCTAVE;

/// Clears a market.
///
/// # Errors
/// The number of the token that is furthest from balance.
pub(super) fn solve(market: &Market, terms: Terms) -> Result<Cleared, usize> {
    let demand = Demand::new(market, terms);
    let band = Demand::band(terms);
    let mut prices = vec![0; market.tokens.len()];
    let mut width = OCTAVE * 2;
    while width > band {
        for _ in 0..WIDE_ROUNDS {
            if round(&demand, &mut prices, width) < width / 8 {
                break;
            }
        }
        width /= 4;
    }
    let mut next = 1;
    for done in 1..=ROUNDS {
        let moved = round(&demand, &mut prices, band);
        // Clearing costs as much as a round or more: it is tried at 1, 2, 4, 8 rounds and then every eighth.
        let settled = moved < band / 256;
        if done == next || settled {
            next = done + done.min(8);
            let cleared = integers(&demand, &prices).and_then(|p| clear(market, &p, terms));
            if let Some(cleared) = cleared {
                return Ok(cleared);
            }
            if settled && moved == 0 {
                break;
            }
        }
    }
    Err(furthest(&demand, &prices, band))
}

/// Balances each token once; returns the largest move of a price.
fn round(demand: &Demand, prices: &mut [i64], width: i64) -> i64 {
    let mut largest = 0;
    for token in 0..prices.len() {
        let price = balanced(demand, token, prices, width);
        largest = largest.max((price - prices[token]).abs());
        prices[token] = price;
    }
    largest
}

/// The price at which a token balances.
fn balanced(demand: &Demand, token: usize, prices: &[i64], width: i64) -> i64 {
    let excess = |price| {
        let (offered, demanded) = demand.balance(token, price, prices, width);
        offered.cmp(&demanded)
    };
    let start = prices[token];
    let sign = excess(start);
    if sign.is_eq() {
        return start;
    }
    // Go away from the imbalance, twice as far each time, until it turns.
    let direction = if sign.is_gt() { -1 } else { 1 };
    let (mut near, mut step) = (start, (width / 16).max(1));
    let mut far = loop {
        let far = near + direction * step;
        if far.abs() > RANGE {
            return near;
        }
        match excess(far) {
            turned if turned == sign => (near, step) = (far, step * 2),
            turned if turned.is_eq() => return far,
            _ => break far,
        }
    };
    let enough = (width / 4096).max(1);
    while (far - near).abs() > enough {
        let middle = near + (far - near) / 2;
        match excess(middle) {
            at if at == sign => near = middle,
            at if at.is_eq() => return middle,
            _ => far = middle,
        }
    }
    near + (far - near) / 2
}

/// The prices as integers of a token's smallest unit, the largest one with 96 bits; `None` if they differ
/// too much for that.
fn integers(demand: &Demand, prices: &[i64]) -> Option<Vec<u128>> {
    let logs: Vec<i64> = prices.iter().zip(&demand.units).map(|(p, unit)| p - unit).collect();
    let largest = logs.iter().max()? >> FRACTION;
    let exp = Exp2::new();
    let integer = |log: &i64| {
        let (mantissa, exponent) = exp.of(*log);
        // At most PRICE_BITS - 1.
        let shift = exponent - largest + i64::from(PRICE_BITS) - 64;
        let price = match u32::try_from(shift) {
            Ok(shift) => u128::from(mantissa) << shift,
            Err(_) => u128::from(mantissa).checked_shr(shift.unsigned_abs() as u32).unwrap_or(0),
        };
        (price > 0).then_some(price)
    };
    logs.iter().map(integer).collect()
}

/// The token with the largest part of its worth out of balance.
fn furthest(demand: &Demand, prices: &[i64], width: i64) -> usize {
    let part = |&token: &usize| {
        let (offered, demanded) = demand.balance(token, prices[token], prices, width);
        let (less, more) = (offered.min(demanded), offered.max(demanded));
        // Leading bits alone, so that the quotient does not overflow.
        let shift = (128 - more.leading_zeros()).saturating_sub(64);
        (((more - less) >> shift) << 32) / (more >> shift).max(1)
    };
    (0..prices.len()).max_by_key(part).unwrap_or(0)
}
