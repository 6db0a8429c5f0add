//! What is done again and again, about once a second: looking for the attempts in blocks, sending again
//! what is on its way, replacing what takes too long, beginning what waits.

use alloy::primitives::{B256, U256};

use super::intent::{Attempt, Inclusion, State};
use super::judge::Verdict;
use super::notice::Notice;
use super::TxManager;
use crate::chain::{ReadL1, ReadLogs};
use crate::error::L1Error;
use crate::revert::Revert;
use crate::types::{At, Pin, Receipt};

/// Attempts that may be mined without effect before an intent is given up.
const REVERTS: usize = 3;
/// Seconds between two alarms about the balance.
const ALARM: u64 = 600;

/// What would become of an intent now.
enum Outlook {
    /// It would succeed.
    Fine,
    /// It would revert, for a reason that may pass.
    Later(String),
    /// Its effect is there.
    Done,
    /// It will never succeed.
    Never(String),
}

/// The chain as a step finds it.
struct Seen {
    /// Transactions of the account that are mined.
    mined: u64,
    /// The last final block.
    last: Option<Pin>,
}

type Notices = Vec<Notice>;

impl TxManager {
    /// Does what is to be done at a time, in seconds. What goes wrong with one intent is told in a notice
    /// and does not stop the others.
    ///
    /// # Errors
    /// [`L1Error::Storage`]; or if no node answers, in which case nothing was done.
    pub fn step(&mut self, now: u64) -> Result<Vec<Notice>, L1Error> {
        let mut notices = Vec::new();
        let mined = self.l1.nonce(self.account())?;
        let last = self.options.finality.last(&mut self.l1, &mut self.tagged);
        let last = last.unwrap_or_else(|error| {
            notices.push(Notice::Trouble { name: None, error });
            None
        });
        let seen = Seen { mined, last };
        match self.head {
            None => self.head = Some((mined, 0)),
            Some((before, _)) if before != mined => self.head = Some((mined, now)),
            Some(_) => {}
        }
        for i in self.those(|state| matches!(state, State::Sent | State::Mined(_))) {
            let done = self.look(i, &seen, now, &mut notices);
            self.told(i, done, &mut notices)?;
        }
        self.watch_gap(mined, &mut notices);
        let done = self.watch_balance(now, &mut notices);
        if let Err(error) = done {
            notices.push(Notice::Trouble { name: None, error });
        }
        let mut sent = self.those(|state| matches!(state, State::Sent));
        // A node may refuse one that comes before its predecessor.
        sent.sort_by_key(|i| self.intents[*i].nonce);
        for i in sent {
            let done = self.push(i, &seen, now, &mut notices);
            self.told(i, done, &mut notices)?;
        }
        for i in self.those(|state| matches!(state, State::Pending)) {
            let done = self.begin(i, &seen, now, &mut notices);
            self.told(i, done, &mut notices)?;
        }
        Ok(notices)
    }

    fn those(&self, state: impl Fn(&State) -> bool) -> Vec<usize> {
        let intents = self.intents.iter().enumerate();
        intents.filter(|(_, intent)| state(&intent.state)).map(|(i, _)| i).collect()
    }

    /// Turns what went wrong with one intent into a notice, unless nothing may go on.
    fn told(
        &self,
        i: usize,
        done: Result<(), L1Error>,
        notices: &mut Notices,
    ) -> Result<(), L1Error> {
        match done {
            Err(error @ L1Error::Storage { .. }) => Err(error),
            Err(error) => {
                let name = Some(self.intents[i].name().to_owned());
                notices.push(Notice::Trouble { name, error });
                Ok(())
            }
            Ok(()) => Ok(()),
        }
    }

    fn watch_balance(&mut self, now: u64, notices: &mut Notices) -> Result<(), L1Error> {
        let minimum = self.options.min_balance;
        if minimum.is_zero() || now < self.rich_until {
            return Ok(());
        }
        let balance = self.l1.balance(self.account())?;
        let poor = balance < minimum;
        self.rich_until = now.saturating_add(if poor { ALARM } else { self.options.rebroadcast });
        if poor {
            notices.push(Notice::LowBalance { balance, minimum });
        }
        Ok(())
    }

    /// Tells once of a gap that nothing stored can close.
    fn watch_gap(&mut self, mined: u64, notices: &mut Notices) {
        let open = self.intents.iter().filter(|intent| !intent.state.is_over());
        let gap = open.filter_map(|intent| intent.nonce).min();
        let gap = gap.filter(|first| *first > mined).map(|first| (mined, first));
        if let Some((mined, first)) = gap.filter(|_| gap != self.gap) {
            notices.push(Notice::Gap { mined, first });
        }
        self.gap = gap;
    }

