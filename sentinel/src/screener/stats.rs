//! Numbers for dashboards.

use serde::{Deserialize, Serialize};

use super::Screener;

/// Where a screener stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stats {
    /// Operations observed.
    pub observed: u64,
    /// Accounts in memory.
    pub accounts: usize,
    /// L1 addresses in memory.
    pub targets: usize,
    /// Tokens in memory.
    pub tokens: usize,
    /// Accounts with taint.
    pub tainted: usize,
    /// Rules in force.
    pub rules: usize,
    /// Their version.
    pub rules_version: String,
    /// Operations that the models learned.
    pub learned: u64,
    /// Version of the models, in hexadecimal.
    pub model_version: String,
    /// Stability index of the half-space trees' scores, in thousandths: above 250 they have drifted.
    pub drift: Option<u32>,
    /// Windows of 4,096 scores that were compared for it.
    pub drift_windows: u64,
}

impl Screener {
    /// Where it stands.
    #[must_use]
    pub fn stats(&self) -> Stats {
        let memory = self.memory();
        Stats {
            observed: memory.observed,
            accounts: memory.accounts.len(),
            targets: memory.targets.len(),
            tokens: memory.tokens.len(),
            tainted: memory.taint.len(),
            rules: self.rules().rules().len(),
            rules_version: self.rules().version.clone(),
            learned: memory.models.learned(),
            model_version: hex::encode(memory.models.version()),
            drift: memory.models.drift().index(),
            drift_windows: memory.models.drift().windows(),
        }
    }

    /// Takes the scores of now as those that drift is measured from.
    pub fn rebase_drift(&mut self) {
        self.memory.models.rebase_drift();
    }
}
