//! Stakes, the pool and the books.

use super::{outcome::Event, Cause, Entry, Params, Payment, ReportId, RewardError, Subject};
use bastion_protocol::Index;
use std::collections::{BTreeMap, BTreeSet};

/// Least seconds between two announcements of a withdrawal by one watcher, if the delay is not shorter.
const ANNOUNCEMENT: u64 = 3_600;

/// A watcher's stake.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Stake {
    /// What no report locks. It includes what is announced for withdrawal.
    pub free: u128,
    /// What reports lock.
    pub locked: u128,
    /// Amount that is announced for withdrawal, and when it may be taken.
    pub leaving: Option<(u128, u64)>,
}

impl Stake {
    /// What a new commitment may lock.
    #[must_use]
    pub fn usable(&self) -> u128 {
        self.free.saturating_sub(self.leaving.map_or(0, |(amount, _)| amount))
    }
}

/// Where all the money is. `came_in = pool + stakes + burned + paid` always.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Books {
    /// All that came in: stakes, fees, and what events brought.
    pub came_in: u128,
    /// What rewards are paid from.
    pub pool: u128,
    /// All stakes, free and locked.
    pub stakes: u128,
    /// What nobody gets.
    pub burned: u128,
    /// What was paid out.
    pub paid: u128,
}

/// The registry of watchers: a state machine without input, output or clock. Calls are applied in the
/// order of the chain with the chain's time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registry {
    pub(super) params: Params,
    pub(super) last: u64,
    pub(super) books: Books,
    pub(super) watchers: BTreeMap<Index, Stake>,
    pub(super) next_id: ReportId,
    pub(super) entries: BTreeMap<ReportId, Entry>,
    /// Open and frozen reports of a subject.
    pub(super) about: BTreeMap<Subject, BTreeSet<ReportId>>,
    /// Who has opened a report about what, by the epoch of the commitment.
    pub(super) told: BTreeSet<(u64, Index, Subject)>,
    pub(super) events: BTreeMap<(Subject, u64), Event>,
    pub(super) spent: BTreeMap<u64, u128>,
    pub(super) answers: BTreeMap<(u64, Index), [u8; 32]>,
    pub(super) next_grade: u64,
}

impl Registry {
    /// An empty registry.
    ///
    /// # Errors
    /// [`RewardError::Parameter`] if the parameters contradict one another.
    pub fn new(params: Params) -> Result<Self, RewardError> {
        params.check()?;
        Ok(Self::unchecked(params))
    }

    /// A registry with any parameters, for looking at what lies outside the sound ones.
    pub(super) fn unchecked(params: Params) -> Self {
        Self {
            params,
            last: 0,
            books: Books::default(),
            watchers: BTreeMap::new(),
            next_id: 0,
            entries: BTreeMap::new(),
            about: BTreeMap::new(),
            told: BTreeSet::new(),
            events: BTreeMap::new(),
            spent: BTreeMap::new(),
            answers: BTreeMap::new(),
            next_grade: 0,
        }
    }

    /// The latest time that was seen.
    #[must_use]
    pub fn last(&self) -> u64 {
        self.last
    }

