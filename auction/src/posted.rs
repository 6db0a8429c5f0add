//! The form in which a clearing is posted: a quote for every token that orders name, also for those without
//! a price, and a fraction for every pair with an order at the margin.

use crate::{rule, Auction, AuctionError, Class, Clearing, Fill, RuleError, TokenQuote};
use bastion_protocol::Token;
use std::collections::BTreeMap;

/// A clearing as it is posted. Quotes and fractions determine the rest.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Posted {
    /// The quote of each token that an order sells or buys. A price of 0 suspends the token.
    pub quotes: BTreeMap<Token, TokenQuote>,
    /// The fraction of each pair (sold, bought) that has an order at the margin.
    pub fractions: BTreeMap<(Token, Token), u64>,
    /// What each order gets, by its place.
    pub fills: Vec<Fill>,
    /// What goes to the fee account of each token.
    pub surplus: BTreeMap<Token, u128>,
}

/// The posted form of a clearing.
///
/// Where the rule refuses what comes out, there is no trade, which it never refuses.
#[must_use]
pub fn post(auction: &Auction, clearing: &Clearing) -> Posted {
    let suspended = TokenQuote { market: 0, price: 0 };
    let quote = |token| clearing.quotes.get(&token).copied().unwrap_or(suspended);
    let quotes = auction.tokens().map(|token| (token, quote(token))).collect();
    Posted::of(auction, quotes, &clearing.fractions).unwrap_or_else(|_| Posted::none(auction))
}

impl Posted {
    /// No trade: every token is suspended.
    #[must_use]
    pub fn none(auction: &Auction) -> Self {
        let quote = TokenQuote { market: 0, price: 0 };
        Self {
            quotes: auction.tokens().map(|token| (token, quote)).collect(),
            fractions: BTreeMap::new(),
            fills: vec![Fill::NONE; auction.orders().len()],
            surplus: auction.tokens().map(|token| (token, 0)).collect(),
        }
    }

    /// What quotes for all tokens of an auction determine. A pair at the margin without a fraction gets 0.
    ///
    /// # Errors
    /// [`AuctionError::Rule`] for an order that the quotes are wrong for, [`AuctionError::Short`] for a token
    /// of which more is paid than was sold, [`AuctionError::NoQuote`].
    pub fn of(
        auction: &Auction,
        quotes: BTreeMap<Token, TokenQuote>,
        fractions: &BTreeMap<(Token, Token), u64>,
    ) -> Result<Self, AuctionError> {
        let mut used = BTreeMap::new();
        let mut fills = Vec::with_capacity(auction.orders().len());
        let mut sums: BTreeMap<Token, (u128, u128)> = BTreeMap::new();
        for (place, order) in auction.orders().iter().enumerate() {
            let quote = |token| quotes.get(&token).copied().ok_or(AuctionError::NoQuote { token });
            let pair = (order.sell, order.buy);
            let fraction = fractions.get(&pair).copied().unwrap_or(0);
            let (sell, buy) = (quote(order.sell)?, quote(order.buy)?);
            let wrong = |why: RuleError| AuctionError::Rule { place, why };
            let ruling = rule(order, sell, buy, Some(fraction), auction.terms()).map_err(wrong)?;
            if ruling.class == Some(Class::Marginal) {
                used.insert(pair, fraction);
            }
            let fill = ruling.fill();
            add(&mut sums.entry(order.sell).or_default().0, fill.sold)?;
            add(&mut sums.entry(order.buy).or_default().1, fill.bought)?;
            fills.push(fill);
        }
        let left = |(&token, _)| {
            let (sold, paid) = sums.get(&token).copied().unwrap_or_default();
            let left = sold.checked_sub(paid).ok_or(AuctionError::Short { token, sold, paid })?;
            Ok::<_, AuctionError>((token, left))
        };
        let surplus = quotes.iter().map(left).collect::<Result<_, AuctionError>>()?;
        Ok(Self { quotes, fractions: used, fills, surplus })
    }
}

pub(crate) fn add(sum: &mut u128, amount: u128) -> Result<(), AuctionError> {
    *sum = sum.checked_add(amount).ok_or(AuctionError::Overflow { what: "the sum of fills" })?;
    Ok(())
}
