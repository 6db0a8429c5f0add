//! What the auction's rule leaves open: for the same orders, other prices and fractions that keep it.

use crate::meter::{BASE, QUOTE};
use crate::{rule, Auction, Class, Posted, TokenQuote, PRICE_BITS, WHOLE};
use bastion_protocol::Token;
use ruint::aliases::U256;
use std::collections::BTreeMap;

/// Prices are tried up to so many steps below and above that of a clearing.
const STEPS: u64 = 20;
/// Such steps in a price: a step is a ten thousandth.
const PARTS: u64 = 10_000;
/// Fractions that are tried for one of the two pairs; the other one follows from the sums.
const FRACTIONS: u64 = 4;

/// The clearings of an auction of the two tokens that keep the rule, near the one that is given and among prices and
/// fractions on a grid. The one that is given is the first.
pub(super) fn clearings(auction: &Auction, given: Posted) -> Vec<Posted> {
    let quote = |token: Token| given.quotes.get(&token).copied();
    let both = quote(BASE).zip(quote(QUOTE));
    let priced = both.filter(|(b, q)| b.price != 0 && q.price != 0 && b.market == q.market);
    let mut found = vec![given];
    let Some((base, quote)) = priced else { return found };
    for step in 0..=2 * STEPS {
        let scaled = U256::from(base.price) * U256::from(PARTS + step - STEPS);
        let prices = [scaled, U256::from(quote.price) * U256::from(PARTS)];
        // The larger price has all its bits.
        let bits = prices[0].max(prices[1]).bit_len();
        let shift = bits.saturating_sub(PRICE_BITS as usize);
        let [base, quote] = prices.map(|price| (price >> shift).saturating_to::<u128>());
        if base == 0 || quote == 0 {
            continue;
        }
        let sides = [(BASE, base), (QUOTE, quote)];
        let quotes: BTreeMap<Token, TokenQuote> = sides
            .into_iter()
            .map(|(token, price)| (token, TokenQuote { market: 0, price }))
            .collect();
        for fractions in balanced(auction, &quotes) {
            found.extend(Posted::of(auction, quotes.clone(), &fractions));
        }
    }
    found
}

/// What orders of one side offer at some prices, by worth.
#[derive(Default, Clone, Copy)]
struct Offered {
    inside: U256,
    marginal: U256,
}

/// Fractions of both pairs by which as much is offered of one token as of the other.
fn balanced(
    auction: &Auction,
    quotes: &BTreeMap<Token, TokenQuote>,
) -> Vec<BTreeMap<(Token, Token), u64>> {
    let mut offered = [Offered::default(); 2];
    for order in auction.orders() {
        let side = usize::from(order.sell == QUOTE);
        let (Some(&sell), Some(&buy)) = (quotes.get(&order.sell), quotes.get(&order.buy)) else {
            continue;
        };
        let worth = U256::from(order.amount) * U256::from(sell.price);
        match rule(order, sell, buy, Some(0), auction.terms()).map(|ruling| ruling.class) {
            Ok(Some(Class::Inside)) => offered[side].inside += worth,
            Ok(Some(Class::Marginal)) => offered[side].marginal += worth,
            Ok(Some(Class::Outside) | None) | Err(_) => {}
        }
    }
    let mut found = Vec::new();
    for (side, pair, other) in
        [(0, (BASE, QUOTE), (QUOTE, BASE)), (1, (QUOTE, BASE), (BASE, QUOTE))]
    {
        for step in 0..=FRACTIONS {
            let fraction = WHOLE / FRACTIONS * step;
            let Offered { inside, marginal } = offered[side];
            let worth = inside + marginal / U256::from(WHOLE) * U256::from(fraction);
            let opposite = offered[1 - side];
            let missing = worth.saturating_sub(opposite.inside);
            let matching = (missing * U256::from(WHOLE))
                .checked_div(opposite.marginal)
                .map_or(0, |n| n.min(U256::from(WHOLE)).to::<u64>());
            found.push([(pair, fraction), (other, matching)].into());
        }
    }
    found
}
