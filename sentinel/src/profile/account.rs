//! What is remembered of an account.

use bastion_protocol::{Address, Index, Kind};
use serde::{Deserialize, Serialize};

use super::{Event, Ring};
use crate::fixed::log16;

/// One account. Times are in milliseconds by the screener's clock, 0 for never.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Profile {
    /// First seen.
    pub first_ms: u64,
    /// Whether it was made under the screener's eyes; otherwise it is older than `first_ms`.
    pub born: bool,
    /// Last operation that its key signed.
    pub active_ms: u64,
    /// Last deposit to it.
    pub deposit_ms: u64,
    /// Last receipt from another account.
    pub received_ms: u64,
    /// Last change of its key.
    pub key_ms: u64,
    /// Last freeze.
    pub freeze_ms: u64,
    /// Freezes so far.
    pub freezes: u32,
    /// Operations that its key signed.
    pub signed: u32,
    /// Receipts from other accounts.
    pub receipts: u32,
    /// Accounts that made one another until it, each within a day.
    pub generation: u32,
    /// Accounts that passed most of what they got on within an hour, one after another until it.
    pub chain: u32,
    /// When `chain` was set.
    pub chain_ms: u64,
    /// Average of `log16` of what it sends, times 256; 0 before the first.
    pub usual: i32,
    /// Largest balance since it was last empty.
    pub peak: u128,
    /// Exit address, if known.
    pub exit: Option<Address>,
    /// Its signed operations by hour of the day, UTC; halved when one reaches 65,535.
    pub hours: [u16; 24],
    /// What it sent.
    pub out: Ring,
    /// What it got.
    pub into: Ring,
}

/// A day and an hour in milliseconds.
pub(crate) const DAY_MS: u64 = 86_400_000;
pub(crate) const HOUR_MS: u64 = 3_600_000;

/// Hour of the day, UTC.
#[must_use]
pub fn hour(ms: u64) -> usize {
    (ms / HOUR_MS % 24) as usize
}

impl Profile {
    /// An account that is seen first now.
    #[must_use]
    pub fn new(now_ms: u64, born: bool) -> Self {
        Self { first_ms: now_ms, born, ..Self::default() }
    }

    /// Counts an operation of its key.
    pub(crate) fn sign(&mut self, now_ms: u64) {
        self.active_ms = now_ms;
        self.signed = self.signed.saturating_add(1);
        let hour = hour(now_ms);
        if self.hours[hour] == u16::MAX {
            self.hours.iter_mut().for_each(|h| *h /= 2);
        }
        self.hours[hour] += 1;
    }

    /// Counts what it sent.
    pub(crate) fn send(&mut self, event: Event) {
        let value = log16(event.amount) as i32 * 256;
        self.usual = match self.usual {
            0 => value,
            usual => usual + (value - usual) / 8,
        };
        self.out.push(event);
    }

    /// Counts what it got.
    pub(crate) fn receive(&mut self, event: Event) {
        match event.peer {
            Some(_) => {
                self.received_ms = event.at_ms;
                self.receipts = self.receipts.saturating_add(1);
            }
            None => self.deposit_ms = event.at_ms,
        }
        self.into.push(event);
    }

    /// Notes the length of the chain that a receipt is the end of; 0 if it is of none. Other receipts do
    /// not hide a chain of the last hour.
    pub(crate) fn link(&mut self, now_ms: u64, chain: u32) {
        if chain > 0 || now_ms.saturating_sub(self.chain_ms) > HOUR_MS {
            self.chain = chain;
            self.chain_ms = now_ms;
        }
    }

    /// Notes the balance after an operation.
    pub(crate) fn balance(&mut self, after: u128) {
        self.peak = match after {
            0 => 0,
            _ => self.peak.max(after),
        };
    }

    /// Whether sending an amount passes on most of a balance within an hour of getting it from
    /// another account.
    #[must_use]
    pub fn passes_on(&self, now_ms: u64, amount: u128, balance: u128) -> bool {
        let fresh = self.received_ms != 0 && now_ms.saturating_sub(self.received_ms) <= HOUR_MS;
        // At least 70 percent.
        fresh && amount / 7 >= balance / 10
    }

    /// Whether it sent something to an account or an address.
    #[must_use]
    pub fn knows(&self, peer: Option<Index>, exit: Address) -> bool {
        self.out.all().any(|e| match peer {
            Some(_) => e.peer == peer,
            None => e.peer.is_none() && e.exit == exit,
        })
    }

    /// Share of its operations around an hour (one before to one after), in thousandths.
    #[must_use]
    pub fn share_of_hour(&self, hour: usize) -> i64 {
        let near: u32 = [23, 0, 1].map(|d| u32::from(self.hours[(hour + d) % 24])).iter().sum();
        let all: u32 = self.hours.iter().map(|h| u32::from(*h)).sum();
        crate::fixed::permille(u128::from(near), u128::from(all))
    }

    /// Counts what the guardian or a key change did.
    pub(crate) fn mark(&mut self, kind: Kind, now_ms: u64) {
        match kind {
            Kind::ChangeKey => self.key_ms = now_ms,
            Kind::Freeze => {
                self.freeze_ms = now_ms;
                self.freezes = self.freezes.saturating_add(1);
            }
            Kind::Deposit
            | Kind::DepositNew
            | Kind::ForcedExit
            | Kind::ForcedExitNoop
            | Kind::Transfer
            | Kind::TransferNew
            | Kind::Withdraw
            | Kind::Unfreeze
            | Kind::Noop => {}
        }
    }
}
