//! The bridge limiter: what leaves waits until its token's rate allows it.

use super::trace::{Access, LimiterTrace, OpTrace};
use super::BatchContext;
use crate::account::limiter_index;
use crate::{state::State, Account, Fr, Token, TokenLimits};

/// Largest theoretical arrival time of a limiter.
pub const TAT_CAP: u128 = 1 << 127;

/// The limiter's rule (GCRA): new arrival time and release time. The sum that saturates is one that
/// the cap cuts, and the difference one that `now` replaces: both are exact.
#[must_use]
pub fn limit(tat: u128, amount: u128, time: u64, limits: &TokenLimits) -> (u128, u64) {
    let now = u128::from(time);
    let quotient = amount.div_ceil(u128::from(limits.rate.max(1)));
    let tat = tat.max(now).saturating_add(quotient).min(TAT_CAP);
    let earliest = tat
        .saturating_sub(u128::from(limits.burst_seconds))
        .max(now);
    let latest = now + u128::from(limits.max_delay);
    (tat, earliest.min(latest) as u64)
}

/// The limiter's part of an exit.
pub(super) fn leave(
    state: &State,
    context: &BatchContext,
    token: Token,
    amount: u128,
    trace: &mut OpTrace,
) {
    let index = limiter_index(token);
    let before = state.account(index).copied();
    let account = before.unwrap_or_else(|| Account::new(Fr::from(0u64), token));
    let limits = context.policy.limits_tree().limits(token);
    let (tat_after, release_time) = limit(account.balance, amount, context.time, &limits);
    trace.limiter = Some(LimiterTrace {
        token,
        amount,
        tat_before: account.balance,
        tat_after,
        release_time,
        limits,
    });
    trace.accesses[1] = Some(Access {
        index,
        before,
        after: Some(Account {
            balance: tat_after,
            ..account
        }),
    });
}
