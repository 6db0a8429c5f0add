//! Quotes: by which prices and fractions the orders of a batch are filled (protocol section 5).

use serde::{Deserialize, Serialize};

use crate::field::serde_decimal;
use crate::kinds::Kind;
use crate::records::L2Record;
use crate::{ProtocolError, Token};

/// Bits of a price.
pub const PRICE_BITS: u32 = 96;
/// The fraction that fills an order whole: `2^32`.
pub const WHOLE: u64 = 1 << 32;
/// Bits of the value of a price quote: the price, then the market.
const VALUE_BITS: u32 = PRICE_BITS + Token::BITS;

/// A quote of the batch's auction. With `a = b` it is the price of a token, otherwise the fraction of the
/// pair of orders that sell `a` and buy `b`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Quote {
    /// The token whose price it is, or that the pair sells.
    pub a: Token,
    /// The same token, or the one that the pair buys.
    pub b: Token,
    /// `price + market x 2^96`, or the fraction in parts of [`WHOLE`].
    #[serde(with = "serde_decimal")]
    pub value: u128,
}

/// What a quote says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quoted {
    /// The price of a token.
    Price {
        /// The market that the token is in.
        market: u16,
        /// Worth of its smallest unit, below `2^96`; 0 if the token is suspended.
        price: u128,
    },
    /// The part by which the orders of a pair that are at the margin are filled, at most [`WHOLE`].
    Fraction(u64),
}

impl Quote {
    /// The price of a token; 0 suspends it.
    ///
    /// # Errors
    /// [`ProtocolError::Range`] for a price of more than 96 bits.
    pub fn price(token: Token, market: u16, price: u128) -> Result<Self, ProtocolError> {
        if price >> PRICE_BITS != 0 {
            return Err(range("price", price, "0 to 2^96 - 1"));
        }
        let value = price | u128::from(market) << PRICE_BITS;
        Ok(Self { a: token, b: token, value })
    }

    /// The fraction of a pair.
    ///
    /// # Errors
    /// [`ProtocolError::Range`] for a fraction above [`WHOLE`], [`ProtocolError::Malformed`] for a pair
    /// of one token.
    pub fn fraction(sell: Token, buy: Token, fraction: u64) -> Result<Self, ProtocolError> {
        if sell == buy {
            let why = format!("the pair {sell} to {buy} is one token: name two");
            return Err(ProtocolError::Malformed { what: "quote", why });
        }
        let quote = Self { a: sell, b: buy, value: fraction.into() };
        quote.content().map(|_| quote)
    }

    /// What it says.
    ///
    /// # Errors
    /// [`ProtocolError::Range`] for a value that none of the kinds of quotes has.
    pub fn content(&self) -> Result<Quoted, ProtocolError> {
        let Self { a, b, value } = *self;
        if a != b {
            return match u64::try_from(value) {
                Ok(fraction) if fraction <= WHOLE => Ok(Quoted::Fraction(fraction)),
                _ => Err(range("fraction", value, "0 to 2^32")),
            };
        }
        match u16::try_from(value >> PRICE_BITS) {
            Ok(market) => Ok(Quoted::Price { market, price: value & ((1 << PRICE_BITS) - 1) }),
            Err(_) => Err(range("market and price", value, "0 to 2^112 - 1")),
        }
    }

    /// Whether it is the price of a token.
    #[must_use]
    pub fn is_price(&self) -> bool {
        self.a == self.b
    }

    /// What tells it from all other quotes of a batch: `a 2^17 + 2 b + 1`.
    #[must_use]
    pub fn key(&self) -> u64 {
        key(self.a, self.b)
    }

    /// Its first posted record. The value follows ([`crate::records::value_record`]).
    #[must_use]
    pub fn record(&self) -> L2Record {
        L2Record {
            kind: Kind::Quote.description().number,
            fee12: 0,
            from: self.a.into(),
            to: self.b.into(),
            amount40: 0,
        }
    }
}

/// The key of the quote of a pair, or of a token's price if both are one.
#[must_use]
pub fn key(a: Token, b: Token) -> u64 {
    u64::from(a) << (Token::BITS + 1) | u64::from(b) << 1 | 1
}

fn range(what: &'static str, value: u128, range: &'static str) -> ProtocolError {
    ProtocolError::Range { what, value: value.to_string(), range }
}

// It fits a posted word.
const _: () = assert!(VALUE_BITS < crate::blob::SLOT_BITS);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_those_of_the_protocol() {
        let price = Quote::price(3, 0x0102, 0xabc).unwrap();
        assert_eq!(price, Quote { a: 3, b: 3, value: 0x0102 << 96 | 0xabc });
        assert_eq!(price.content(), Ok(Quoted::Price { market: 0x0102, price: 0xabc }));
        let fraction = Quote::fraction(3, 4, WHOLE).unwrap();
        assert_eq!(fraction, Quote { a: 3, b: 4, value: 1 << 32 });
        assert_eq!(fraction.content(), Ok(Quoted::Fraction(WHOLE)));
        assert!(price.is_price() && !fraction.is_price());
        assert_eq!(price.key(), 3 * (1 << 17) + 2 * 3 + 1);
        assert_eq!(key(Token::MAX, Token::MAX), (1 << 33) - 1);
    }

    #[test]
    fn what_is_no_quote_is_refused() {
        assert!(Quote::price(3, 0, (1 << 96) - 1).is_ok());
        assert!(Quote::price(3, 0, 1 << 96).is_err());
        assert!(Quote::fraction(3, 4, WHOLE + 1).is_err());
        assert!(Quote::fraction(3, 3, 1).is_err());
        for (a, b, value) in [(3, 3, 1 << 112), (3, 4, (1 << 32) + 1), (3, 4, 1 << 96)] {
            assert!(Quote { a, b, value }.content().is_err());
        }
        assert!(Quote { a: 3, b: 3, value: (1 << 112) - 1 }.content().is_ok());
    }
}
