//! The parameters of the registry.

use super::RewardError;
use bastion_protocol::field::serde_decimal;
use serde::{Deserialize, Serialize};

/// What the registry pays, takes and waits for. Amounts are in the smallest unit of the pool's token,
/// times in seconds. As text, amounts are decimal strings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Params {
    /// Least stake of a watcher who reports or answers. Bonds of its open reports count.
    #[serde(with = "serde_decimal")]
    pub stake: u128,
    /// Thousandths of what an event brings in that its first reporter gets, at most 500.
    pub reward_permille: u16,
    /// Thousandths of what an event brings in that are burned, at least 500.
    pub burn_permille: u16,
    /// What a commitment locks. It goes to the one who was frozen for nothing, or is burned if the
    /// commitment is not opened.
    #[serde(with = "serde_decimal")]
    pub penalty: u128,
    /// What is burned of it if the report was opened, froze nobody and nothing happened.
    #[serde(with = "serde_decimal")]
    pub noise_fee: u128,
    /// Length of an epoch.
    pub epoch_seconds: u64,
    /// Most that leaves the pool for one epoch.
    #[serde(with = "serde_decimal")]
    pub epoch_budget: u128,
    /// The part of the budget that is kept for proofs of diligence.
    #[serde(with = "serde_decimal")]
    pub diligence_pot: u128,
    /// What a wrong answer burns.
    #[serde(with = "serde_decimal")]
    pub diligence_fine: u128,
    /// How long a commitment may stay sealed.
    pub reveal_window: u64,
    /// How long after its commitment a report may be confirmed.
    pub event_window: u64,
    /// Time from announcing a withdrawal to taking it.
    pub withdraw_delay: u64,
}

impl Default for Params {
    /// Values inside the region in which honesty is the best reply to the default world, see the README.
    fn default() -> Self {
        Self {
            stake: 10_000,
            reward_permille: 400,
            burn_permille: 500,
            penalty: 1_000,
            noise_fee: 60,
            epoch_seconds: 86_400,
            epoch_budget: 10_000,
            diligence_pot: 600,
            diligence_fine: 200,
            reveal_window: 600,
            event_window: 86_400,
            withdraw_delay: 7 * 86_400,
        }
    }
}

impl Params {
    /// Checks that the parameters do not contradict one another.
    ///
    /// # Errors
    /// [`RewardError::Parameter`] with the parameter at fault.
    pub fn check(&self) -> Result<(), RewardError> {
        let rule = |good: bool, name, value, why, remedy| {
            let error = RewardError::Parameter { name, value, why, remedy };
            good.then_some(()).ok_or(error)
        };
        let share = u128::from(self.reward_permille);
        let burn = u128::from(self.burn_permille);
        rule(
            share <= 500,
            "reward_permille",
            share,
            "who reports himself would lose less than half",
            "set at most 500",
        )?;
        rule(
            (500..=1000).contains(&burn),
            "burn_permille",
            burn,
            "what is not burned may return to who was slashed",
            "set 500 to 1000",
        )?;
        rule(
            share + burn <= 1000,
            "reward_permille",
            share,
            "reward and burn are more than the event brings in",
            "lower one of them",
        )?;
        let needed = self.penalty.max(self.diligence_fine);
        rule(
            self.stake >= needed,
            "stake",
            self.stake,
            "it cannot pay penalty and fine",
            "raise it to the larger of penalty and diligence_fine",
        )?;
        rule(
            self.noise_fee <= self.penalty,
            "noise_fee",
            self.noise_fee,
            "it is taken from the penalty that is locked",
            "set at most penalty",
        )?;
        rule(
            self.diligence_pot <= self.epoch_budget,
            "diligence_pot",
            self.diligence_pot,
            "it is a part of epoch_budget",
            "set at most epoch_budget",
        )?;
        rule(self.epoch_seconds > 0, "epoch_seconds", 0, "time would not pass", "set at least 1")?;
        rule(
            self.reveal_window > 0 && self.reveal_window <= self.event_window,
            "reveal_window",
            self.reveal_window.into(),
            "a report is opened before its time is over",
            "set 1 to event_window",
        )?;
        let open = self.event_window.saturating_add(self.reveal_window);
        rule(
            self.withdraw_delay >= open,
            "withdraw_delay",
            self.withdraw_delay.into(),
            "a stake could leave before its reports are closed",
            "set at least event_window + reveal_window",
        )
    }

    /// The epoch of a time.
    #[must_use]
    pub fn epoch(&self, time: u64) -> u64 {
        time / self.epoch_seconds.max(1)
    }
}

/// `amount x permille / 1000`, rounded down, for `permille` up to 1000.
pub(crate) fn permille(amount: u128, permille: u16) -> u128 {
    let p = u128::from(permille.min(1000));
    amount / 1000 * p + amount % 1000 * p / 1000
}
