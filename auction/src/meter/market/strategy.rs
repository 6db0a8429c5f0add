//! Venues, and what an operator can try on each.

use super::agents::Round;
use crate::meter::Venue;
use crate::Terms;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Where the round is traded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// An order book with price-time priority.
    Book,
    /// A constant-product pool with a fee of 0.05 %.
    Pool,
    /// The auction, with orders that the operator can read when they arrive.
    Auction,
    /// The auction, with orders that it can read only when none can be added any more.
    BlindAuction,
}

impl Place {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Book, Self::Pool, Self::Auction, Self::BlindAuction];

    pub(super) fn venue(self, round: &Round) -> Venue {
        match self {
            Self::Book => round.block.book(),
            Self::Pool => round.block.pool(5),
            Self::Auction | Self::BlindAuction => round.block.uniform(Terms::default()),
        }
    }

    /// What an operator can try there.
    #[must_use]
    pub fn strategies(self) -> &'static [Strategy] {
        use Strategy::{Censor, Honest, Insert, Prices, Reorder, Withhold};
        match self {
            Self::Book | Self::Pool => &[Honest, Reorder, Insert, Censor],
            Self::Auction => &[Honest, Reorder, Insert, Censor, Prices],
            Self::BlindAuction => &[
                Honest,
                Reorder,
                Insert,
                Censor,
                Prices,
                Withhold { bond: 0 },
                Withhold { bond: 50 },
                Withhold { bond: 100 },
            ],
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Book => "order book",
            Self::Pool => "pool, fee 0.05 %",
            Self::Auction => "auction",
            Self::BlindAuction => "auction, blind orders",
        })
    }
}

/// What the operator does. It knows the fair price with the news, the venue, and the orders that it can read. It has
/// an order of its own in every round, which it sent without knowing anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Strategy {
    /// Takes the orders as they arrive.
    Honest,
    /// Puts them in the order that is best for its own one.
    Reorder,
    /// Adds orders: the best of 28 attacks on each order that it can read. Where orders are blind, one on a side that it
    /// guesses.
    Insert,
    /// Leaves out orders that it has not given a receipt for: each one without which its own does better. Where
    /// orders are blind, one that it picks at random.
    Censor,
    /// Picks, among the prices and fractions that keep the auction's rule, those that are best for its own order.
    Prices,
    /// Adds two blind orders, one on each side, and reveals those that are best for it when all others are
    /// revealed.
    Withhold {
        /// What an order that is not revealed costs, in ten thousandths of its worth.
        bond: u16,
    },
}

impl fmt::Display for Strategy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Honest => f.write_str("none"),
            Self::Reorder => f.write_str("reorders"),
            Self::Insert => f.write_str("inserts"),
            Self::Censor => f.write_str("censors"),
            Self::Prices => f.write_str("picks prices"),
            Self::Withhold { bond } => {
                write!(f, "withholds, bond {}.{:02} %", bond / 100, bond % 100)
            }
        }
    }
}
