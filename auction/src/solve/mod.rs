//! Finds prices. Whatever it finds is checked by [`verify`] before it is returned.

mod clear;
mod demand;
mod flow;
mod log;
mod markets;
mod tatonnement;
mod two;
mod worth;

use crate::{verify, Auction, Clearing, TokenQuote};
use bastion_protocol::Token;
use clear::Cleared;
use markets::Market;
use std::collections::{BTreeMap, BTreeSet};

/// Passes in which a market that does not clear loses only the tokens that are to blame. In later ones it
/// loses its poorer half too, so that at most six more end with pairs of tokens.
const PATIENT: usize = 2;

/// Orders below `2^-20` of what is offered of a token are dust beside those that trade in it.
const DUST_BITS: u32 = 20;

/// Clears an auction. The result passes [`verify`] and is the same on every machine and for every
/// order of the orders, up to their places.
///
/// Each market is cleared on its own. Where one does not clear, tokens are suspended, and what is left is
/// tried again. If a pair of tokens alone fills more orders than what comes out, dust left aside, that is taken.
/// In the end there is no trade rather than a wrong one.
#[must_use]
pub fn solve(auction: &Auction) -> Clearing {
    let mut suspended = BTreeSet::new();
    let mut known: BTreeMap<Vec<Token>, Cleared> = BTreeMap::new();
    let mut pass = 0;
    // Each pass suspends a token or is the last.
    let found = loop {
        let mut cleared = Vec::new();
        let mut failed = Vec::new();
        for market in markets::markets(auction, &suspended) {
            let before = known.get(&market.tokens).cloned();
            let result = before.map_or_else(|| solve_market(&market, auction, pass >= PATIENT), Ok);
            match result {
                Ok(result) => {
                    known.insert(market.tokens.clone(), result.clone());
                    cleared.push((market, result));
                }
                Err(tokens) => failed.extend(tokens),
            }
        }
        if failed.is_empty() {
            break checked(auction, cleared);
        }
        suspended.extend(failed);
        pass += 1;
    };
    // What tokens are worth is a guess where prices were not found. A pair alone needs none.
    let pair = if suspended.is_empty() { None } else { best_pair(auction) };
    let most = found.as_ref().map_or(0, |found| filled(auction, found));
    let better = pair.filter(|pair| filled(auction, pair) > most).or(found);
    better.unwrap_or_else(|| Clearing::none(auction.orders().len()))
}

/// Orders that a clearing fills, without dust: a few units of a token that is traded must not count as much as
/// those that trade it.
fn filled(auction: &Auction, clearing: &Clearing) -> usize {
    let counts =
        |amount: u128, token: Token| amount > 0 && amount >= auction.supply(token) >> DUST_BITS;
    let fills = auction.orders().iter().zip(&clearing.fills);
    fills.filter(|(o, fill)| counts(fill.sold, o.sell) && counts(fill.bought, o.buy)).count()
}

/// The clearing of a market, or the tokens to suspend.
fn solve_market(market: &Market, auction: &Auction, halve: bool) -> Result<Cleared, Vec<Token>> {
    if market.tokens.len() == 2 {
        return two::solve(market, auction.terms()).ok_or_else(|| market.tokens.clone());
    }
    tatonnement::solve(market, auction.terms(), halve).map_err(|tokens| {
        let named: Vec<Token> =
            tokens.iter().filter_map(|&token| market.tokens.get(token).copied()).collect();
        // A pass suspends something.
        if named.is_empty() {
            market.tokens.clone()
        } else {
            named
        }
    })
}

/// The pair of tokens that fills the most orders when all other tokens are suspended.
fn best_pair(auction: &Auction) -> Option<Clearing> {
    let mut best: Option<(usize, Clearing)> = None;
    for market in markets::pairs(auction) {
        let Some(cleared) = two::solve(&market, auction.terms()) else { continue };
        let Some(clearing) = checked(auction, vec![(market, cleared)]) else { continue };
        let filled = filled(auction, &clearing);
        if filled > best.as_ref().map_or(0, |(most, _)| *most) {
            best = Some((filled, clearing));
        }
    }
    best.map(|(_, clearing)| clearing)
}

/// Puts the markets together, if that keeps the rule.
fn checked(auction: &Auction, cleared: Vec<(Market, Cleared)>) -> Option<Clearing> {
    assemble(auction, cleared).filter(|clearing| verify(auction, clearing).is_ok())
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
