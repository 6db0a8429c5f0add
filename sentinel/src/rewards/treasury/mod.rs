//! The account that stakes go to and rewards are paid from.
//!
//! ```text
//! transfers in -> [stake | operator's] -> registry -> payments, each with a nonce -> transfers out
//! ```
//!
//! [`Treasury`] is a state machine like the registry, which it holds: it decides what money that came in is
//! for, numbers the watchers' calls so that none is taken twice, and gives each payment the nonce of the
//! transfer that makes it. A nonce is used once on L2, so a payment is made once, whatever crashes. Every
//! call that it takes becomes a [`Record`] in the log of findings; [`Treasury::replay`] makes the same
//! treasury of them, and [`audit`] compares them with the data on L1.

pub mod audit;
mod due;
mod error;
mod pay;
mod record;
#[cfg(test)]
mod tests;

pub use audit::{Reckoning, PAYMENT_GRACE};
pub use error::TreasuryError;
pub use record::{Call, Opening, Pay, Record};

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use bastion_protocol::account::{FIRST_LIMITER, FIRST_USER};
use bastion_protocol::watcher::{SignedCall, WatcherCall};
use bastion_protocol::Index;

use super::{Payment, Registry, Report, ReportId, Stage, Subject};
use crate::findings::Hash;

/// Registry and account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Treasury {
    opening: Opening,
    registry: Registry,
    /// The latest time.
    at: u64,
    /// What came in and is not used yet: the operator's.
    free: u128,
    /// What of the registry's payments no transfer can carry.
    rounded: u128,
    /// What left, and no payment asked for it.
    foreign: u128,
    /// Nonce of the next payment.
    nonce: u32,
    /// Payments that are not sequenced, in the order of their nonces, which have no gap.
    waiting: VecDeque<Pay>,
    /// The next number of each watcher's calls.
    numbers: BTreeMap<Index, u64>,
    /// The accounts that opened reports are about.
    subjects: BTreeMap<ReportId, Index>,
    /// Freezes that were signed because of reports.
    orders: BTreeMap<Hash, ReportId>,
    /// Events that are not settled, and their times.
    events: BTreeMap<(Index, u64), u64>,
    /// The first entry of the sequencer's log that was not taken.
    next_entry: u64,
}

/// What a call did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Done {
    /// The entry to be written.
    pub record: Record,
    /// The report that was committed to.
    pub report: Option<ReportId>,
}

impl Treasury {
    /// Rewards begin.
    ///
    /// # Errors
    /// [`TreasuryError::Registry`] if the parameters contradict one another.
    pub fn open(opening: Opening) -> Result<Self, TreasuryError> {
        Ok(Self {
            registry: Registry::new(opening.params)?,
            at: 0,
            free: opening.balance,
            rounded: 0,
            foreign: 0,
            nonce: opening.nonce,
            waiting: VecDeque::new(),
            numbers: BTreeMap::new(),
            subjects: BTreeMap::new(),
            orders: BTreeMap::new(),
            events: BTreeMap::new(),
            next_entry: opening.entry,
            opening,
        })
    }

    /// Takes a call at a time, or the latest time if that is later.
    ///
    /// # Errors
    /// [`TreasuryError`]; then nothing changed.
    pub fn call(&mut self, now: u64, call: Call) -> Result<Done, TreasuryError> {
        let at = now.max(self.at);
        let (report, pays) = self.apply(at, &call)?;
        Ok(Done { record: Record { at, call, pays }, report })
    }

    /// Takes an entry of the log again.
    ///
    /// # Errors
    /// [`TreasuryError`] if it does not follow from those before it.
    pub fn replay(treasury: &mut Option<Self>, record: &Record) -> Result<(), TreasuryError> {
        let treasury = match (&record.call, treasury) {
            (Call::Open(opening), slot @ None) => slot.insert(Self::open(*opening)?),
            (_, Some(treasury)) => treasury,
            (_, None) => return Err(TreasuryError::Closed),
        };
        if record.at < treasury.at {
            return Err(TreasuryError::Time { at: record.at, last: treasury.at });
        }
        let (_, pays) = match record.call {
            Call::Open(opening) if treasury.opening == opening && treasury.at == 0 => {
                treasury.at = record.at;
                (None, Vec::new())
            }
            call => treasury.apply(record.at, &call)?,
        };
        match pays == record.pays {
            true => Ok(()),
            false => {
                Err(TreasuryError::Differ { recorded: record.pays.len(), computed: pays.len() })
            }
        }
    }

