//! What a policy fixes for all auctions: fee and margin.

use crate::AuctionError;

/// The denominator of fee and margin: `2^16`.
pub const ONE: u32 = 1 << 16;

/// Fee and margin, both in parts of [`ONE`] of the price.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terms {
    fee: u16,
    margin: u16,
}

impl Default for Terms {
    /// SPEEDEX's values: a fee of `2^-15`, a margin of `2^-10` (its `tax_rate` 15 and `smooth_mult` 10).
    fn default() -> Self {
        Self { fee: 2, margin: 64 }
    }
}

impl Terms {
    /// Largest margin: an eighth of the price.
    pub const MAX_MARGIN: u16 = 1 << 13;

    /// Terms of a fee and a margin.
    ///
    /// The fee is at least 1: what is rounded must be paid from something, and without a fee hardly any
    /// auction would clear. The margin is above the fee: an order of which the fee takes all that it is
    /// better than the price cannot be filled.
    ///
    /// # Errors
    /// [`AuctionError::Terms`] unless `0 < fee < margin <= 2^13`.
    pub fn new(fee: u16, margin: u16) -> Result<Self, AuctionError> {
        if fee == 0 || fee >= margin || margin > Self::MAX_MARGIN {
            return Err(AuctionError::Terms { fee, margin });
        }
        Ok(Self { fee, margin })
    }

    /// The fee, in parts of [`ONE`] of what is paid.
    #[must_use]
    pub fn fee(&self) -> u16 {
        self.fee
    }

    /// The margin, in parts of [`ONE`] of the price.
    #[must_use]
    pub fn margin(&self) -> u16 {
        self.margin
    }

    /// `ONE - fee`: what is left of a payment.
    pub(crate) fn net(&self) -> u64 {
        u64::from(ONE) - u64::from(self.fee)
    }

    /// `ONE - margin`: the part of the price that an order may ask for and must be filled whole.
    pub(crate) fn clear(&self) -> u64 {
        u64::from(ONE) - u64::from(self.margin)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terms_out_of_range_are_refused() {
        for (fee, margin) in [(0, 64), (64, 64), (65, 64), (1, Terms::MAX_MARGIN + 1)] {
            let refused = Terms::new(fee, margin);
            assert!(matches!(refused, Err(AuctionError::Terms { .. })), "{fee} {margin}");
        }
        let Terms { fee, margin } = Terms::default();
        assert_eq!(Terms::new(fee, margin).unwrap(), Terms::default());
        assert!(Terms::new(1, Terms::MAX_MARGIN).is_ok());
    }
}
