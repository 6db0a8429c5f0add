//! The class of an order: its limit against the quotient of two prices, without division.

use crate::{Limit, Terms, ONE};
use ruint::aliases::U256;
use serde::{Deserialize, Serialize};

/// Where an order's limit lies, seen from the price.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Class {
    /// Better than the price by the margin or more: filled whole.
    Inside,
    /// Between the margin and the price after the fee: filled by the fraction of its pair.
    Marginal,
    /// Worse than the price after the fee: not filled.
    Outside,
}

impl Class {
    /// The class of an order with limit `L = L_m / 2^e` at prices `p_s` of the sold and `p_b` of the bought
    /// token, both of at most 96 bits:
    ///
    /// - inside: `L_m p_b ONE <= p_s 2^e (ONE - margin)`;
    /// - outside: `L_m p_b ONE > p_s 2^e (ONE - fee)`;
    /// - marginal: neither.
    #[must_use]
    pub fn of(limit: Limit, sold: u128, bought: u128, terms: Terms) -> Self {
        // 64 + 96 + 17 bits against 96 + 127 + 16.
        let asked = U256::from(limit.mantissa()) * U256::from(bought) * U256::from(ONE);
        let price = U256::from(sold) << usize::from(limit.exponent());
        if asked <= price * U256::from(terms.clear()) {
            Self::Inside
        } else if asked <= price * U256::from(terms.net()) {
            Self::Marginal
        } else {
            Self::Outside
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use num_bigint::BigUint;
    use proptest::prelude::*;

    #[test]
    fn both_bounds_belong_to_the_better_class() {
        let one = Limit::of(1, 1).unwrap();
        let terms = Terms::default();
        let at = |bought: u128| Class::of(one, u128::from(ONE) << 40, bought << 40, terms);
        assert_eq!(at(u128::from(ONE) - 64), Class::Inside);
        assert_eq!(at(u128::from(ONE) - 63), Class::Marginal);
        assert_eq!(at(u128::from(ONE) - 2), Class::Marginal);
        assert_eq!(at(u128::from(ONE) - 1), Class::Outside);
    }

    proptest! {
        /// The same by cross multiplication of fractions in numbers without bounds.
        #[test]
        fn as_with_fractions(mantissa in 1_u64 << 63.., exponent in 0_u8..128,
                             wide in 1_u128..1 << 96, near in 0_u32..131_072,
                             fee in 1_u16..64, band in 1_u16..8_000) {
            let terms = Terms::new(fee, fee + band).unwrap();
            let limit = Limit::new(mantissa, exponent).unwrap();
            // A sold token's price near the limit, so that all classes come up.
            let sold = (U256::from(wide) * U256::from(mantissa)) >> usize::from(exponent);
            let sold = sold * U256::from(65_536 + near / 8) / U256::from(ONE);
            if let Ok(sold) = u128::try_from(sold) {
                let sold = sold.min((1 << 96) - 1);
                let big = |x: u128| BigUint::from(x);
                let asked = big(mantissa.into()) * big(wide) * big(ONE.into());
                let bid = |part: u64| (big(sold) << exponent) * big(part.into());
                let expected = match (asked <= bid(terms.clear()), asked <= bid(terms.net())) {
                    (true, _) => Class::Inside,
                    (false, true) => Class::Marginal,
                    (false, false) => Class::Outside,
                };
                prop_assert_eq!(Class::of(limit, sold, wide, terms), expected);
            }
        }
    }
}
