//! What the watchers of an epoch mean to do.

use super::{
    day::PLAYER,
    play::{Move, Table},
    Strategy,
};

const HARMLESS: u8 = 200;
pub(super) const FRAMED: u8 = 201;
pub(super) const OPERATOR: u8 = 202;

/// What one watcher does about one subject.
#[derive(Debug, Clone, Copy)]
pub(super) struct Plan {
    pub(super) watcher: u8,
    pub(super) subject: u8,
    pub(super) commit: u64,
    /// When it opens the commitment.
    pub(super) open: Option<u64>,
    /// Whether the subject is frozen when it is opened.
    pub(super) frozen: bool,
}

impl Table<'_> {
    fn report(&mut self, plan: Plan) {
        let index = self.plans.len();
        self.plans.push(plan);
        self.ids.push(None);
        self.put(plan.commit, Move::Commit(index));
        if let Some(open) = plan.open {
            self.put(open, Move::Open(index));
        }
        for window in [self.params.reveal_window, self.params.event_window] {
            self.put(plan.commit.saturating_add(window).saturating_add(1), Move::Lapse(index));
        }
    }

    pub(super) fn plan(&mut self) {
        let (day, strategy) = (self.day, self.strategy);
        let delay = day.openings.first().copied().unwrap_or(0);
        let mine = |subject, commit, frozen| Plan {
            watcher: PLAYER,
            subject,
            commit,
            open: Some(commit.saturating_add(delay)),
            frozen,
        };
        self.extras(&mine);
        let guessed = strategy == Strategy::Spammer;
        if let Some(at) = day.alarm.filter(|_| strategy.reports()) {
            self.report(mine(HARMLESS, at, day.freezes[1]));
        }
        if let Some(attack) = day.attack {
            self.put(attack.event, Move::Confirm(attack.subject, self.world.event_amount));
            let own = day.sights.first().copied().flatten().filter(|_| strategy.reports());
            for (watcher, sight) in (0_u8..).zip(&day.sights) {
                let Some(sight) = *sight else { continue };
                let wait = day.openings.get(usize::from(watcher)).copied().unwrap_or(0);
                let commit = match (strategy, own) {
                    // Held back until the pair's own commitment is in.
                    (Strategy::Delaying, Some(own)) => sight.max(own),
                    _ => sight,
                };
                let again = guessed && attack.subject == day.guess.0;
                let plays = watcher != PLAYER || (strategy.reports() && !again);
                if plays {
                    let (subject, open) = (attack.subject, Some(commit.saturating_add(wait)));
                    self.report(Plan { watcher, subject, commit, open, frozen: day.freezes[0] });
                }
            }
        }
        self.put(self.params.epoch_seconds.saturating_add(1), Move::Answer);
        self.put(self.params.epoch_seconds.saturating_mul(2), Move::Grade);
    }

    /// What a strategy does beside honest work. These come before the others' moves of the same second.
    fn extras(&mut self, mine: &dyn Fn(u8, u64, bool) -> Plan) {
        let (day, middle) = (self.day, self.params.epoch_seconds / 4);
        let missed = day.sights.first().copied().flatten().is_none();
        let opening = day.attack.zip(day.first_opening());
        match self.strategy {
            Strategy::Spammer => self.report(mine(day.guess.0, 1, false)),
            Strategy::Hindsight => {
                let (subject, commit) = day.guess;
                let event = day.attack.filter(|a| a.subject == subject && a.event > commit);
                let last = commit.saturating_add(self.params.reveal_window);
                let open = event.map(|a| a.event).filter(|at| *at <= last);
                self.report(Plan { open, ..mine(subject, commit, false) });
            }
            Strategy::SelfSlasher => {
                self.report(mine(OPERATOR, middle, false));
                self.put(middle + 1, Move::Confirm(OPERATOR, self.world.event_amount));
                self.profit += self.world.equivocation_gain - self.world.event_amount as f64;
            }
            Strategy::Framing => self.report(mine(FRAMED, middle, true)),
            Strategy::Copycat => {
                if let Some((attack, at)) = opening {
                    self.report(mine(attack.subject, at.saturating_add(1), false));
                }
            }
            Strategy::FrontRunning => {
                if let Some((attack, at)) = opening.filter(|_| missed) {
                    self.report(mine(attack.subject, at, false));
                }
            }
            Strategy::Honest
            | Strategy::Absent
            | Strategy::Silent
            | Strategy::Stale
            | Strategy::Delaying => {}
        }
    }
}
