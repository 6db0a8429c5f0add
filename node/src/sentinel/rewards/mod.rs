//! Rewards for watchers: the account of stakes and payments, and what is asked of the registry behind it.
//!
//! ```text
//! transfer included -> on disk -> entry of the log -> treasury
//! call of a watcher, or of the operator -> treasury -> entry of the log, synced -> answer
//! payment owed -> entry synced -> signed with its nonce -> executed like any other transfer
//! ```
//!
//! What came in or went out is taken after the sequencer has it on disk, and never before: the log of findings
//! then knows of nothing that did not happen. What a crash left between the two is taken at the next start.
//!
//! | module | content |
//! |---|---|
//! | `account` | what an operation means for the rewards account, and payments |
//! | `calls` | what watchers and the operator ask for |
//! | `view` | what is shown |

mod account;
mod calls;
mod view;

use std::path::Path;

use bastion_protocol::keys::SecretKey;
use bastion_protocol::ops::SignedOp;
use bastion_protocol::{Address, Fr, Index, Policy, Token};
use bastion_sentinel::findings::Finding;
use bastion_sentinel::rewards::{Call, Done, Opening, Params, Treasury, TreasuryError};
use bastion_state::State;
use serde::Deserialize;
use tracing::{info, warn};

use super::{wall_ms, Sentinel, HOUR_MS};
use crate::error::NodeError;
use crate::service::config::SentinelConfig;
use crate::service::keys;
use account::Seen;
pub use calls::{Ask, Taken};

/// How often it is looked whether something is due, in milliseconds, if the clock stands still.
const LOOK_MS: u64 = 1_000;
/// Why nothing goes on by the log of a node that was lost.
pub(super) const ENDED: &str = "the node was rebuilt from L1, and the log of findings counts operations that were never \
                                committed: nothing goes on by it. Settle with the watchers by hand, move the log away, \
                                and begin anew";
/// Bytes of the file at most.
const FILE: u64 = 1 << 20;

/// The file of rewards.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct RewardsConfig {
    /// L1 address that the rewards account leaves to.
    pub exit: Address,
    /// Its token.
    #[serde(default)]
    pub token: Token,
    /// An account whose transfers to it are the operator's money, besides the fee accounts.
    pub funder: Option<Index>,
    /// What is paid, taken and waited for.
    #[serde(default)]
    pub params: Params,
    /// Rewards begin although the node was rebuilt from L1 and the log of findings is lost. What watchers staked
    /// before counts as the operator's money then, and is the operator's to give back.
    #[serde(default)]
    pub begin_anew: bool,
}

/// Where the chain stands: what a call needs beside itself.
#[derive(Debug, Clone, Copy)]
pub struct At<'a> {
    /// The accounts.
    pub state: &'a State,
    /// The policy of the open block, or of the next one.
    pub policy: &'a Policy,
    /// The time of the open block, or of the next one.
    pub time: u64,
    /// The sequencer's time, in seconds.
    pub now: u64,
}

/// Rewards as they stand.
pub(super) struct Rewards {
    config: Option<RewardsConfig>,
    key: Option<SecretKey>,
    domain: Fr,
    pub(super) treasury: Option<Treasury>,
    /// Whether the node was rebuilt from L1.
    rebuilt: bool,
    /// Whether the log is of a node that was lost: it counts operations that were never committed. Nothing is paid
    /// by it any more, for a stake that is counted and was never paid would be paid out of others'.
    ended: bool,
    /// What was included, and is not taken yet.
    seen: Vec<(u64, Seen)>,
    /// When it was looked last whether something is due: by the sequencer's clock, and by this machine's.
    looked: (u64, u64),
    /// The first payment that was signed last, and when in milliseconds.
    signed: Option<(u32, u64)>,
    noted_ms: u64,
}

impl Rewards {
    /// Rewards as the log of findings has them. `begin` is the first entry of the sequencer's log: above 0 if the
    /// node was rebuilt from L1.
    ///
    /// # Errors
    /// [`NodeError::Rewards`] if the configuration and the log contradict one another.
    pub(super) fn open(
        config: &SentinelConfig,
        domain: Fr,
        treasury: Option<Treasury>,
        begin: u64,
    ) -> Result<Self, NodeError> {
        let key = keys::rewards(config)?;
        let config = config.rewards.as_deref().map(read).transpose()?;
        let wrong = |why: String| NodeError::Rewards { why };
        if let Some(config) = &config {
            config.params.check().map_err(TreasuryError::from)?;
            if key.is_none() {
                let why = "sentinel.rewards is set, and neither sentinel.rewards-key-file nor its variable: make a \
                           key with `bastion sentinel rewards key FILE`";
                return Err(wrong(why.into()));
            }
        }
        if let (Some(treasury), Some(config)) = (&treasury, &config) {
            let Opening { token, exit, funder, params, .. } = *treasury.opening();
            let began = RewardsConfig { exit, token, funder, params, ..*config };
            if began != *config {
                return Err(wrong(format!(
                    "sentinel.rewards differs from what the log of findings began with ({began:?}): watchers \
                     staked under that; put it back"
                )));
            }
        }
        if treasury.is_some() && config.is_none() {
            warn!("watchers have stakes in the log, and sentinel.rewards is not set: nothing is paid to them");
        }
        let ended = treasury.as_ref().is_some_and(|treasury| treasury.next_entry() < begin);
        Ok(Self {
            rebuilt: begin > 0,
            ended,
            config,
            key,
            domain,
            treasury,
            seen: Vec::new(),
            looked: (0, 0),
            signed: None,
            noted_ms: 0,
        })
    }
}

