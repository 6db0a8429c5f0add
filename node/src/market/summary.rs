//! What an auction came to: prices, and how orders were filled.

use std::collections::BTreeMap;

use bastion_auction::{Class, TokenQuote};
use bastion_protocol::field::serde_decimal;
use bastion_protocol::quote::Quoted;
use bastion_protocol::Token;
use bastion_state::executor::{BatchTrace, OrderTrace};
use serde::Serialize;

use super::COINS;

/// Orders by where their limits lie.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Classes {
    /// Better than the price by the margin: filled whole.
    pub inside: usize,
    /// Within the margin: filled by the fraction of their pair.
    pub marginal: usize,
    /// Worse than the price: not filled.
    pub outside: usize,
    /// A token of theirs has no price: not filled.
    pub suspended: usize,
    /// Their tokens are in two markets: not filled.
    pub apart: usize,
    /// Filled, at least in part.
    pub filled: usize,
}

impl Classes {
    /// Counts an order.
    fn add(&mut self, order: &OrderTrace) {
        let [sell, buy] = order.quotes;
        let class = match order.ruling.class {
            Some(Class::Inside) => &mut self.inside,
            Some(Class::Marginal) => &mut self.marginal,
            Some(Class::Outside) => &mut self.outside,
            None if sell.price == 0 || buy.price == 0 => &mut self.suspended,
            None => &mut self.apart,
        };
        *class += 1;
        self.filled += usize::from(order.sold > 0);
    }
}

/// One token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TokenSummary {
    /// Its number.
    pub token: Token,
    /// Its name in the demo.
    pub name: &'static str,
    /// The market that it is in.
    pub market: u16,
    /// Worth of its smallest unit; 0 if it is suspended. Prices mean nothing but their quotients.
    #[serde(with = "serde_decimal")]
    pub price: u128,
    /// Orders that sell it.
    pub orders: usize,
    /// What orders sold of it.
    #[serde(with = "serde_decimal")]
    pub sold: u128,
    /// What orders were paid of it.
    #[serde(with = "serde_decimal")]
    pub paid: u128,
    /// The difference, which goes to its fee account.
    #[serde(with = "serde_decimal")]
    pub surplus: u128,
}

/// Orders that sell one token for another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PairSummary {
    /// The token that they sell.
    pub sell: Token,
    /// The token that they buy.
    pub buy: Token,
    /// How many there are of each class.
    pub classes: Classes,
    /// By what part those at the margin are filled, in parts of 2^32; null if none is.
    pub fraction: Option<u64>,
    /// What they sold.
    #[serde(with = "serde_decimal")]
    pub sold: u128,
    /// What they were paid.
    #[serde(with = "serde_decimal")]
    pub paid: u128,
}

/// An auction.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// Orders.
    pub orders: usize,
    /// All of them by class.
    pub classes: Classes,
    /// By token.
    pub tokens: Vec<TokenSummary>,
    /// By pair.
    pub pairs: Vec<PairSummary>,
}

/// What the auction of an executed batch came to.
pub fn summary(batch: &BatchTrace) -> Summary {
    let mut tokens: BTreeMap<Token, TokenSummary> = BTreeMap::new();
    let mut fractions = BTreeMap::new();
    for quoted in batch.ops.iter().filter_map(|op| op.quote) {
        let (token, surplus) = (quoted.quote.a, quoted.surplus);
        match quoted.quote.content() {
            Ok(Quoted::Price { market, price }) => {
                let name = COINS.get(usize::from(token)).map_or("", |coin| coin.name);
                let (orders, sold, paid) = (0, 0, 0);
                let line = TokenSummary { token, name, market, price, orders, sold, paid, surplus };
                tokens.insert(token, line);
            }
            Ok(Quoted::Fraction(fraction)) => {
                fractions.insert((token, quoted.quote.b), fraction);
            }
            // The executor took it, so it says something.
            Err(_) => {}
        }
    }
    let (mut classes, mut orders) = (Classes::default(), 0);
    let mut pairs: BTreeMap<(Token, Token), PairSummary> = BTreeMap::new();
    for order in batch.ops.iter().filter_map(|op| op.order) {
        let OrderTrace { sell, buy, sold, paid, .. } = order;
        orders += 1;
        classes.add(&order);
        if let Some(token) = tokens.get_mut(&sell) {
            token.orders += 1;
            token.sold += sold;
        }
        if let Some(token) = tokens.get_mut(&buy) {
            token.paid += paid;
        }
        let pair = pairs.entry((sell, buy)).or_insert_with(|| PairSummary {
            sell,
            buy,
            classes: Classes::default(),
            fraction: fractions.get(&(sell, buy)).copied(),
            sold: 0,
            paid: 0,
        });
        pair.classes.add(&order);
        pair.sold += sold;
        pair.paid += paid;
    }
    let (tokens, pairs) = (tokens.into_values().collect(), pairs.into_values().collect());
    Summary { orders, classes, tokens, pairs }
}

impl Summary {
    /// What one of a token costs in another one, both in whole coins, for people; none if they share no market.
    pub fn rate(&self, of: Token, by: Token) -> Option<f64> {
        let find = |token: Token| {
            let found = self.tokens.iter().find(|t| t.token == token && t.price != 0)?;
            let quote = TokenQuote { market: found.market, price: found.price };
            Some((quote, COINS.get(usize::from(token))?))
        };
        let ((of, coin), (by, other)) = (find(of)?, find(by)?);
        let whole = |price: u128, decimals: u32| price as f64 * 10f64.powi(decimals as i32);
        let rate = whole(of.price, coin.decimals) / whole(by.price, other.decimals);
        (of.market == by.market).then_some(rate)
    }
}
