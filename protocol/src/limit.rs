//! Limit prices: binary floats that are compared without division.

use crate::field::serde_decimal;
use crate::ProtocolError;
use ruint::aliases::U256;
use serde::{Deserialize, Serialize};

/// Bits of the exponent in a posted word.
const EXPONENT_BITS: u32 = 7;

/// A limit price: the least number of units of the bought token for one unit of the sold token, both in
/// the tokens' smallest units. It is `mantissa / 2^exponent`.
///
/// The mantissa has its top bit set, so each price has one form. The range is `2^-64` to below `2^64`:
/// tokens of 6 and of 18 decimals differ by `2^40`, and what is left is for their worth. Zero is no limit
/// price: nobody sells for nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(into = "Parts", try_from = "Parts")]
pub struct Limit {
    mantissa: u64,
    exponent: u8,
}

/// The two parts as they are written; reading checks them.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Parts {
    #[serde(with = "serde_decimal")]
    mantissa: u128,
    exponent: u8,
}

impl From<Limit> for Parts {
    fn from(limit: Limit) -> Self {
        Self { mantissa: limit.mantissa.into(), exponent: limit.exponent }
    }
}

impl TryFrom<Parts> for Limit {
    type Error = ProtocolError;

    fn try_from(Parts { mantissa, exponent }: Parts) -> Result<Self, ProtocolError> {
        match u64::try_from(mantissa) {
            Ok(mantissa) => Self::new(mantissa, exponent),
            Err(_) => Err(ProtocolError::Limit { mantissa, exponent }),
        }
    }
}

impl Limit {
    /// Largest exponent.
    pub const MAX_EXPONENT: u8 = 127;

    /// A limit of its two parts.
    ///
    /// # Errors
    /// [`ProtocolError::Limit`] if the mantissa's top bit is not set or the exponent is above 127.
    pub fn new(mantissa: u64, exponent: u8) -> Result<Self, ProtocolError> {
        if mantissa >> 63 == 0 || exponent > Self::MAX_EXPONENT {
            return Err(ProtocolError::Limit { mantissa: mantissa.into(), exponent });
        }
        Ok(Self { mantissa, exponent })
    }

    /// The least limit that is not below `bought / sold`: rounding never costs the order's owner.
    ///
    /// # Errors
    /// [`ProtocolError::LimitRange`] if the quotient is not within `2^-64` and `2^64`.
    pub fn of(bought: u128, sold: u128) -> Result<Self, ProtocolError> {
        let error = ProtocolError::LimitRange { bought, sold };
        if bought == 0 || sold == 0 {
            return Err(error);
        }
        // With this exponent the quotient is above 2^62 and below 2^64; if it is below 2^63, one more bit.
        let bits = |x: u128| 128 - i32::try_from(x.leading_zeros()).unwrap_or(0);
        let first = 63 + bits(sold) - bits(bought);
        for exponent in [first, first + 1] {
            if !(0..=i32::from(Self::MAX_EXPONENT)).contains(&exponent) {
                continue;
            }
            let shifted = U256::from(bought) << exponent.unsigned_abs() as usize;
            let mantissa = shifted.div_ceil(U256::from(sold));
            let Ok(mantissa) = u64::try_from(mantissa) else {
                // Exactly 2^64 after rounding up: the same price with the next smaller exponent.
                return match u8::try_from(exponent - 1) {
                    Ok(exponent) => Self::new(1 << 63, exponent),
                    Err(_) => Err(error),
                };
            };
            if mantissa >> 63 == 1 {
                return Self::new(mantissa, exponent.unsigned_abs() as u8);
            }
        }
        Err(error)
    }

    /// The posted word of 71 bits: `mantissa x 2^7 + exponent`.
    #[must_use]
    pub fn word(&self) -> u128 {
        u128::from(self.mantissa) << EXPONENT_BITS | u128::from(self.exponent)
    }

    /// The limit of a posted word.
    ///
    /// # Errors
    /// [`ProtocolError::Limit`] if the mantissa does not have 64 bits.
    pub fn from_word(word: u128) -> Result<Self, ProtocolError> {
        let mantissa = word >> EXPONENT_BITS;
        let exponent = (word & u128::from(Self::MAX_EXPONENT)) as u8;
        Parts { mantissa, exponent }.try_into()
    }

    /// The mantissa, `L_m`; its top bit is set.
    #[must_use]
    pub fn mantissa(&self) -> u64 {
        self.mantissa
    }

    /// The exponent, `e`, at most 127.
    #[must_use]
    pub fn exponent(&self) -> u8 {
        self.exponent
    }

    /// The least that must be paid for `sold` units: `sold x mantissa / 2^exponent`, rounded up. At most
    /// 192 bits, and not 0 unless `sold` is.
    #[must_use]
    pub fn least(&self, sold: u128) -> U256 {
        let product = U256::from(sold) * U256::from(self.mantissa);
        let down = product >> usize::from(self.exponent);
        match down << usize::from(self.exponent) == product {
            true => down,
            false => down + U256::from(1),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn malformed_limits_are_refused() {
        assert!(matches!(Limit::new(1, 0), Err(ProtocolError::Limit { mantissa: 1, exponent: 0 })));
        assert!(matches!(
            Limit::new(1 << 63, 128),
            Err(ProtocolError::Limit { exponent: 128, .. })
        ));
        for (bought, sold) in
            [(0, 1), (1, 0), (u128::MAX, 1), (1 << 64, 1), (1, (1 << 64) + (1 << 10))]
        {
            let range = Limit::of(bought, sold);
            assert!(matches!(range, Err(ProtocolError::LimitRange { .. })), "{bought} / {sold}");
        }
    }

    #[test]
    fn ends_of_the_range() {
        assert_eq!(Limit::of(1, 1).unwrap(), Limit::new(1 << 63, 63).unwrap());
        assert_eq!(Limit::of(1, 1 << 64).unwrap(), Limit::new(1 << 63, 127).unwrap());
        assert_eq!(Limit::of(u128::from(u64::MAX), 1).unwrap(), Limit::new(u64::MAX, 0).unwrap());
        // Rounded up to a power of two.
        let above = Limit::of((1 << 100) - 1, 1 << 100).unwrap();
        assert_eq!(above, Limit::new(1 << 63, 63).unwrap());
    }

    proptest! {
        #[test]
        fn it_is_the_least_limit_above_the_quotient(bought in 1_u128..1 << 100, sold in 1_u128..1 << 100) {
            if let Ok(limit) = Limit::of(bought, sold) {
                let one = U256::from(sold) * U256::from(limit.mantissa);
                let other = U256::from(bought) << usize::from(limit.exponent);
                prop_assert!(one >= other);
                prop_assert!(one - other < U256::from(sold) * U256::from(2));
            }
        }

        #[test]
        fn least_is_rounded_up(sold: u128, mantissa in 1_u64 << 63.., exponent in 0_u8..128) {
            let limit = Limit::new(mantissa, exponent).unwrap();
            let (least, product) = (limit.least(sold), U256::from(sold) * U256::from(mantissa));
            prop_assert!(least << usize::from(exponent) >= product || exponent > 64);
            prop_assert_eq!(least, product.div_ceil(U256::from(1) << usize::from(exponent)));
        }
    }
}
