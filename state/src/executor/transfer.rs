//! What a transfer does to the account that is paid.

use bastion_protocol::account::is_limiter;
use bastion_protocol::keys::owner;
use bastion_protocol::{Account, Index, Opening, Token};

use super::{Access, Rejection};
use crate::state::State;

/// Pays an account that exists.
pub(super) fn to_account(
    state: &State,
    to: Index,
    token: Token,
    amount: u128,
) -> Result<Access, Rejection> {
    let before = *state.account(to).ok_or(Rejection::NoSuchAccount(to))?;
    if is_limiter(to) {
        return Err(Rejection::IsLimiter(to));
    }
    if before.token != token {
        return Err(Rejection::WrongToken { account: to, expected: before.token, got: token });
    }
    let balance = before.balance.checked_add(amount).ok_or(Rejection::BalanceOverflow(to))?;
    Ok(Access { index: to, before: Some(before), after: Some(Account { balance, ..before }) })
}

/// Creates the account that is paid.
pub(super) fn to_new(
    state: &State,
    (keyhash, exit): Opening,
    token: Token,
    amount: u128,
) -> Result<Access, Rejection> {
    let created = Account { balance: amount, ..Account::new(owner(keyhash, exit), token) };
    Ok(Access { index: state.free_index()?, before: None, after: Some(created) })
}
