//! Cuts an auction into markets: the strongly connected components of the graph with an edge from the token
//! that an order sells to the one that it buys. Whatever trades, trades in circles, so an order between two
//! components cannot trade, and no order can hinder those of another component.

use crate::{Auction, Limit, Order};
use bastion_protocol::Token;
use std::collections::{BTreeMap, BTreeSet};

/// An order of a market.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Local {
    /// Place in the auction.
    pub place: usize,
    /// Number of the sold token in the market.
    pub sell: usize,
    /// Number of the bought token in the market.
    pub buy: usize,
    pub amount: u128,
    pub limit: Limit,
}

/// The orders between some tokens.
#[derive(Debug, Clone)]
pub(super) struct Market {
    pub tokens: Vec<Token>,
    /// Sorted by pair.
    pub orders: Vec<Local>,
}

impl Market {
    /// The orders, pair by pair.
    pub fn pairs(&self) -> impl Iterator<Item = &[Local]> {
        self.orders.chunk_by(|a, b| (a.sell, a.buy) == (b.sell, b.buy))
    }
}

/// The markets of all tokens but some, in an order in which no order of the auction leads from a later
/// market to an earlier one.
pub(super) fn markets(auction: &Auction, without: &BTreeSet<Token>) -> Vec<Market> {
    let mut markets = Vec::new();
    let mut home: BTreeMap<Token, (usize, usize)> = BTreeMap::new();
    for mut tokens in components(auction, without) {
        if tokens.len() > 1 {
            tokens.sort_unstable();
            home.extend(tokens.iter().enumerate().map(|(i, &t)| (t, (markets.len(), i))));
            markets.push(Market { tokens, orders: Vec::new() });
        }
    }
    for (place, order) in auction.orders().iter().enumerate() {
        let &Order { sell, buy, amount, limit } = order;
        if let (Some(&(market, sell)), Some(&(other, buy))) = (home.get(&sell), home.get(&buy)) {
            if market == other {
                markets[market].orders.push(Local { place, sell, buy, amount, limit });
            }
        }
    }
    for market in &mut markets {
        market.orders.sort_by_key(|o| (o.sell, o.buy, o.place));
    }
    markets
}

/// A market of each two tokens with orders in both directions, as if all others were suspended.
pub(super) fn pairs(auction: &Auction) -> impl Iterator<Item = Market> + '_ {
    let mut books: BTreeMap<(Token, Token), [Vec<Local>; 2]> = BTreeMap::new();
    for (place, order) in auction.orders().iter().enumerate() {
        let &Order { sell, buy, amount, limit } = order;
        let local = usize::from(sell > buy);
        let order = Local { place, sell: local, buy: 1 - local, amount, limit };
        books.entry((sell.min(buy), sell.max(buy))).or_default()[local].push(order);
    }
    let both = books.into_iter().filter(|(_, sides)| sides.iter().all(|side| !side.is_empty()));
    both.map(|((a, b), sides)| Market { tokens: vec![a, b], orders: sides.concat() })
}

/// The strongly connected components of all tokens but some, those of a single token too, in an order in
/// which no order of the auction leads from a later one to an earlier one.
fn components(auction: &Auction, without: &BTreeSet<Token>) -> Vec<Vec<Token>> {
    let active = |o: &&Order| !without.contains(&o.sell) && !without.contains(&o.buy);
    let mut ahead: BTreeMap<Token, BTreeSet<Token>> = BTreeMap::new();
    let mut back: BTreeMap<Token, BTreeSet<Token>> = BTreeMap::new();
    for order in auction.orders().iter().filter(active) {
        ahead.entry(order.sell).or_default().insert(order.buy);
        ahead.entry(order.buy).or_default();
        back.entry(order.buy).or_default().insert(order.sell);
        back.entry(order.sell).or_default();
    }
    // Kosaraju: from the token that is left last, against the edges.
    let mut seen = BTreeSet::new();
    let mut left = Vec::new();
    for &token in ahead.keys() {
        left.extend(visit(token, &ahead, &mut seen));
    }
    let mut seen = BTreeSet::new();
    let found = left.iter().rev().map(|&token| visit(token, &back, &mut seen));
    found.filter(|tokens| !tokens.is_empty()).collect()
}

/// What can be reached from a token and was not seen, in the order in which depth-first search leaves it.
fn visit(
    start: Token,
    edges: &BTreeMap<Token, BTreeSet<Token>>,
    seen: &mut BTreeSet<Token>,
) -> Vec<Token> {
    let mut left = Vec::new();
    let next = |token: Token| edges.get(&token).into_iter().flatten().copied();
    if !seen.insert(start) {
        return left;
    }
    let mut stack = vec![(start, next(start).collect::<Vec<_>>())];
    while let Some((token, to)) = stack.last_mut() {
        match to.pop() {
            Some(other) if seen.insert(other) => stack.push((other, next(other).collect())),
            Some(_) => {}
            None => {
                left.push(*token);
                stack.pop();
            }
        }
    }
    left
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Terms;
    use proptest::prelude::*;

    const TOKENS: Token = 6;

    proptest! {
        #[test]
        fn markets_are_the_components(pairs in prop::collection::vec((0..TOKENS, 1..TOKENS), 0..14)) {
            let limit = Limit::of(1, 1).unwrap();
            let order = |&(sell, step): &(Token, Token)| {
                Order { sell, buy: (sell + step) % TOKENS, amount: 1, limit }
            };
            let auction = Auction::new(pairs.iter().map(order).collect(), Terms::default()).unwrap();
            let markets = markets(&auction, &BTreeSet::new());

            let n = TOKENS as usize;
            let mut reach = vec![vec![false; n]; n];
            for o in auction.orders() {
                reach[o.sell as usize][o.buy as usize] = true;
            }
            for k in 0..n {
                let through = reach[k].clone();
                for row in reach.iter_mut().filter(|row| row[k]) {
                    row.iter_mut().zip(&through).for_each(|(to, more)| *to |= more);
                }
            }
            let home = |t: usize| markets.iter().position(|m| m.tokens.contains(&(t as Token)));
            for (i, j) in (0..n).flat_map(|i| (0..n).map(move |j| (i, j))).filter(|(i, j)| i != j) {
                let same = reach[i][j] && reach[j][i];
                prop_assert_eq!(same, home(i).is_some() && home(i) == home(j));
            }
            for o in auction.orders() {
                let (from, to) = (home(o.sell as usize), home(o.buy as usize));
                prop_assert!(from.is_none() || to.is_none() || from <= to);
            }
        }
    }
}
