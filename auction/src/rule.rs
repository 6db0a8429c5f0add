//! The rule of one order: its class, what it sells and what it is paid, from the quotes of its two tokens
//! and the fraction of its pair.

use crate::{Class, Fill, Order, Terms, TokenQuote, ONE, WHOLE};
use ruint::aliases::U256;
use serde::{Deserialize, Serialize};

/// Bits of a payment. Whoever pays more at some prices cannot use these prices.
pub const PAYMENT_BITS: u32 = 120;

/// What the rule gives an order, with what is left where it rounds down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ruling {
    /// The class of its limit; `None` if a token of it is suspended or they are in two markets.
    pub class: Option<Class>,
    /// The part of its amount that it may sell, in parts of [`WHOLE`].
    pub part: u64,
    /// What it may sell: `amount x part / WHOLE`, rounded down.
    pub due: u128,
    /// What rounding left: `amount x part` modulo `WHOLE`.
    pub due_rest: u64,
    /// What that is worth in the bought token after the fee, rounded down; below `2^120`.
    pub payment: u128,
    /// What rounding left: below the bought token's price times [`ONE`].
    pub payment_rest: u128,
    /// Whether the payment keeps the limit. If it does not, nothing is filled.
    pub fits: bool,
}

impl Ruling {
    /// What the order gets.
    #[must_use]
    pub fn fill(&self) -> Fill {
        match self.fits {
            true => Fill { sold: self.due, bought: self.payment },
            false => Fill::NONE,
        }
    }
}

/// Why quotes are wrong for an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RuleError {
    /// It leads from a market to one below it, so that orders could trade in a circle across both.
    #[error("it sells in market {from} and buys in market {to}: put both tokens in one market")]
    Descends {
        /// Market of the token that it sells.
        from: u16,
        /// Market of the token that it buys.
        to: u16,
    },
    /// It is at the margin, and its pair has no fraction.
    #[error("it is at the margin: give its pair a fraction, which may be 0")]
    NoFraction,
    /// The payment has too many bits.
    #[error("its payment is 2^120 or more: find other prices")]
    Payment,
}

/// The rule of one order at the quotes of its tokens, of which a price of 0 suspends a token. The fraction
/// of its pair counts if the order is at the margin.
///
/// The order is one of an [`Auction`](crate::Auction), prices have at most 96 bits, and a fraction is at
/// most [`WHOLE`].
///
/// # Errors
/// [`RuleError`]: no clearing has such quotes.
pub fn rule(
    order: &Order,
    sell: TokenQuote,
    buy: TokenQuote,
    fraction: Option<u64>,
    terms: Terms,
) -> Result<Ruling, RuleError> {
    let priced = sell.price != 0 && buy.price != 0;
    if priced && sell.market > buy.market {
        return Err(RuleError::Descends { from: sell.market, to: buy.market });
    }
    let live = priced && sell.market == buy.market;
    let class = live.then(|| Class::of(order.limit, sell.price, buy.price, terms));
    let part = match class {
        Some(Class::Inside) => WHOLE,
        Some(Class::Marginal) => fraction.ok_or(RuleError::NoFraction)?,
        Some(Class::Outside) | None => 0,
    };
    // 112 + 33 bits. WHOLE is a power of two: in a circuit, the low limbs are cut off.
    let scaled = U256::from(order.amount) * U256::from(part);
    let (due, due_rest) = scaled.div_rem(U256::from(WHOLE));
    // What that is worth after the fee, and what one unit of the bought token is worth, both in parts of
    // ONE: 112 + 96 + 16 bits, 96 + 17 bits.
    let worth = due * U256::from(sell.price) * U256::from(terms.net());
    let unit = U256::from(buy.price) * U256::from(ONE);
    let (payment, payment_rest) = match live {
        true => worth.div_rem(unit),
        false => (U256::ZERO, U256::ZERO),
    };
    if payment >> PAYMENT_BITS as usize != U256::ZERO {
        return Err(RuleError::Payment);
    }
    // 120 + 127 bits against 112 + 64.
    let paid = payment << usize::from(order.limit.exponent());
    let fits = paid >= due * U256::from(order.limit.mantissa());
    Ok(Ruling {
        class,
        part,
        due: due.saturating_to(),
        due_rest: due_rest.saturating_to(),
        payment: payment.saturating_to(),
        payment_rest: payment_rest.saturating_to(),
        fits,
    })
}