    fn apply(
        &mut self,
        at: u64,
        call: &Call,
    ) -> Result<(Option<ReportId>, Vec<Pay>), TreasuryError> {
        let mut paid: Option<Payment> = None;
        let (mut committed, mut closes) = (None, false);
        match *call {
            Call::Open(_) => {
                return Err(TreasuryError::Open { account: self.opening.account });
            }
            Call::Received { entry, from, amount } => {
                self.unseen(entry)?;
                self.receive(from, amount)?;
                self.next_entry = entry.saturating_add(1);
            }
            Call::Fund { amount } => {
                let (free, pool) = (self.enough(amount)?, self.registry.books().pool);
                let budget = self.registry.params().epoch_budget;
                if pool.saturating_add(amount) > budget {
                    return Err(TreasuryError::Full { pool, amount, budget });
                }
                self.registry.fund(amount)?;
                self.free = free;
            }
            Call::Confirm { subject, amount } => {
                let free = self.enough(amount)?;
                self.is_user(subject)?;
                let epoch = self.registry.confirm(Subject::account(subject), amount, at)?;
                self.free = free;
                self.events.insert((subject, epoch), at);
            }
            Call::Watcher(ref call) => (committed, paid) = self.watcher(at, call)?,
            Call::Order { report, operation } => {
                let entry = self.registry.entry(report)?;
                match entry.stage {
                    Stage::Open { asks_freeze: true, .. } => {
                        self.orders.insert(operation, report);
                    }
                    Stage::Sealed | Stage::Open { .. } | Stage::Frozen { .. } => {
                        return Err(super::RewardError::NotAsked { id: report }.into());
                    }
                }
            }
            Call::Frozen { entry, operation, until } => {
                self.unseen(entry)?;
                let report = self.orders.get(&operation).ok_or(TreasuryError::NotOrdered)?;
                let victim = self.subjects.get(report).ok_or(TreasuryError::NotOrdered)?;
                self.registry.freeze(*report, *victim, until, at)?;
                self.orders.remove(&operation);
                self.next_entry = entry.saturating_add(1);
            }
            Call::Settle { subject, epoch } => {
                let done = self.registry.settle(Subject::account(subject), epoch, at)?;
                self.events.remove(&(subject, epoch));
                (paid, closes) = (done.reward.map(|(_, payment)| payment), true);
            }
            Call::Expire { report } => {
                (paid, closes) = (Some(self.registry.expire(report, at)?), true);
            }
            Call::Lapse { report } => {
                self.registry.lapse(report, at)?;
                closes = true;
            }
            Call::Paid { entry, nonce } => {
                self.unseen(entry)?;
                self.is_next(nonce)?;
                self.waiting.pop_front();
                self.next_entry = entry.saturating_add(1);
            }
            Call::Foreign { entry, nonce, amount } => {
                self.unseen(entry)?;
                self.is_foreign(nonce)?;
                self.foreign = self.foreign.saturating_add(amount);
                self.next_entry = entry.saturating_add(1);
            }
        }
        self.at = at;
        if closes {
            self.forget_closed();
        }
        Ok((committed, paid.and_then(|payment| self.owe(payment)).into_iter().collect()))
    }

    /// A user's transfer is a stake, if it is one or adds to one; everything else is the operator's to use.
    fn receive(&mut self, from: Option<Index>, amount: u128) -> Result<(), TreasuryError> {
        let operator = |from: Index| from < FIRST_LIMITER || Some(from) == self.opening.funder;
        let staked = match from.filter(|from| !operator(*from)) {
            None => false,
            Some(watcher) => match self.registry.register(watcher, amount) {
                Ok(()) => true,
                Err(super::RewardError::Stake { .. }) => false,
                Err(error) => return Err(error.into()),
            },
        };
        if !staked {
            let sum = self.free;
            let more = sum.checked_add(amount);
            self.free = more.ok_or(TreasuryError::Overflow { sum, amount })?;
        }
        Ok(())
    }

