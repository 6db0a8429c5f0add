//! The rule of the bridge limiter (protocol section 5): what leaves waits until its token's rate
//! allows it.

use crate::TokenLimits;

/// Largest theoretical arrival time of a limiter.
pub const TAT_CAP: u128 = 1 << 127;

/// GCRA: new arrival time and release time. The sum that saturates is one that the cap cuts, and the
/// difference one that `now` replaces: both are exact.
#[must_use]
pub fn limit(tat: u128, amount: u128, time: u64, limits: &TokenLimits) -> (u128, u64) {
    let now = u128::from(time);
    let quotient = amount.div_ceil(u128::from(limits.rate.max(1)));
    let tat = tat.max(now).saturating_add(quotient).min(TAT_CAP);
    let earliest = tat.saturating_sub(u128::from(limits.burst_seconds)).max(now);
    let latest = now + u128::from(limits.max_delay);
    (tat, earliest.min(latest) as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIME: u64 = 1_800_000_000;

    #[test]
    fn the_limiter_is_exact_at_its_edges() {
        let limits =
            |rate, burst_seconds, max_delay| TokenLimits { rate, burst_seconds, max_delay };
        // Within the burst nothing waits; one unit more waits a second.
        assert_eq!(limit(0, 50, TIME, &limits(10, 5, 100)), (TIME as u128 + 5, TIME));
        assert_eq!(limit(0, 51, TIME, &limits(10, 5, 100)), (TIME as u128 + 6, TIME + 1));
        // What was used before counts, and no wait is longer than the longest.
        let (tat, release) = limit(TIME as u128 + 6, 1000, TIME, &limits(10, 5, 100));
        assert_eq!((tat, release), (TIME as u128 + 106, TIME + 100));
        // The arrival time stops growing at its cap.
        assert_eq!(limit(TAT_CAP, u128::MAX, TIME, &limits(1, 0, 7)), (TAT_CAP, TIME + 7));
        assert_eq!(limit(0, u128::MAX, TIME, &limits(1, 0, 7)), (TAT_CAP, TIME + 7));
    }
}
