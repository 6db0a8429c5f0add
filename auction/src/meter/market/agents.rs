//! Who trades in a round, and what they know.

use crate::meter::flow::{Block, UNIT, USERS};
use crate::meter::{Mark, Swap, Trader, BASE, QUOTE};
use crate::sample::Rng;
use crate::AuctionError;

/// Who sent an order. The liquidity provider sends none: its orders are the venue's makers, or the pool's reserves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Agent {
    /// Trades for reasons of its own, within a tolerance around the public price.
    Noise,
    /// Knows the news of the round before the others.
    Informed,
    /// Knows them when the others have sent their orders, and takes what is wrongly priced.
    Arbitrageur,
    /// Orders the operations of the others, and trades.
    Operator,
}

const INFORMED: Trader = 20;
const ARBITRAGEUR: Trader = 30;
pub(super) const OPERATOR: Trader = 40;

/// Orders of the informed trader, and of the arbitrageur. They trade in parts, because a pool fills an order whole or
/// not at all.
const INFORMED_PARTS: u64 = 3;
const ARBITRAGEUR_PARTS: u64 = 6;
/// What each part sells, in the smallest orders.
const PART: u64 = 12;
/// The operator's order that is there in any case, in the smallest orders.
const STAKE: u64 = 16;
/// News below so many ten thousandths are not worth a trade.
const LEAST_NEWS: u64 = 10;

/// A round: the same for every venue and every operator.
#[derive(Debug, Clone)]
pub(super) struct Round {
    /// The liquidity provider at the price that everybody knew before.
    pub block: Block,
    /// The fair price with the news of this round: gains are counted by it.
    pub mark: Mark,
    /// The orders as they arrive.
    pub orders: Vec<(Agent, Swap)>,
}

impl Round {
    /// The next round, after one that ended with a fair price of `last`.
    pub fn next(rng: &mut Rng, last: Mark, noise: u64) -> Result<Self, AuctionError> {
        let block = Block::around(last)?;
        // In every third round something happens.
        let news = match rng.below(3) {
            0 => 20 + rng.below(61),
            _ => rng.below(6),
        };
        let up = rng.below(2) == 0;
        let moved = if up { 10_000 + news } else { 10_000 - news };
        let mark = Mark { quote: last.quote / 10_000 * moved, base: last.base };
        let mut orders = Vec::new();
        let buyers = 25 + rng.below(51);
        for trader in 0..noise {
            let sell = if rng.below(100) < buyers { QUOTE } else { BASE };
            let amount = rng.size(UNIT);
            // From 0.1 % to 3 % worse than the public price.
            let asked = 9_990 - rng.below(291);
            let trader = USERS + Trader::try_from(trader).unwrap_or_default();
            orders.push((Agent::Noise, block.swap(trader, sell, amount, asked)?));
        }
        // What the operator trades before it has seen anything, on a side that has nothing to do with the others.
        let sell = if rng.below(2) == 0 { QUOTE } else { BASE };
        let stake = block.swap(OPERATOR, sell, u128::from(STAKE * UNIT), 9_900)?;
        orders.push((Agent::Operator, stake));
        // Who knows the news buys what is going to be dearer, as long as it is cheaper than that.
        let sell = if up { QUOTE } else { BASE };
        let knowing = block.at(mark);
        let part = |trader, asked| knowing.swap(trader, sell, u128::from(PART * UNIT), asked);
        if news >= LEAST_NEWS {
            for _ in 0..INFORMED_PARTS {
                orders.push((Agent::Informed, part(INFORMED, 10_005)?));
            }
        }
        for i in (1..orders.len()).rev() {
            orders.swap(i, rng.below(i as u64 + 1) as usize);
        }
        // The arbitrageur comes last.
        if news >= LEAST_NEWS {
            for _ in 0..ARBITRAGEUR_PARTS {
                orders.push((Agent::Arbitrageur, part(ARBITRAGEUR, 10_001)?));
            }
        }
        Ok(Self { block, mark, orders })
    }
}
