//! Forced exits, as the L1 queue holds them.

use bastion_protocol::account::FIRST_USER;
use bastion_protocol::ops::ForcedExit;
use bastion_protocol::{Account, Kind};

use super::deposit::refuse_zero_exit;
use super::limiter::leave;
use super::{Access, BatchContext, OpTrace, Rejection};
use crate::state::State;

/// The whole balance leaves, or nothing happens if the account does not match: every queued request
/// can be proven in every state.
pub(super) fn forced_exit(
    state: &State,
    context: &BatchContext,
    f: &ForcedExit,
    mut trace: OpTrace,
) -> Result<OpTrace, Rejection> {
    if f.index < FIRST_USER {
        return Err(Rejection::SystemAccount(f.index));
    }
    refuse_zero_exit(f.exit)?;
    let before = state.account(f.index).copied();
    trace.opening = before.and_then(|a| state.opening(a.owner));
    let matches = before.is_some_and(|a| a.token == f.token)
        && trace.opening.is_some_and(|(_, exit)| exit == f.exit);
    let after = match before {
        Some(account) if matches => {
            trace.kind = Kind::ForcedExit;
            trace.amount = account.balance;
            leave(state, context, account.token, account.balance, &mut trace);
            Some(Account { balance: 0, ..account })
        }
        Some(_) | None => {
            trace.kind = Kind::ForcedExitNoop;
            before
        }
    };
    trace.accesses[0] = Some(Access { index: f.index, before, after });
    Ok(trace)
}
