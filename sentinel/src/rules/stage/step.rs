//! The steps of an example.

use bastion_protocol::{Address, Token};
use serde::Deserialize;

use crate::SentinelError;

/// Most steps after repetitions are unrolled.
const MAX_UNROLLED: usize = 4096;

/// One step. Accounts have names; a name's exit address and key derive from it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Step {
    /// A deposit, which makes the account if there is none of this name.
    Deposit {
        /// Account.
        to: String,
        /// Amount.
        amount: u128,
        /// Token of a new account.
        #[serde(default)]
        token: Token,
        /// Exit address of a new account, if not the derived one.
        #[serde(default)]
        exit: Option<Address>,
    },
    /// A transfer between accounts that exist.
    Transfer {
        /// Sender.
        from: String,
        /// Receiver.
        to: String,
        /// Amount.
        amount: u128,
        /// Fee.
        #[serde(default)]
        fee: u128,
    },
    /// A transfer that makes the receiver.
    TransferNew {
        /// Sender.
        from: String,
        /// Name of the new account.
        to: String,
        /// Amount.
        amount: u128,
        /// Fee.
        #[serde(default)]
        fee: u128,
        /// Exit address, if not the derived one.
        #[serde(default)]
        exit: Option<Address>,
    },
    /// A withdrawal.
    Withdraw {
        /// Account.
        from: String,
        /// `own` for its exit address, an address, or a name from which one derives.
        to: String,
        /// Amount.
        amount: u128,
        /// Fee.
        #[serde(default)]
        fee: u128,
    },
    /// A new key.
    ChangeKey {
        /// Account.
        account: String,
    },
    /// A freeze by the guardian.
    Freeze {
        /// Account.
        account: String,
        /// For how long.
        seconds: u64,
    },
    /// The end of a freeze.
    Unfreeze {
        /// Account.
        account: String,
    },
    /// A forced exit.
    ForcedExit {
        /// Account.
        account: String,
    },
    /// A deposit that credits more than was locked: what a forged bridge would do.
    Mint {
        /// Account.
        to: String,
        /// The excess.
        amount: u128,
    },
    /// Time passes.
    Wait {
        /// How long.
        seconds: u64,
    },
    /// The exit address of this name is on the list of flagged ones, from the start.
    Flag {
        /// Name.
        name: String,
    },
    /// Steps again and again; `{i}` in names stands for the number of the turn, from 0.
    Repeat {
        /// Turns.
        times: u32,
        /// Steps.
        ops: Vec<Step>,
    },
}

impl Step {
    /// The steps without repetitions.
    ///
    /// # Errors
    /// [`SentinelError::Example`] for more than 4,096, or repetitions within repetitions.
    pub fn unroll(steps: &[Self]) -> Result<Vec<Self>, SentinelError> {
        let mut all = Vec::new();
        for step in steps {
            let Self::Repeat { times, ops } = step else {
                all.push(step.clone());
                continue;
            };
            for turn in 0..*times {
                all.extend(ops.iter().map(|op| op.in_turn(turn)));
                if all.len() > MAX_UNROLLED {
                    break;
                }
            }
        }
        let nested = all.iter().position(|s| matches!(s, Self::Repeat { .. }));
        match (nested, all.len() > MAX_UNROLLED) {
            (None, false) => Ok(all),
            (Some(step), _) => {
                Err(SentinelError::Example { step, why: "a repetition within another".into() })
            }
            (None, true) => Err(SentinelError::Example {
                step: MAX_UNROLLED,
                why: format!("there are more than {MAX_UNROLLED} steps"),
            }),
        }
    }

    fn in_turn(&self, turn: u32) -> Self {
        let mut step = self.clone();
        let name = |text: &mut String| *text = text.replace("{i}", &turn.to_string());
        match &mut step {
            Self::Deposit { to, .. } | Self::Mint { to, .. } => name(to),
            Self::Transfer { from, to, .. }
            | Self::TransferNew { from, to, .. }
            | Self::Withdraw { from, to, .. } => {
                name(from);
                name(to);
            }
            Self::ChangeKey { account }
            | Self::Freeze { account, .. }
            | Self::Unfreeze { account }
            | Self::ForcedExit { account } => name(account),
            Self::Flag { name: flagged } => name(flagged),
            Self::Wait { .. } | Self::Repeat { .. } => {}
        }
        step
    }
}
