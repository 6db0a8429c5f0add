//! What is shown of rewards.

use bastion_client::types::rewards::{
    RewardPayment, Rewards as Shown, RewardsParams, Watcher, WatcherAnswer, WatcherReport,
};
use bastion_client::types::{Amount, Hash};
use bastion_protocol::Index;
use bastion_sentinel::rewards::{Pay, Params, Stage, Stake, Treasury, TreasuryError};

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
            funder: opening.funder,
            params: shown_params(params),
            pool: Amount(books.pool),
            stakes: Amount(books.stakes),
            burned: Amount(books.burned),
            paid: Amount(books.paid),
            free: Amount(treasury.free()),
            epoch,
            spent: Amount(registry.spent(epoch)),
            reports: registry.reports().count() as u64,
            waiting: treasury.waiting().iter().take(REPORTS).map(payment).collect(),
        })
    }

    /// A watcher; `None` if it has no stake.
    ///
    /// # Errors
    /// If there are no rewards.
    pub fn watcher(&self, account: Index) -> Result<Option<Watcher>, NodeError> {
        let treasury = self.treasury()?;
        let first = treasury.registry().watchers(account).next();
        Ok(first.filter(|(found, _)| *found == account).map(|(_, stake)| show(treasury, account, stake)))
    }

    /// Watchers from an account on.
    ///
    /// # Errors
    /// If there are no rewards.
    pub fn watchers(&self, from: Index, limit: usize) -> Result<Vec<Watcher>, NodeError> {
        let treasury = self.treasury()?;
        let found = treasury.registry().watchers(from).take(limit);
        Ok(found.map(|(account, stake)| show(treasury, account, stake)).collect())
    }
}

fn show(treasury: &Treasury, account: Index, stake: Stake) -> Watcher {
    let params = treasury.registry().params();
    let own = treasury.registry().reports().filter(|(_, entry)| entry.watcher == account);
    let reports = own.take(REPORTS).map(|(report, entry)| {
        let window = match entry.stage {
            Stage::Sealed => params.reveal_window,
            Stage::Open { .. } | Stage::Frozen { .. } => params.event_window,
        };
        let ends = match entry.stage {
            Stage::Frozen { until, .. } => until,
            Stage::Sealed | Stage::Open { .. } => entry.committed.saturating_add(window),
        };
        WatcherReport {
            report,
            committed: entry.committed,
            commitment: Hash(entry.commitment),
            stage: entry.stage.name().into(),
            subject: treasury.subject(report),
            bond: Amount(entry.bond),
            ends,
        }
    });
    let (leaving, leaves_at) = stake.leaving.unwrap_or_default();
    Watcher {
        account,
        free: Amount(stake.free),
        locked: Amount(stake.locked),
        leaving: Amount(leaving),
        leaves_at,
        next_call: treasury.number(account),
        reports: reports.collect(),
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
