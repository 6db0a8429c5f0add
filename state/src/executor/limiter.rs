//! Exits pass the bridge limiter.

use super::trace::{Access, LimiterTrace, OpTrace};
use super::BatchContext;
use crate::state::State;
use bastion_protocol::account::limiter_index;
use bastion_protocol::limiter::limit;
use bastion_protocol::{Account, Fr, Token};

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
    let limits = context.policy.limits_of(token);
    let (tat_after, release_time) = limit(account.balance, amount, context.time, &limits);
    trace.limiter = Some(LimiterTrace {
        token,
        amount,
        tat_before: account.balance,
        tat_after,
        release_time,
        limits,
    });
    trace.accesses[1] =
        Some(Access { index, before, after: Some(Account { balance: tat_after, ..account }) });
}