    /// Looks for all attempts in blocks.
    fn look(
        &mut self,
        i: usize,
        seen: &Seen,
        now: u64,
        notices: &mut Notices,
    ) -> Result<(), L1Error> {
        let intent = &self.intents[i];
        let known = match &intent.state {
            State::Mined(inclusion) => Some(inclusion.transaction),
            _ => None,
        };
        let others = intent.live().rev().map(|a| a.hash).filter(|hash| Some(*hash) != known);
        let hashes: Vec<B256> = known.into_iter().chain(others).collect();
        for hash in &hashes {
            if let Some(receipt) = self.l1.receipt(*hash)? {
                return self.found(i, receipt, seen, now, notices);
            }
        }
        let Some(nonce) = self.intents[i].nonce else { return Ok(()) };
        let used = seen.mined > nonce;
        if used {
            // The node that counts may be ahead of the one that was asked for receipts.
            for hash in &hashes {
                if let Some(receipt) = self.l1.receipt_anywhere(*hash)? {
                    return self.found(i, receipt, seen, now, notices);
                }
            }
        }
        let name = self.intents[i].name().to_owned();
        if let Some(transaction) = known {
            let mut intent = self.intents[i].clone();
            intent.state = State::Sent;
            self.put(i, intent)?;
            self.pace(i).sent = None;
            notices.push(Notice::Reorged { name: name.clone(), transaction });
        }
        if used {
            if self.pace(i).foreign != Some(nonce) {
                self.pace(i).foreign = Some(nonce);
                notices.push(Notice::ForeignNonce { name, nonce });
            }
            self.release(i, nonce, seen, notices)?;
        }
        Ok(())
    }

    /// Takes a nonce that somebody else has used from an intent, once that is final.
    fn release(
        &mut self,
        i: usize,
        nonce: u64,
        seen: &Seen,
        notices: &mut Notices,
    ) -> Result<(), L1Error> {
        let Some(last) = seen.last else { return Ok(()) };
        if self.l1.nonce_at(self.account(), last.number)? <= nonce {
            return Ok(());
        }
        let mut intent = self.intents[i].clone();
        intent.nonce = None;
        let over = intent.cancelling;
        intent.state = if over { State::Cancelled(None) } else { State::Pending };
        self.put(i, intent)?;
        self.pace.remove(&i);
        if over {
            self.tell_over(i, notices);
        }
        Ok(())
    }

    /// An attempt is in a block.
    fn found(
        &mut self,
        i: usize,
        receipt: Receipt,
        seen: &Seen,
        now: u64,
        notices: &mut Notices,
    ) -> Result<(), L1Error> {
        let intent = &self.intents[i];
        let Some(attempt) = intent.live().find(|a| a.hash == receipt.transaction) else {
            return Ok(());
        };
        let new = inclusion(attempt, &receipt, now);
        let name = intent.name().to_owned();
        let inclusion = match &intent.state {
            State::Mined(old) if is_same(old, &new) => old.clone(),
            state => {
                if let State::Mined(old) = state {
                    let transaction = old.transaction;
                    notices.push(Notice::Reorged { name: name.clone(), transaction });
                }
                let mut intent = intent.clone();
                intent.state = State::Mined(new.clone());
                self.put(i, intent)?;
                let Receipt { transaction, block, succeeded, .. } = receipt;
                notices.push(Notice::Mined { name, transaction, block, succeeded });
                new
            }
        };
        if seen.last.is_none_or(|last| last.number < inclusion.block) {
            return Ok(());
        }
        // The receipt may be of a branch that is not the final one.
        let there = self.l1.block(At::Number(inclusion.block))?;
        if there.is_none_or(|there| there.hash != inclusion.block_hash) {
            return Ok(());
        }
        self.settle(i, inclusion, notices)
    }

    /// An attempt is in a final block.
    fn settle(
        &mut self,
        i: usize,
        inclusion: Inclusion,
        notices: &mut Notices,
    ) -> Result<(), L1Error> {
        let mut intent = self.intents[i].clone();
        if inclusion.cancels {
            intent.state = State::Cancelled(Some(inclusion));
        } else if inclusion.succeeded {
            intent.state = State::Final(inclusion);
        } else {
            // The reason is not in the receipt: the present state names it, or another one.
            let outlook = self.outlook(i)?;
            intent.reverted.push(inclusion);
            intent.nonce = None;
            intent.state = match outlook {
                Outlook::Done => State::Superseded,
                Outlook::Never(cause) => State::Failed { cause },
                Outlook::Fine | Outlook::Later(_) if intent.cancelling => State::Cancelled(None),
                Outlook::Fine | Outlook::Later(_) if intent.reverted.len() >= REVERTS => {
                    let cause = format!("it was mined {REVERTS} times and had no effect, though it had one in a simulation before");
                    State::Failed { cause }
                }
                Outlook::Fine | Outlook::Later(_) => State::Pending,
            };
        }
        let over = intent.state.is_over();
        self.put(i, intent)?;
        self.pace.remove(&i);
        if over {
            self.tell_over(i, notices);
        }
        Ok(())
    }