    /// All watchers with a stake, from an account on.
    pub fn watchers(&self, from: Index) -> impl Iterator<Item = (Index, Stake)> + '_ {
        self.watchers.range(from..).map(|(watcher, stake)| (*watcher, *stake))
    }

    /// All reports that are not closed.
    pub fn reports(&self) -> impl Iterator<Item = (ReportId, &Entry)> {
        self.entries.iter().map(|(id, entry)| (*id, entry))
    }

    /// How many reports are not closed.
    #[must_use]
    pub fn open_reports(&self) -> usize {
        self.entries.len()
    }

    /// The parameters.
    #[must_use]
    pub fn params(&self) -> &Params {
        &self.params
    }

    /// Where the money is.
    #[must_use]
    pub fn books(&self) -> Books {
        self.books
    }

    /// A watcher's stake, empty for who is none.
    #[must_use]
    pub fn stake(&self, watcher: &Index) -> Stake {
        self.watchers.get(watcher).copied().unwrap_or_default()
    }

    /// A report that is not closed.
    #[must_use]
    pub fn report(&self, id: ReportId) -> Option<&Entry> {
        self.entries.get(&id)
    }

    /// What was paid for an epoch. It never exceeds the epoch's budget.
    #[must_use]
    pub fn spent(&self, epoch: u64) -> u128 {
        self.spent.get(&epoch).copied().unwrap_or(0)
    }

    /// Puts fees into the pool.
    ///
    /// # Errors
    /// [`RewardError::Overflow`].
    pub fn fund(&mut self, amount: u128) -> Result<(), RewardError> {
        self.take_in(amount)?;
        self.books.pool += amount;
        Ok(())
    }

    /// Registers a watcher, or adds to its stake. Who is one may add less than the least stake; reports need
    /// it in full.
    ///
    /// # Errors
    /// [`RewardError::Stake`] if a new watcher's is below the least one, [`RewardError::Overflow`].
    pub fn register(&mut self, watcher: Index, amount: u128) -> Result<(), RewardError> {
        let needed = self.params.stake;
        if amount < needed && !self.watchers.contains_key(&watcher) {
            return Err(RewardError::Stake { watcher, free: amount, needed });
        }
        self.take_in(amount)?;
        self.books.stakes += amount;
        self.watchers.entry(watcher).or_default().free += amount;
        Ok(())
    }

    /// Announces a withdrawal. An announcement at least an hour later replaces it and starts the delay anew. What is
    /// announced locks no new report, and fines still reach it.
    ///
    /// # Errors
    /// [`RewardError::Stake`] if less is free, [`RewardError::Announced`] if another one was announced within
    /// the hour, [`RewardError::UnknownWatcher`].
    pub fn leave(&mut self, watcher: Index, amount: u128, now: u64) -> Result<u64, RewardError> {
        self.at(now)?;
        let delay = self.params.withdraw_delay;
        let ready = now.saturating_add(delay);
        let stake = self.known(&watcher)?;
        if stake.free < amount {
            return Err(RewardError::Stake { watcher, free: stake.free, needed: amount });
        }
        // An announcement costs nothing, and each is written down.
        if let Some((_, announced)) = stake.leaving {
            let again = announced.saturating_sub(delay).saturating_add(ANNOUNCEMENT.min(delay));
            if now < again {
                return Err(RewardError::Announced { watcher, again, now });
            }
        }
        stake.leaving = Some((amount, ready));
        self.tick(now);
        Ok(ready)
    }

    /// Pays an announced withdrawal, less what fines took meanwhile.
    ///
    /// # Errors
    /// [`RewardError::NotReady`], [`RewardError::UnknownWatcher`].
    pub fn withdraw(&mut self, watcher: Index, now: u64) -> Result<Payment, RewardError> {
        self.at(now)?;
        let stake = self.known(&watcher)?;
        let (amount, ready) = stake.leaving.unwrap_or((0, u64::MAX));
        if stake.leaving.is_none() || now < ready {
            return Err(RewardError::NotReady { watcher, ready, now });
        }
        let amount = amount.min(stake.free);
        stake.leaving = None;
        stake.free -= amount;
        if stake.free + stake.locked == 0 {
            self.watchers.remove(&watcher);
        }
        self.books.stakes -= amount;
        self.books.paid += amount;
        self.tick(now);
        Ok(Payment { to: watcher, amount, cause: Cause::Withdrawal })
    }

    pub(super) fn known(&mut self, watcher: &Index) -> Result<&mut Stake, RewardError> {
        self.watchers.get_mut(watcher).ok_or(RewardError::UnknownWatcher { watcher: *watcher })
    }

    /// Refuses a time before one that was seen.
    pub(super) fn at(&self, now: u64) -> Result<(), RewardError> {
        match now < self.last {
            true => Err(RewardError::TimeBackwards { now, last: self.last }),
            false => Ok(()),
        }
    }

    /// Moves the clock, once nothing can be refused any more, and forgets what no later call can need.
    pub(super) fn tick(&mut self, now: u64) {
        if self.params.epoch(now) > self.params.epoch(self.last) {
            let needed = self.params.epoch(now.saturating_sub(self.params.reveal_window));
            self.told = self.told.split_off(&(needed, 0, Subject([0; 32])));
        }
        self.last = now;
    }

    /// Every sum in the books is at most `came_in`, so no other addition can overflow.
    pub(super) fn take_in(&mut self, amount: u128) -> Result<(), RewardError> {
        let came_in = self.books.came_in;
        let sum = came_in.checked_add(amount);
        self.books.came_in = sum.ok_or(RewardError::Overflow { came_in, amount })?;
        Ok(())
    }

    /// Pays from the pool within the budget of `epoch`, of which `kept` is not for this; returns the sum.
    pub(super) fn spend(&mut self, epoch: u64, wanted: u128, kept: u128) -> u128 {
        let spent = self.spent.entry(epoch).or_default();
        let left = self.params.epoch_budget.saturating_sub(*spent).saturating_sub(kept);
        let amount = wanted.min(left).min(self.books.pool);
        *spent += amount;
        self.books.pool -= amount;
        self.books.paid += amount;
        amount
    }
}
