//! What operations mean for the rewards account, and the payments from it.

use bastion_protocol::ops::{Action, Body, Op, SignedOp};
use bastion_protocol::Index;
use bastion_sentinel::findings::Hash;
use bastion_sentinel::rewards::{Call, Pay, Treasury};

use super::{At, Rewards};
use crate::sentinel::Sentinel;

/// Payments that are signed at once at most.
const MOST: usize = 8;
/// How often a payment that was declined is tried again, in milliseconds.
const RETRY_MS: u64 = 30_000;
/// Seconds for which a payment's signature is good.
const VALID: u64 = 3_600;

/// What an operation means for rewards.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Seen {
    In { from: Option<Index>, amount: u128 },
    Out { nonce: u32, to: Option<Index>, amount: u128, fee: u128 },
    ForcedExit,
    Freeze { operation: Hash, until: u64 },
}

impl Rewards {
    /// Looks at an operation that is included as an entry of the sequencer's log. `credits` says whether a
    /// deposit credits an account: the operation itself does not name it, and an owner may have several.
    pub(in crate::sentinel) fn see(
        &mut self,
        entry: u64,
        op: &Op,
        hash: &[u8; 32],
        credits: impl Fn(Index) -> bool,
    ) {
        let Some(treasury) = self.treasury.as_ref().filter(|_| !self.ended) else { return };
        if let Some(seen) = seen(treasury, op, hash, credits) {
            if entry >= treasury.next_entry() {
                self.seen.push((entry, seen));
            }
        }
    }

    /// Whether an operation is a payment that the treasury owes.
    pub(in crate::sentinel) fn owes(&self, op: &SignedOp) -> bool {
        let Some(treasury) = &self.treasury else { return false };
        let Body { account, nonce, fee, action, .. } = op.body;
        if account != treasury.opening().account {
            return false;
        }
        if self.ended {
            return false;
        }
        let Action::Transfer { to, amount } = action else { return false };
        let owed = |pay: &Pay| (pay.nonce, pay.to, pay.amount, 0) == (nonce, to, amount, fee);
        treasury.waiting().iter().any(owed)
    }
}

fn seen(
    treasury: &Treasury,
    op: &Op,
    hash: &[u8; 32],
    credits: impl Fn(Index) -> bool,
) -> Option<Seen> {
    let opening = treasury.opening();
    let account = opening.account;
    match op {
        Op::Signed(signed) => {
            let Body { account: from, nonce, fee, action, .. } = signed.body;
            match action {
                Action::Transfer { to, amount } if to == account => {
                    Some(Seen::In { from: Some(from), amount })
                }
                Action::Freeze { until, .. } => {
                    let operation = Hash(*hash);
                    treasury.is_ordered(&operation).then_some(Seen::Freeze { operation, until })
                }
                Action::Unfreeze { .. } => None,
                Action::Transfer { to, amount } if from == account => {
                    Some(Seen::Out { nonce, to: Some(to), amount, fee })
                }
                Action::Transfer { .. }
                | Action::TransferNew { .. }
                | Action::Withdraw { .. }
                | Action::ChangeKey { .. }
                | Action::Order { .. } => (from == account).then(|| {
                    let amount = action.amount().unwrap_or(0);
                    Seen::Out { nonce, to: None, amount, fee }
                }),
            }
        }
        Op::Deposit(deposit) => {
            credits(account).then_some(Seen::In { from: None, amount: deposit.amount })
        }
        Op::ForcedExit(exit) => {
            let is_ours =
                (exit.index, exit.token, exit.exit) == (account, opening.token, opening.exit);
            is_ours.then_some(Seen::ForcedExit)
        }
        Op::Quote(_) | Op::Noop => None,
    }
}

impl Sentinel {
    /// Takes what was included, now that the sequencer has it on disk.
    pub(crate) fn appended(&mut self, now: u64) {
        for (entry, seen) in std::mem::take(&mut self.rewards.seen) {
            let Some(treasury) = &self.rewards.treasury else { return };
            let call = match seen {
                Seen::In { from, amount } => Call::Received { entry, from, amount },
                Seen::Out { nonce, to, amount, fee } => {
                    let next = treasury.waiting().front();
                    let paid = next.is_some_and(|pay| {
                        (pay.nonce, Some(pay.to), pay.amount, 0) == (nonce, to, amount, fee)
                    });
                    let amount = amount.saturating_add(fee);
                    match paid {
                        true => Call::Paid { entry, nonce },
                        false => Call::Foreign { entry, nonce: Some(nonce), amount },
                    }
                }
                Seen::ForcedExit => Call::Foreign { entry, nonce: None, amount: treasury.holds() },
                Seen::Freeze { operation, until } => Call::Frozen { entry, operation, until },
            };
            let foreign = matches!(call, Call::Foreign { .. });
            match self.reward(now, call) {
                Ok(_) if foreign => {
                    let text = format!("entry {entry} took money out of the rewards account, and no payment asked for it");
                    self.note_rewards(text);
                }
                Ok(_) => {}
                Err(error) => self.note_rewards(format!("entry {entry} is not taken: {error}")),
            }
        }
    }

    /// Signs the payments that wait, if the account's nonce is theirs.
    pub(super) fn payments(&mut self, at: At<'_>, now_ms: u64) -> Vec<SignedOp> {
        let Rewards { treasury: Some(treasury), key: Some(key), domain, .. } = &self.rewards else {
            return Vec::new();
        };
        let Some(first) = treasury.waiting().front().map(|pay| pay.nonce) else {
            return Vec::new();
        };
        let again =
            |(nonce, at): (u32, u64)| nonce == first && now_ms.saturating_sub(at) < RETRY_MS;
        if self.rewards.signed.is_some_and(again) {
            return Vec::new();
        }
        let opening = *treasury.opening();
        let nonce = at.state.account(opening.account).map(|account| account.nonce);
        if nonce != Some(treasury.sequenced()) {
            let text = format!(
                "nothing is paid: account {} has nonce {nonce:?}, and the next payment {}",
                opening.account,
                treasury.sequenced()
            );
            self.note_unpaid(text, now_ms);
            return Vec::new();
        }
        let sign = |pay: &Pay| {
            let body = Body {
                account: opening.account,
                token: opening.token,
                nonce: pay.nonce,
                deadline: at.time.max(at.now).saturating_add(VALID),
                fee: 0,
                action: Action::Transfer { to: pay.to, amount: pay.amount },
            };
            body.sign(key, *domain, opening.exit)
        };
        let signed: Result<Vec<SignedOp>, _> =
            treasury.waiting().iter().take(MOST).map(sign).collect();
        self.rewards.signed = Some((first, now_ms));
        match signed {
            Ok(signed) => signed,
            Err(error) => {
                self.note_unpaid(format!("a payment cannot be signed: {error}"), now_ms);
                Vec::new()
            }
        }
    }
}