    fn watcher(
        &mut self,
        at: u64,
        signed: &SignedCall,
    ) -> Result<(Option<ReportId>, Option<Payment>), TreasuryError> {
        let (account, expected) = (signed.account, self.number(signed.account));
        if signed.number != expected {
            return Err(TreasuryError::Number { account, expected, got: signed.number });
        }
        let done = match signed.call {
            WatcherCall::Commit { commitment } => {
                (Some(self.registry.commit(account, commitment, at)?), None)
            }
            WatcherCall::Reveal { report: id, subject, asks_freeze, evidence, salt } => {
                self.is_user(subject)?;
                if self.registry.entry(id)?.watcher != account {
                    return Err(TreasuryError::OtherWatcher { report: id, account });
                }
                let about = Subject::account(subject);
                let report = Report { watcher: account, subject: about, asks_freeze, evidence };
                self.registry.reveal(id, &report, &salt, at)?;
                self.subjects.insert(id, subject);
                (None, None)
            }
            WatcherCall::Leave { amount } => {
                self.registry.leave(account, amount, at)?;
                (None, None)
            }
            WatcherCall::Withdraw => (None, Some(self.registry.withdraw(account, at)?)),
        };
        self.numbers.insert(account, expected.saturating_add(1));
        Ok(done)
    }

    /// What is left of the operator's money after an amount.
    fn enough(&self, amount: u128) -> Result<u128, TreasuryError> {
        let free = self.free;
        free.checked_sub(amount).ok_or(TreasuryError::Free { amount, free })
    }

    fn is_user(&self, subject: Index) -> Result<(), TreasuryError> {
        match subject < FIRST_USER || subject == self.opening.account {
            true => Err(TreasuryError::Subject { subject }),
            false => Ok(()),
        }
    }

    fn unseen(&self, entry: u64) -> Result<(), TreasuryError> {
        match entry < self.next_entry {
            true => Err(TreasuryError::Seen { entry, next: self.next_entry }),
            false => Ok(()),
        }
    }

    fn forget_closed(&mut self) {
        let registry = &self.registry;
        let closed = |id: &ReportId| registry.report(*id).is_none();
        let gone: BTreeSet<ReportId> = self.subjects.keys().copied().filter(closed).collect();
        if !gone.is_empty() {
            self.subjects.retain(|id, _| !gone.contains(id));
            self.orders.retain(|_, id| !gone.contains(id));
        }
    }

    /// How it began.
    #[must_use]
    pub fn opening(&self) -> &Opening {
        &self.opening
    }

    /// The registry.
    #[must_use]
    pub fn registry(&self) -> &Registry {
        &self.registry
    }

    /// What came in and is not used yet.
    #[must_use]
    pub fn free(&self) -> u128 {
        self.free
    }

    /// The next number of a watcher's calls.
    #[must_use]
    pub fn number(&self, watcher: Index) -> u64 {
        self.numbers.get(&watcher).copied().unwrap_or(0)
    }

    /// The account that an opened report is about.
    #[must_use]
    pub fn subject(&self, report: ReportId) -> Option<Index> {
        self.subjects.get(&report).copied()
    }

    /// The account that a freeze was ordered for.
    #[must_use]
    pub fn ordered(&self, operation: &Hash) -> Option<Index> {
        self.subject(*self.orders.get(operation)?)
    }

    /// Whether a freeze was ordered for a report.
    #[must_use]
    pub fn is_ordered(&self, operation: &Hash) -> bool {
        self.orders.contains_key(operation)
    }

    /// The first entry of the sequencer's log that was not taken.
    #[must_use]
    pub fn next_entry(&self) -> u64 {
        self.next_entry
    }
}
