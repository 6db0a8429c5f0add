//! Arithmetic in integers: logarithms, shares, and sums that do not overflow.

use serde::{Deserialize, Serialize};

/// Parts per million of one.
pub const PPM: u64 = 1_000_000;

/// `log2(x)` in sixteenths, rounded down on a line between powers of two (at most 1.4 sixteenths too
/// low); 0 for 0 and 1.
#[must_use]
pub fn log16(x: u128) -> u32 {
    let Some(exponent) = x.checked_ilog2() else {
        return 0;
    };
    let fraction = match exponent {
        0..=3 => (x << (4 - exponent)) & 15,
        _ => (x >> (exponent - 4)) & 15,
    };
    // Below 16.
    exponent * 16 + fraction as u32
}

/// `log2(x) 2^16`, rounded down, for `x > 0`; 0 for 0.
#[must_use]
pub fn log2_q16(x: u64) -> i64 {
    let Some(exponent) = x.checked_ilog2() else {
        return 0;
    };
    // Mantissa in [1, 2) with 31 bits; its square has at most 64 bits.
    let mut mantissa = (u128::from(x) << 31 >> exponent) as u64;
    let mut result = i64::from(exponent) << 16;
    for bit in (0..16).rev() {
        mantissa = ((u128::from(mantissa) * u128::from(mantissa)) >> 31) as u64;
        if mantissa >> 32 != 0 {
            mantissa >>= 1;
            result |= 1 << bit;
        }
    }
    result
}

/// `part / whole` in thousandths, rounded down, at most `i64::MAX`; 0 for a whole of 0.
#[must_use]
pub fn permille(part: u128, whole: u128) -> i64 {
    if whole == 0 {
        return 0;
    }
    let exact = part.checked_mul(1000).map(|p| p / whole);
    // Where the product has no place, the whole is cut first: off by less than a thousandth of it.
    let value = exact.unwrap_or_else(|| part / (whole / 1000).max(1));
    i64::try_from(value).unwrap_or(i64::MAX)
}

/// Number of zeros at the end of the decimal form; 0 for 0.
#[must_use]
pub fn trailing_zeros(mut x: u128) -> u32 {
    let mut zeros = 0;
    while x != 0 && x.is_multiple_of(10) {
        x /= 10;
        zeros += 1;
    }
    zeros
}

/// An unsigned integer of 192 bits: sums of many amounts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
pub struct Wide {
    high: u64,
    low: u128,
}

impl Wide {
    /// The sum; at the type's end it stays there, which 2^64 amounts could reach at the earliest.
    #[must_use]
    pub fn plus(self, amount: u128) -> Self {
        let (low, carry) = self.low.overflowing_add(amount);
        match self.high.checked_add(u64::from(carry)) {
            Some(high) => Self { high, low },
            None => Self { high: u64::MAX, low: u128::MAX },
        }
    }

    /// The difference, if it is not negative.
    #[must_use]
    pub fn minus(self, amount: u128) -> Option<Self> {
        let (low, borrow) = self.low.overflowing_sub(amount);
        self.high.checked_sub(u64::from(borrow)).map(|high| Self { high, low })
    }

    /// The sum of two.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        let sum = self.plus(other.low);
        match sum.high.checked_add(other.high) {
            Some(high) => Self { high, low: sum.low },
            None => Self { high: u64::MAX, low: u128::MAX },
        }
    }

    /// The value, or the largest of 128 bits.
    #[must_use]
    pub fn saturated(self) -> u128 {
        match self.high {
            0 => self.low,
            _ => u128::MAX,
        }
    }
}

impl From<u128> for Wide {
    fn from(low: u128) -> Self {
        Self { high: 0, low }
    }
}

impl std::fmt::Display for Wide {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.high {
            0 => write!(f, "{}", self.low),
            high => write!(f, "{high} * 2^128 + {}", self.low),
        }
    }
}

/// Deterministic pseudo-random numbers (SplitMix64), for the shapes of trees alone: nothing secret.
#[derive(Debug, Clone)]
pub struct SplitMix(pub u64);

impl SplitMix {
    /// The next 64 bits.
    pub fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `bound`, nearly even; 0 for a bound of 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        ((u128::from(self.draw()) * u128::from(bound)) >> 64) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn logarithms_at_powers_and_edges() {
        assert_eq!([log16(0), log16(1), log16(2), log16(3), log16(16)], [0, 0, 16, 24, 64]);
        assert_eq!(log16(u128::MAX), 127 * 16 + 15);
        assert_eq!([log2_q16(1), log2_q16(2), log2_q16(1 << 40)], [0, 1 << 16, 40 << 16]);
        assert_eq!(log2_q16(3), (3f64.log2() * 65536.0) as i64);
        assert_eq!(trailing_zeros(0) + trailing_zeros(12_300), 2);
    }

    proptest! {
        #[test]
        fn the_fine_logarithm_is_the_real_one(x in 1u64..) {
            let real = (x as f64).log2() * 65536.0;
            prop_assert!((log2_q16(x) as f64 - real).abs() < 2.0);
        }

        #[test]
        fn the_coarse_logarithm_grows(x in 0u128.., y in 0u128..) {
            prop_assert_eq!(x.min(y) == x, log16(x) <= log16(y) && (log16(x) < log16(y) || x <= y));
            let real = (x.max(1) as f64).log2() * 16.0;
            prop_assert!((f64::from(log16(x)) - real).abs() < 2.5);
        }

        #[test]
        fn wide_sums_come_back(x in 0u128.., y in 0u128.., z in 0u128..) {
            let sum = Wide::from(x).plus(y).plus(z);
            prop_assert_eq!(sum.minus(y).and_then(|s| s.minus(z)), Some(Wide::from(x)));
            prop_assert_eq!(Wide::from(x).and(Wide::from(y)), Wide::from(y).plus(x));
            prop_assert_eq!(Wide::from(x).minus(y).is_some(), x >= y);
        }

        #[test]
        fn shares_are_monotone(part in 0u128.., whole in 1u128..) {
            prop_assert_eq!(permille(whole, whole), 1000);
            prop_assert!(permille(part.min(whole), whole) <= 1001);
        }
    }
}
