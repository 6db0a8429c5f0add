//! Signed operations, the owners' and the guardian's.

use super::limiter::leave;
use super::trace::{Access, OpTrace};
use super::{BatchContext, Rejection};
use crate::state::State;
use bastion_protocol::account::{fee_index, is_limiter};
use bastion_protocol::keys::owner;
use bastion_protocol::ops::{Action, SignedOp};
use bastion_protocol::Kind;
use bastion_protocol::{Account, Address, Fr, Token};

pub(super) fn signed(
    state: &State,
    context: &BatchContext,
    op: &SignedOp,
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
    match body.action {
        Action::Freeze { .. } | Action::Unfreeze { .. } => {
            guardian(context, op, &account, message, &mut trace)?;
        }
        _ => by_owner(state, context, op, account, exit, message, &mut trace)?,
    }
    Ok(trace)
}

fn guardian(
    context: &BatchContext,
    op: &SignedOp,
    account: &Account,
    message: Fr,
    trace: &mut OpTrace,
) -> Result<(), Rejection> {
    let (index, time, policy) = (op.body.account, context.time, &context.policy);
    if op.key.keyhash() != policy.guardian_keyhash {
        return Err(Rejection::NotGuardian);
    }
    if op.body.nonce != 0 {
        return Err(Rejection::WrongNonce { account: index, expected: 0, got: op.body.nonce });
    }
    if op.body.fee != 0 {
        return Err(Rejection::Encoding("the guardian pays no fee".into()));
    }
    let mut after = *account;
    let old = match op.body.action {
        Action::Freeze { until, old_until } => {
            // Both sums are of two u40: the context was checked.
            if until <= time || until > time + policy.max_freeze {
                return Err(Rejection::FreezeOutOfBounds { until, time, max: policy.max_freeze });
            }
            let from = account.frozen_until + policy.cooldown;
            if time < from {
                return Err(Rejection::Cooldown { account: index, from });
            }
            trace.kind = Kind::Freeze;
            after.frozen_until = until;
            old_until
        }
        Action::Unfreeze { old_until } => {
            trace.kind = Kind::Unfreeze;
            after.frozen_until = time;
            old_until
        }
        _ => return Err(Rejection::NotGuardian),
    };
    let wrong = Rejection::WrongFreeze { account: index, until: account.frozen_until, got: old };
    if old != account.frozen_until {
        return Err(wrong);
    }
    if trace.kind == Kind::Unfreeze && !account.is_frozen(time) {
        return Err(wrong);
    }
    if !op.key.verify(message, &op.signature) {
        return Err(Rejection::BadSignature(index));
    }
    trace.accesses[0] = Some(Access { index, before: Some(*account), after: Some(after) });
    Ok(())
}

fn by_owner(
    state: &State,
    context: &BatchContext,
    op: &SignedOp,
    account: Account,
    exit: Address,
    message: Fr,
    trace: &mut OpTrace,
) -> Result<(), Rejection> {
    let body = &op.body;
    let index = body.account;
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
    let (kind, amount) = match body.action {
        Action::Transfer { to, amount } => {
            if to == index {
                return Err(Rejection::SelfTransfer(index));
            }
            (Kind::Transfer, amount)
        }
        Action::TransferNew { amount, .. } => (Kind::TransferNew, amount),
        Action::Withdraw { amount, .. } => (Kind::Withdraw, amount),
        _ => (Kind::ChangeKey, 0),
    };
    if kind != Kind::ChangeKey && amount == 0 {
        return Err(Rejection::ZeroAmount);
    }
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
    if !op.key.verify(message, &op.signature) {
        return Err(Rejection::BadSignature(index));
    }
    trace.kind = kind;
    trace.amount = amount;
    trace.fee = body.fee;
    let mut sender = Account { nonce, balance, ..account };
    match body.action {
        Action::Transfer { to, amount } => {
            let before = *state.account(to).ok_or(Rejection::NoSuchAccount(to))?;
            if is_limiter(to) {
                return Err(Rejection::IsLimiter(to));
            }
            if before.token != account.token {
                return Err(Rejection::WrongToken {
                    account: to,
                    expected: before.token,
                    got: account.token,
                });
            }
            let balance =
                before.balance.checked_add(amount).ok_or(Rejection::BalanceOverflow(to))?;
            trace.accesses[1] = Some(Access {
                index: to,
                before: Some(before),
                after: Some(Account { balance, ..before }),
            });
        }
        Action::TransferNew { keyhash, exit, amount } => {
            let created =
                Account { balance: amount, ..Account::new(owner(keyhash, exit), account.token) };
            trace.accesses[1] =
                Some(Access { index: state.free_index()?, before: None, after: Some(created) });
        }
        Action::Withdraw { amount, .. } => leave(state, context, account.token, amount, trace),
        Action::ChangeKey { keyhash } => sender.owner = owner(keyhash, exit),
        _ => {}
    }
    trace.accesses[0] = Some(Access { index, before: Some(account), after: Some(sender) });
    trace.accesses[2] = Some(fee_access(state, context, trace, account.token, body.fee)?);
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
