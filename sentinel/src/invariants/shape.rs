//! The trace fits its operation.

use bastion_protocol::account::{fee_index, is_limiter, limiter_index, FIRST_USER};
use bastion_protocol::ops::Op;
use bastion_protocol::Kind;

use super::{item, Evidence};
use crate::ledger::Ledger;
use crate::Input;

/// The kind is one that the operation can turn out to be, and the accesses are those of the kind.
pub(super) fn kind(input: &Input, _: &Ledger) -> Option<Evidence> {
    let kind = input.kind();
    let fits = match &input.trace.op {
        Op::Noop => kind == Kind::Noop,
        Op::Deposit(_) => matches!(kind, Kind::Deposit | Kind::DepositNew),
        Op::ForcedExit(_) => matches!(kind, Kind::ForcedExit | Kind::ForcedExitNoop),
        Op::Signed(s) => kind == s.body.action.kind(),
        Op::Quote(_) => kind == Kind::Quote,
    };
    let filled = input.trace.order.is_some() == (kind == Kind::Order)
        && input.trace.quote.is_some() == (kind == Kind::Quote);
    let has = input.trace.accesses.map(|a| a.is_some());
    let accesses = kind.description().accesses;
    if !fits || !filled {
        return Some(vec![item("kind", format!("{kind:?}"))]);
    }
    let created = input.acting().is_some_and(|a| a.before.is_none());
    let creates = match kind {
        Kind::DepositNew => created,
        Kind::ForcedExitNoop | Kind::Noop => true,
        Kind::Deposit
        | Kind::ForcedExit
        | Kind::Transfer
        | Kind::TransferNew
        | Kind::Withdraw
        | Kind::ChangeKey
        | Kind::Freeze
        | Kind::Unfreeze
        | Kind::Order
        | Kind::Quote => !created,
    };
    (has != accesses || !creates)
        .then(|| vec![item("kind", format!("{kind:?}")), item("accesses", format!("{has:?}"))])
}

/// Each account before the operation is that of the state, and of the access before.
pub(super) fn before(input: &Input, _: &Ledger) -> Option<Evidence> {
    if let Some(index) = input.stale {
        return Some(vec![item("account", index), item("differs_from", "state")]);
    }
    let accesses: Vec<_> = input.trace.accesses.iter().flatten().collect();
    let torn = accesses.iter().enumerate().find(|(i, access)| {
        let earlier = accesses[..*i].iter().rev().find(|a| a.index == access.index);
        earlier.is_some_and(|e| e.after != access.before)
    });
    torn.map(|(_, access)| {
        vec![item("account", access.index), item("differs_from", "earlier access")]
    })
}

/// Amount and fee of the trace are those that were asked for; an order sells at most its amount.
pub(super) fn amount(input: &Input, _: &Ledger) -> Option<Evidence> {
    let trace = &input.trace;
    let (amount, fee) = match &trace.op {
        Op::Quote(_) | Op::Noop => (0, 0),
        Op::Deposit(d) => (d.amount, 0),
        Op::ForcedExit(_) if input.kind() == Kind::ForcedExit => {
            (input.actor_before().map_or(0, |a| a.balance), 0)
        }
        Op::ForcedExit(_) => (0, 0),
        Op::Signed(s) => {
            let asked = s.body.action.amount().unwrap_or(0);
            let sold = trace.order.map_or(asked, |order| order.sold.min(asked));
            (sold, s.body.fee)
        }
    };
    (trace.amount != amount || trace.fee != fee).then(|| {
        vec![
            item("amount", trace.amount),
            item("asked_amount", amount),
            item("fee", trace.fee),
            item("asked_fee", fee),
        ]
    })
}

/// One token in all accounts, which never changes; of an order, another one in the account that is paid.
pub(super) fn token(input: &Input, _: &Ledger) -> Option<Evidence> {
    let asked = match &input.trace.op {
        Op::Deposit(d) => d.token,
        Op::Signed(s) => s.body.token,
        // One that names another token does nothing.
        Op::ForcedExit(_) | Op::Noop => input.token(),
        Op::Quote(quote) => quote.a,
    };
    let bought = input.trace.order.map(|order| order.buy);
    if let Some(order) = input.trace.order.filter(|o| o.sell != asked || o.buy == asked) {
        return Some(vec![item("token", order.sell), item("asked", asked)]);
    }
    for (place, access) in input.trace.accesses.iter().enumerate() {
        let right = if place == 1 { bought.unwrap_or(asked) } else { asked };
        let mut all = access.iter().flat_map(|a| [a.before, a.after]).flatten();
        if let Some(wrong) = all.find(|a| a.token != right) {
            return Some(vec![item("token", wrong.token), item("asked", right)]);
        }
    }
    None
}

/// System accounts are touched at their places alone, and only users' accounts are created elsewhere.
pub(super) fn system(input: &Input, _: &Ledger) -> Option<Evidence> {
    let sold = input.token();
    for (place, access) in input.trace.accesses.iter().enumerate() {
        let Some(access) = access else { continue };
        let index = access.index;
        let bought = input.trace.order.filter(|_| place == 1).map(|order| order.buy);
        let token = bought.unwrap_or(sold);
        let limiter = place == 1 && input.kind().exits();
        let right = match (place, limiter) {
            (1, true) => index == limiter_index(token),
            (2, _) => index == fee_index(token),
            _ => {
                !is_limiter(index)
                    && (index >= FIRST_USER
                        || (access.before.is_some() && index == fee_index(token)))
            }
        };
        if !right {
            return Some(vec![item("account", index), item("place", place)]);
        }
    }
    None
}
