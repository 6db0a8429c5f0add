//! Deposits, as the L1 queue holds them.

use super::trace::{Access, OpTrace};
use super::Rejection;
use crate::state::State;
use bastion_protocol::keys::owner;
use bastion_protocol::ops::Deposit;
use bastion_protocol::Kind;
use bastion_protocol::{Account, Address};

pub(super) fn deposit(
    state: &State,
    d: &Deposit,
    mut trace: OpTrace,
) -> Result<OpTrace, Rejection> {
    refuse_zero_exit(d.exit)?;
    if d.amount == 0 {
        return Err(Rejection::ZeroAmount);
    }
    let owner = owner(d.keyhash, d.exit);
    trace.amount = d.amount;
    trace.opening = Some((d.keyhash, d.exit));
    // L1 has taken it, and the queue must go on: where an account has no place for it (more than
    // 2^128 of a token can be there after blocks were taken back), another one gets it.
    let fitting = state.held_by(owner, d.token).find_map(|(index, account)| {
        let balance = account.balance.checked_add(d.amount)?;
        Some((index, account, balance))
    });
    let (index, before, after) = match fitting {
        Some((index, account, balance)) => {
            trace.kind = Kind::Deposit;
            (index, Some(*account), Account { balance, ..*account })
        }
        None => {
            trace.kind = Kind::DepositNew;
            let account = Account { balance: d.amount, ..Account::new(owner, d.token) };
            (state.free_index()?, None, account)
        }
    };
    trace.accesses[0] = Some(Access { index, before, after: Some(after) });
    Ok(trace)
}

/// What L1 would not queue is refused here too: a block with it is never accepted, and of a limiter
/// it could not even be proven.
pub(super) fn refuse_zero_exit(exit: Address) -> Result<(), Rejection> {
    if exit == Address([0; 20]) {
        return Err(Rejection::ZeroExit);
    }
    Ok(())
}
