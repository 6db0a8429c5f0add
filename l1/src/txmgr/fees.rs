//! What a transaction pays, and what one must pay to take another's place.

use alloy::primitives::U256;
use serde::{Deserialize, Serialize};

use crate::types::Market;

/// What the fees of a replacement must be above those of the transaction that it replaces, in percent.
pub const REPLACEMENT: u32 = 10;
/// The same where the transaction carries blobs; there it holds for the fee of the blobs, too, and all
/// three must rise together.
pub const BLOB_REPLACEMENT: u32 = 100;

/// Gas of a blob (EIP-4844, `GAS_PER_BLOB`).
pub const BLOB_GAS: u64 = 1 << 17;

/// What a transaction pays for each gas, in wei.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fees {
    /// At most in all.
    pub max: u128,
    /// At most to the proposer of its block.
    pub tip: u128,
    /// At most for each unit of the gas of its blobs; 0 for a transaction without blobs.
    pub blob: u128,
}

impl Fees {
    /// What to pay in a market: base fees may double before the transaction is passed over. The tip is at
    /// least `floor`.
    pub fn of(market: Market, floor: u128) -> Self {
        let tip = market.tip.max(floor).max(1);
        Self { max: market.base_fee.saturating_mul(2).saturating_add(tip), tip, blob: 0 }
    }

    /// The same for a transaction with blobs, whose fee may double too.
    #[must_use]
    pub fn with_blobs(self, market: Market) -> Self {
        Self { blob: market.blob_fee.saturating_mul(2).max(1), ..self }
    }

    /// The same with no more than a limit for each gas.
    #[must_use]
    pub fn within(self, limit: u128) -> Self {
        Self { max: self.max.min(limit), tip: self.tip.min(limit), blob: self.blob.min(limit) }
    }

    /// What replaces a transaction that pays this: at least `wanted`; `None` if no number is large enough.
    /// Of a transaction with blobs all three fees must double, whatever the replacement is for.
    pub fn replaced_by(self, wanted: Self) -> Option<Self> {
        if self.blob == 0 {
            let (old, new) = ([self.max, self.tip], [wanted.max, wanted.tip]);
            let [max, tip] = replacement(old, new, REPLACEMENT)?;
            return Some(Self { max, tip, blob: 0 });
        }
        let (old, new) = ([self.max, self.tip, self.blob], [wanted.max, wanted.tip, wanted.blob]);
        let [max, tip, blob] = replacement(old, new, BLOB_REPLACEMENT)?;
        Some(Self { max, tip, blob })
    }

    /// The least that replaces a transaction which pays this; `None` if no number is large enough.
    pub fn replacement(self) -> Option<Self> {
        self.replaced_by(Self { max: 0, tip: 0, blob: 0 })
    }

    /// What a transaction may cost at most, in wei: its gas, its blobs and what it brings.
    pub fn total(self, gas: u64, blobs: usize, value: U256) -> U256 {
        let product = |gas: u64, fee: u128| U256::from(gas).saturating_mul(U256::from(fee));
        let of_blobs = BLOB_GAS.saturating_mul(blobs as u64);
        let own = product(gas, self.max).saturating_add(product(of_blobs, self.blob));
        own.saturating_add(value)
    }

    /// The most that any of the fees is.
    pub fn highest(self) -> u128 {
        self.max.max(self.blob)
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
            let old = Fees { max: max.max(tip), tip, blob: 0 };
            let market = Market { base_fee: market, tip: market / 3, blob_fee: 7 };
            let wanted = Fees::of(market, floor.into());
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
        assert!(Fees { max: u128::MAX, tip: 1, blob: 0 }.replacement().is_none());
        assert!(Fees { max: 1, tip: 1, blob: u128::MAX }.replacement().is_none());
    }

    #[test]
    fn fees_follow_the_market_within_limits() {
        let market = Market { base_fee: 100, tip: 7, blob_fee: 3 };
        let fees = Fees::of(market, 10);
        assert_eq!(fees, Fees { max: 210, tip: 10, blob: 0 });
        assert_eq!(fees.within(150), Fees { max: 150, tip: 10, blob: 0 });
        assert_eq!(fees.within(4), Fees { max: 4, tip: 4, blob: 0 });
        assert_eq!(Fees::of(Market { base_fee: 100, tip: 0, blob_fee: 0 }, 0).tip, 1);
        assert_eq!(fees.total(21_000, 0, U256::from(5)), U256::from(21_000 * 210 + 5));
        let blob = fees.with_blobs(market);
        assert_eq!(blob, Fees { max: 210, tip: 10, blob: 6 });
        assert_eq!(blob.within(4).blob, 4);
        assert_eq!(fees.with_blobs(Market { blob_fee: 0, ..market }).blob, 1);
        let total = U256::from(21_000 * 210 + 6 * 131_072 + 5);
        assert_eq!(blob.total(21_000, 1, U256::from(5)), total);
        let total = U256::from(21_000 * 210 + 6 * 6 * 131_072 + 5);
        assert_eq!(blob.total(21_000, 6, U256::from(5)), total);
        // All three double, also where the market asks for less.
        let twice = blob.replaced_by(fees).unwrap();
        assert_eq!(twice, Fees { max: 421, tip: 21, blob: 13 });
        let most = Fees { max: u128::MAX, tip: 0, blob: 0 }.total(u64::MAX, usize::MAX, U256::MAX);
        assert_eq!(most, U256::MAX);
    }
}
