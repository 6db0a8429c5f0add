//! The auction of this crate. Makers' orders take part like all others.

use super::Swap;
use crate::{solve, Auction, AuctionError, Fill, Terms};

/// An auction with makers, who take part in each one.
#[derive(Debug, Clone)]
pub struct Uniform {
    /// The makers' orders.
    pub makers: Vec<Swap>,
    /// Fee and margin.
    pub terms: Terms,
}

impl Uniform {
    pub(super) fn replay(&self, trace: &[Swap]) -> Result<Vec<Fill>, AuctionError> {
        let orders = trace.iter().chain(&self.makers).map(|swap| swap.order).collect();
        let mut fills = solve(&Auction::new(orders, self.terms)?).fills;
        fills.truncate(trace.len());
        Ok(fills)
    }
}
