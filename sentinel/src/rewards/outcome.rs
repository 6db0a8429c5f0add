//! How reports end: confirmed and settled, expired, lapsed.

use super::{
    params::permille, Cause, Entry, Payment, Registry, ReportId, RewardError, Stage, Subject,
};

/// A proven event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Event {
    pub(super) at: u64,
    /// What it brought in.
    amount: u128,
    pub(super) settled: bool,
}

/// How an event was settled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settlement {
    /// The earliest report, and what it earned: less than its share where the budget or the pool ended.
    pub reward: Option<(ReportId, Payment)>,
    /// Later reports about the same: they get their bonds back and nothing else.
    pub copies: Vec<ReportId>,
}

impl Registry {
    /// Records a proven event on a subject with what it brings in: a slashed bond, or a levy on what was
    /// saved. The share for burning is burned at once, the rest goes into the pool.
    ///
    /// # Errors
    /// [`RewardError::EventStands`] for a second event on the subject in an epoch,
    /// [`RewardError::Overflow`].
    pub fn confirm(
        &mut self,
        subject: Subject,
        amount: u128,
        now: u64,
    ) -> Result<u64, RewardError> {
        self.at(now)?;
        let epoch = self.params.epoch(now);
        if self.events.contains_key(&(subject, epoch)) {
            return Err(RewardError::EventStands { subject, epoch });
        }
        self.take_in(amount)?;
        self.tick(now);
        let burned = permille(amount, self.params.burn_permille);
        self.books.burned += burned;
        self.books.pool += amount - burned;
        self.events.insert((subject, epoch), Event { at: now, amount, settled: false });
        Ok(epoch)
    }

    /// Pays the earliest commitment to a report about an event. Possible once every commitment from
    /// before the event is opened or too late, so that the order of settling changes nothing.
    ///
    /// # Errors
    /// [`RewardError::NoEvent`] if there is none or it was settled, [`RewardError::Early`].
    pub fn settle(
        &mut self,
        subject: Subject,
        epoch: u64,
        now: u64,
    ) -> Result<Settlement, RewardError> {
        self.at(now)?;
        let event = self.events.get(&(subject, epoch)).filter(|e| !e.settled);
        let event = *event.ok_or(RewardError::NoEvent { subject, epoch })?;
        let first = event.at.saturating_add(self.params.reveal_window).saturating_add(1);
        if now < first {
            return Err(RewardError::Early { what: "settling an event", now, first });
        }
        self.tick(now);
        let about = self.about.get(&subject).cloned().unwrap_or_default();
        let told: Vec<(ReportId, Entry)> = about
            .into_iter()
            .filter_map(|id| self.report(id).map(|e| (id, *e)))
            .filter(|(_, entry)| self.covers(entry, event.at))
            .collect();
        self.events.insert((subject, epoch), Event { settled: true, ..event });
        for (id, entry) in &told {
            self.close(*id, entry, 0);
        }
        let copies = told.iter().skip(1).map(|(id, _)| *id).collect();
        let reward = told.first().map(|(id, entry)| {
            let share = permille(event.amount, self.params.reward_permille);
            let amount = self.spend(epoch, share, self.params.diligence_pot);
            (*id, Payment { to: entry.watcher, amount, cause: Cause::Reward })
        });
        Ok(Settlement { reward, copies })
    }

    /// Ends a report whose freeze ended without an event: its bond goes to the one who was frozen.
    ///
    /// # Errors
    /// [`RewardError::State`] unless it is frozen, [`RewardError::Early`], [`RewardError::Confirmed`].
    pub fn expire(&mut self, id: ReportId, now: u64) -> Result<Payment, RewardError> {
        self.at(now)?;
        let entry = self.entry(id)?;
        let Stage::Frozen { subject, victim, until } = entry.stage else {
            return Err(RewardError::State { id, found: entry.stage.name(), needed: "frozen" });
        };
        if now <= until {
            let first = until.saturating_add(1);
            return Err(RewardError::Early { what: "ending a freeze", now, first });
        }
        self.unconfirmed(id, &entry, subject)?;
        self.tick(now);
        self.close(id, &entry, entry.bond);
        self.books.paid += entry.bond;
        Ok(Payment { to: victim, amount: entry.bond, cause: Cause::Compensation })
    }

    /// Ends a commitment that was not opened in time, which burns its bond, or a report about which
    /// nothing happened, which burns the fee for noise. Returns what was burned.
    ///
    /// # Errors
    /// [`RewardError::State`] if it is frozen, [`RewardError::Early`], [`RewardError::Confirmed`].
    pub fn lapse(&mut self, id: ReportId, now: u64) -> Result<u128, RewardError> {
        self.at(now)?;
        let entry = self.entry(id)?;
        let (window, loss) = match entry.stage {
            Stage::Sealed => (self.params.reveal_window, entry.bond),
            Stage::Open { .. } => (self.params.event_window, self.params.noise_fee.min(entry.bond)),
            Stage::Frozen { .. } => {
                return Err(RewardError::State { id, found: "frozen", needed: "sealed or open" })
            }
        };
        let last = entry.committed.saturating_add(window);
        if now <= last {
            let first = last.saturating_add(1);
            return Err(RewardError::Early { what: "ending a report", now, first });
        }
        if let Some(subject) = entry.stage.subject() {
            self.unconfirmed(id, &entry, subject)?;
        }
        self.tick(now);
        self.close(id, &entry, loss);
        self.books.burned += loss;
        Ok(loss)
    }
}
