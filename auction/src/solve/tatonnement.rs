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
use super::worth::Worth;
use crate::{Terms, PRICE_BITS};

/// Rounds over all tokens at the true margin, at most.
const ROUNDS: usize = 64;
/// Rounds over all tokens at each wider margin.
const WIDE_ROUNDS: usize = 4;
/// Furthest that a price moves from where all tokens offer the same worth.
const RANGE: i64 = 256 * OCTAVE;

/// Clears a market.
///
/// # Errors
/// The numbers of the tokens to suspend, of which there is at least one: where prices span too much, those
/// out of range, else the one that is furthest from balance; with `halve`, the poorer half too.
pub(super) fn solve(market: &Market, terms: Terms, halve: bool) -> Result<Cleared, Vec<usize>> {
    let demand = Demand::new(market, terms);
    let band = Demand::band(terms);
    let mut prices = vec![0; market.tokens.len()];
    let mut width = OCTAVE * 2;
    while width > band {
        for _ in 0..WIDE_ROUNDS {
            if round(&demand, &mut prices, width, false) < width / 8 {
                break;
            }
        }
        width /= 4;
    }
    let mut next = 1;
    for done in 1..=ROUNDS {
        let moved = round(&demand, &mut prices, band, done > 4);
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
    let worth = Worth::new(&demand, &prices, band);
    let mut failed = match integers(&demand, &prices) {
        Some(_) => vec![furthest(&demand, &prices, band)],
        None => worth.outliers(&logs(&demand, &prices), i64::from(PRICE_BITS) * OCTAVE),
    };
    if halve {
        let kept = worth.richest((prices.len() / 2).max(2));
        failed.extend((0..prices.len()).filter(|token| !kept.contains(token)));
    }
    Err(failed)
}

/// Balances each token once, and with `groups` those that orders at the margin tie together as one; returns
/// the largest move of a price.
fn round(demand: &Demand, prices: &mut [i64], width: i64, groups: bool) -> i64 {
    let mut largest = 0;
    let mut step = |prices: &mut [i64], group: &[bool]| {
        let shift = balanced(demand, group, prices, width);
        largest = largest.max(shift.abs());
        for (price, _) in prices.iter_mut().zip(group).filter(|(_, of)| **of) {
            *price += shift;
        }
    };
    for token in 0..prices.len() {
        let group: Vec<bool> = (0..prices.len()).map(|other| other == token).collect();
        step(prices, &group);
    }
    if groups {
        // The tokens that are tied most come together first.
        let mut home: Vec<usize> = (0..prices.len()).collect();
        for (a, b) in demand.links(prices, width) {
            let (from, to) = (home[a], home[b]);
            if from != to {
                home.iter_mut().filter(|h| **h == from).for_each(|h| *h = to);
                let group: Vec<bool> = home.iter().map(|h| *h == to).collect();
                step(prices, &group);
            }
        }
    }
    largest
}

/// The shift at which a group of tokens balances.
fn balanced(demand: &Demand, group: &[bool], prices: &[i64], width: i64) -> i64 {
    let border = demand.border(group);
    let excess = |shift| {
        let (offered, demanded) = demand.balance(group, &border, shift, prices, width);
        offered.cmp(&demanded)
    };
    let sign = excess(0);
    if sign.is_eq() {
        return 0;
    }
    // Go away from the imbalance, twice as far each time, until it turns.
    let direction = if sign.is_gt() { -1 } else { 1 };
    let (mut near, mut step) = (0, (width / 4096).max(1));
    let mut far = loop {
        let far = near + direction * step;
        if far.abs() > RANGE {
            return near;
        }
        match excess(far) {
            turned if turned == sign => (near, step) = (far, step * 4),
            turned if turned.is_eq() => return far,
            _ => break far,
        }
    };
    let enough = (width >> 16).max(1);
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

/// Logarithms of the prices of the tokens' smallest units.
fn logs(demand: &Demand, prices: &[i64]) -> Vec<i64> {
    prices.iter().zip(&demand.units).map(|(price, unit)| price - unit).collect()
}

/// The prices as integers of a token's smallest unit, the largest one with 96 bits; `None` if they differ
/// too much for that.
fn integers(demand: &Demand, prices: &[i64]) -> Option<Vec<u128>> {
    let logs = logs(demand, prices);
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
        let group: Vec<bool> = (0..prices.len()).map(|other| other == token).collect();
        let border = demand.border(&group);
        let (offered, demanded) = demand.balance(&group, &border, 0, prices, width);
        let (less, more) = (offered.min(demanded), offered.max(demanded));
        // Leading bits alone, so that the quotient does not overflow.
        let shift = (128 - more.leading_zeros()).saturating_sub(64);
        (((more - less) >> shift) << 32) / (more >> shift).max(1)
    };
    (0..prices.len()).max_by_key(part).unwrap_or(0)
}
