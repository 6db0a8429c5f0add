//! The log of findings against the data on L1: what came into the rewards account is in the log, what the log
//! owes was paid, and nothing else left.

use bastion_protocol::data::BatchData;
use bastion_protocol::records::{L1Record, L2Record, Section};
use bastion_protocol::{Fr, Index, Kind};
use serde::Serialize;

use super::{Call, Opening, Pay, Record, Treasury, TreasuryError};

/// Seconds in which a payment must be sequenced. One that is not in a block by then is missing.
pub const PAYMENT_GRACE: u64 = 3_600;

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

/// What the data say of the account.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Move {
    In {
        from: Option<Index>,
        amount: u128,
    },
    /// Signed by its key.
    Out {
        nonce: u32,
        kind: Kind,
        to: Index,
        amount: u128,
        fee: u128,
    },
    ForcedExit {
        amount: u128,
    },
}

/// An owed payment: number and time of its entry, and the nonce that it has now.
struct Owed {
    entry: u64,
    at: u64,
    pay: Pay,
    made: bool,
}

/// Replays the rewards of a log, given by the numbers of its entries, and compares them with final blocks
/// from the first on. `domain` is that of the rollup: the watchers' signatures are checked.
#[must_use]
pub fn reckon(records: &[(u64, Record)], blocks: &[Posted], domain: Fr) -> Reckoning {
    let mut out = Reckoning::default();
    let (mut owed, mut received) = (Vec::new(), Vec::new());
    let Some(opening) = out.replay(records, domain, &mut owed, &mut received) else { return out };
    out.account = Some(opening.account);
    let mut walk = Walk::new(opening);
    let mut received = received.into_iter();
    for block in blocks {
        let at = format!("block {}", block.number);
        for step in walk.block(block) {
            out.compare(&step, &at, &mut owed, &mut received);
        }
    }
    let last = blocks.last().map_or(0, |block| block.time);
    let late = |at: u64| at.saturating_add(PAYMENT_GRACE) < last;
    if !walk.begun && records.first().is_some_and(|(_, record)| late(record.at)) {
        out.wrong.push(format!(
            "the log begins rewards with account {} at balance {} and nonce {}: it never stood so",
            opening.account, opening.balance, opening.nonce
        ));
    }
    for (entry, at, from, amount) in received.filter(|(_, at, ..)| late(*at)) {
        out.wrong.push(format!(
            "entry {entry} has {amount} of {} at {at}: no final block up to {last} has it",
            sender(from)
        ));
    }
    for Owed { entry, at, pay, made } in &owed {
        let Pay { nonce, to, amount, cause } = pay;
        match (made, late(*at)) {
            (true, _) => out.made += 1,
            (false, false) => out.waiting += 1,
            (false, true) => out.wrong.push(format!(
                "missing payment: entry {entry} owes account {to} {amount} ({cause}, nonce {nonce}) since {at}, \
                 and no final block up to {last} has it"
            )),
        }
    }
    out.owed = owed.len() as u64;
    out
}

type Received = (u64, u64, Option<Index>, u128);

fn sender(from: Option<Index>) -> String {
    from.map_or_else(|| "a deposit from L1".into(), |from| format!("account {from}"))
}

