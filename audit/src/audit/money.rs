//! What left the contract: claims, exodus, what is owed, and what it must still hold.

use std::collections::{BTreeMap, BTreeSet};

use bastion_state::account::is_limiter;
use bastion_state::ops::Op;
use bastion_state::{Address, Token};

use super::{Audit, QUEUE_DEADLINE};
use crate::replay::Exit;

/// A payment: to whom, in which token, how much.
type Payment = (Address, Token, u128);

impl Audit<'_> {
    /// Every claim is of an exit of a final block, as the data have it, once, and not too early.
    pub(super) fn claims(&mut self, checked: usize) {
        let history = self.history;
        let (mut seen, mut beyond) = (BTreeSet::new(), 0);
        for claim in &history.claims {
            let number = claim.block as usize;
            let name = format!("claim of exit {}", claim.position);
            if !seen.insert((claim.block, claim.position)) {
                self.find(
                    "double_claim",
                    Some(number),
                    format!("{name} a second time"),
                );
            }
            let block = number.checked_sub(1).and_then(|i| history.blocks.get(i));
            let Some(block) = block.filter(|_| number <= self.finalized) else {
                let what = format!("{name} of a block that is not final");
                self.find("forged_exit", Some(number), what);
                continue;
            };
            // The audit may end before the claimed block, or have stopped before it.
            if number > checked {
                beyond += 1;
                continue;
            }
            let records = number.checked_sub(1).and_then(|i| self.exits.get(i));
            let record = records.and_then(|r| r.get(claim.position as usize));
            let Some(exit) = record.and_then(|record| Exit::read(record)) else {
                self.find(
                    "forged_exit",
                    Some(number),
                    format!("{name}, which is not in the data"),
                );
                continue;
            };
            if (exit.to, exit.token, exit.amount) != (claim.to, claim.token, claim.amount) {
                self.find(
                    "forged_exit",
                    Some(number),
                    format!("{name} for other values"),
                );
            }
            // What is left to wait counts from the commit.
            let wait = exit.release_time.saturating_sub(block.header.time);
            let payable = block.committed_at.saturating_add(wait);
            let payable = payable.max(block.finalized_at.unwrap_or(u64::MAX));
            if claim.time < payable {
                self.find(
                    "early_claim",
                    Some(number),
                    format!("{name} at {}, payable at {payable}", claim.time),
                );
            }
        }
        if beyond > 0 {
            let what = format!("{beyond} claims are of blocks that were not looked at");
            self.notice("claims", what);
        }
    }

    /// What exodus paid is what the last state holds, and what the queue still held.
    pub(super) fn exodus(&mut self, checked: usize) {
        let history = self.history;
        let last = self.finalized.checked_sub(1);
        let last = last.and_then(|i| history.blocks.get(i));
        let processed = last.map_or(0, |b| b.processed);
        let Some(began) = history.exodus else {
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
        let (block, finalized) = (began.block, self.finalized);
        if block != finalized as u64 || began.root != history.state_root {
            let what = format!("began at block {block}, the last final one is {finalized}");
            self.find("exodus", None, what);
        }
        if last.is_some_and(|b| b.finalized_at.is_none_or(|at| began.time < at)) {
            self.find("exodus", None, "a block became final after it began");
        }
        let overdue = history.queue.get(processed as usize);
        if overdue.is_none_or(|e| began.time <= e.time.saturating_add(QUEUE_DEADLINE)) {
            self.find("exodus", None, "began though no queue entry was overdue");
        }
        if checked == finalized {
            self.departures();
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

    fn departures(&mut self) {
        let mut seen = BTreeSet::new();
        for d in &self.history.departures {
            let name = format!("account {}", d.index);
            if !seen.insert(d.index) {
                self.find("double_departure", None, format!("{name} left twice"));
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
        let claims = history.claims.iter();
        let claimed: BTreeSet<_> = claims.map(|c| (c.block, c.position)).collect();
        for (number, exits) in (1u64..).zip(&self.exits) {
            for (position, record) in (0u64..).zip(exits) {
                if let Some(exit) = Exit::read(record) {
                    if !claimed.contains(&(number, position)) {
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
