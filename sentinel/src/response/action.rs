//! What a response may do, as data.

use bastion_protocol::{Index, Policy, Token, TokenLimits};
use serde::{Deserialize, Serialize};

/// Something to do. The caller does it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "action", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Action {
    /// The guardian freezes an account. The policy's `max_freeze` and cooldown bound it whatever this says.
    Freeze {
        /// Which.
        account: Index,
        /// For how long.
        seconds: u64,
    },
    /// The operation is held back. The quarantine's limits bound it whatever this says.
    Quarantine {
        /// For how long.
        seconds: u64,
    },
    /// The policy is tightened for a token: see [`tightened`].
    Tighten {
        /// Which.
        token: Token,
        /// By how many percent less may leave.
        percent: u8,
    },
    /// No further block is committed to L1, until its end by the contract or by a person.
    PauseCommits,
    /// People are told.
    Alert {
        /// By which channel.
        channel: String,
    },
}

impl Action {
    /// Whether the action takes something from somebody, and so needs somebody to be told.
    #[must_use]
    pub fn is_severe(&self) -> bool {
        match self {
            Self::Freeze { .. } | Self::Tighten { .. } | Self::PauseCommits => true,
            Self::Quarantine { .. } | Self::Alert { .. } => false,
        }
    }
}

impl std::fmt::Display for Action {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Freeze { account, seconds } => {
                write!(f, "freeze account {account} for {seconds} s")
            }
            Self::Quarantine { seconds } => write!(f, "hold the operation for {seconds} s"),
            Self::Tighten { token, percent } => {
                write!(f, "let {percent} % less of token {token} leave")
            }
            Self::PauseCommits => f.write_str("pause commits"),
            Self::Alert { channel } => write!(f, "alert {channel}"),
        }
    }
}

/// The policy with `percent` less of a token leaving, in the long run and at once.
///
/// The rate is cut, down to 1 unit per second at least, and everything else stays: the burst is in seconds
/// of the rate, so that it shrinks with it. A percentage above 100 counts as 100. The contract's
/// `tightenPolicy` takes the result at once, if the policy itself passes [`Policy::check`].
#[must_use]
pub fn tightened(policy: &Policy, token: Token, percent: u8) -> Policy {
    let limits = policy.limits_of(token);
    let left = u128::from(100_u8.saturating_sub(percent));
    let cut = u128::from(limits.rate) * left / 100;
    // The quotient is not above the rate.
    let rate = u64::try_from(cut).unwrap_or(limits.rate).max(1).min(limits.rate);
    let tighter = TokenLimits { rate, ..limits };
    let mut next = policy.clone();
    if tighter != limits {
        next.limits.insert(token, tighter);
    }
    next
}

#[cfg(test)]
mod tests;