impl Reckoning {
    /// Makes the treasury again; gives how it began, if it did.
    fn replay(
        &mut self,
        records: &[(u64, Record)],
        domain: Fr,
        owed: &mut Vec<Owed>,
        received: &mut Vec<Received>,
    ) -> Option<Opening> {
        let mut treasury = None;
        for (entry, record) in records {
            if let Err(error) = Treasury::replay(&mut treasury, record) {
                self.wrong.push(format!("entry {entry} does not follow: {error}"));
                // What follows it would not either.
                break;
            }
            match record.call {
                Call::Received { from, amount, .. } => {
                    received.push((*entry, record.at, from, amount));
                }
                Call::Watcher(call) if !call.is_signed(domain) => self.wrong.push(format!(
                    "entry {entry} is not signed by the key that it names for account {}",
                    call.account
                )),
                // The payments that waited took the nonces after it.
                Call::Foreign { nonce: Some(nonce), .. } => {
                    let moved = owed.iter_mut().filter(|owed| owed.pay.nonce >= nonce);
                    moved.for_each(|owed| owed.pay.nonce = owed.pay.nonce.saturating_add(1));
                }
                Call::Open(_)
                | Call::Fund { .. }
                | Call::Confirm { .. }
                | Call::Watcher(_)
                | Call::Order { .. }
                | Call::Frozen { .. }
                | Call::Settle { .. }
                | Call::Expire { .. }
                | Call::Lapse { .. }
                | Call::Paid { .. }
                | Call::Foreign { nonce: None, .. } => {}
            }
            let pays = record.pays.iter();
            owed.extend(pays.map(|pay| Owed {
                entry: *entry,
                at: record.at,
                pay: *pay,
                made: false,
            }));
        }
        treasury.map(|treasury| *treasury.opening())
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
                Some((_, _, logged, much)) if (logged, much) == (from, amount) => self.received += 1,
                Some((entry, ..)) => self.wrong.push(format!(
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

/// The account as the data tell it.
struct Walk {
    opening: Opening,
    /// Balance and nonce, once it is there.
    stands: Option<(u128, u32)>,
    /// Whether it has stood as the log says that it began.
    begun: bool,
}

impl Walk {
    fn new(opening: Opening) -> Self {
        Self { opening, stands: None, begun: false }
    }

    /// What a block does after the beginning.
    fn block(&mut self, block: &Posted) -> Vec<Move> {
        let mut steps = Vec::new();
        for batch in &block.batches {
            let l1 = batch.section(Section::L1).iter().filter_map(|r| L1Record::read(r).ok());
            for record in l1 {
                steps.extend(self.of_l1(&record).and_then(|step| self.take(step)));
            }
            let l2 = batch.section(Section::L2).iter().filter_map(|r| L2Record::read(r).ok());
            for record in l2 {
                steps.extend(self.signed(&record).and_then(|step| self.take(step)));
            }
        }
        steps
    }

    fn of_l1(&self, record: &L1Record) -> Option<Move> {
        let Opening { account, token, exit, .. } = self.opening;
        match *record {
            L1Record::Deposit { index, amount, .. } if index == account => {
                Some(Move::In { from: None, amount })
            }
            L1Record::ForcedExit { index, token: of, exit: to }
                if (index, of, to) == (account, token, exit) =>
            {
                self.stands.map(|(amount, _)| Move::ForcedExit { amount })
            }
            L1Record::Deposit { .. } | L1Record::ForcedExit { .. } => None,
        }
    }

    fn signed(&self, record: &L2Record) -> Option<Move> {
        let account = self.opening.account;
        let L2Record { from, to, .. } = *record;
        let (kind, fee) = (record.known_kind().ok()?, record.fee().unwrap_or(0));
        let amount = record.amount().unwrap_or(0);
        match kind {
            Kind::Transfer | Kind::TransferNew if to == account => {
                Some(Move::In { from: Some(from), amount })
            }
            Kind::Transfer | Kind::TransferNew | Kind::Withdraw if from == account => {
                let (_, nonce) = self.stands?;
                Some(Move::Out { nonce, kind, to, amount, fee })
            }
            Kind::ChangeKey if from == account => {
                let (_, nonce) = self.stands?;
                Some(Move::Out { nonce, kind, to, amount: 0, fee })
            }
            // The guardian's, and what is of other accounts.
            Kind::Transfer
            | Kind::TransferNew
            | Kind::Withdraw
            | Kind::ChangeKey
            | Kind::Freeze
            | Kind::Unfreeze
            | Kind::Deposit
            | Kind::DepositNew
            | Kind::ForcedExit
            | Kind::ForcedExitNoop
            | Kind::Noop => None,
        }
    }

    /// Follows the account; gives the step if rewards had begun before it.
    fn take(&mut self, step: Move) -> Option<Move> {
        let begun = self.begun;
        let (balance, nonce) = self.stands.unwrap_or((0, 0));
        // The audit of the state has checked the sums.
        let after = match step {
            Move::In { amount, .. } => (balance.saturating_add(amount), nonce),
            Move::Out { amount, fee, .. } => {
                (balance.saturating_sub(amount).saturating_sub(fee), nonce.saturating_add(1))
            }
            Move::ForcedExit { .. } => (0, nonce),
        };
        self.stands = Some(after);
        self.begun |= after == (self.opening.balance, self.opening.nonce);
        begun.then_some(step)
    }
}

/// Reads the rewards' records of a log.
///
/// # Errors
/// As [`crate::findings::read`].
pub fn records(
    path: &std::path::Path,
    genesis: crate::findings::Hash,
) -> Result<Vec<(u64, Record)>, crate::SentinelError> {
    let mut found = Vec::new();
    crate::findings::read(path, genesis, |entry| {
        if let crate::findings::Finding::Rewards(record) = &entry.finding {
            found.push((entry.number, Record::clone(record)));
        }
    })?;
    Ok(found)
}

/// The treasury that a log's records make.
///
/// # Errors
/// [`TreasuryError`] of the first entry that does not follow, with its number.
pub fn rebuild(records: &[(u64, Record)]) -> Result<Option<Treasury>, (u64, TreasuryError)> {
    let mut treasury = None;
    for (entry, record) in records {
        Treasury::replay(&mut treasury, record).map_err(|error| (*entry, error))?;
    }
    Ok(treasury)
}
