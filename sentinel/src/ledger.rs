//! Running totals of each token: what was deposited, what left, what accounts hold.

use std::collections::{BTreeMap, BTreeSet};

use bastion_protocol::account::is_limiter;
use bastion_protocol::ops::{Action, Op};
use bastion_protocol::{Kind, Token};
use bastion_state::executor::OpTrace;
use bastion_state::State;
use serde::{Deserialize, Serialize};

use crate::fixed::Wide;
use crate::{Input, SentinelError};

/// Totals of one token, in its smallest unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Totals {
    /// Deposited since the start, and what accounts held at the start.
    pub deposited: Wide,
    /// Left to L1 since the start.
    pub exited: Wide,
    /// Held by accounts, and by the auction of the open batch. What an auction takes of a token it gives to others:
    /// orders change no totals, whether they are seen with what they hold back or with what they sold in the end.
    pub live: Wide,
}

/// The totals of all tokens: at most 65,536 entries.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Ledger {
    tokens: BTreeMap<Token, Totals>,
}

/// What of a token crosses the bridge with an operation, or goes through the batch's auction. That an auction
/// pays no more than was sold is checked for all of it at once, when its batch is closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Crossing {
    pub(crate) deposited: u128,
    pub(crate) exited: u128,
}

impl Crossing {
    /// By what the queue or the signer asked for, not by what the trace says was moved; what an auction
    /// fills is known from the trace alone.
    pub(crate) fn of(trace: &OpTrace, token: Token) -> Self {
        let exited = match (&trace.op, trace.kind) {
            (Op::Deposit(d), _) => return Self { deposited: d.amount, exited: 0 },
            (Op::Quote(_), _) => {
                let deposited = trace.quote.map_or(0, |quote| quote.surplus);
                return Self { deposited, exited: 0 };
            }
            (Op::ForcedExit(_), Kind::ForcedExit) => {
                trace.accesses[0].and_then(|a| a.before).map_or(0, |a| a.balance)
            }
            (Op::Signed(s), _) => match s.body.action {
                Action::Withdraw { amount, .. } => amount,
                Action::Transfer { .. }
                | Action::TransferNew { .. }
                | Action::ChangeKey { .. }
                | Action::Freeze { .. }
                | Action::Unfreeze { .. } => 0,
                Action::Order { .. } => match trace.order {
                    Some(order) if order.sell == token => order.sold,
                    Some(order) if order.buy == token => {
                        return Self { deposited: order.paid, exited: 0 };
                    }
                    Some(_) | None => 0,
                },
            },
            (Op::ForcedExit(_) | Op::Noop, _) => 0,
        };
        Self { deposited: 0, exited }
    }
}

impl Ledger {
    /// The totals of a state: what its accounts hold counts as deposited.
    #[must_use]
    pub fn of(state: &State) -> Self {
        let mut ledger = Self::default();
        for (_, account) in state.accounts().filter(|(index, _)| !is_limiter(*index)) {
            let totals = ledger.tokens.entry(account.token).or_default();
            totals.live = totals.live.plus(account.balance);
            totals.deposited = totals.live;
        }
        ledger
    }

    /// The totals of a token; zeros for one that was never seen.
    #[must_use]
    pub fn totals(&self, token: Token) -> Totals {
        self.tokens.get(&token).copied().unwrap_or_default()
    }

    /// The totals of a token after an operation. `None` if they would be negative.
    pub(crate) fn after(&self, input: &Input, token: Token) -> Option<Totals> {
        let mut totals = self.totals(token);
        let crossing = Crossing::of(&input.trace, token);
        let auctioned = auctioned(&input.trace);
        if auctioned {
            // It is in the auction, not gone; what comes from there was not gone.
            totals.live = totals.live.plus(crossing.exited);
        } else {
            totals.deposited = totals.deposited.plus(crossing.deposited);
            totals.exited = totals.exited.plus(crossing.exited);
        }
        for (_, _, after) in input.holders_of(token) {
            totals.live = totals.live.plus(after.map_or(0, |a| a.balance));
        }
        for (_, before, _) in input.holders_of(token) {
            totals.live = totals.live.minus(before.map_or(0, |a| a.balance))?;
        }
        if auctioned {
            totals.live = totals.live.minus(crossing.deposited)?;
        }
        Some(totals)
    }

    /// Counts an included operation.
    pub(crate) fn learn(&mut self, input: &Input) {
        if input.kind() == Kind::Noop {
            return;
        }
        for token in tokens(&input.trace) {
            if let Some(totals) = self.after(input, token) {
                self.tokens.insert(token, totals);
            }
        }
    }

    /// Takes an operation back, the last one first.
    ///
    /// # Errors
    /// [`SentinelError::TakenBack`] if it was never counted; the ledger is as before.
    pub(crate) fn take_back(&mut self, trace: &OpTrace) -> Result<(), SentinelError> {
        let account = trace.accesses.iter().flatten().next().map_or(0, |access| access.index);
        if auctioned(trace) {
            return Ok(());
        }
        // A forced exit of an account that is not there does nothing, and has no token.
        for token in tokens(trace) {
            let totals = self.totals(token);
            let crossing = Crossing::of(trace, token);
            let live = totals.live.plus(crossing.exited).minus(crossing.deposited);
            let deposited = totals.deposited.minus(crossing.deposited);
            let exited = totals.exited.minus(crossing.exited);
            let (Some(live), Some(deposited), Some(exited)) = (live, deposited, exited) else {
                return Err(SentinelError::TakenBack { account });
            };
            self.tokens.insert(token, Totals { deposited, exited, live });
        }
        Ok(())
    }
}

/// Whether it goes through the auction of its batch.
fn auctioned(trace: &OpTrace) -> bool {
    trace.order.is_some() || trace.quote.is_some()
}

/// The tokens that an operation moves: two with an order.
pub(crate) fn tokens(trace: &OpTrace) -> BTreeSet<Token> {
    let accounts = trace.accesses.iter().flatten().filter_map(|a| a.after.or(a.before));
    let several = if trace.order.is_some() { usize::MAX } else { 1 };
    accounts.map(|account| account.token).take(several).collect()
}
