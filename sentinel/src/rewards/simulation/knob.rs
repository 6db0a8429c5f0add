//! The parameters one by one.

use crate::rewards::Params;

/// A parameter of [`Params`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Knob {
    /// [`Params::stake`].
    Stake,
    /// [`Params::reward_permille`].
    RewardPermille,
    /// [`Params::burn_permille`].
    BurnPermille,
    /// [`Params::penalty`].
    Penalty,
    /// [`Params::noise_fee`].
    NoiseFee,
    /// [`Params::epoch_seconds`].
    EpochSeconds,
    /// [`Params::epoch_budget`].
    EpochBudget,
    /// [`Params::diligence_pot`].
    DiligencePot,
    /// [`Params::diligence_fine`].
    DiligenceFine,
    /// [`Params::reveal_window`].
    RevealWindow,
    /// [`Params::event_window`].
    EventWindow,
    /// [`Params::withdraw_delay`].
    WithdrawDelay,
}

impl Knob {
    /// All of them.
    pub const ALL: [Self; 12] = [
        Self::Stake,
        Self::RewardPermille,
        Self::BurnPermille,
        Self::Penalty,
        Self::NoiseFee,
        Self::EpochSeconds,
        Self::EpochBudget,
        Self::DiligencePot,
        Self::DiligenceFine,
        Self::RevealWindow,
        Self::EventWindow,
        Self::WithdrawDelay,
    ];

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Stake => "stake",
            Self::RewardPermille => "reward_permille",
            Self::BurnPermille => "burn_permille",
            Self::Penalty => "penalty",
            Self::NoiseFee => "noise_fee",
            Self::EpochSeconds => "epoch_seconds",
            Self::EpochBudget => "epoch_budget",
            Self::DiligencePot => "diligence_pot",
            Self::DiligenceFine => "diligence_fine",
            Self::RevealWindow => "reveal_window",
            Self::EventWindow => "event_window",
            Self::WithdrawDelay => "withdraw_delay",
        }
    }

    /// The parameters with one of them changed. Thousandths end at 1000.
    #[must_use]
    pub fn set(self, base: &Params, value: u64) -> Params {
        let thousandths = u16::try_from(value.min(1000)).unwrap_or(1000);
        let amount = u128::from(value);
        match self {
            Self::Stake => Params { stake: amount, ..*base },
            Self::RewardPermille => Params { reward_permille: thousandths, ..*base },
            Self::BurnPermille => Params { burn_permille: thousandths, ..*base },
            Self::Penalty => Params { penalty: amount, ..*base },
            Self::NoiseFee => Params { noise_fee: amount, ..*base },
            Self::EpochSeconds => Params { epoch_seconds: value, ..*base },
            Self::EpochBudget => Params { epoch_budget: amount, ..*base },
            Self::DiligencePot => Params { diligence_pot: amount, ..*base },
            Self::DiligenceFine => Params { diligence_fine: amount, ..*base },
            Self::RevealWindow => Params { reveal_window: value, ..*base },
            Self::EventWindow => Params { event_window: value, ..*base },
            Self::WithdrawDelay => Params { withdraw_delay: value, ..*base },
        }
    }

    /// Values to look at: from far below the default to far above.
    #[must_use]
    pub fn values(self) -> &'static [u64] {
        match self {
            Self::Stake => &[500, 1_000, 3_000, 10_000, 30_000, 100_000, 300_000],
            Self::RewardPermille => &[0, 50, 100, 200, 300, 400, 500],
            Self::BurnPermille => &[0, 50, 100, 200, 500, 600, 1_000],
            Self::Penalty => &[30, 100, 300, 400, 1_000, 2_000, 5_000, 10_000],
            Self::NoiseFee => &[0, 3, 10, 30, 60, 300, 1_000],
            Self::EpochSeconds => &[3_600, 21_600, 43_200, 86_400, 129_600, 172_800, 604_800],
            Self::EpochBudget => &[600, 1_000, 2_000, 5_000, 10_000, 30_000],
            Self::DiligencePot => &[0, 200, 300, 400, 600, 1_200, 2_400],
            Self::DiligenceFine => &[0, 20, 50, 100, 200, 1_000, 5_000],
            Self::RevealWindow => &[1, 5, 30, 120, 600, 3_600, 86_400],
            Self::EventWindow => &[10, 60, 600, 3_600, 86_400, 604_800],
            Self::WithdrawDelay => &[0, 86_400, 604_800, 2_592_000, 31_536_000, 94_608_000],
        }
    }
}