/// Whether the file of rewards and its key are there and say what they must.
pub(super) fn check(config: &SentinelConfig) -> Result<(), NodeError> {
    Rewards::open(config, Fr::default(), None, 0).map(drop)
}

fn read(path: &Path) -> Result<RewardsConfig, NodeError> {
    let shown = || format!("{} (sentinel.rewards)", path.display());
    let io = |source| NodeError::Io { path: shown(), source };
    let length = std::fs::metadata(path).map_err(io)?.len();
    let malformed = |why: String| NodeError::Malformed { path: shown(), why };
    if length > FILE {
        return Err(malformed(format!("it has {length} bytes, and {FILE} are allowed")));
    }
    let text = std::fs::read_to_string(path).map_err(io)?;
    toml::from_str(&text).map_err(|e| malformed(e.to_string()))
}

impl Sentinel {
    /// Gives a call to the treasury, and writes it down.
    fn reward(&mut self, now: u64, call: Call) -> Result<Done, TreasuryError> {
        let treasury = self.rewards.treasury.as_mut().ok_or(TreasuryError::Closed)?;
        let done = treasury.call(now, call)?;
        self.write(wall_ms(), Finding::Rewards(Box::new(done.record.clone())));
        Ok(done)
    }

    fn note_rewards(&mut self, text: String) {
        warn!("rewards: {text}");
        self.write(wall_ms(), Finding::Note { subject: "rewards".into(), text });
    }

    /// What is to be done about rewards now: they begin when their account is there, what is due is called,
    /// and payments are signed. What was written is to be synced before they are executed.
    pub(super) fn due_rewards(&mut self, at: At<'_>, now_ms: u64) -> Vec<SignedOp> {
        if self.rewards.ended {
            self.note_unpaid(ENDED.into(), now_ms);
            return Vec::new();
        }
        let (now, last_ms) = self.rewards.looked;
        if now != at.now || now_ms.saturating_sub(last_ms) >= LOOK_MS {
            self.rewards.looked = (at.now, now_ms);
            self.begin_rewards(at);
            let due = self.rewards.treasury.as_ref().map(|treasury| treasury.due(at.now));
            for call in due.unwrap_or_default() {
                if let Err(error) = self.reward(at.now, call) {
                    // It was due by the same state: this is a fault of the program.
                    self.note_rewards(format!("{call:?} was due, and is refused: {error}"));
                }
            }
        }
        self.payments(at, now_ms)
    }

    /// Rewards begin once their account is there.
    fn begin_rewards(&mut self, at: At<'_>) {
        let Rewards { config: Some(config), key: Some(key), treasury: None, .. } = &self.rewards
        else {
            return;
        };
        let owner = bastion_protocol::keys::owner(key.public().keyhash(), config.exit);
        let Some((account, found)) = at.state.find(owner, config.token) else { return };
        let RewardsConfig { exit, token, funder, params, begin_anew } = *config;
        if self.rewards.rebuilt && !begin_anew {
            let text = format!(
                "they do not begin: the node was rebuilt from L1, and account {account} may hold stakes that the \
                 lost log of findings has. Put that log back as {}, or set begin-anew = true in sentinel.rewards \
                 and give back the stakes",
                self.dir.join(super::FINDINGS).display()
            );
            self.rewards.config = None;
            return self.note_rewards(text);
        }
        let (nonce, balance) = (found.nonce, found.balance);
        let entry = self.next;
        let opening = Opening { account, token, exit, funder, params, nonce, balance, entry };
        let record = bastion_sentinel::rewards::Record {
            at: at.now,
            call: Call::Open(opening),
            pays: Vec::new(),
        };
        match Treasury::replay(&mut self.rewards.treasury, &record) {
            Ok(()) => {
                info!(account, "rewards for watchers begin");
                self.write(wall_ms(), Finding::Rewards(Box::new(record)));
            }
            Err(error) => {
                self.rewards.treasury = None;
                self.rewards.config = None;
                self.note_rewards(format!("they do not begin: {error}"));
            }
        }
    }

    /// Notes, at most once an hour, that a payment cannot be made.
    pub(super) fn note_unpaid(&mut self, text: String, now_ms: u64) {
        if now_ms.saturating_sub(self.rewards.noted_ms) >= HOUR_MS {
            self.rewards.noted_ms = now_ms;
            self.note_rewards(text);
        }
    }
}

#[cfg(test)]
mod tests;
