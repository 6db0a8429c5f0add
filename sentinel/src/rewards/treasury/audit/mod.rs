//! The log of findings against the data on L1: what came into the rewards account is in the log, what the log
//! owes was paid, and nothing else left. Watchers called with keys that their accounts had, and who is said to
//! have been frozen was.
//!
//! What is late is judged by when an entry was written, which the claims on L1 bound, and not by the time that
//! the entry gives to its call: that one is the operator's alone.

mod walk;

use std::collections::BTreeSet;

use bastion_protocol::data::BatchData;
use bastion_protocol::watcher::SignedCall;
use bastion_protocol::{Fr, Index, Kind};
use serde::Serialize;
use walk::{Move, Walk};

use super::{Call, Opening, Pay, Record, Treasury, TreasuryError};

/// Seconds in which a payment must be sequenced. One that is not in a block by then is missing.
pub const PAYMENT_GRACE: u64 = 3_600;
/// How far the time of a call may be from when it was written, in seconds: the sequencer follows L1's clock.
pub const CLOCK_TOLERANCE: u64 = 900;

/// An entry of the log of findings that is about rewards.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Logged {
    /// Its number.
    pub entry: u64,
    /// When it was written, in seconds since 1970.
    pub written: u64,
    /// What it says.
    pub record: Record,
}

/// A block that is final.
#[derive(Debug, Clone)]
pub struct Posted {
    /// Its number, from 1.
    pub number: u64,
    /// Its time.
    pub time: u64,
    /// Its batches.
    pub batches: Vec<BatchData>,
}

/// What came out.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Reckoning {
    /// Whether the log has a rewards account.
    pub account: Option<Index>,
    /// Payments that the log owes.
    pub owed: u64,
    /// Those of them that are in final blocks.
    pub made: u64,
    /// Those that are not, and still have time.
    pub waiting: u64,
    /// Transfers that came in, in final blocks.
    pub received: u64,
    /// What is wrong, each with its place.
    pub wrong: Vec<String>,
}

/// An owed payment: number and time of its entry, and the nonce that it has now.
struct Owed {
    entry: u64,
    written: u64,
    pay: Pay,
    made: bool,
}

/// What came in: number and time of its entry.
struct Received {
    entry: u64,
    written: u64,
    from: Option<Index>,
    amount: u128,
}

/// What the log says that the data must have.
#[derive(Default)]
struct Said {
    owed: Vec<Owed>,
    received: Vec<Received>,
    /// Calls of watchers: number and time of the entry.
    calls: Vec<(u64, u64, SignedCall)>,
    /// Freezes because of reports: number and time of the entry, account and end.
    frozen: Vec<(u64, u64, Option<Index>, u64)>,
}

/// Replays the rewards of a log and compares them with final blocks from the first on. `domain` is that of the
/// rollup: the watchers' signatures are checked.
#[must_use]
pub fn reckon(records: &[Logged], blocks: &[Posted], domain: Fr) -> Reckoning {
    let mut out = Reckoning::default();
    let mut said = Said::default();
    let Some(treasury) = out.replay(records, domain, &mut said) else { return out };
    let opening = *treasury.opening();
    out.account = Some(opening.account);
    let callers: BTreeSet<Index> = said.calls.iter().map(|(.., call)| call.account).collect();
    let mut walk = Walk::new(opening, callers.into_iter());
    let Said { mut owed, received, calls, frozen } = said;
    let mut received = received.into_iter();
    for block in blocks {
        let at = format!("block {}", block.number);
        for step in walk.block(block) {
            out.compare(&step, &at, &mut owed, &mut received);
        }
    }
    let last = blocks.last().map_or(0, |block| block.time);
    let late = |written: u64| written.saturating_add(PAYMENT_GRACE) < last;
    let opened = records.first().map_or(0, |logged| logged.written);
    let in_time = walk.begun.is_some_and(|time| time <= opened.saturating_add(CLOCK_TOLERANCE));
    if !in_time && late(opened) {
        out.wrong.push(format!(
            "the log begins rewards at {opened} with account {} at balance {} and nonce {}: it did not stand so then",
            opening.account, opening.balance, opening.nonce
        ));
    }
    if walk.begun.is_some()
        && (walk.exit, walk.token()) != (Some(opening.exit), Some(opening.token))
    {
        out.wrong.push(format!(
            "the log begins rewards with account {} of token {} and exit address {}: those are not the account's",
            opening.account, opening.token, opening.exit
        ));
    }
    for call in treasury.due_by(last.saturating_sub(PAYMENT_GRACE)) {
        out.wrong.push(format!(
            "{call:?} was due more than {PAYMENT_GRACE} seconds before {last}, and the log does not have it"
        ));
    }
    for Received { entry, written, from, amount } in received.filter(|r| late(r.written)) {
        out.wrong.push(format!(
            "entry {entry} has {amount} of {} at {written}: no final block up to {last} has it",
            sender(from)
        ));
    }
    for (entry, written, call) in calls.iter().filter(|(_, written, _)| late(*written)) {
        if !walk.had_owner(call.account, &call.owner()) {
            out.wrong.push(format!(
                "entry {entry} has a call of account {} at {written}, with a key that the account has not had in any \
                 final block up to {last}",
                call.account
            ));
        }
    }
    for (entry, written, subject, until) in frozen {
        let posted = subject.is_some_and(|subject| walk.take_freeze(subject, until));
        if !posted && late(written) {
            let subject =
                subject.map_or_else(|| "nobody".into(), |index| format!("account {index}"));
            out.wrong.push(format!(
                "entry {entry} says that {subject} was frozen until {until}, and no final block up to {last} has that"
            ));
        }
    }
    for Owed { entry, written, pay, made } in &owed {
        let Pay { nonce, to, amount, cause } = pay;
        match (made, late(*written)) {
            (true, _) => out.made += 1,
            (false, false) => out.waiting += 1,
            (false, true) => out.wrong.push(format!(
                "missing payment: entry {entry} owes account {to} {amount} ({cause}, nonce {nonce}) since {written}, \
                 and no final block up to {last} has it"
            )),
        }
    }
    out.owed = owed.len() as u64;
    out
}

