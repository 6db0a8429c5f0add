//! Where a trace is replayed.

use super::{Book, Pool, Swap, Uniform};
use crate::{AuctionError, Fill};

/// A venue, with the liquidity that it has before the trace begins.
#[derive(Debug, Clone)]
pub enum Venue {
    /// An order book with price-time priority.
    Book(Book),
    /// A pool that keeps the product of its reserves.
    Pool(Pool),
    /// An auction with uniform prices.
    Uniform(Uniform),
}

impl Venue {
    /// What each swap of a trace gets, in the trace's order. The venue itself does not change.
    ///
    /// # Errors
    /// [`AuctionError::Swap`] for a swap of other tokens, or what the venue cannot compute with.
    pub fn replay(&self, trace: &[Swap]) -> Result<Vec<Fill>, AuctionError> {
        for (place, swap) in trace.iter().enumerate() {
            swap.check(place)?;
        }
        match self {
            Self::Book(book) => book.replay(trace),
            Self::Pool(pool) => pool.replay(trace),
            Self::Uniform(uniform) => uniform.replay(trace),
        }
    }
}
