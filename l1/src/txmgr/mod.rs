//! The transactions of one account, each brought to its end whatever happens: a crash at any moment, a
//! node that forgets, fees that rise, blocks that vanish.
//!
//! | module | content |
//! |---|---|
//! | [`wallet`] | the key |
//! | [`intent`] | what is to happen, its attempts, its state |
//! | `store` | the database |
//! | [`fees`] | what a transaction pays, and what replaces it |
//! | [`judge`] | what only the asker knows: what a revert means |
//! | [`options`] | timing and limits |
//! | `attempt` | signing, replacing, sending |
//! | `step` | what is done again and again |
//! | `look` | where attempts are, and what follows from it |
//! | [`notice`] | what a step tells |
//!
//! **An intent takes effect once.** Its attempts share a nonce, so the chain takes one of them. Each is
//! stored and synced before it is sent, so no attempt is forgotten. An intent gets a second nonce only
//! when a final block has used the first one, for a transaction of somebody else or for an attempt that
//! reverted: until then a reorganization might bring the old attempts back.
//!
//! **The manager is alone with its account.** The next nonce follows from the database and from what is
//! mined, and never from what nodes call pending: their pools forget. A nonce that somebody else used is
//! noticed.

mod attempt;
pub mod fees;
pub mod intent;
pub mod judge;
mod look;
pub mod notice;
pub mod options;
mod step;
mod store;
pub mod wallet;

#[cfg(feature = "aws-kms")]
mod kms;

pub use fees::Fees;
pub use intent::{Attempt, BlobOf, Inclusion, Intent, Request, State};
pub use judge::{Judge, Verdict};
pub use notice::Notice;
pub use options::{Limits, TxOptions};
pub use wallet::{Password, Wallet};

use std::collections::HashMap;
use std::fmt;
use std::path::Path;

use alloy::primitives::{Address, U256};

use crate::chain::{ReadL1, ReadLogs};
use crate::error::L1Error;
use crate::rpc::Failover;
use crate::types::At;
use store::{Owner, Store};

/// Seconds of a day.
pub(crate) const DAY: u64 = 86_400;

/// Manages an account's transactions. Two managers of one account use each other's nonces: there must be
/// one only, and the database is locked while it is open.
pub struct TxManager {
    l1: Failover,
    wallet: Wallet,
    options: TxOptions,
    judge: Judge,
    store: Store,
    intents: Vec<Intent>,
    names: HashMap<String, usize>,
    /// By an intent's place; what a crash may take.
    pace: HashMap<usize, Pace>,
    /// The mined nonce, and since when it is that, in seconds; 0 if that was before this run.
    head: Option<(u64, u64)>,
    /// Whether the chain ever called a block finalized.
    tagged: bool,
    /// Until when the balance is not looked at again, in seconds.
    rich_until: u64,
    /// The mined nonce and the first on its way when a gap between them was told.
    gap: Option<(u64, u64)>,
}

/// When what was last done for an intent.
#[derive(Debug, Clone, Copy, Default)]
struct Pace {
    /// When an attempt was last sent.
    sent: Option<u64>,
    /// Whether the next attempt must pay more, whatever time has passed.
    hurry: bool,
    /// Not to be begun before.
    later: u64,
    /// The nonce that is used by none of the attempts as it seems, and whether that was told.
    foreign: Option<(u64, bool)>,
}

impl fmt::Debug for TxManager {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TxManager")
            .field("l1", &self.l1)
            .field("wallet", &self.wallet)
            .field("intents", &self.intents.len())
            .finish_non_exhaustive()
    }
}

impl TxManager {
    /// Opens or creates the database of an account's transactions, and goes on where an earlier run
    /// ended.
    ///
    /// # Errors
    /// [`L1Error::Storage`] if it cannot be opened, is that of another account or chain, or is open
    /// already; or if the node does not answer.
    pub fn open(
        path: &Path,
        mut l1: Failover,
        wallet: Wallet,
        options: TxOptions,
        judge: Judge,
    ) -> Result<Self, L1Error> {
        let first = l1.block(At::Number(0))?.ok_or(L1Error::NoNamed { name: "first" })?;
        let (account, chain_id) = (wallet.address(), l1.chain_id());
        let owner = Owner { account, chain_id, genesis: first.hash };
        let (store, intents) = Store::open(path, &owner)?;
        let named = |(i, intent): (usize, &Intent)| (intent.name().to_owned(), i);
        let names = intents.iter().enumerate().map(named).collect();
        Ok(Self {
            l1,
            wallet,
            options,
            judge,
            store,
            intents,
            names,
            pace: HashMap::new(),
            head: None,
            tagged: false,
            rich_until: 0,
            gap: None,
        })
    }

