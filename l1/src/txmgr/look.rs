//! Looking for attempts in blocks, and what follows from where they are.

use alloy::primitives::{B256, U256};

use super::intent::{Attempt, Inclusion, State};
use super::judge::Verdict;
use super::notice::Notice;
use super::step::{Notices, Seen};
use super::TxManager;
use crate::chain::ReadLogs;
use crate::error::L1Error;
use crate::revert::Revert;
use crate::types::{At, Receipt};

/// Attempts that may be mined without effect before an intent is given up.
const REVERTS: usize = 3;

/// What would become of an intent now.
pub(super) enum Outlook {
    /// It would succeed.
    Fine,
    /// It would revert, for a reason that may pass.
    Later(String),
    /// Its effect is there.
    Done,
    /// It will never succeed.
    Never(String),
}

impl TxManager {
    /// Looks for all attempts in blocks.
    pub(super) fn look(
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
            // A node may count a transaction a moment before it has the receipt: told at the second look.
            let before = self.pace(i).foreign.filter(|(known, _)| *known == nonce);
            self.pace(i).foreign = Some((nonce, before.is_some()));
            if matches!(before, Some((_, false))) {
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

    pub(super) fn tell_over(&self, i: usize, notices: &mut Notices) {
        let intent = &self.intents[i];
        notices.push(Notice::Over { name: intent.name().to_owned(), state: intent.state.word() });
    }

    pub(super) fn outlook(&mut self, i: usize) -> Result<Outlook, L1Error> {
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
        cost: gas.saturating_add(receipt.blob_cost).saturating_add(brought),
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
