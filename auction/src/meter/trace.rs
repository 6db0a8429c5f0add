//! Traces of swaps, and what they are worth.

use crate::{AuctionError, Fill, Limit, Order};
use bastion_protocol::Token;

/// The token whose price is quoted.
pub const BASE: Token = 0;
/// The token that prices are quoted in.
pub const QUOTE: Token = 1;

/// Who swaps: an account, or whatever stands for one.
pub type Trader = u32;

/// One swap of a trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Swap {
    /// Who.
    pub trader: Trader,
    /// What: sells one of [`BASE`] and [`QUOTE`] for the other.
    pub order: Order,
}

impl Swap {
    /// A swap between the two tokens.
    #[must_use]
    pub fn new(trader: Trader, sell: Token, amount: u128, limit: Limit) -> Self {
        let buy = if sell == BASE { QUOTE } else { BASE };
        Self { trader, order: Order { sell, buy, amount, limit } }
    }

    /// Refuses other tokens than the two.
    pub(super) fn check(&self, place: usize) -> Result<(), AuctionError> {
        match (self.order.sell, self.order.buy) {
            (BASE, QUOTE) | (QUOTE, BASE) => Ok(()),
            _ => Err(AuctionError::Swap { place, why: "swap tokens 0 and 1 for each other" }),
        }
    }
}

/// What a unit of the base token is worth in units of the quote token, outside of the venue: the price at
/// which gains are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark {
    /// Units of the quote token.
    pub quote: u64,
    /// Units of the base token that they are worth, not 0.
    pub base: u64,
}

impl Mark {
    /// What a fill gained at this price, in units of the quote token; negative for a loss.
    ///
    /// # Errors
    /// [`AuctionError::Overflow`].
    pub fn gain(&self, swap: &Swap, fill: &Fill) -> Result<i128, AuctionError> {
        let gain = match swap.order.sell {
            BASE => signed(fill.bought).zip(self.worth(fill.sold)),
            _ => self.worth(fill.bought).zip(signed(fill.sold)),
        };
        gain.and_then(|(got, gave)| got.checked_sub(gave)).ok_or(OVERFLOW)
    }

    /// What a fill brought beyond its order's limit, at this price in units of the quote token: what the
    /// trade was worth to its owner, who would have taken the limit. Never negative on a venue that keeps
    /// limits, and 0 for what is not filled.
    ///
    /// # Errors
    /// [`AuctionError::Overflow`].
    pub fn surplus(&self, swap: &Swap, fill: &Fill) -> Result<i128, AuctionError> {
        let least = u128::try_from(swap.order.limit.least(fill.sold)).map_err(|_| OVERFLOW)?;
        let worth = |amount| match swap.order.buy {
            BASE => self.worth(amount),
            _ => signed(amount),
        };
        let surplus = worth(fill.bought).zip(worth(least));
        surplus.and_then(|(got, asked)| got.checked_sub(asked)).ok_or(OVERFLOW)
    }

    /// The worth of an amount of the base token, in units of the quote token, rounded down.
    fn worth(&self, amount: u128) -> Option<i128> {
        signed(amount.checked_mul(self.quote.into())?.checked_div(self.base.into())?)
    }
}

const OVERFLOW: AuctionError = AuctionError::Overflow { what: "the worth of a fill" };

/// Adds to a sum of gains.
pub(super) fn add(sum: &mut i128, gain: i128) -> Result<(), AuctionError> {
    *sum = sum.checked_add(gain).ok_or(OVERFLOW)?;
    Ok(())
}

fn signed(amount: u128) -> Option<i128> {
    i128::try_from(amount).ok()
}
