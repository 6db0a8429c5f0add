//! What is done about findings: operations held back, freezes, alerts, within the budget of the playbooks.

use std::path::Path;

use bastion_protocol::ops::SignedOp;
use bastion_protocol::{Fr, Index};
use bastion_sentinel::findings::Hash;
use bastion_sentinel::response::{Ending, Limits, Quarantine};

use super::Guardian;
use crate::error::NodeError;
use crate::service::config::SentinelConfig;

/// What is done.
pub(super) struct Responder {
    pub(super) quarantine: Quarantine,
    pub(super) guardian: Option<Guardian>,
    /// What the guardian signed, to be executed next.
    pub(super) orders: Vec<SignedOp>,
}

impl Responder {
    pub(super) fn open(dir: &Path, config: &SentinelConfig, domain: Fr) -> Result<Self, NodeError> {
        let longest_ms = config.max_hold_seconds.saturating_mul(1_000);
        let limits = Limits { longest_ms, ..Limits::default() };
        Ok(Self {
            quarantine: Quarantine::open(&dir.join("quarantine.log"), limits)?,
            guardian: Guardian::open(config, domain)?,
            orders: Vec::new(),
        })
    }

    /// Who let an operation go.
    pub(super) fn released_by(&self, operation: &[u8; 32]) -> &'static str {
        match self.quarantine.ending(operation) {
            Some(Ending::Admin) => "operator",
            Some(Ending::Rule) => "the end of its rule",
            Some(Ending::Time | Ending::Dropped { .. }) | None => "time",
        }
    }

    /// What led to a freeze of an account: the operations of it that are held back.
    pub(super) fn evidence_of(&self, account: Index) -> Vec<Hash> {
        self.quarantine.of_account(account).map(|held| Hash(held.hash)).collect()
    }

    pub(super) fn sync(&mut self) -> Result<(), NodeError> {
        Ok(self.quarantine.sync()?)
    }
}
