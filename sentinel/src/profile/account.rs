//! What is remembered of an account.

use bastion_protocol::{Address, Kind};
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
    /// Last operation of its key that matters: a change of the key, or at least a hundredth of the balance.
    pub active_ms: u64,
    /// The first of the present spell of them, in which none is more than an hour after the one before.
    pub spell_ms: u64,
    /// The last of them before the spell.
    pub before_ms: u64,
    /// Last deposit to it.
    pub deposit_ms: u64,
    /// Last receipt from another account.
    pub received_ms: u64,
    /// Last receipt from another account that was at least half of the balance after it.
    pub fed_ms: u64,
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
    pub(crate) fn sign(&mut self, now_ms: u64, matters: bool) {
        if matters {
            if now_ms.saturating_sub(self.active_ms) > HOUR_MS {
                (self.spell_ms, self.before_ms) = (now_ms, self.active_ms);
            }
            self.active_ms = now_ms;
        }
        self.signed = self.signed.saturating_add(1);
        let hour = hour(now_ms);
        if self.hours[hour] == u16::MAX {
            self.hours.iter_mut().for_each(|h| *h /= 2);
        }
        self.hours[hour] += 1;
    }

    /// Since when it is quiet, a spell aside that began within the last hour; 0 for ever.
    #[must_use]
    pub fn quiet_ms(&self, now_ms: u64) -> u64 {
        match now_ms.saturating_sub(self.spell_ms) <= HOUR_MS {
            true => self.before_ms,
            false => self.active_ms,
        }
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
    /// not hide a chain of the last hour, and what is less than half of the balance after it is of none:
    /// nobody becomes part of a chain by the dust of strangers.
    pub(crate) fn link(&mut self, now_ms: u64, chain: u32, amount: u128, after: u128) {
        if amount.saturating_mul(2) < after {
            return;
        }
        self.fed_ms = now_ms;
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

    /// Whether sending an amount passes on most of a balance within an hour of getting at least half of it
    /// from another account.
    #[must_use]
    pub fn passes_on(&self, now_ms: u64, amount: u128, balance: u128) -> bool {
        let fresh = self.fed_ms != 0 && now_ms.saturating_sub(self.fed_ms) <= HOUR_MS;
        // At least 70 percent.
        fresh && amount / 7 >= balance / 10
    }

    /// Whether what it sent before makes the other side of a movement an acquaintance.
    #[must_use]
    pub fn knows(&self, event: &Event) -> bool {
        let same = |e: &Event| e.peer == event.peer && (e.peer.is_some() || e.exit == event.exit);
        self.out.all().any(|e| same(e) && e.acquaints(event.at_ms, event.amount))
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
            | Kind::Order
            | Kind::Quote
            | Kind::Noop => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spell_hides_no_quiet_before_it() {
        let mut profile = Profile::new(1, true);
        let day = 10 * DAY_MS;
        profile.sign(day, true);
        assert_eq!((profile.quiet_ms(day), profile.quiet_ms(day + HOUR_MS + 1)), (0, day));
        // Dust does not end the quiet.
        profile.sign(day + DAY_MS, false);
        assert_eq!(profile.quiet_ms(day + DAY_MS), day);
        // Nor does what began within the hour, but then it does.
        let next = day + 2 * DAY_MS;
        profile.sign(next, true);
        profile.sign(next + HOUR_MS / 2, true);
        assert_eq!(profile.quiet_ms(next + HOUR_MS), day);
        profile.sign(next + HOUR_MS + 1, true);
        assert_eq!(profile.quiet_ms(next + HOUR_MS + 1), next + HOUR_MS + 1);
        assert_eq!(profile.signed, 5);
    }

    #[test]
    fn dust_links_no_chain() {
        let mut profile = Profile::new(1, true);
        profile.link(DAY_MS, 2, 49, 100);
        assert_eq!((profile.chain, profile.passes_on(DAY_MS, 100, 100)), (0, false));
        profile.link(DAY_MS, 2, 50, 100);
        assert_eq!((profile.chain, profile.passes_on(DAY_MS, 70, 100)), (2, true));
        profile.link(DAY_MS + 1, 0, u128::MAX, u128::MAX);
        assert_eq!((profile.chain, profile.fed_ms), (2, DAY_MS + 1));
    }
}
