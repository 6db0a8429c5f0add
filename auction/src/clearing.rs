//! The result of an auction.

use bastion_protocol::Token;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The price of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenQuote {
    /// The market that the token is in. Tokens trade within their market alone. No order sells a token of
    /// a higher market for one of a lower.
    pub market: u16,
    /// Worth of the token's smallest unit, in a unit that all tokens of the market share; 1 to below
    /// `2^96`, or 0 in posted form if the token is suspended. The largest price of a market of a
    /// [`Clearing`] is at least `2^95`: prices mean nothing but their quotients, and this gives each set of
    /// quotients about one form.
    pub price: u128,
}

/// What an order got.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Fill {
    /// Sold, in the sold token's smallest unit.
    pub sold: u128,
    /// Paid to the order's owner after the fee, in the bought token's smallest unit.
    pub bought: u128,
}

impl Fill {
    /// Nothing sold, nothing paid.
    pub const NONE: Self = Self { sold: 0, bought: 0 };
}

/// The result of an auction. Quotes and fractions determine the rest.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Clearing {
    /// The price of each token that trades. A token without one is suspended: no order that sells or buys
    /// it is filled.
    pub quotes: BTreeMap<Token, TokenQuote>,
    /// The part that each order at the margin is filled by, for each pair (sold, bought), in parts of
    /// [`WHOLE`](crate::WHOLE). A pair that is not listed has 0.
    pub fractions: BTreeMap<(Token, Token), u64>,
    /// What each order got, by its place.
    pub fills: Vec<Fill>,
    /// What goes to the fee account of each token with a price: fees and what rounding left.
    pub surplus: BTreeMap<Token, u128>,
}

impl Clearing {
    /// No trade: every token is suspended.
    #[must_use]
    pub fn none(orders: usize) -> Self {
        Self { fills: vec![Fill::NONE; orders], ..Self::default() }
    }

    /// Whether any order was filled.
    #[must_use]
    pub fn trades(&self) -> bool {
        self.fills.iter().any(|fill| *fill != Fill::NONE)
    }
}
