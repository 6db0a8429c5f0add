//! What left the contract: claims, exodus, what is owed, and what it must still hold.

use std::collections::{BTreeMap, BTreeSet};

use bastion_protocol::account::is_limiter;
use bastion_protocol::ops::Op;
use bastion_protocol::{Address, Token};

use super::Audit;
use crate::chain::{Claim, Entry};
use bastion_protocol::records::ExitRecord;
use bastion_protocol::times::{ALARM_DEADLINE, MAX_CLOCK_LAG, MAX_RELEASE_DELAY, QUEUE_DEADLINE};

/// A payment: to whom, in which token, how much.
type Payment = (Address, Token, u128);

impl Audit<'_> {
    /// Every claim is of an exit of a final block, as the data have it, once, and not too early.
    pub(super) fn claims(&mut self, checked: usize) {
        let history = self.history;
        let mut beyond = 0;
        for claim in &history.claims {
            let number = claim.block as usize;
            let name = format!("claim of exit {}", claim.position);
            let Some(now) = self.block_of(claim) else {
                match claim.header {
                    Some(_) if !history.alarms.is_empty() => {
                        let what = format!("{name} of a block that an alarm took back");
                        self.find("lost_claim", Some(number), what);
                    }
                    _ => {
                        let what = format!("{name} of a block that is not final");
                        self.find("forged_exit", Some(number), what);
                    }
                }
                continue;
            };
            if !self.claimed.insert((now, claim.position)) {
                let what = format!("{name} a second time");
                self.find("double_claim", Some(number), what);
            }
            // The audit may end before the claimed block, or have stopped before it.
            if now > checked {
                beyond += 1;
                continue;
            }
            let records = now.checked_sub(1).and_then(|i| self.exits.get(i));
            let record = records.and_then(|r| r.get(claim.position as usize));
            let Some(exit) = record.and_then(|record| ExitRecord::read(record).ok()) else {
                let what = format!("{name}, which is not in the data");
                self.find("forged_exit", Some(number), what);
                continue;
            };
            if (exit.to, exit.token, exit.amount) != (claim.to, claim.token, claim.amount) {
                let what = format!("{name} for other values");
                self.find("forged_exit", Some(number), what);
            }
            self.not_too_early(claim, now, exit.release_time, &name);
        }
        if beyond > 0 {
            let what = format!("{beyond} claims are of blocks that were not looked at");
            self.notice("claims", what);
        }
    }

    /// Number of the final block that a claim is of: the one that it names, or, if an alarm took that
    /// back, the same block under another number.
    fn block_of(&self, claim: &Claim) -> Option<usize> {
        let blocks = &self.history.blocks;
        let finals = blocks.get(..self.finalized)?;
        let same = |number: &usize| {
            let block = number.checked_sub(1).and_then(|i| finals.get(i));
            block.is_some_and(|b| Some(b.header) == claim.header)
        };
        let named = usize::try_from(claim.block).ok().filter(same);
        let again = || (1..=finals.len()).find(same);
        named.or_else(|| (!self.history.alarms.is_empty()).then(again)?)
    }

    /// What is left to wait counts from the commit.
    fn not_too_early(&mut self, claim: &Claim, now: usize, release_time: u64, name: &str) {
        let history = self.history;
        let Some(block) = now.checked_sub(1).and_then(|i| history.blocks.get(i)) else {
            return;
        };
        // A block that was taken back and committed again was claimed by its first commit.
        if !history.alarms.is_empty() && claim.time < block.committed_at {
            return;
        }
        let wait = release_time.saturating_sub(block.header.time);
        let payable = block.committed_at.saturating_add(wait);
        let payable = payable.max(block.finalized_at.unwrap_or(u64::MAX));
        if claim.time < payable {
            let what = format!("{name} at {}, payable at {payable}", claim.time);
            self.find("early_claim", Some(now), what);
        }
    }

    /// What exodus paid is what the last state holds, and what the queue still held.
    pub(super) fn exodus(&mut self, checked: usize) {
        let history = self.history;
        let last = self.finalized.checked_sub(1);
        let last = last.and_then(|i| history.blocks.get(i));
        let processed = last.map_or(0, |b| b.processed);
        let Some(began) = history.exodus else {
            self.exodus_is_near();
            for d in &history.departures {
                let what = format!("account {} left without exodus", d.index);
                self.find("forged_departure", None, what);
            }
            for r in &history.refunds {
                let what = format!("entry {} was given back without exodus", r.entry);
                self.find("forged_refund", None, what);
            }
            return;
        };
        self.notice("exodus", format!("has begun at L1 time {}: no block can follow", began.time));
        let (block, finalized) = (began.block, self.finalized);
        if block != finalized as u64 || began.root != history.state_root {
            let what = format!("began at block {block}, the last final one is {finalized}");
            self.find("exodus", None, what);
        }
        if last.is_some_and(|b| b.finalized_at.is_none_or(|at| began.time < at)) {
            self.find("exodus", None, "a block became final after it began");
        }
        let overdue = history.queue.get(processed as usize);
        let overdue = overdue.is_some_and(|e| began.time > e.time.saturating_add(QUEUE_DEADLINE));
        let mut alarms = history.alarms.iter();
        let unanswered = alarms.any(|a| began.time >= a.time.saturating_add(ALARM_DEADLINE));
        if !overdue && !unanswered {
            let what = "began though no queue entry was overdue and no alarm unanswered";
            self.find("exodus", None, what);
        }
        if checked == finalized {
            let finalized_at = last
                .map_or(history.genesis_time.saturating_add(MAX_CLOCK_LAG), |b| {
                    b.finalized_at.unwrap_or(u64::MAX)
                });
            self.departures(finalized_at.saturating_add(MAX_RELEASE_DELAY));
        } else if !history.departures.is_empty() {
            let what = "the last state was not rebuilt, so that departures were not looked at";
            self.notice("departures", what);
        }
        let mut seen = BTreeSet::new();
        for r in &history.refunds {
            let at = r.entry.checked_sub(1).and_then(|i| usize::try_from(i).ok());
            let op = at.and_then(|i| history.queue.get(i)).map(|e| e.op);
            let good = matches!(op, Some(Op::Deposit(d))
                if (d.exit, d.token, d.amount) == (r.to, r.token, r.amount));
            if !good || !seen.insert(r.entry) || r.entry <= processed {
                self.find(
                    "forged_refund",
                    None,
                    format!(
                        "entry {} is no deposit that waited, or was given back before",
                        r.entry
                    ),
                );
            }
        }
    }

    /// Tells of what lets anybody begin exodus now.
    fn exodus_is_near(&mut self) {
        let history = self.history;
        // Proven blocks count: to begin exodus makes them final.
        let proven = history.blocks.iter().take_while(|b| b.proving.is_some());
        let processed = proven.last().map_or(0, |b| b.processed);
        let waiting = usize::try_from(processed).ok().and_then(|i| history.queue.get(i));
        let late = |e: &&Entry| history.time > e.time.saturating_add(QUEUE_DEADLINE);
        if waiting.is_some_and(|e| late(&e)) {
            let entry = processed.saturating_add(1);
            let mut what = format!(
                "queue entry {entry} has waited for more than {} days, which lets anybody begin it",
                QUEUE_DEADLINE / 86_400
            );
            if !history.alarms.is_empty() {
                what += " (not while an alarm is unanswered, nor in the days after the answer)";
            }
            self.notice("exodus", what);
        }
    }

    /// Accounts left with what the last state holds, once, and not before `earliest`.
    fn departures(&mut self, earliest: u64) {
        let mut seen = BTreeSet::new();
        for d in &self.history.departures {
            let name = format!("account {}", d.index);
            if !seen.insert(d.index) {
                self.find("double_departure", None, format!("{name} left twice"));
            }
            if d.time < earliest {
                let what = format!("{name} left at {}, before {earliest}", d.time);
                self.find("early_departure", None, what);
            }
            if self.replay.holding(d.index) != Some((d.to, d.token, d.amount)) {
                self.find(
                    "forged_departure",
                    None,
                    format!("{name} left with another balance than the last state's"),
                );
            }
        }
    }

    /// What is owed is a payment that was made, and no more was collected than is owed.
    pub(super) fn owed(&mut self) {
        let history = self.history;
        let mut payments: BTreeMap<Payment, u64> = BTreeMap::new();
        let claims = history.claims.iter().map(|c| (c.to, c.token, c.amount));
        let departures = history.departures.iter();
        let departures = departures.map(|d| (d.to, d.token, d.amount));
        let refunds = history.refunds.iter().map(|r| (r.to, r.token, r.amount));
        for payment in claims.chain(departures).chain(refunds) {
            *payments.entry(payment).or_default() += 1;
        }
        let mut owed: BTreeMap<(Address, Token), u128> = BTreeMap::new();
        for due in &history.owed {
            let payment = payments.get_mut(&(due.account, due.token, due.amount));
            match payment {
                Some(n) if *n > 0 => *n -= 1,
                _ => {
                    let what = format!("{} is owed what nobody left with", due.account);
                    self.find("forged_debt", None, what);
                }
            }
            let sum = owed.entry((due.account, due.token)).or_default();
            *sum = sum.saturating_add(due.amount);
        }
        for due in &history.collected {
            let sum = owed.entry((due.account, due.token)).or_default();
            match sum.checked_sub(due.amount) {
                Some(left) => *sum = left,
                None => {
                    let what = format!("{} collected more than is owed", due.account);
                    self.find("forged_debt", None, what);
                }
            }
        }
    }

    /// What the contract holds is what it must pay one day: balances, exits that nobody claimed,
    /// deposits that wait, and what is owed.
    pub(super) fn vault(&mut self) {
        let mut due: BTreeMap<Token, u128> = BTreeMap::new();
        let mut add = |token: Token, amount: u128| {
            let sum = due.entry(token).or_default();
            *sum = sum.saturating_add(amount);
        };
        let history = self.history;
        let left: BTreeSet<_> = history.departures.iter().map(|d| d.index).collect();
        for (index, account) in self.replay.accounts() {
            if !is_limiter(index) && !left.contains(&index) {
                add(account.token, account.balance);
            }
        }
        for (number, exits) in (1..).zip(&self.exits) {
            for (position, record) in (0u64..).zip(exits) {
                if let Ok(exit) = ExitRecord::read(record) {
                    if !self.claimed.contains(&(number, position)) {
                        add(exit.token, exit.amount);
                    }
                }
            }
        }
        let refunded: BTreeSet<_> = history.refunds.iter().map(|r| r.entry).collect();
        for (entry, queued) in (1u64..).zip(&history.queue).skip(self.processed) {
            if let (Op::Deposit(d), false) = (queued.op, refunded.contains(&entry)) {
                add(d.token, d.amount);
            }
        }
        for due in &history.owed {
            add(due.token, due.amount);
        }
        for collected in &history.collected {
            let sum = due.entry(collected.token).or_default();
            *sum = sum.saturating_sub(collected.amount);
        }
        let tokens: BTreeSet<_> = due.keys().chain(history.held.keys()).copied().collect();
        for token in tokens {
            let due = due.get(&token).copied().unwrap_or_default();
            let held = history.held.get(&token).copied().unwrap_or_default();
            if held != due {
                let what = format!("it holds {held} of token {token}, and must pay {due}");
                self.find("vault", None, what);
            }
        }
    }
}
