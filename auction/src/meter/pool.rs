//! A constant-product pool, as Uniswap's second version: a swap is made whole or not at all.

use super::{Swap, BASE};
use crate::{AuctionError, Fill};
use ruint::aliases::U256;

/// The denominator of a pool's fee.
const PARTS: u32 = 10_000;

/// A pool: `out = in' x reserve_out / (reserve_in + in')`, rounded down, with `in'` what is left of the input
/// after the fee.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pool {
    /// Reserve of the base token.
    pub base: u128,
    /// Reserve of the quote token.
    pub quote: u128,
    /// Fee in ten thousandths of the input, at most 10,000.
    pub fee: u16,
}

impl Pool {
    pub(super) fn replay(&self, trace: &[Swap]) -> Result<Vec<Fill>, AuctionError> {
        let mut pool = *self;
        trace.iter().map(|swap| pool.swap(swap)).collect()
    }

    fn swap(&mut self, swap: &Swap) -> Result<Fill, AuctionError> {
        let overflow = AuctionError::Overflow { what: "the pool's reserve" };
        let sold = swap.order.amount;
        let (reserve_in, reserve_out) = match swap.order.sell {
            BASE => (&mut self.base, &mut self.quote),
            _ => (&mut self.quote, &mut self.base),
        };
        let net = U256::from(sold) * U256::from(PARTS.saturating_sub(self.fee.into()));
        let divisor = U256::from(*reserve_in) * U256::from(PARTS) + net;
        let product = net.checked_mul(U256::from(*reserve_out)).ok_or(overflow.clone())?;
        let bought = product.checked_div(divisor).unwrap_or(U256::ZERO);
        if bought.is_zero() || bought < swap.order.limit.least(sold) {
            return Ok(Fill::NONE);
        }
        let bought = u128::try_from(bought).map_err(|_| overflow.clone())?;
        *reserve_in = reserve_in.checked_add(sold).ok_or(overflow.clone())?;
        *reserve_out = reserve_out.checked_sub(bought).ok_or(overflow)?;
        Ok(Fill { sold, bought })
    }
}
