//! One epoch, played on a registry.

use super::{
    day::{days, Day, PLAYER},
    plans::{Plan, FRAMED, OPERATOR},
    Strategy, World,
};
use crate::rewards::{
    answer, params::permille, Params, Registry, Report, ReportId, RewardError, Subject,
};
use bastion_protocol::Index;
use std::collections::BTreeMap;

const SEED: [u8; 32] = [1; 32];
const DIGEST: [u8; 32] = [2; 32];

#[derive(Debug, Clone, Copy)]
pub(super) enum Move {
    Commit(usize),
    Open(usize),
    Expire(usize),
    Lapse(usize),
    Confirm(u8, u128),
    Settle(u8, u64),
    Answer,
    Grade,
}

pub(super) struct Table<'a> {
    pub(super) day: &'a Day,
    pub(super) world: &'a World,
    pub(super) params: &'a Params,
    pub(super) strategy: Strategy,
    pub(super) registry: Registry,
    pub(super) plans: Vec<Plan>,
    pub(super) ids: Vec<Option<ReportId>>,
    /// Moves by time; those of a time in the order in which they were put here.
    pub(super) moves: BTreeMap<(u64, usize), Move>,
    pub(super) order: usize,
    /// What came to the player, less what it paid.
    pub(super) profit: f64,
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

fn address(watcher: u8) -> Index {
    watcher.into()
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

    pub(super) fn put(&mut self, at: u64, what: Move) {
        self.moves.insert((at, self.order), what);
        self.order += 1;
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

    fn gain(&mut self, to: Index, amount: u128) {
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
                    self.registry.freeze(id, plan.subject.into(), until, now)?;
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