    fn tell_over(&self, i: usize, notices: &mut Notices) {
        let intent = &self.intents[i];
        notices.push(Notice::Over { name: intent.name().to_owned(), state: intent.state.word() });
    }

    fn outlook(&mut self, i: usize) -> Result<Outlook, L1Error> {
        if self.judge.is_done(&mut self.l1, &self.intents[i])? {
            return Ok(Outlook::Done);
        }
        let call = self.intents[i].request.from(self.account());
        let Err(error) = self.l1.simulate(&call) else { return Ok(Outlook::Fine) };
        let Some(revert) = revert_of(&error) else { return Err(error) };
        Ok(match self.judge.on_revert(&self.intents[i], &revert) {
            Verdict::AlreadyDone => Outlook::Done,
            Verdict::Wait => Outlook::Later(revert.to_string()),
            Verdict::Fatal(cause) => Outlook::Never(cause),
        })
    }

    /// Sends again what is on its way, or replaces it if it takes too long.
    fn push(
        &mut self,
        i: usize,
        seen: &Seen,
        now: u64,
        notices: &mut Notices,
    ) -> Result<(), L1Error> {
        let pace = *self.pace(i);
        let due = |sent: u64| now >= sent.saturating_add(self.options.rebroadcast);
        let intent = &self.intents[i];
        let (Some(nonce), Some(newest)) = (intent.nonce, intent.live().next_back()) else {
            return Ok(());
        };
        // A nonce that is used is the matter of `look`.
        if seen.mined > nonce || !pace.sent.is_none_or(due) {
            return Ok(());
        }
        // Those behind the first wait for it, and not for a better price.
        let first_since = self.head.map_or(0, |(_, since)| since);
        let late = now >= newest.time.max(first_since).saturating_add(self.options.patience);
        let cancels = intent.cancelling;
        if pace.hurry || late && nonce == seen.mined {
            match self.replace(i, cancels, now, notices) {
                Ok(()) => return Ok(()),
                // The attempt that is there goes on.
                Err(error) => self.told(i, Err(error), notices)?,
            }
        }
        self.send(i, now, notices);
        Ok(())
    }

    /// Begins what waits, if the time is right.
    fn begin(
        &mut self,
        i: usize,
        seen: &Seen,
        now: u64,
        notices: &mut Notices,
    ) -> Result<(), L1Error> {
        if now < self.pace(i).later {
            return Ok(());
        }
        let on_way = self.those(|state| matches!(state, State::Sent)).len();
        if on_way >= self.options.in_flight {
            return Ok(());
        }
        self.pace(i).later = now.saturating_add(self.options.rebroadcast);
        let state = match self.outlook(i)? {
            Outlook::Fine => return self.first(i, self.next_nonce(seen), now, notices),
            Outlook::Later(why) => {
                let name = self.intents[i].name().to_owned();
                notices.push(Notice::Waiting { name, why });
                return Ok(());
            }
            Outlook::Done => State::Superseded,
            Outlook::Never(cause) => State::Failed { cause },
        };
        let mut intent = self.intents[i].clone();
        intent.state = state;
        self.put(i, intent)?;
        self.tell_over(i, notices);
        Ok(())
    }

    /// The next nonce, by what is mined and what is stored. What nodes call pending is no guide: a
    /// transaction that their pools lost would leave a gap for ever.
    fn next_nonce(&self, seen: &Seen) -> u64 {
        let stored = self.intents.iter().flat_map(|intent| &intent.attempts);
        let after = stored.map(|attempt| attempt.nonce.saturating_add(1)).max();
        seen.mined.max(after.unwrap_or(0))
    }
}

fn inclusion(attempt: &Attempt, receipt: &Receipt, now: u64) -> Inclusion {
    let gas = U256::from(receipt.gas_used).saturating_mul(U256::from(receipt.gas_price));
    let brought = if receipt.succeeded { attempt.value } else { U256::ZERO };
    Inclusion {
        block: receipt.block,
        block_hash: receipt.block_hash,
        time: now,
        transaction: receipt.transaction,
        gas_used: receipt.gas_used,
        gas_price: receipt.gas_price,
        cost: gas.saturating_add(brought),
        succeeded: receipt.succeeded,
        cancels: attempt.cancels,
    }
}

fn is_same(one: &Inclusion, other: &Inclusion) -> bool {
    (one.block_hash, one.transaction) == (other.block_hash, other.transaction)
}

/// Why a call reverted, if that is what an error says. Nodes tell of a revert without data in words.
fn revert_of(error: &L1Error) -> Option<Revert> {
    match error {
        L1Error::Reverted { revert, .. } => Some(revert.clone()),
        L1Error::Refused { message, .. } if message.to_lowercase().contains("revert") => {
            Some(Revert::new(Default::default()))
        }
        _ => None,
    }
}
