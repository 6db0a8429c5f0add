//! Finds prices. Whatever it finds is checked by [`verify`] before it is returned.

mod clear;
mod demand;
mod flow;
mod log;
mod markets;
mod tatonnement;
mod two;

use crate::{verify, Auction, Clearing, TokenQuote};
use bastion_protocol::Token;
use clear::Cleared;
use markets::Market;
use std::collections::BTreeSet;

/// Rounds over all tokens that the search for prices takes for one auction, at most. Most auctions take 10
/// to 30.
const ROUNDS: usize = 512;

/// Clears an auction. The result passes [`verify`] and is the same on every machine and for every
/// order of the orders, up to their places.
///
/// Each market is cleared on its own. Where one does not clear, the token that is furthest from balance is
/// suspended, and what is left is tried again; in the end there is no trade rather than a wrong one.
#[must_use]
pub fn solve(auction: &Auction) -> Clearing {
    let none = Clearing::none(auction.orders().len());
    let mut suspended = BTreeSet::new();
    let mut rounds = ROUNDS;
    // Each pass suspends a token or is the last.
    loop {
        let mut cleared = Vec::new();
        let mut failed = Vec::new();
        for market in markets::markets(auction, &suspended) {
            match solve_market(&market, auction, &mut rounds) {
                Ok(result) => cleared.push((market, result)),
                Err(tokens) => failed.extend(tokens),
            }
        }
        if failed.is_empty() {
            let clearing = assemble(auction, cleared);
            return match clearing.filter(|clearing| verify(auction, clearing).is_ok()) {
                Some(clearing) => clearing,
                None => none,
            };
        }
        suspended.extend(failed);
    }
}

/// The clearing of a market, or the tokens to suspend: one, or all when no rounds are left.
fn solve_market(
    market: &Market,
    auction: &Auction,
    rounds: &mut usize,
) -> Result<Cleared, Vec<Token>> {
    if market.tokens.len() == 2 {
        return two::solve(market, auction.terms()).ok_or_else(|| market.tokens.clone());
    }
    tatonnement::solve(market, auction.terms(), rounds).map_err(|token| {
        match market.tokens.get(token) {
            Some(&token) if *rounds > 0 => vec![token],
            Some(_) | None => market.tokens.clone(),
        }
    })
}

/// Puts the markets together.
fn assemble(auction: &Auction, cleared: Vec<(Market, Cleared)>) -> Option<Clearing> {
    let mut clearing = Clearing::none(auction.orders().len());
    for (number, (market, result)) in cleared.into_iter().enumerate() {
        let number = u16::try_from(number).ok()?;
        for (&token, &price) in market.tokens.iter().zip(&result.prices) {
            clearing.quotes.insert(token, TokenQuote { market: number, price });
            clearing.surplus.insert(token, 0);
        }
        for ((sell, buy), fraction) in result.fractions {
            clearing.fractions.insert((market.tokens[sell], market.tokens[buy]), fraction);
        }
        for (order, fill) in market.orders.iter().zip(&result.fills) {
            clearing.fills[order.place] = *fill;
            *clearing.surplus.get_mut(&market.tokens[order.sell])? += fill.sold;
        }
        for (order, fill) in market.orders.iter().zip(&result.fills) {
            let surplus = clearing.surplus.get_mut(&market.tokens[order.buy])?;
            *surplus = surplus.checked_sub(fill.bought)?;
        }
    }
    Some(clearing)
}
