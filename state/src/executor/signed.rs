//! Signed operations, the owners' and the guardian's.

use bastion_protocol::account::{fee_index, is_limiter};
use bastion_protocol::keys::{owner, Claim, Verified};
use bastion_protocol::ops::{Action, Op, SignedOp};
use bastion_protocol::{Account, Address, Token};

use super::freeze::{freeze, unfreeze};
use super::limiter::leave;
use super::transfer::{to_account, to_new};
use super::{Access, BatchContext, OpTrace, Rejection};
use crate::state::State;

/// What an operation's signature is claimed to be of, as far as the state can tell: a claim that holds
/// ([`check_claims`](bastion_protocol::keys::check_claims)) spares the executor its own check. `None` for
/// what is not signed, or by somebody whom the state does not know (yet).
#[must_use]
pub fn claim(state: &State, context: &BatchContext, op: &Op) -> Option<Claim> {
    let Op::Signed(SignedOp { body, key, signature }) = op else {
        return None;
    };
    let (_, exit) = state.opening(state.account(body.account)?.owner)?;
    let message = body.message(context.domain, exit).ok()?;
    Some(Claim { key: *key, message, signature: *signature })
}

pub(super) fn signed(
    state: &State,
    context: &BatchContext,
    op: &SignedOp,
    checked: Option<&Verified>,
    mut trace: OpTrace,
) -> Result<OpTrace, Rejection> {
    let body = &op.body;
    let index = body.account;
    let account = *state.account(index).ok_or(Rejection::NoSuchAccount(index))?;
    if is_limiter(index) {
        return Err(Rejection::IsLimiter(index));
    }
    if account.token != body.token {
        return Err(Rejection::WrongToken {
            account: index,
            expected: account.token,
            got: body.token,
        });
    }
    if body.deadline < context.time {
        return Err(Rejection::PastDeadline { deadline: body.deadline, time: context.time });
    }
    let opening = state.opening(account.owner);
    let (_, exit) = opening.ok_or(Rejection::NotOwner(index))?;
    let message = body.message(context.domain, exit)?;
    trace.message = Some(message);
    trace.opening = opening;
    trace.kind = body.action.kind();
    if trace.kind.by_guardian() {
        guardian(context, op, &account, &mut trace)?;
    } else {
        by_owner(state, context, op, account, exit, &mut trace)?;
    }
    let known = checked.is_some_and(|v| v.covers(&op.key, message, &op.signature));
    match known || op.key.verify(message, &op.signature) {
        true => Ok(trace),
        false => Err(Rejection::BadSignature(index)),
    }
}

fn guardian(
    context: &BatchContext,
    op: &SignedOp,
    account: &Account,
    trace: &mut OpTrace,
) -> Result<(), Rejection> {
    let index = op.body.account;
    if op.key.keyhash() != context.policy.guardian_keyhash {
        return Err(Rejection::NotGuardian);
    }
    if op.body.nonce != 0 {
        return Err(Rejection::WrongNonce { account: index, expected: 0, got: op.body.nonce });
    }
    if op.body.fee != 0 {
        return Err(Rejection::Encoding("the guardian pays no fee".into()));
    }
    let after = match op.body.action {
        Action::Freeze { until, old_until } => freeze(context, index, account, until, old_until)?,
        Action::Unfreeze { old_until } => unfreeze(context, index, account, old_until)?,
        Action::Transfer { .. }
        | Action::TransferNew { .. }
        | Action::Withdraw { .. }
        | Action::ChangeKey { .. } => return Err(Rejection::NotGuardian),
    };
    trace.accesses[0] = Some(Access { index, before: Some(*account), after: Some(after) });
    Ok(())
}

fn by_owner(
    state: &State,
    context: &BatchContext,
    op: &SignedOp,
    account: Account,
    exit: Address,
    trace: &mut OpTrace,
) -> Result<(), Rejection> {
    let body = &op.body;
    let (index, token) = (body.account, account.token);
    if owner(op.key.keyhash(), exit) != account.owner {
        return Err(Rejection::NotOwner(index));
    }
    if body.nonce != account.nonce {
        return Err(Rejection::WrongNonce {
            account: index,
            expected: account.nonce,
            got: body.nonce,
        });
    }
    let nonce = account.nonce.checked_add(1).ok_or(Rejection::NonceExhausted(index))?;
    if matches!(body.action, Action::Transfer { to, .. } if to == index) {
        return Err(Rejection::SelfTransfer(index));
    }
    let amount = body.action.amount();
    if amount == Some(0) {
        return Err(Rejection::ZeroAmount);
    }
    let amount = amount.unwrap_or_default();
    let to_exit = matches!(body.action, Action::Withdraw { to, .. } if to == exit);
    if account.is_frozen(context.time) && !to_exit {
        return Err(Rejection::Frozen { account: index, until: account.frozen_until });
    }
    let needed = amount.checked_add(body.fee).ok_or(Rejection::CostOverflow {
        account: index,
        amount,
        fee: body.fee,
    })?;
    let balance = account.balance.checked_sub(needed).ok_or(Rejection::InsufficientBalance {
        account: index,
        balance: account.balance,
        needed,
    })?;
    trace.amount = amount;
    trace.fee = body.fee;
    let mut sender = Account { nonce, balance, ..account };
    match body.action {
        Action::Transfer { to, amount } => {
            trace.accesses[1] = Some(to_account(state, to, token, amount)?);
        }
        Action::TransferNew { keyhash, exit, amount } => {
            trace.accesses[1] = Some(to_new(state, (keyhash, exit), token, amount)?);
        }
        Action::Withdraw { amount, .. } => leave(state, context, token, amount, trace),
        Action::ChangeKey { keyhash } => sender.owner = owner(keyhash, exit),
        Action::Freeze { .. } | Action::Unfreeze { .. } => return Err(Rejection::NotOwner(index)),
    }
    trace.accesses[0] = Some(Access { index, before: Some(account), after: Some(sender) });
    trace.accesses[2] = Some(fee_access(state, context, trace, token, body.fee)?);
    Ok(())
}

/// The fee account after the accesses so far (it may be sender or receiver itself).
fn fee_access(
    state: &State,
    context: &BatchContext,
    trace: &OpTrace,
    token: Token,
    fee: u128,
) -> Result<Access, Rejection> {
    let index = fee_index(token);
    let before = trace.accesses[..2]
        .iter()
        .flatten()
        .rev()
        .find(|a| a.index == index)
        .map_or_else(|| state.account(index).copied(), |a| a.after);
    let account = before.unwrap_or_else(|| Account::new(context.policy.fee_owner(), token));
    let balance = account.balance.checked_add(fee).ok_or(Rejection::BalanceOverflow(index))?;
    Ok(Access { index, before, after: Some(Account { balance, ..account }) })
}
