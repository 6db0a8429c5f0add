//! No money comes from nowhere or gets lost.

use bastion_protocol::limiter::limit;
use bastion_protocol::{Kind, Token};

use super::{item, Evidence};
use crate::fixed::Wide;
use crate::ledger::{tokens, Crossing, Ledger};
use crate::Input;

/// What accounts hold after an operation beyond what they may: more than before and than what was
/// deposited. `(too much, too little)` of the first token in which it is not 0.
pub(crate) fn imbalance(input: &Input) -> (u128, u128) {
    let each = tokens(&input.trace).into_iter().map(|token| imbalance_of(input, token));
    each.into_iter().find(|found| *found != (0, 0)).unwrap_or_default()
}

fn imbalance_of(input: &Input, token: Token) -> (u128, u128) {
    let crossing = Crossing::of(&input.trace, token);
    let mut have = Wide::from(crossing.exited);
    let mut should = Wide::from(crossing.deposited);
    for (_, before, after) in input.holders_of(token) {
        should = should.plus(before.map_or(0, |a| a.balance));
        have = have.plus(after.map_or(0, |a| a.balance));
    }
    let difference = |a: Wide, b: Wide| a.minus(b.saturated()).map_or(0, Wide::saturated);
    match have.cmp(&should) {
        std::cmp::Ordering::Equal => (0, 0),
        std::cmp::Ordering::Greater => (difference(have, should).max(1), 0),
        std::cmp::Ordering::Less => (0, difference(should, have).max(1)),
    }
}

/// The sum before is the sum after, what leaves, and what does not come by deposit.
pub(super) fn conservation(input: &Input, _: &Ledger) -> Option<Evidence> {
    match imbalance(input) {
        (0, 0) => None,
        (minted, lost) => Some(vec![item("minted", minted), item("lost", lost)]),
    }
}

/// What accounts hold and what left is not more than what was deposited, and no account holds more
/// than that.
pub(super) fn backing(input: &Input, ledger: &Ledger) -> Option<Evidence> {
    tokens(&input.trace).into_iter().find_map(|token| backing_of(input, ledger, token))
}

fn backing_of(input: &Input, ledger: &Ledger, of: Token) -> Option<Evidence> {
    let token = item("token", of);
    let Some(after) = ledger.after(input, of) else {
        return Some(vec![token, item("live", "negative")]);
    };
    if after.live.and(after.exited) > after.deposited {
        return Some(vec![
            token,
            item("live", after.live),
            item("exited", after.exited),
            item("deposited", after.deposited),
        ]);
    }
    let richest = input.holders_of(of).filter_map(|(i, _, a)| Some((i, a?.balance)));
    let (index, balance) = richest.max_by_key(|(_, balance)| *balance)?;
    (after.exited.plus(balance) > after.deposited).then(|| {
        vec![
            token,
            item("account", index),
            item("balance", balance),
            item("exited", after.exited),
            item("deposited", after.deposited),
        ]
    })
}

/// What leaves passes the limiter, by its formula.
pub(super) fn limiter(input: &Input, _: &Ledger) -> Option<Evidence> {
    let crossing = Crossing::of(&input.trace, input.token());
    let exits = matches!(input.kind(), Kind::Withdraw | Kind::ForcedExit);
    let Some(used) = input.trace.limiter else {
        return exits.then(|| vec![item("limiter", "missing"), item("exited", crossing.exited)]);
    };
    let (tat, release) = limit(used.tat_before, crossing.exited, input.time, &used.limits);
    let access = input.trace.accesses[1];
    let before = access.map(|a| a.before.map_or(0, |a| a.balance));
    let after = access.and_then(|a| a.after).map(|a| a.balance);
    let right = exits
        && used.token == input.token()
        && used.amount == crossing.exited
        && (used.tat_after, used.release_time) == (tat, release)
        && (before, after) == (Some(used.tat_before), Some(tat));
    (!right).then(|| {
        vec![
            item("amount", used.amount),
            item("exited", crossing.exited),
            item("release", used.release_time),
            item("expected_release", release),
        ]
    })
}
