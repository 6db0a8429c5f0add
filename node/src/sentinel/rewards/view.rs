//! What is shown of rewards.

use std::collections::BTreeMap;

use bastion_client::types::rewards::{
    RewardPayment, Rewards as Shown, RewardsParams, Watcher, WatcherAnswer, WatcherReport,
};
use bastion_client::types::{Amount, Hash};
use bastion_protocol::watcher::Registry;
use bastion_protocol::Index;
use bastion_sentinel::rewards::{
    Entry, Params, Pay, ReportId, Stage, Stake, Treasury, TreasuryError,
};

use super::Taken;
use crate::error::NodeError;
use crate::sentinel::Sentinel;

/// Reports of a watcher that are shown at most.
const REPORTS: usize = 100;

impl Sentinel {
    fn treasury(&self) -> Result<&Treasury, NodeError> {
        let closed = NodeError::Treasury(TreasuryError::Closed);
        let none = || self.rewards.config.map_or(NodeError::NoRewards, |_| closed);
        self.rewards.treasury.as_ref().ok_or_else(none)
    }

    /// The registry that watchers sign for.
    ///
    /// # Errors
    /// If there is none.
    pub fn registry(&self) -> Result<Registry, NodeError> {
        Ok(self.treasury()?.opening().registry(self.rewards.domain))
    }

    /// Rewards as they stand.
    ///
    /// # Errors
    /// If there are none.
    pub fn rewards(&self, now: u64) -> Result<Shown, NodeError> {
        let treasury = self.treasury()?;
        let (opening, registry) = (treasury.opening(), treasury.registry());
        let (books, params) = (registry.books(), registry.params());
        let epoch = params.epoch(now.max(registry.last()));
        Ok(Shown {
            account: opening.account,
            token: opening.token,
            registry: Hash(opening.registry(self.rewards.domain).id),
            funder: opening.funder,
            params: shown_params(params),
            pool: Amount(books.pool),
            stakes: Amount(books.stakes),
            burned: Amount(books.burned),
            paid: Amount(books.paid),
            free: Amount(treasury.free()),
            epoch,
            spent: Amount(registry.spent(epoch)),
            reports: registry.open_reports() as u64,
            waiting: treasury.waiting().iter().take(REPORTS).map(payment).collect(),
        })
    }

    /// A watcher; `None` if it has no stake.
    ///
    /// # Errors
    /// If there are no rewards.
    pub fn watcher(&self, account: Index) -> Result<Option<Watcher>, NodeError> {
        let first = self.watchers(account, 1)?.into_iter().next();
        Ok(first.filter(|watcher| watcher.account == account))
    }

    /// Watchers from an account on.
    ///
    /// # Errors
    /// If there are no rewards.
    pub fn watchers(&self, from: Index, limit: usize) -> Result<Vec<Watcher>, NodeError> {
        let treasury = self.treasury()?;
        let registry = treasury.registry();
        let found: Vec<(Index, Stake)> = registry.watchers(from).take(limit).collect();
        let Some((last, _)) = found.last() else { return Ok(Vec::new()) };
        let mut reports: BTreeMap<Index, Vec<WatcherReport>> = BTreeMap::new();
        for (id, entry) in registry.reports().filter(|(_, e)| (from..=*last).contains(&e.watcher)) {
            let of = reports.entry(entry.watcher).or_default();
            if of.len() < REPORTS {
                of.push(report(treasury, id, entry));
            }
        }
        let show = |(account, stake): (Index, Stake)| {
            let (leaving, leaves_at) = stake.leaving.unwrap_or_default();
            Watcher {
                account,
                free: Amount(stake.free),
                locked: Amount(stake.locked),
                leaving: Amount(leaving),
                leaves_at,
                next_call: treasury.number(account),
                reports: reports.remove(&account).unwrap_or_default(),
            }
        };
        Ok(found.into_iter().map(show).collect())
    }
}

fn report(treasury: &Treasury, id: ReportId, entry: &Entry) -> WatcherReport {
    let params = treasury.registry().params();
    let ends = match entry.stage {
        Stage::Sealed => entry.committed.saturating_add(params.reveal_window),
        Stage::Open { .. } => entry.committed.saturating_add(params.event_window),
        Stage::Frozen { until, .. } => until,
    };
    WatcherReport {
        report: id,
        committed: entry.committed,
        commitment: Hash(entry.commitment),
        stage: entry.stage.name().into(),
        subject: treasury.subject(id),
        bond: Amount(entry.bond),
        ends,
    }
}

fn shown_params(params: &Params) -> RewardsParams {
    RewardsParams {
        stake: Amount(params.stake),
        reward_permille: params.reward_permille,
        burn_permille: params.burn_permille,
        penalty: Amount(params.penalty),
        noise_fee: Amount(params.noise_fee),
        epoch_seconds: params.epoch_seconds,
        epoch_budget: Amount(params.epoch_budget),
        reveal_window: params.reveal_window,
        event_window: params.event_window,
        withdraw_delay: params.withdraw_delay,
    }
}

fn payment(pay: &Pay) -> RewardPayment {
    let Pay { nonce, to, amount, cause } = *pay;
    RewardPayment { nonce, to, amount: Amount(amount), cause: cause.to_string() }
}

impl From<Taken> for WatcherAnswer {
    fn from(taken: Taken) -> Self {
        let Taken { entry, at, report, pays, freeze } = taken;
        Self { entry, at, report, payments: pays.iter().map(payment).collect(), freeze }
    }
}
