//! What a transaction pays, and what one must pay to take another's place.

use alloy::primitives::U256;
use serde::{Deserialize, Serialize};

use crate::types::Market;

/// What the fees of a replacement must be above those of the transaction that it replaces, in percent.
pub const REPLACEMENT: u32 = 10;
/// The same where the transaction carries blobs; there it holds for the fee of the blobs, too, and all
/// three must rise together.
pub const BLOB_REPLACEMENT: u32 = 100;

/// What a transaction pays for each gas, in wei.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fees {
    /// At most in all.
    pub max: u128,
    /// At most to the proposer of its block.
    pub tip: u128,
}

impl Fees {
    /// What to pay in a market: base fees may double before the transaction is passed over. The tip is at
    /// least `floor`.
    pub fn of(market: Market, floor: u128) -> Self {
        let tip = market.tip.max(floor).max(1);
        Self { max: market.base_fee.saturating_mul(2).saturating_add(tip), tip }
    }

    /// The same with no more than a limit for each gas.
    #[must_use]
    pub fn within(self, limit: u128) -> Self {
        Self { max: self.max.min(limit), tip: self.tip.min(limit) }
    }

    /// The least that replaces a transaction which pays this; `None` if no number is large enough.
    pub fn replacement(self) -> Option<Self> {
        let [max, tip] = replacement([self.max, self.tip], [0, 0], REPLACEMENT)?;
        Some(Self { max, tip })
    }

    /// What a transaction may cost at most, in wei: its gas and what it brings.
    pub fn total(self, gas: u64, value: U256) -> U256 {
        U256::from(gas).saturating_mul(U256::from(self.max)).saturating_add(value)
    }
}

/// The fees by which a transaction replaces one that pays `old`: each at least `wanted`, and above the old
/// one by more than the percentage, so that also a node that compares strictly takes it. `None` if no
/// number is large enough.
///
/// All fees of a transaction must rise together; nodes refuse a replacement of which one does not.
pub fn replacement<const N: usize>(
    old: [u128; N],
    wanted: [u128; N],
    percent: u32,
) -> Option<[u128; N]> {
    let mut new = wanted;
    for (new, old) in new.iter_mut().zip(old) {
        *new = (*new).max(bumped(old, percent)?);
    }
    Some(new)
}

/// The least number that is above `old` by more than a percentage.
fn bumped(old: u128, percent: u32) -> Option<u128> {
    let percent = u128::from(percent);
    // The floor of the percentage, without a product that may not fit.
    let more = (old / 100).checked_mul(percent)?.checked_add(old % 100 * percent / 100)?;
    old.checked_add(more)?.checked_add(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Whether a number is at least the percentage above another, without rounding.
    fn is_above(new: u128, old: u128, percent: u32) -> bool {
        let (new, old) = (U256::from(new), U256::from(old));
        new * U256::from(100) >= old * U256::from(100 + percent) && new > old
    }

    proptest! {
        /// Nodes compare with `old * 110 / 100`, rounded down, and some of them strictly.
        #[test]
        fn a_replacement_is_always_accepted(
            max in 0..u128::MAX / 4,
            tip in 0..u128::MAX / 4,
            market in 0..u128::MAX / 8,
            floor in any::<u64>(),
        ) {
            let old = Fees { max: max.max(tip), tip };
            let wanted = Fees::of(Market { base_fee: market, tip: market / 3 }, floor.into());
            let [max, tip] =
                replacement([old.max, old.tip], [wanted.max, wanted.tip], REPLACEMENT).unwrap();
            prop_assert!(is_above(max, old.max, REPLACEMENT) && is_above(tip, old.tip, REPLACEMENT));
            prop_assert!(max >= wanted.max && tip >= wanted.tip && max >= tip);
            let least = old.replacement().unwrap();
            prop_assert!(least.max <= max && least.tip <= tip && least.max >= least.tip);
        }

        /// Of a transaction with blobs all three fees double at least.
        #[test]
        fn a_replacement_with_blobs_doubles_all_three_fees(
            old in any::<[u64; 3]>(),
            wanted in any::<[u64; 3]>(),
        ) {
            let old = old.map(u128::from);
            let new = replacement(old, wanted.map(u128::from), BLOB_REPLACEMENT).unwrap();
            for (new, old) in new.into_iter().zip(old) {
                prop_assert!(is_above(new, old, BLOB_REPLACEMENT));
            }
        }
    }

    #[test]
    fn small_and_large_fees_rise_too() {
        for (old, percent, new) in [
            (0, 10, Some(1)),
            (1, 10, Some(2)),
            (9, 10, Some(10)),
            (10, 10, Some(12)),
            (19, 10, Some(21)),
            (1_000_000_000, 10, Some(1_100_000_001)),
            (1, 100, Some(3)),
            (7, 100, Some(15)),
            (u128::MAX, 10, None),
            (u128::MAX / 2, 100, Some(u128::MAX)),
        ] {
            assert_eq!(bumped(old, percent), new, "{old} by {percent} %");
        }
        assert!(Fees { max: u128::MAX, tip: 1 }.replacement().is_none());
    }

    #[test]
    fn fees_follow_the_market_within_limits() {
        let fees = Fees::of(Market { base_fee: 100, tip: 7 }, 10);
        assert_eq!(fees, Fees { max: 210, tip: 10 });
        assert_eq!(fees.within(150), Fees { max: 150, tip: 10 });
        assert_eq!(fees.within(4), Fees { max: 4, tip: 4 });
        assert_eq!(Fees::of(Market { base_fee: 100, tip: 0 }, 0).tip, 1);
        assert_eq!(fees.total(21_000, U256::from(5)), U256::from(21_000 * 210 + 5));
        let most = Fees { max: u128::MAX, tip: 0 }.total(u64::MAX, U256::MAX);
        assert_eq!(most, U256::MAX);
    }
}