fn sender(from: Option<Index>) -> String {
    from.map_or_else(|| "a deposit from L1".into(), |from| format!("account {from}"))
}

impl Reckoning {
    /// Makes the treasury again, if rewards began.
    fn replay(&mut self, records: &[Logged], domain: Fr, said: &mut Said) -> Option<Treasury> {
        let mut treasury: Option<Treasury> = None;
        for Logged { entry, written, record } in records {
            let (entry, written) = (*entry, *written);
            if record.at.abs_diff(written) > CLOCK_TOLERANCE {
                self.wrong.push(format!(
                    "entry {entry} was written at {written}, and says that its call is of {}",
                    record.at
                ));
            }
            let ordered = match (&record.call, &treasury) {
                (Call::Frozen { operation, .. }, Some(treasury)) => treasury.ordered(operation),
                _ => None,
            };
            if let Err(error) = Treasury::replay(&mut treasury, record) {
                self.wrong.push(format!("entry {entry} does not follow: {error}"));
                // What follows it would not either.
                break;
            }
            let registry = treasury.as_ref().map(|treasury| treasury.opening().registry(domain));
            match record.call {
                Call::Received { from, amount, .. } => {
                    said.received.push(Received { entry, written, from, amount });
                }
                Call::Watcher(call) => {
                    if !registry.is_some_and(|registry| call.is_signed(&registry)) {
                        self.wrong.push(format!(
                            "entry {entry} is not signed by the key that it names for account {}",
                            call.account
                        ));
                    }
                    said.calls.push((entry, written, call));
                }
                Call::Frozen { until, .. } => said.frozen.push((entry, written, ordered, until)),
                // The payments that waited took the nonces after it.
                Call::Foreign { nonce: Some(nonce), .. } => {
                    let moved = said.owed.iter_mut().filter(|owed| owed.pay.nonce >= nonce);
                    moved.for_each(|owed| owed.pay.nonce = owed.pay.nonce.saturating_add(1));
                }
                Call::Open(_)
                | Call::Fund { .. }
                | Call::Confirm { .. }
                | Call::Order { .. }
                | Call::Settle { .. }
                | Call::Expire { .. }
                | Call::Lapse { .. }
                | Call::Paid { .. }
                | Call::Foreign { nonce: None, .. } => {}
            }
            let owed = |pay: &Pay| Owed { entry, written, pay: *pay, made: false };
            said.owed.extend(record.pays.iter().map(owed));
        }
        treasury
    }

    fn compare(
        &mut self,
        step: &Move,
        at: &str,
        owed: &mut [Owed],
        received: &mut impl Iterator<Item = Received>,
    ) {
        match *step {
            Move::In { from, amount } => match received.next() {
                Some(r) if (r.from, r.amount) == (from, amount) => self.received += 1,
                Some(Received { entry, .. }) => self.wrong.push(format!(
                    "{at}: {amount} came in from {}, and entry {entry} has something else",
                    sender(from)
                )),
                None => self.wrong.push(format!(
                    "{at}: {amount} came in from {}, and the log does not have it",
                    sender(from)
                )),
            },
            Move::Out { nonce, kind, to, amount, fee } => {
                let paid = owed.iter_mut().find(|owed| owed.pay.nonce == nonce).filter(|owed| {
                    (kind, fee) == (Kind::Transfer, 0) && (owed.pay.to, owed.pay.amount) == (to, amount)
                });
                match paid {
                    Some(owed) => owed.made = true,
                    None => self.wrong.push(format!(
                        "extra payment: {at}: the rewards account signed {kind:?} of {amount} to account {to} with \
                         fee {fee} (nonce {nonce}), which the log does not owe"
                    )),
                }
            }
            Move::ForcedExit { amount } => self.wrong.push(format!(
                "extra payment: {at}: {amount} left the rewards account to its exit address by a forced exit"
            )),
        }
    }
}

/// Reads the rewards' records of a log.
///
/// # Errors
/// As [`crate::findings::read`].
pub fn records(
    path: &std::path::Path,
    genesis: crate::findings::Hash,
) -> Result<Vec<Logged>, crate::SentinelError> {
    let mut found = Vec::new();
    crate::findings::read(path, genesis, |entry| {
        if let crate::findings::Finding::Rewards(record) = &entry.finding {
            let (number, written) = (entry.number, entry.at_ms / 1_000);
            found.push(Logged { entry: number, written, record: Record::clone(record) });
        }
    })?;
    Ok(found)
}

/// The treasury that a log's records make.
///
/// # Errors
/// [`TreasuryError`] of the first entry that does not follow, with its number.
pub fn rebuild(records: &[Logged]) -> Result<Option<Treasury>, (u64, TreasuryError)> {
    let mut treasury = None;
    for Logged { entry, record, .. } in records {
        Treasury::replay(&mut treasury, record).map_err(|error| (*entry, error))?;
    }
    Ok(treasury)
}