    /// The account.
    pub fn account(&self) -> Address {
        self.wallet.address()
    }

    /// The nodes, for reading.
    pub fn l1(&mut self) -> &mut Failover {
        &mut self.l1
    }

    /// Asks for a transaction. It is stored when this returns, and sent by the next steps. Asking again
    /// for the same changes nothing, and gives where it stands.
    ///
    /// # Errors
    /// [`L1Error::OtherIntent`] if the name is that of something else, [`L1Error::Storage`].
    pub fn submit(&mut self, request: Request, now: u64) -> Result<&Intent, L1Error> {
        let i = match self.names.get(&request.name) {
            Some(i) => {
                if !self.intents[*i].is_for(&request) {
                    return Err(L1Error::OtherIntent { name: request.name });
                }
                *i
            }
            None => {
                let (i, name) = (self.intents.len(), request.name.clone());
                let intent = Intent::new(request, now);
                self.store.put(i, &intent)?;
                self.intents.push(intent);
                self.names.insert(name, i);
                i
            }
        };
        Ok(&self.intents[i])
    }

    /// All that was ever asked for, in this order, with all attempts.
    pub fn intents(&self) -> &[Intent] {
        &self.intents
    }

    /// What has a name.
    pub fn get(&self, name: &str) -> Option<&Intent> {
        self.names.get(name).map(|i| &self.intents[*i])
    }

    /// What counts towards the limit of a day, in wei: what was spent on the day of `now` in UTC, and what
    /// the attempts on their way may cost.
    pub fn spent_today(&self, now: u64) -> U256 {
        let day = now / DAY;
        let sum = |sum: U256, i: &Intent| {
            sum.saturating_add(i.spent_on(day)).saturating_add(i.committed())
        };
        self.intents.iter().fold(U256::ZERO, sum)
    }

    /// Replaces the attempts on their way by one that pays more, now; begins anew what has failed, and
    /// soon what waits.
    ///
    /// # Errors
    /// [`L1Error::NoIntent`]; [`L1Error::Settled`] if it is done or mined; [`L1Error::Capped`] if a limit
    /// forbids it; [`L1Error::Storage`], or if the node does not answer.
    pub fn resend(&mut self, name: &str, now: u64) -> Result<Vec<Notice>, L1Error> {
        let i = self.place(name)?;
        let mut notices = Vec::new();
        match &self.intents[i].state {
            State::Pending => self.pace(i).later = 0,
            State::Sent => {
                let cancels = self.intents[i].cancelling;
                self.replace(i, cancels, now, &mut notices)?;
            }
            State::Failed { .. } => {
                let mut intent = self.intents[i].clone();
                intent.state = State::Pending;
                self.put(i, intent)?;
                self.pace.remove(&i);
            }
            other @ (State::Mined(_)
            | State::Final(_)
            | State::Superseded
            | State::Cancelled(_)) => {
                let (name, state) = (name.into(), other.word());
                return Err(L1Error::Settled { name, state, what: "sent again" });
            }
        }
        Ok(notices)
    }

    /// Takes back what is not mined yet: by a transfer of nothing to the account itself that takes the
    /// attempts' place. It is cancelled when that one is final; one of the attempts may still be faster.
    ///
    /// # Errors
    /// As [`Self::resend`].
    pub fn cancel(&mut self, name: &str, now: u64) -> Result<Vec<Notice>, L1Error> {
        let i = self.place(name)?;
        let mut notices = Vec::new();
        match &self.intents[i].state {
            State::Pending => {
                let mut intent = self.intents[i].clone();
                intent.state = State::Cancelled(None);
                self.put(i, intent)?;
            }
            State::Sent => self.replace(i, true, now, &mut notices)?,
            other @ (State::Mined(_)
            | State::Final(_)
            | State::Failed { .. }
            | State::Superseded
            | State::Cancelled(_)) => {
                let (name, state) = (name.into(), other.word());
                return Err(L1Error::Settled { name, state, what: "taken back" });
            }
        }
        Ok(notices)
    }

    fn place(&self, name: &str) -> Result<usize, L1Error> {
        let place = self.names.get(name).copied();
        place.ok_or_else(|| L1Error::NoIntent { name: name.into() })
    }

    /// Stores a row; only then it counts.
    fn put(&mut self, i: usize, intent: Intent) -> Result<(), L1Error> {
        let intent = intent.shortened();
        self.store.put(i, &intent)?;
        self.intents[i] = intent;
        Ok(())
    }

    fn pace(&mut self, i: usize) -> &mut Pace {
        self.pace.entry(i).or_default()
    }
}
