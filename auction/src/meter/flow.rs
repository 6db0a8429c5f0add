//! The simulated flow of a block: a fair price, makers around it, and users with sizes and tolerances.

use super::{Book, Mark, Pool, Swap, Trader, Uniform, Venue, BASE, QUOTE};
use crate::sample::Rng;
use crate::{AuctionError, Limit, Terms};

/// Base units of the smallest order.
pub(super) const UNIT: u64 = 1_000_000_000;
/// The makers' orders on each side.
const LEVELS: u64 = 40;
/// Distance of the makers' orders, in ten thousandths of the price.
const STEP: u64 = 5;
/// What each maker's order sells, in the smallest orders.
const DEPTH: u64 = 8;
/// First account of users.
pub(super) const USERS: Trader = 1_000;
/// The makers' account.
const MAKERS: Trader = 1;

/// A block of the simulation.
#[derive(Debug, Clone)]
pub(super) struct Block {
    pub mark: Mark,
    pub users: Vec<Swap>,
    makers: Vec<Swap>,
}

impl Block {
    /// A block with a fair price near the last one.
    pub fn next(rng: &mut Rng, last: Mark, users: u64) -> Result<Self, AuctionError> {
        // Up to half a percent up or down.
        let mark = Mark { quote: last.quote / 1_000 * (995 + rng.below(11)), base: last.base };
        let mut block = Self::around(mark)?;
        // More buyers than sellers in one block, fewer in another.
        let buyers = 25 + rng.below(51);
        for user in 0..users {
            let amount = rng.size(UNIT);
            // From 0.1 % to 3 % worse than the fair price.
            let tolerance = 10 + rng.below(291);
            let trader = USERS + Trader::try_from(user).unwrap_or_default();
            let sell = if rng.below(100) < buyers { QUOTE } else { BASE };
            block.users.push(block.swap(trader, sell, amount, 10_000 - tolerance)?);
            // Some come back with half of it: a round trip that harms nobody.
            if rng.below(8) == 0 {
                let back = if sell == BASE { QUOTE } else { BASE };
                block.users.push(block.swap(trader, back, amount / 2, 10_000 - tolerance)?);
            }
        }
        // Those who come back do so later.
        for i in 0..block.users.len() {
            let to = rng.below(block.users.len() as u64) as usize;
            block.users.swap(i, to);
        }
        Ok(block)
    }

    /// A block without users, with makers around a price.
    pub fn around(mark: Mark) -> Result<Self, AuctionError> {
        let mut block = Self { mark, users: Vec::new(), makers: Vec::new() };
        for level in 1..=LEVELS {
            for sell in [BASE, QUOTE] {
                let amount = u128::from(UNIT * DEPTH);
                block.makers.push(block.swap(MAKERS, sell, amount, 10_000 + STEP * level)?);
            }
        }
        Ok(block)
    }

    /// The same block at another fair price: its makers stay where they are.
    pub fn at(&self, mark: Mark) -> Self {
        Self { mark, ..self.clone() }
    }

    /// A swap of so much in the base token's worth, for at least so many ten thousandths of the fair price.
    pub fn swap(
        &self,
        trader: Trader,
        sell: u16,
        amount: u128,
        asked: u64,
    ) -> Result<Swap, AuctionError> {
        let Mark { quote, base } = self.mark;
        let (sold, bought) = match sell {
            BASE => (base, quote),
            _ => (quote, base),
        };
        let limit = Limit::of(u128::from(bought) * u128::from(asked), u128::from(sold) * 10_000)?;
        let amount = match sell {
            BASE => amount,
            _ => amount * u128::from(quote) / u128::from(base.max(1)),
        };
        Ok(Swap::new(trader, sell, amount, limit))
    }

    /// The order book with the makers' orders.
    pub fn book(&self) -> Venue {
        Venue::Book(Book { makers: self.makers.clone() })
    }

    /// A pool at the fair price that near it is as deep as the makers' orders.
    pub fn pool(&self, fee: u16) -> Venue {
        // Moving the price by a part `d` takes `reserve x d / 2`; the makers offer `DEPTH` each `STEP`.
        let base = u128::from(UNIT * DEPTH) * 2 * 10_000 / u128::from(STEP);
        let quote = base * u128::from(self.mark.quote) / u128::from(self.mark.base.max(1));
        Venue::Pool(Pool { base, quote, fee })
    }

    /// The auction, with the same makers.
    pub fn uniform(&self, terms: Terms) -> Venue {
        Venue::Uniform(Uniform { makers: self.makers.clone(), terms })
    }
}
