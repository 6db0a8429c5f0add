//! The accounts that send: one for all that has no blob, and one for blobs. Nodes keep transactions with
//! and without blobs in different pools and let no account have both at once.

use std::path::Path;

use bastion_l1::txmgr::{Intent, Judge, Notice, Request, TxManager, TxOptions, Wallet};
use bastion_l1::{Failover, L1Error};

use crate::error::NodeError;

/// What is asked of the account that sends blobs at once: pools of blobs take no gaps.
const BLOBS_IN_FLIGHT: usize = 1;

/// The accounts that send.
pub(super) struct Senders {
    plain: TxManager,
    blobs: Option<TxManager>,
}

impl Senders {
    pub(super) fn new(plain: TxManager) -> Self {
        Self { plain, blobs: None }
    }

    /// Adds the account for blobs, with its database at `path`.
    pub(super) fn add_blobs(
        &mut self,
        path: &Path,
        l1: Failover,
        wallet: Wallet,
        options: TxOptions,
        judge: Judge,
    ) -> Result<(), NodeError> {
        if wallet.address() == self.plain.account() {
            return Err(NodeError::Key {
                what: "the account for blobs",
                why: format!(
                    "it is {}, which sends all other transactions too: nodes refuse those of one account \
                     with and without blobs at once; give blobs an account of their own",
                    wallet.address()
                ),
            });
        }
        let options = TxOptions { in_flight: BLOBS_IN_FLIGHT, ..options };
        self.blobs = Some(TxManager::open(path, l1, wallet, options, judge)?);
        Ok(())
    }

    /// The account of all that has no blob, and its nodes for reading.
    pub(super) fn plain(&mut self) -> &mut TxManager {
        &mut self.plain
    }

    /// Whether blobs can be sent.
    pub(super) fn has_blobs(&self) -> bool {
        self.blobs.is_some()
    }

    /// What has a name.
    pub(super) fn get(&self, name: &str) -> Option<&Intent> {
        let blobs = self.blobs.as_ref().and_then(|blobs| blobs.get(name));
        blobs.or_else(|| self.plain.get(name))
    }

    /// Asks for a transaction, of the account for blobs if it carries some.
    pub(super) fn submit(&mut self, request: Request, now: u64) -> Result<(), L1Error> {
        let manager = match (request.blobs.is_empty(), &mut self.blobs) {
            (false, Some(blobs)) => blobs,
            (false, None) | (true, _) => &mut self.plain,
        };
        manager.submit(request, now).map(drop)
    }

    /// Who has a transaction.
    pub(super) fn of(&mut self, name: &str) -> &mut TxManager {
        match &mut self.blobs {
            Some(blobs) if blobs.get(name).is_some() => blobs,
            Some(_) | None => &mut self.plain,
        }
    }

    /// All that was ever asked for.
    pub(super) fn intents(&self) -> Vec<Intent> {
        let blobs = self.blobs.iter().flat_map(TxManager::intents);
        self.plain.intents().iter().chain(blobs).cloned().collect()
    }

    /// Does what comes next for both.
    pub(super) fn step(&mut self, now: u64) -> Result<Vec<Notice>, L1Error> {
        let mut notices = self.plain.step(now)?;
        if let Some(blobs) = &mut self.blobs {
            notices.extend(blobs.step(now)?);
        }
        Ok(notices)
    }
}
