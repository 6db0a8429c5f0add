//! What of a candidate reaches the detectors: all that a replay needs, without the state.

use bastion_protocol::account::is_limiter;
use bastion_protocol::field::serde_option_fr;
use bastion_protocol::ops::{Action, Op};
use bastion_protocol::{Account, Address, Fr, Index, Kind, Token};
use bastion_state::executor::{Access, OpTrace};
use serde::{Deserialize, Serialize};

use crate::Candidate;

/// An operation and its circumstances. It serializes: a recorded sequence can be replayed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Input {
    /// What the operation did.
    pub trace: OpTrace,
    /// The operation's hash, the one of its receipt.
    pub hash: [u8; 32],
    /// Time of the batch, in seconds.
    pub time: u64,
    /// When it arrived, in milliseconds since 1970.
    pub arrived_ms: u64,
    /// Exit address of the account that is paid, if it is known.
    pub receiver_exit: Option<Address>,
    /// An access whose account before it was not that of the state.
    pub stale: Option<Index>,
    /// Longest freeze that the policy allows, in seconds.
    pub max_freeze: u64,
    /// Owner of fee accounts; only where the operation creates one.
    #[serde(with = "serde_option_fr")]
    pub fee_owner: Option<Fr>,
}

impl Input {
    /// What the detectors use of a candidate.
    #[must_use]
    pub fn of(candidate: &Candidate<'_>) -> Self {
        let Candidate { trace, state, policy, hash, time, arrived_ms } = *candidate;
        let creates_fee = trace.accesses[2].is_some_and(|a| a.before.is_none());
        let mut input = Self {
            trace: trace.clone(),
            hash,
            time,
            arrived_ms,
            receiver_exit: None,
            stale: None,
            max_freeze: policy.max_freeze,
            fee_owner: creates_fee.then(|| policy.fee_owner()),
        };
        input.receiver_exit = input.receiver().and_then(|access| match action(trace) {
            Some(Action::TransferNew { exit, .. }) => Some(*exit),
            _ => state.opening(access.after?.owner).map(|(_, exit)| exit),
        });
        let stale = input
            .first_accesses()
            .find(|a| state.account(a.index) != a.before.as_ref())
            .map(|access| access.index);
        input.stale = stale;
        input
    }

    /// What the operation turned out to be.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.trace.kind
    }

    /// What was signed, if it was.
    #[must_use]
    pub fn action(&self) -> Option<&Action> {
        action(&self.trace)
    }

    /// The access to the account that acts, or that is acted upon by the guardian or the queue.
    #[must_use]
    pub fn acting(&self) -> Option<&Access> {
        self.trace.accesses[0].as_ref()
    }

    /// The account before the operation: `None` for one that it creates.
    #[must_use]
    pub fn actor_before(&self) -> Option<&Account> {
        self.acting().and_then(|a| a.before.as_ref())
    }

    /// The access to the account that a transfer pays.
    #[must_use]
    pub fn receiver(&self) -> Option<&Access> {
        match self.kind() {
            Kind::Transfer | Kind::TransferNew => self.trace.accesses[1].as_ref(),
            Kind::Deposit
            | Kind::DepositNew
            | Kind::ForcedExit
            | Kind::ForcedExitNoop
            | Kind::Withdraw
            | Kind::ChangeKey
            | Kind::Freeze
            | Kind::Unfreeze
            | Kind::Order
            | Kind::Quote
            | Kind::Noop => None,
        }
    }

    /// The token that moves: the sold one of an order, the first one of a quote.
    #[must_use]
    pub fn token(&self) -> Token {
        let account = self.trace.accesses.iter().flatten().next();
        account.and_then(|a| a.after.or(a.before)).map_or(0, |a| a.token)
    }

    /// Exit address of the account that acts, if it is known.
    #[must_use]
    pub fn own_exit(&self) -> Option<Address> {
        self.trace.opening.map(|(_, exit)| exit)
    }

    /// The L1 address to which something leaves.
    #[must_use]
    pub fn target(&self) -> Option<Address> {
        match (&self.trace.op, self.kind()) {
            (Op::ForcedExit(f), Kind::ForcedExit) => Some(f.exit),
            (Op::Signed(s), _) => s.body.action.leaves_to(),
            (Op::Deposit(_) | Op::ForcedExit(_) | Op::Quote(_) | Op::Noop, _) => None,
        }
    }

    /// What leaves the account that acts for somebody else: transfers and exits, without the fee. What an
    /// order buys stays with its owner, at a price that is the same for all.
    #[must_use]
    pub fn sent(&self) -> u128 {
        match self.kind() {
            Kind::Transfer | Kind::TransferNew | Kind::Withdraw | Kind::ForcedExit => {
                self.trace.amount
            }
            Kind::Deposit
            | Kind::DepositNew
            | Kind::ForcedExitNoop
            | Kind::ChangeKey
            | Kind::Freeze
            | Kind::Unfreeze
            | Kind::Order
            | Kind::Quote
            | Kind::Noop => 0,
        }
    }

    /// Whether it must never wait or be refused for suspicion: what the L1 queue holds, withdrawals
    /// to the account's own exit address, the end of a freeze, and the operator's quotes.
    #[must_use]
    pub fn is_exit_lane(&self) -> bool {
        match self.kind() {
            Kind::Deposit
            | Kind::DepositNew
            | Kind::ForcedExit
            | Kind::ForcedExitNoop
            | Kind::Unfreeze
            | Kind::Quote
            | Kind::Noop => true,
            Kind::Withdraw => self.target().is_some() && self.target() == self.own_exit(),
            Kind::Transfer | Kind::TransferNew | Kind::ChangeKey | Kind::Freeze | Kind::Order => {
                false
            }
        }
    }

    /// The accesses, without later ones to the same account.
    pub(crate) fn first_accesses(&self) -> impl Iterator<Item = &Access> {
        let all = &self.trace.accesses;
        let first = |i: usize, access: &Access| {
            !all[..i].iter().flatten().any(|earlier| earlier.index == access.index)
        };
        let numbered = all.iter().enumerate();
        numbered.filter_map(move |(i, a)| a.as_ref().filter(|a| first(i, a)))
    }

    /// The accounts that hold money, before and after the operation; at most three.
    pub(crate) fn holders(
        &self,
    ) -> impl Iterator<Item = (Index, Option<&Account>, Option<&Account>)> {
        self.first_accesses().filter(|a| !is_limiter(a.index)).map(|first| {
            let mut same = self.trace.accesses.iter().flatten().rev();
            let last = same.find(|a| a.index == first.index).unwrap_or(first);
            (first.index, first.before.as_ref(), last.after.as_ref())
        })
    }

    /// Those of them that hold a token; all, but for an order: other operations move one token.
    pub(crate) fn holders_of(
        &self,
        token: Token,
    ) -> impl Iterator<Item = (Index, Option<&Account>, Option<&Account>)> {
        let one = self.trace.order.is_none();
        let held = move |account: &Account| one || account.token == token;
        self.holders().filter(move |(_, before, after)| after.or(*before).is_none_or(held))
    }
}

fn action(trace: &OpTrace) -> Option<&Action> {
    trace.signed().map(|s| &s.body.action)
}
