//! An order book with price-time priority: who comes trades with the best order that rests, at the price of
//! that one, and what is left of it rests until the trace ends.

use super::Swap;
use crate::{AuctionError, Fill, Limit};
use ruint::aliases::U256;

/// An order book with the orders of makers, who were there before the trace begins.
#[derive(Debug, Clone)]
pub struct Book {
    /// The makers' orders, oldest first.
    pub makers: Vec<Swap>,
}

/// An order that rests.
struct Resting {
    swap: Swap,
    left: u128,
    /// Place in the trace, `None` for a maker's.
    place: Option<usize>,
}

const OVERFLOW: AuctionError = AuctionError::Overflow { what: "a fill of the order book" };

/// Limits in an order: `mantissa x 2^(127 - exponent)`.
fn key(limit: Limit) -> U256 {
    U256::from(limit.mantissa()) << usize::from(Limit::MAX_EXPONENT - limit.exponent())
}

impl Book {
    pub(super) fn replay(&self, trace: &[Swap]) -> Result<Vec<Fill>, AuctionError> {
        let rest = |swap: &Swap| Resting { swap: *swap, left: swap.order.amount, place: None };
        let mut resting: Vec<Resting> = self.makers.iter().map(rest).collect();
        let mut fills = vec![Fill::NONE; trace.len()];
        for (place, swap) in trace.iter().enumerate() {
            let left = take(swap, place, &mut resting, &mut fills)?;
            if left > 0 {
                resting.push(Resting { swap: *swap, left, place: Some(place) });
            }
        }
        Ok(fills)
    }
}

/// Adds a trade to a fill.
fn more(fill: &mut Fill, sold: u128, bought: u128) -> Result<(), AuctionError> {
    let sums = fill.sold.checked_add(sold).zip(fill.bought.checked_add(bought));
    let (sold, bought) = sums.ok_or(OVERFLOW)?;
    *fill = Fill { sold, bought };
    Ok(())
}

/// Trades an incoming order; returns what is left of it.
fn take(
    swap: &Swap,
    place: usize,
    resting: &mut Vec<Resting>,
    fills: &mut [Fill],
) -> Result<u128, AuctionError> {
    let mut left = swap.order.amount;
    while left > 0 {
        // The lowest limit asks least of the taker; the oldest among equals.
        let opposite = resting.iter_mut().filter(|r| r.swap.order.sell == swap.order.buy);
        let Some(best) = opposite.min_by_key(|r| key(r.swap.order.limit)) else { break };
        let limit = best.swap.order.limit;
        // As much as `left` pays for: least(bought) <= left.
        let most =
            (U256::from(left) << usize::from(limit.exponent())) / U256::from(limit.mantissa());
        let bought = u128::try_from(most).map_or(best.left, |most| most.min(best.left));
        let paid = u128::try_from(limit.least(bought)).map_err(|_| OVERFLOW)?;
        if bought == 0 || U256::from(bought) < swap.order.limit.least(paid) {
            break;
        }
        best.left -= bought;
        left = left.checked_sub(paid).ok_or(OVERFLOW)?;
        if let Some(fill) = best.place.and_then(|place| fills.get_mut(place)) {
            more(fill, bought, paid)?;
        }
        if let Some(fill) = fills.get_mut(place) {
            more(fill, paid, bought)?;
        }
        resting.retain(|r| r.left > 0);
    }
    Ok(left)
}
