//! Orders, and the set of them that one auction clears.

use crate::{AuctionError, Limit, Terms};
use bastion_protocol::Token;
use std::collections::BTreeMap;

/// Bits of an amount: that of one order, and that of all orders of an auction that sell one token.
///
/// With prices of 96 bits and parts of 16 bits, the products of the rule stay below `2^240`: inside the
/// circuit's field, and inside 256 bits here. Where one may not, it is compared with care.
pub use bastion_protocol::ops::ORDER_BITS as AMOUNT_BITS;

/// Most orders of one auction.
pub const MAX_ORDERS: usize = 1 << 16;

/// Most tokens of one auction: what the solver does grows with their square.
pub const MAX_TOKENS: usize = 64;

/// Sells at most an amount of one token for another one, at a limit price, within one auction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Order {
    /// The token that is sold.
    pub sell: Token,
    /// The token that is bought.
    pub buy: Token,
    /// Most that is sold, in the sold token's smallest unit.
    pub amount: u128,
    /// Least units of `buy` for a unit of `sell`, after fee and rounding.
    pub limit: Limit,
}

/// The orders of one auction and the terms they are cleared by. What the rule's arithmetic needs of them
/// has been checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Auction {
    orders: Vec<Order>,
    terms: Terms,
    /// What orders sell of each token that they name.
    supply: BTreeMap<Token, u128>,
}

impl Auction {
    /// An auction of orders, which are named by their place from here on.
    ///
    /// # Errors
    /// Those of [`Auction::push`].
    pub fn new(orders: Vec<Order>, terms: Terms) -> Result<Self, AuctionError> {
        let mut auction = Self::empty(terms);
        orders.into_iter().try_for_each(|order| auction.push(order))?;
        Ok(auction)
    }

    /// An auction without orders.
    #[must_use]
    pub fn empty(terms: Terms) -> Self {
        Self { orders: Vec::new(), terms, supply: BTreeMap::new() }
    }

    /// Adds an order, or leaves the auction as it was.
    ///
    /// # Errors
    /// [`AuctionError::Orders`] for too many, [`AuctionError::SameToken`], [`AuctionError::Amount`] for an
    /// amount of 0 or of more than [`AMOUNT_BITS`] bits, [`AuctionError::Supply`] if all orders that sell a
    /// token are above that together, [`AuctionError::Tokens`] for more than [`MAX_TOKENS`].
    pub fn push(&mut self, order: Order) -> Result<(), AuctionError> {
        let supply = self.check(order)?;
        self.supply.insert(order.sell, supply);
        self.supply.entry(order.buy).or_default();
        self.orders.push(order);
        Ok(())
    }

    /// Whether [`Auction::push`] would take an order: what would be for sale of its token then.
    ///
    /// # Errors
    /// Those of [`Auction::push`].
    pub fn check(&self, order: Order) -> Result<u128, AuctionError> {
        let place = self.orders.len();
        if place >= MAX_ORDERS {
            return Err(AuctionError::Orders { count: place + 1, most: MAX_ORDERS });
        }
        let Order { sell, buy, amount, limit: _ } = order;
        if sell == buy {
            return Err(AuctionError::SameToken { place, token: sell });
        }
        if amount == 0 || amount >> AMOUNT_BITS != 0 {
            return Err(AuctionError::Amount { place, amount, bits: AMOUNT_BITS });
        }
        // Both are below 2^112: no overflow.
        let supply = self.supply.get(&sell).map_or(amount, |sum| sum + amount);
        if supply >> AMOUNT_BITS != 0 {
            return Err(AuctionError::Supply { token: sell, supply, bits: AMOUNT_BITS });
        }
        let fresh = [sell, buy].iter().filter(|token| !self.supply.contains_key(token)).count();
        let count = self.supply.len() + fresh;
        if count > MAX_TOKENS {
            return Err(AuctionError::Tokens { count, most: MAX_TOKENS });
        }
        Ok(supply)
    }

    /// The tokens that orders sell or buy, in ascending order.
    pub fn tokens(&self) -> impl Iterator<Item = Token> + '_ {
        self.supply.keys().copied()
    }

    /// What all orders sell of a token.
    pub(crate) fn supply(&self, token: Token) -> u128 {
        self.supply.get(&token).copied().unwrap_or_default()
    }

    /// The orders.
    #[must_use]
    pub fn orders(&self) -> &[Order] {
        &self.orders
    }

    /// Fee and margin.
    #[must_use]
    pub fn terms(&self) -> Terms {
        self.terms
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(sell: Token, buy: Token, amount: u128) -> Order {
        Order { sell, buy, amount, limit: Limit::of(1, 1).unwrap() }
    }

    fn auction(orders: Vec<Order>) -> Result<Auction, AuctionError> {
        Auction::new(orders, Terms::default())
    }

    #[test]
    fn orders_that_the_rule_cannot_compute_with_are_refused() {
        let most = (1 << AMOUNT_BITS) - 1;
        assert!(auction(vec![order(1, 2, most), order(2, 1, most)]).is_ok());
        let same = auction(vec![order(1, 2, 1), order(3, 3, 1)]);
        assert!(matches!(same, Err(AuctionError::SameToken { place: 1, token: 3 })));
        for amount in [0, most + 1] {
            let refused = auction(vec![order(1, 2, amount)]);
            assert!(matches!(refused, Err(AuctionError::Amount { place: 0, .. })));
        }
        let supply = auction(vec![order(1, 2, most), order(1, 3, 1)]);
        assert!(matches!(supply, Err(AuctionError::Supply { token: 1, .. })));
        let tokens = auction((0..64).map(|t| order(t, t + 1, 1)).collect());
        assert!(matches!(tokens, Err(AuctionError::Tokens { count: 65, .. })));
        let many = auction(vec![order(1, 2, 1); MAX_ORDERS + 1]);
        assert!(matches!(many, Err(AuctionError::Orders { count: 65_537, .. })));
    }
}
