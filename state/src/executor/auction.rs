//! The auction of a batch: its quotes, and what orders sold and were paid so far.

use std::collections::{BTreeMap, BTreeSet};

use bastion_auction::{Auction, AuctionError, Class, Order, Posted, Terms, TokenQuote};
use bastion_protocol::ops::Op;
use bastion_protocol::quote::{key, Quoted};
use bastion_protocol::{ProtocolError, Quote, Token};

use super::{Flow, OpTrace, OrderTrace, Rejection};

/// The quotes by which the orders of a batch are cleared, each with what it leaves to the fee account.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Quotes {
    by_key: BTreeMap<u64, Planned>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Planned {
    quote: Quote,
    surplus: u128,
}

impl Quotes {
    /// The quotes of a cleared auction.
    ///
    /// # Errors
    /// [`ProtocolError`] for a price of more than 96 bits or a fraction above 1.
    pub fn of(posted: &Posted) -> Result<Self, ProtocolError> {
        let mut quotes = Self::default();
        for (&token, &TokenQuote { market, price }) in &posted.quotes {
            let surplus = posted.surplus.get(&token).copied().unwrap_or(0);
            quotes.insert(Quote::price(token, market, price)?, surplus);
        }
        for (&(sell, buy), &fraction) in &posted.fractions {
            quotes.insert(Quote::fraction(sell, buy, fraction)?, 0);
        }
        Ok(quotes)
    }

    /// The quotes of a batch that was closed, with what they leave by its orders. Of a pair at the margin without a
    /// fraction there is one more, 0, which the batch then lacks.
    ///
    /// # Errors
    /// [`Rejection::Encoding`] if the orders are no auction, or the quotes do not clear it.
    pub(super) fn known(
        orders: impl Iterator<Item = Order>,
        quotes: &[Quote],
    ) -> Result<Self, Rejection> {
        let wrong = |error: AuctionError| Rejection::Encoding(error.to_string());
        let auction = Auction::new(orders.collect(), Terms::default()).map_err(wrong)?;
        let (mut prices, mut fractions) = (BTreeMap::new(), BTreeMap::new());
        for quote in quotes {
            match quote.content()? {
                Quoted::Price { market, price } => {
                    prices.insert(quote.a, TokenQuote { market, price });
                }
                Quoted::Fraction(fraction) => {
                    fractions.insert((quote.a, quote.b), fraction);
                }
            }
        }
        let posted = Posted::of(&auction, prices, &fractions).map_err(wrong)?;
        Ok(Self::of(&posted)?)
    }

    /// Adds a quote, in place of one with the same tokens. The surplus of a token is what orders sell of it
    /// and are not paid; a batch with another one is refused at its end.
    pub fn insert(&mut self, quote: Quote, surplus: u128) {
        self.by_key.insert(quote.key(), Planned { quote, surplus });
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.by_key.is_empty()
    }

    /// The quotes as operations, in ascending order of their keys.
    pub fn ops(&self) -> impl Iterator<Item = Op> + '_ {
        self.by_key.values().map(|planned| Op::Quote(planned.quote))
    }

    fn content(&self, a: Token, b: Token) -> Option<Quoted> {
        self.by_key.get(&key(a, b))?.quote.content().ok()
    }

    /// Market and price of a token.
    pub(super) fn price(&self, token: Token) -> Option<TokenQuote> {
        match self.content(token, token)? {
            Quoted::Price { market, price } => Some(TokenQuote { market, price }),
            Quoted::Fraction(_) => None,
        }
    }

    /// The fraction of a pair.
    pub(super) fn fraction(&self, sell: Token, buy: Token) -> Option<u64> {
        match self.content(sell, buy)? {
            Quoted::Fraction(fraction) => Some(fraction),
            Quoted::Price { .. } => None,
        }
    }
}

/// How far the auction of a batch is.
#[derive(Debug, Clone, Default)]
pub(super) struct Book {
    /// What orders are cleared by; `None` in a batch that only finds out what fits.
    quotes: Plan,
    flows: BTreeMap<Token, Flow>,
    /// Keys of the quotes that the batch posts so far.
    posted: BTreeSet<u64>,
}

