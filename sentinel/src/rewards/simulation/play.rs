//! One epoch, played on a registry.

use super::{
    day::{days, Day, PLAYER},
    Strategy, World,
};
use crate::rewards::{
    answer, params::permille, Params, Registry, Report, ReportId, RewardError, Subject,
};
use bastion_protocol::Address;
use std::collections::BTreeMap;

const HARMLESS: u8 = 200;
const FRAMED: u8 = 201;
const OPERATOR: u8 = 202;
const SEED: [u8; 32] = [1; 32];
const DIGEST: [u8; 32] = [2; 32];

/// What one watcher does about one subject.
#[derive(Debug, Clone, Copy)]
struct Plan {
    watcher: u8,
    subject: u8,
    commit: u64,
    /// When it opens the commitment.
    open: Option<u64>,
    /// Whether the subject is frozen when it is opened.
    frozen: bool,
}

#[derive(Debug, Clone, Copy)]
enum Move {
    Commit(usize),
    Open(usize),
    Expire(usize),
    Lapse(usize),
    Confirm(u8, u128),
    Settle(u8, u64),
    Answer,
    Grade,
}

struct Table<'a> {
    day: &'a Day,
    world: &'a World,
    params: &'a Params,
    strategy: Strategy,
    registry: Registry,
    plans: Vec<Plan>,
    ids: Vec<Option<ReportId>>,
    /// Moves by time; those of a time in the order in which they were put here.
    moves: BTreeMap<(u64, usize), Move>,
    order: usize,
    /// What came to the player, less what it paid.
    profit: f64,
}

/// The player's profit in an epoch.
pub(super) fn play(
    world: &World,
    params: &Params,
    strategy: Strategy,
    day: &Day,
) -> Result<f64, RewardError> {
    if strategy == Strategy::Absent {
        return Ok(0.0);
    }
    let mut registry = Registry::unchecked(*params);
    registry.fund(params.epoch_budget.saturating_mul(2))?;
    for watcher in 0..world.watchers {
        registry.register(address(watcher), params.stake)?;
    }
    let mut table = Table {
        day,
        world,
        params,
        strategy,
        registry,
        plans: Vec::new(),
        ids: Vec::new(),
        moves: BTreeMap::new(),
        order: 0,
        profit: 0.0,
    };
    table.costs();
    table.plan();
    while let Some(((now, _), next)) = table.moves.pop_first() {
        // A call that the registry refuses is an action without effect.
        let _refused = table.make(next, now);
    }
    let stake = table.registry.stake(&address(PLAYER));
    Ok(table.profit + (stake.free + stake.locked) as f64 - params.stake as f64)
}

fn address(watcher: u8) -> Address {
    Address([watcher; 20])
}

