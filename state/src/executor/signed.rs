//! Signed operations, the owners' and the guardian's.

use bastion_protocol::account::{fee_index, is_limiter};
use bastion_protocol::keys::{check_claims, owner, Claim, Verified};
use bastion_protocol::ops::{Action, Op, SignedOp};
use bastion_protocol::{Account, Address, Fr, Index, Token};

use super::auction::Book;
use super::freeze::{freeze, unfreeze};
use super::limiter::leave;
use super::order::{bought, order};
use super::transfer::{to_account, to_new};
use super::{Access, BatchContext, OpTrace, Rejection};
use crate::state::State;

/// Evidence that the signature of an operation holds, with the hashes that this took.
#[derive(Debug, Clone, Copy)]
pub struct Checked {
    op: SignedOp,
    domain: Fr,
    /// Exit address of the account that acts, which the message contains.
    exit: Address,
    verified: Verified,
    keyhash: Fr,
    /// Owner of the accounts of this key and exit address.
    owner: Fr,
}

impl Checked {
    /// Whether it is about this operation, in these circumstances.
    fn is_about(&self, op: &SignedOp, domain: Fr, exit: Address) -> bool {
        self.op == *op && self.domain == domain && self.exit == exit
    }
}

/// Checks the signatures of operations, many by one equation, as far as the state knows who acts. Such
/// evidence spares the executor the check and most of its hashes, and can be made in parallel. `None` for
/// what is not signed, does not hold, or acts for an account that is not there (yet): there the executor
/// has the last word.
#[must_use]
pub fn check_signatures(state: &State, domain: Fr, ops: &[Op]) -> Vec<Option<Checked>> {
    let claim = |op: &Op| {
        let Op::Signed(op) = op else {
            return None;
        };
        let (_, exit) = state.opening(state.account(op.body.account)?.owner)?;
        let message = op.body.message(domain, exit).ok()?;
        Some((*op, exit, Claim::new(op.key, message, op.signature)))
    };
    let claims: Vec<Option<(SignedOp, Address, Claim)>> = ops.iter().map(claim).collect();
    let known: Vec<Claim> = claims.iter().flatten().map(|(_, _, claim)| *claim).collect();
    let mut evidence = check_claims(&known).into_iter();
    let checked = claims.into_iter().map(|claim| {
        let (op, exit, claim) = claim?;
        let verified = evidence.next().flatten()?;
        let keyhash = claim.keyhash();
        Some(Checked { op, domain, exit, verified, keyhash, owner: owner(keyhash, exit) })
    });
    checked.collect()
}

pub(super) fn signed(
    state: &State,
    context: &BatchContext,
    book: &Book,
    op: &SignedOp,
    checked: Option<&Checked>,
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
    let checked = checked.filter(|c| c.is_about(op, context.domain, exit));
    let message = match checked {
        Some(checked) => checked.verified.message(),
        None => body.message(context.domain, exit)?,
    };
    trace.message = Some(message);
    trace.opening = opening;
    trace.kind = body.action.kind();
    if trace.kind.by_guardian() {
        let keyhash = checked.map_or_else(|| op.key.keyhash(), |c| c.keyhash);
        guardian(context, op, keyhash, &account, &mut trace)?;
    } else {
        let signer = checked.map_or_else(|| owner(op.key.keyhash(), exit), |c| c.owner);
        let acting = Acting { index, account, signer, exit };
        by_owner(state, context, book, op, &acting, &mut trace)?;
    }
    let known = checked.is_some_and(|c| c.verified.covers(&op.key, message, &op.signature));
    match known || op.key.verify(message, &op.signature) {
        true => Ok(trace),
        false => Err(Rejection::BadSignature(index)),
    }
}

fn guardian(
    context: &BatchContext,
    op: &SignedOp,
    keyhash: Fr,
    account: &Account,
    trace: &mut OpTrace,
) -> Result<(), Rejection> {
    let index = op.body.account;
    if keyhash != context.policy.guardian_keyhash {
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
        | Action::ChangeKey { .. }
        | Action::Order { .. } => return Err(Rejection::NotGuardian),
    };
    trace.accesses[0] = Some(Access { index, before: Some(*account), after: Some(after) });
    Ok(())
}

/// The account that acts, and who signed for it.
struct Acting {
    index: Index,
    account: Account,
    /// The owner of accounts of the signer's key and the account's exit address.
    signer: Fr,
    exit: Address,
}

fn by_owner(
    state: &State,
    context: &BatchContext,
    book: &Book,
    op: &SignedOp,
    acting: &Acting,
    trace: &mut OpTrace,
) -> Result<(), Rejection> {
    let body = &op.body;
    let &Acting { index, account, signer, exit } = acting;
    let token = account.token;
    if signer != account.owner {
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
    let mut amount = amount.unwrap_or_default();
    let to_exit = matches!(body.action, Action::Withdraw { to, .. } if to == exit);
    if account.is_frozen(context.time) && !to_exit {
        return Err(Rejection::Frozen { account: index, until: account.frozen_until });
    }
    if let Action::Order { to, buy, limit, .. } = body.action {
        let buyer = bought(state, &account, index, (to, buy))?;
        let order = order(book, (token, buy), amount, limit)?;
        amount = order.sold;
        let paid = buyer.balance.checked_add(order.paid);
        let balance = paid.ok_or(Rejection::BalanceOverflow(to))?;
        let after = Some(Account { balance, ..buyer });
        trace.accesses[1] = Some(Access { index: to, before: Some(buyer), after });
        trace.order = Some(order);
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
        Action::Order { .. } => {}
        Action::Freeze { .. } | Action::Unfreeze { .. } => return Err(Rejection::NotOwner(index)),
    }
    trace.accesses[0] = Some(Access { index, before: Some(account), after: Some(sender) });
    trace.accesses[2] = Some(fee_access(state, context, trace, token, body.fee)?);
    Ok(())
}

/// The fee account after the accesses so far (it may be sender or receiver itself).
pub(super) fn fee_access(
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
