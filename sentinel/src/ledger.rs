//! Running totals of each token: what was deposited, what left, what accounts hold.

use std::collections::BTreeMap;

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
    /// Held by accounts.
    pub live: Wide,
}

/// The totals of all tokens: at most 65,536 entries.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Ledger {
    tokens: BTreeMap<Token, Totals>,
}

/// What crosses the bridge with an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Crossing {
    pub(crate) deposited: u128,
    pub(crate) exited: u128,
}

impl Crossing {
    /// By what the queue or the signer asked for, not by what the trace says was moved.
    pub(crate) fn of(trace: &OpTrace) -> Self {
        let exited = match (&trace.op, trace.kind) {
            (Op::Deposit(d), _) => return Self { deposited: d.amount, exited: 0 },
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

    /// The totals after an operation. `None` if they would be negative.
    pub(crate) fn after(&self, input: &Input) -> Option<Totals> {
        let mut totals = self.totals(input.token());
        let crossing = Crossing::of(&input.trace);
        totals.deposited = totals.deposited.plus(crossing.deposited);
        totals.exited = totals.exited.plus(crossing.exited);
        for (_, _, after) in input.holders() {
            totals.live = totals.live.plus(after.map_or(0, |a| a.balance));
        }
        for (_, before, _) in input.holders() {
            totals.live = totals.live.minus(before.map_or(0, |a| a.balance))?;
        }
        Some(totals)
    }

    /// Counts an included operation.
    pub(crate) fn learn(&mut self, input: &Input) {
        if input.kind() == Kind::Noop {
            return;
        }
        if let Some(totals) = self.after(input) {
            self.tokens.insert(input.token(), totals);
        }
    }

    /// Takes an operation back, the last one first.
    ///
    /// # Errors
    /// [`SentinelError::TakenBack`] if it was never counted; the ledger is as before.
    pub(crate) fn take_back(&mut self, trace: &OpTrace) -> Result<(), SentinelError> {
        let Some(access) = trace.accesses[0] else {
            return Ok(());
        };
        let missing = SentinelError::TakenBack { account: access.index };
        // A forced exit of an account that is not there does nothing.
        let Some(token) = access.after.or(access.before).map(|a| a.token) else {
            return Ok(());
        };
        let mut totals = self.totals(token);
        let crossing = Crossing::of(trace);
        let live = totals.live.plus(crossing.exited).minus(crossing.deposited);
        let deposited = totals.deposited.minus(crossing.deposited);
        let exited = totals.exited.minus(crossing.exited);
        let (Some(live), Some(deposited), Some(exited)) = (live, deposited, exited) else {
            return Err(missing);
        };
        totals = Totals { deposited, exited, live };
        self.tokens.insert(token, totals);
        Ok(())
    }
}