impl Table<'_> {
    /// What the player pays whatever happens.
    fn costs(&mut self) {
        let days = days(self.params);
        if self.strategy.executes() {
            self.profit -= self.world.diligence_cost * days;
        }
        // The stake stands through the delay of its withdrawal too.
        let delay = self.params.withdraw_delay as f64 / 86_400.0 / self.world.stay_days;
        self.profit -= self.world.capital_cost * self.params.stake as f64 * days * (1.0 + delay);
    }

    fn put(&mut self, at: u64, what: Move) {
        self.moves.insert((at, self.order), what);
        self.order += 1;
    }

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

    fn plan(&mut self) {
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

    fn sealed(&self, index: usize) -> Option<(Plan, Report)> {
        let plan = *self.plans.get(index)?;
        let subject = Subject([plan.subject; 32]);
        let watcher = address(plan.watcher);
        let report = Report { watcher, subject, asks_freeze: plan.frozen, evidence: [0; 32] };
        Some((plan, report))
    }

    fn id(&self, index: usize) -> Option<ReportId> {
        self.ids.get(index).copied().flatten()
    }

    /// The player pays for its calls.
    fn fee(&mut self, watcher: u8) {
        if watcher == PLAYER {
            self.profit -= self.world.transaction_cost;
        }
    }

    fn gain(&mut self, to: Address, amount: u128) {
        if to == address(PLAYER) {
            self.profit += amount as f64;
        }
    }

    fn make(&mut self, next: Move, now: u64) -> Result<(), RewardError> {
        match next {
            Move::Commit(index) => {
                let Some((plan, report)) = self.sealed(index) else { return Ok(()) };
                if plan.watcher == PLAYER {
                    self.top_up()?;
                }
                let commitment = report.commitment(&[plan.watcher; 32]);
                let id = self.registry.commit(report.watcher, commitment, now)?;
                self.fee(plan.watcher);
                if let Some(place) = self.ids.get_mut(index) {
                    *place = Some(id);
                }
            }
            Move::Open(index) => {
                let (Some((plan, report)), Some(id)) = (self.sealed(index), self.id(index)) else {
                    return Ok(());
                };
                self.registry.reveal(id, &report, &[plan.watcher; 32], now)?;
                self.fee(plan.watcher);
                if plan.frozen {
                    let until = now.saturating_add(self.world.freeze_seconds);
                    self.registry.freeze(id, Address([plan.subject; 20]), until, now)?;
                    self.put(until.saturating_add(1), Move::Expire(index));
                    if plan.subject == FRAMED {
                        self.profit += self.world.framing_gain;
                    }
                }
            }
            Move::Expire(index) => {
                if let Some(id) = self.id(index) {
                    self.registry.expire(id, now)?;
                }
            }
            Move::Lapse(index) => {
                if let Some(id) = self.id(index) {
                    self.registry.lapse(id, now)?;
                }
            }
            Move::Confirm(subject, amount) => {
                let epoch = self.registry.confirm(Subject([subject; 32]), amount, now)?;
                let at = now.saturating_add(self.params.reveal_window).saturating_add(1);
                self.put(at, Move::Settle(subject, epoch));
            }
            Move::Settle(subject, epoch) => self.settle(subject, epoch, now)?,
            Move::Answer => self.answer(now)?,
            Move::Grade => {
                for payment in self.registry.grade(0, &SEED, &DIGEST, now)?.paid {
                    self.gain(payment.to, payment.amount);
                }
            }
        }
        Ok(())
    }

    fn settle(&mut self, subject: u8, epoch: u64, now: u64) -> Result<(), RewardError> {
        let done = self.registry.settle(Subject([subject; 32]), epoch, now)?;
        let reward = done.reward.map_or(0, |(_, payment)| payment.amount);
        if let Some((_, payment)) = done.reward {
            self.gain(payment.to, payment.amount);
        }
        if subject == OPERATOR {
            // What is neither burned nor paid stays in the pool, and lowers what its operator must put in.
            let amount = self.world.event_amount;
            let burned = permille(amount, self.params.burn_permille);
            self.profit += amount.saturating_sub(burned).saturating_sub(reward) as f64;
        }
        Ok(())
    }

    /// Who lost a part of the stake makes it up, to go on.
    fn top_up(&mut self) -> Result<(), RewardError> {
        let stake = self.registry.stake(&address(PLAYER));
        let missing = self.params.stake.saturating_sub(stake.free.saturating_add(stake.locked));
        if missing > 0 {
            self.registry.register(address(PLAYER), missing)?;
            self.profit -= missing as f64;
        }
        Ok(())
    }

    fn answer(&mut self, now: u64) -> Result<(), RewardError> {
        self.top_up()?;
        for watcher in 0..self.world.watchers {
            let right = watcher != PLAYER || self.strategy.executes() || self.day.stale_right;
            let digest = if right { DIGEST } else { [0; 32] };
            let answer = answer(0, &SEED, &address(watcher), &digest);
            self.registry.answer(address(watcher), 0, answer, now)?;
            self.fee(watcher);
        }
        Ok(())
    }
}
