//! Filing a report: committed, opened, and what is frozen because of it.

use super::{Entry, Registry, Report, ReportId, RewardError, Stage, Subject};
use bastion_protocol::Index;

impl Registry {
    /// Commits to a report and locks the penalty. Commitments are numbered in the order of these calls.
    ///
    /// # Errors
    /// [`RewardError::Stake`] if the free stake is below the least one or the penalty.
    pub fn commit(
        &mut self,
        watcher: Index,
        commitment: [u8; 32],
        now: u64,
    ) -> Result<ReportId, RewardError> {
        self.at(now)?;
        let (bond, least) = (self.params.penalty, self.params.stake);
        let stake = self.known(&watcher)?;
        // Bonds count towards the least stake: a watcher may have several reports open.
        let held = stake.usable() + stake.locked;
        if stake.usable() < bond || held < least {
            let needed = bond.max(least.saturating_sub(stake.locked));
            return Err(RewardError::Stake { watcher, free: stake.usable(), needed });
        }
        stake.free -= bond;
        stake.locked += bond;
        let id = self.next_id;
        self.next_id += 1;
        self.tick(now);
        let stage = Stage::Sealed;
        self.entries.insert(id, Entry { watcher, committed: now, commitment, bond, stage });
        Ok(id)
    }

    /// Opens a commitment within the reveal window. A watcher sends this only when the commitment has its
    /// place in the order: who sees the opening first could otherwise commit before it.
    ///
    /// # Errors
    /// [`RewardError::Late`], [`RewardError::Opening`], and [`RewardError::Repeated`] for a second report
    /// of this watcher about the subject in the epoch.
    pub fn reveal(
        &mut self,
        id: ReportId,
        report: &Report,
        salt: &[u8; 32],
        now: u64,
    ) -> Result<(), RewardError> {
        self.at(now)?;
        let entry = self.entry(id)?;
        if entry.stage != Stage::Sealed {
            let (found, needed) = (entry.stage.name(), "sealed");
            return Err(RewardError::State { id, found, needed });
        }
        let last = entry.committed.saturating_add(self.params.reveal_window);
        if now > last {
            return Err(RewardError::Late { what: "opening a commitment", now, last });
        }
        if report.watcher != entry.watcher || report.commitment(salt) != entry.commitment {
            return Err(RewardError::Opening { id });
        }
        let Report { watcher, subject, asks_freeze, .. } = *report;
        let epoch = self.params.epoch(entry.committed);
        if !self.told.insert((epoch, watcher, subject)) {
            return Err(RewardError::Repeated { watcher, subject, epoch });
        }
        self.tick(now);
        self.set_stage(id, Stage::Open { subject, asks_freeze });
        self.about.entry(subject).or_default().insert(id);
        Ok(())
    }

    /// Records that a subject was frozen because of a report that asked for it.
    ///
    /// # Errors
    /// [`RewardError::State`] unless it is open, [`RewardError::NotAsked`],
    /// [`RewardError::FrozenAlready`], [`RewardError::Confirmed`], [`RewardError::Late`] once its time or
    /// the freeze is over.
    pub fn freeze(
        &mut self,
        id: ReportId,
        victim: Index,
        until: u64,
        now: u64,
    ) -> Result<(), RewardError> {
        self.at(now)?;
        let entry = self.entry(id)?;
        let Stage::Open { subject, asks_freeze } = entry.stage else {
            return Err(RewardError::State { id, found: entry.stage.name(), needed: "open" });
        };
        if !asks_freeze {
            return Err(RewardError::NotAsked { id });
        }
        let last = self.deadline(&entry).min(until);
        if now > last {
            return Err(RewardError::Late { what: "freezing for a report", now, last });
        }
        self.unconfirmed(id, &entry, subject)?;
        let frozen =
            |by: &&ReportId| matches!(self.report(**by), Some(e) if e.stage.name() == "frozen");
        if let Some(by) = self.about.get(&subject).and_then(|ids| ids.iter().find(frozen)) {
            return Err(RewardError::FrozenAlready { subject, by: *by });
        }
        self.tick(now);
        self.set_stage(id, Stage::Frozen { subject, victim, until });
        Ok(())
    }

    pub(super) fn entry(&self, id: ReportId) -> Result<Entry, RewardError> {
        self.entries.get(&id).copied().ok_or(RewardError::UnknownReport { id })
    }

    fn set_stage(&mut self, id: ReportId, stage: Stage) {
        self.entries.entry(id).and_modify(|entry| entry.stage = stage);
    }

    /// Last time of an event that confirms a report.
    pub(super) fn deadline(&self, entry: &Entry) -> u64 {
        match entry.stage {
            Stage::Frozen { until, .. } => until,
            Stage::Sealed | Stage::Open { .. } => {
                entry.committed.saturating_add(self.params.event_window)
            }
        }
    }

    /// Whether an event at a time confirms a report on the same subject.
    pub(super) fn covers(&self, entry: &Entry, at: u64) -> bool {
        entry.committed < at && at <= self.deadline(entry)
    }

    /// Refuses if an open event confirms the report.
    pub(super) fn unconfirmed(
        &self,
        id: ReportId,
        entry: &Entry,
        subject: Subject,
    ) -> Result<(), RewardError> {
        let of_subject = self.events.range((subject, 0)..=(subject, u64::MAX));
        let mut open = of_subject.filter(|(_, e)| !e.settled && self.covers(entry, e.at));
        match open.next() {
            Some(((_, epoch), _)) => Err(RewardError::Confirmed { id, epoch: *epoch }),
            None => Ok(()),
        }
    }

    /// Forgets a report and unlocks its bond less `loss`, which leaves the stakes.
    pub(super) fn close(&mut self, id: ReportId, entry: &Entry, loss: u128) {
        self.entries.remove(&id);
        if let Some(subject) = entry.stage.subject() {
            if let Some(ids) = self.about.get_mut(&subject) {
                ids.remove(&id);
                if ids.is_empty() {
                    self.about.remove(&subject);
                }
            }
        }
        if let Some(stake) = self.watchers.get_mut(&entry.watcher) {
            stake.locked -= entry.bond;
            stake.free += entry.bond - loss;
        }
        self.books.stakes -= loss;
    }
}
