//! What may change of an account beside its balance.

use bastion_protocol::account::is_limiter;
use bastion_protocol::keys;
use bastion_protocol::ops::{Action, Op};
use bastion_protocol::Kind;

use super::{item, Evidence};
use crate::ledger::Ledger;
use crate::Input;

/// The nonce of the account that signs grows by exactly one, and no other does.
pub(super) fn nonce(input: &Input, _: &Ledger) -> Option<Evidence> {
    let signed = u64::from(input.kind().by_owner());
    for (place, access) in input.trace.accesses.iter().enumerate() {
        let Some(access) = access else { continue };
        let before = access.before.map_or(0, |a| u64::from(a.nonce));
        let after = access.after.map_or(before, |a| u64::from(a.nonce));
        let step = if place == 0 { signed } else { 0 };
        if after != before + step {
            return Some(vec![
                item("account", access.index),
                item("nonce_before", before),
                item("nonce_after", after),
            ]);
        }
    }
    let body = input.trace.signed().map(|s| &s.body).filter(|_| signed == 1)?;
    let before = input.actor_before()?.nonce;
    (body.nonce != before).then(|| {
        let asked = item("nonce_signed", body.nonce);
        vec![item("account", body.account), item("nonce_before", before), asked]
    })
}

/// No account goes away or changes its owner but by `ChangeKey`, and then to the owner it names.
pub(super) fn owner(input: &Input, _: &Ledger) -> Option<Evidence> {
    for (place, access) in input.trace.accesses.iter().enumerate() {
        let Some(access) = access else { continue };
        let expected = match (&input.trace.op, access.before) {
            (Op::Signed(s), Some(before)) => match s.body.action {
                Action::ChangeKey { keyhash } if place == 0 => {
                    keys::owner(keyhash, input.own_exit()?)
                }
                Action::ChangeKey { .. }
                | Action::Transfer { .. }
                | Action::TransferNew { .. }
                | Action::Withdraw { .. }
                | Action::Freeze { .. }
                | Action::Unfreeze { .. }
                | Action::Order { .. } => before.owner,
            },
            (Op::Deposit(d), _) => keys::owner(d.keyhash, d.exit),
            (Op::ForcedExit(_) | Op::Quote(_) | Op::Noop, Some(before)) => before.owner,
            // A limiter has no owner.
            (_, None) if is_limiter(access.index) => bastion_protocol::Fr::from(0u64),
            (Op::Signed(s), None) => match (s.body.action, place, input.fee_owner) {
                (Action::TransferNew { keyhash, exit, .. }, 1, _) => keys::owner(keyhash, exit),
                (_, 2, Some(owner)) => owner,
                _ => return Some(vec![item("created", access.index)]),
            },
            (Op::Quote(_), None) => match (place, input.fee_owner) {
                (2, Some(owner)) => owner,
                _ => return Some(vec![item("created", access.index)]),
            },
            (Op::ForcedExit(_) | Op::Noop, None) => match access.after {
                None => continue,
                Some(_) => return Some(vec![item("created", access.index)]),
            },
        };
        if access.after.map(|a| a.owner) != Some(expected) {
            return Some(vec![item("account", access.index), item("place", place)]);
        }
    }
    None
}

/// A frozen account sends to its own exit address alone.
pub(super) fn frozen(input: &Input, _: &Ledger) -> Option<Evidence> {
    let account = input.actor_before()?;
    let sends = input.kind().by_owner() && account.is_frozen(input.time);
    (sends && !input.is_exit_lane())
        .then(|| vec![item("frozen_until", account.frozen_until), item("time", input.time)])
}

/// Only the guardian's operations change `frozen_until`, and within the policy.
pub(super) fn freeze(input: &Input, _: &Ledger) -> Option<Evidence> {
    for (place, access) in input.trace.accesses.iter().enumerate() {
        let Some((access, after)) = access.as_ref().and_then(|a| Some((a, a.after?))) else {
            continue;
        };
        let before = access.before.map_or(0, |a| a.frozen_until);
        let right = match (input.kind(), place) {
            (Kind::Freeze, 0) => {
                let until = after.frozen_until;
                until > input.time && until - input.time <= input.max_freeze
            }
            (Kind::Unfreeze, 0) => before > input.time && after.frozen_until == input.time,
            _ => after.frozen_until == before,
        };
        if !right {
            return Some(vec![
                item("account", access.index),
                item("frozen_before", before),
                item("frozen_after", after.frozen_until),
                item("max_freeze", input.max_freeze),
            ]);
        }
    }
    None
}
