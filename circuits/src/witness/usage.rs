//! What operations need of each table, so that a batch can be filled without trying.

use bastion_state::executor::ResolvedKind;
use serde::{Deserialize, Serialize};

use crate::Shape;

/// Blocks in use. For hashes and ranges these are upper bounds: equal look-ups share a block.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// Operations.
    pub ops: usize,
    /// Touched accounts.
    pub accounts: usize,
    /// Changed nodes.
    pub nodes: usize,
    /// Signatures.
    pub signatures: usize,
    /// Compressions.
    pub hashes: usize,
    /// 128-bit ranges.
    pub ranges128: usize,
    /// 40-bit ranges.
    pub ranges40: usize,
    /// Limiter uses.
    pub limiters: usize,
    /// Tokens with limiter uses.
    pub policies: usize,
}

/// Hashes of the head; hashes of the limits of one token.
const HEAD_HASHES: usize = 9;
const POLICY_HASHES: usize = 19;

/// What one operation needs, accounts, nodes and policies aside (they are shared).
pub fn needs(kind: ResolvedKind) -> Usage {
    use ResolvedKind as K;
    // Opening and new owner; message; word chain.
    let (owners, message, words) = match kind {
        K::Noop => (0, 0, 0),
        K::Deposit | K::DepositNew | K::ForcedExitNoop => (1, 0, 3),
        K::ForcedExit => (1, 0, 5),
        K::Transfer => (1, 1, 1),
        K::TransferNew | K::ChangeKey => (2, 3, 3),
        K::Withdraw => (1, 3, 3),
        K::Freeze | K::Unfreeze => (0, 3, 1),
    };
    let signatures = usize::from(message > 0);
    let limiters = usize::from(matches!(kind, K::Withdraw | K::ForcedExit));
    // The zeros of unused cells share one block, counted with the batch.
    let (balances, times) = match kind {
        K::Noop => (0, 0),
        K::Deposit | K::DepositNew => (2, 4),
        K::ForcedExitNoop => (1, 3),
        K::ForcedExit => (1, 4),
        K::Transfer => (3, 8),
        K::TransferNew | K::Withdraw => (3, 9),
        K::ChangeKey => (2, 5),
        K::Freeze => (1, 6),
        K::Unfreeze => (1, 3),
    };
    Usage {
        ops: 1,
        signatures,
        hashes: owners + message + words + 5 * signatures,
        ranges128: balances + 4 * signatures + 7 * limiters,
        ranges40: times + limiters,
        limiters,
        ..Usage::default()
    }
}

impl Usage {
    /// An empty batch.
    pub fn empty() -> Self {
        Self { hashes: HEAD_HASHES, ranges128: 1, ranges40: 1, ..Self::default() }
    }

    /// Adds an operation; `accounts`, `nodes` and `policies` are the batch's totals after it.
    #[must_use]
    pub fn with(
        mut self,
        kind: ResolvedKind,
        accounts: usize,
        nodes: usize,
        policies: usize,
    ) -> Self {
        let n = needs(kind);
        self.ops += n.ops;
        self.signatures += n.signatures;
        self.hashes += n.hashes + POLICY_HASHES * (policies - self.policies.min(policies));
        self.ranges128 += n.ranges128;
        self.ranges40 += n.ranges40;
        self.limiters += n.limiters;
        self.accounts = accounts;
        self.nodes = nodes;
        self.policies = policies;
        self
    }

    /// Whether it fits a shape.
    pub fn fits(&self, shape: &Shape) -> bool {
        self.ops <= shape.ops
            && self.accounts <= shape.accounts
            && self.nodes <= shape.nodes
            && self.signatures <= shape.signatures
            && self.hashes <= shape.hashes
            && self.ranges128 <= shape.ranges128
            && self.ranges40 <= shape.ranges40
            && self.limiters <= shape.limiters
            && self.policies <= shape.policies
    }
}