#[derive(Debug, Clone)]
enum Plan {
    Quotes(Quotes),
    Reserving,
}

impl Default for Plan {
    fn default() -> Self {
        Self::Quotes(Quotes::default())
    }
}

impl Book {
    pub(super) fn planned(quotes: Quotes) -> Self {
        Self { quotes: Plan::Quotes(quotes), ..Self::default() }
    }

    pub(super) fn reserving() -> Self {
        Self { quotes: Plan::Reserving, ..Self::default() }
    }

    /// What orders are cleared by, if that is known.
    pub(super) fn quotes(&self) -> Option<&Quotes> {
        match &self.quotes {
            Plan::Quotes(quotes) => Some(quotes),
            Plan::Reserving => None,
        }
    }

    pub(super) fn flow(&self, token: Token) -> Flow {
        self.flows.get(&token).copied().unwrap_or_default()
    }

    #[cfg(test)]
    pub(super) fn set_flow(&mut self, token: Token, flow: Flow) {
        self.flows.insert(token, flow);
    }

    pub(super) fn posts(&self, quote: &Quote) -> bool {
        self.posted.contains(&quote.key())
    }

    /// The surplus of a quote that the batch may post.
    pub(super) fn surplus(&self, quote: &Quote) -> Result<u128, Rejection> {
        let &Quote { a, b, .. } = quote;
        if self.posts(quote) {
            return Err(Rejection::QuotedTwice { a, b });
        }
        let Some(quotes) = self.quotes() else {
            return Ok(0);
        };
        let planned = quotes.by_key.get(&quote.key()).filter(|planned| planned.quote == *quote);
        planned.map(|planned| planned.surplus).ok_or(Rejection::NotQuoted { a, b })
    }

    /// Counts an operation that the batch has taken.
    pub(super) fn include(&mut self, trace: &OpTrace) {
        if let Some(OrderTrace { sell, buy, after, .. }) = trace.order {
            self.flows.extend([sell, buy].into_iter().zip(after));
        }
        if let Some(quoted) = trace.quote {
            self.posted.insert(quoted.quote.key());
        }
    }

    /// Checks that the batch is an auction that clears, and completes the traces of its quotes.
    pub(super) fn close(&self, ops: &mut [OpTrace]) -> Result<(), Rejection> {
        let Plan::Quotes(quotes) = &self.quotes else {
            let auctioned = ops.iter().any(|op| op.order.is_some() || op.quote.is_some());
            return if auctioned { Err(Rejection::NotCleared) } else { Ok(()) };
        };
        let mut uses: BTreeMap<u64, u64> = BTreeMap::new();
        for order in ops.iter().filter_map(|op| op.order) {
            let OrderTrace { sell, buy, ruling, .. } = order;
            let marginal = (ruling.class == Some(Class::Marginal)).then_some((sell, buy));
            for (a, b) in [(sell, sell), (buy, buy)].into_iter().chain(marginal) {
                if !self.posted.contains(&key(a, b)) {
                    return Err(Rejection::QuoteMissing { a, b });
                }
                *uses.entry(key(a, b)).or_default() += 1;
            }
        }
        for planned in quotes.by_key.values().filter(|planned| self.posts(&planned.quote)) {
            let named = planned.surplus;
            let token = planned.quote.a;
            let Flow { sold, paid } = match planned.quote.is_price() {
                true => self.flow(token),
                false => Flow::default(),
            };
            let left = sold.checked_sub(paid).ok_or(Rejection::Short { token, sold, paid })?;
            if left != named {
                return Err(Rejection::Surplus { token, named, left });
            }
        }
        for quoted in ops.iter_mut().filter_map(|op| op.quote.as_mut()) {
            let key = quoted.quote.key();
            quoted.previous = self.posted.range(..key).next_back().copied();
            quoted.uses = uses.get(&key).copied().unwrap_or(0);
        }
        Ok(())
    }
}
