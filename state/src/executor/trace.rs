//! What executed operations leave behind for the circuit and the posted data.

use serde::Serialize;

use super::BatchContext;
use crate::tree::NodeTouch;
use bastion_protocol::ops::{Op, SignedOp};
use bastion_protocol::{Account, Address, Fr, Index, Token, TokenLimits};

/// Kinds as they turn out in a state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ResolvedKind {
    /// Deposit to an existing account.
    Deposit,
    /// Deposit that creates.
    DepositNew,
    /// Forced exit that matches.
    ForcedExit,
    /// Forced exit that does not match.
    ForcedExitNoop,
    /// Transfer.
    Transfer,
    /// Transfer that creates.
    TransferNew,
    /// Withdraw.
    Withdraw,
    /// Change of key.
    ChangeKey,
    /// Freeze.
    Freeze,
    /// Unfreeze.
    Unfreeze,
    /// Padding.
    Noop,
}

impl ResolvedKind {
    /// All kinds.
    pub const ALL: [Self; 11] = [
        Self::Deposit,
        Self::DepositNew,
        Self::ForcedExit,
        Self::ForcedExitNoop,
        Self::Transfer,
        Self::TransferNew,
        Self::Withdraw,
        Self::ChangeKey,
        Self::Freeze,
        Self::Unfreeze,
        Self::Noop,
    ];

    /// Whether it comes from the L1 queue.
    #[must_use]
    pub fn is_l1(self) -> bool {
        self <= Self::ForcedExitNoop
    }

    /// Whether a key signs it, the owner's or the guardian's.
    #[must_use]
    pub fn is_signed(self) -> bool {
        !self.is_l1() && self != Self::Noop
    }

    /// Whether it leaves through the limiter.
    #[must_use]
    pub fn exits(self) -> bool {
        matches!(self, Self::Withdraw | Self::ForcedExit)
    }

    /// Whether it writes an owner record.
    #[must_use]
    pub fn writes_owner(self) -> bool {
        matches!(self, Self::TransferNew | Self::ChangeKey)
    }

    /// Whether the guardian signs it.
    #[must_use]
    pub fn by_guardian(self) -> bool {
        matches!(self, Self::Freeze | Self::Unfreeze)
    }
}

/// One access to an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Access {
    /// Leaf.
    pub index: Index,
    /// Before.
    pub before: Option<Account>,
    /// After.
    pub after: Option<Account>,
}

/// One use of a bridge limiter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LimiterTrace {
    /// Token.
    pub token: Token,
    /// What leaves.
    pub amount: u128,
    /// Theoretical arrival time before.
    pub tat_before: u128,
    /// Theoretical arrival time after.
    pub tat_after: u128,
    /// When L1 releases it.
    pub release_time: u64,
    /// Limits in force.
    pub limits: TokenLimits,
}

/// What an operation did.
#[derive(Debug, Clone)]
pub struct OpTrace {
    /// The operation.
    pub op: Op,
    /// What it turned out to be.
    pub kind: ResolvedKind,
    /// Primary account; receiver or limiter; fee account.
    pub accesses: [Option<Access>; 3],
    /// What moved.
    pub amount: u128,
    /// What was paid.
    pub fee: u128,
    /// Use of the limiter.
    pub limiter: Option<LimiterTrace>,
    /// Key hash and exit address behind the primary account's owner.
    pub opening: Option<(Fr, Address)>,
    /// Message that was signed.
    pub message: Option<Fr>,
}

/// A touched account over a whole batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AccountTouch {
    /// Leaf.
    pub index: Index,
    /// Before the batch.
    pub before: Option<Account>,
    /// After the batch.
    pub after: Option<Account>,
}

/// Everything about an executed batch.
#[derive(Debug, Clone)]
pub struct BatchTrace {
    /// Context.
    pub context: BatchContext,
    /// Root before.
    pub old_root: Fr,
    /// Root after.
    pub new_root: Fr,
    /// Operations in order.
    pub ops: Vec<OpTrace>,
    /// Touched accounts by index.
    pub accounts: Vec<AccountTouch>,
    /// Ancestors of touched accounts.
    pub nodes: Vec<NodeTouch>,
}

impl OpTrace {
    /// Padding.
    #[must_use]
    pub fn noop() -> Self {
        Self {
            op: Op::Noop,
            kind: ResolvedKind::Noop,
            accesses: [None; 3],
            amount: 0,
            fee: 0,
            limiter: None,
            opening: None,
            message: None,
        }
    }

    /// The signed operation, if it is one.
    #[must_use]
    pub fn signed(&self) -> Option<&SignedOp> {
        match &self.op {
            Op::Signed(s) => Some(s),
            _ => None,
        }
    }
}
