//! What operations need of each table, so that a batch can be filled without trying.

use bastion_protocol::Kind;

use crate::shape::Slots;

/// Hashes of the head; hashes of the limits of one token.
const HEAD_HASHES: usize = 9;
const POLICY_HASHES: usize = 19;
/// Ranges of 128 and of 40 bits of an order in its own table; of 40 bits of a quote.
const ORDER_RANGES: [usize; 2] = [6, 22];
const QUOTE_RANGES: usize = 12;

/// What one operation needs, accounts, nodes and policies aside (they are shared).
pub fn needs(kind: Kind) -> Slots {
    let d = kind.description();
    let signatures = usize::from(kind.is_signed());
    let limiters = usize::from(kind.exits());
    let owners = usize::from(d.opens) + usize::from(kind.writes_owner());
    let message = signatures * (1 + d.extra);
    let (orders, quotes) = (usize::from(kind == Kind::Order), usize::from(kind == Kind::Quote));
    // The zeros of unused cells share one block, counted with the batch.
    Slots {
        ops: 1,
        signatures,
        hashes: owners + message + kind.words() + 5 * signatures,
        ranges128: d.ranges128 + 4 * signatures + 7 * limiters + ORDER_RANGES[0] * orders,
        ranges40: d.ranges40 + limiters + ORDER_RANGES[1] * orders + QUOTE_RANGES * quotes,
        limiters,
        owners: usize::from(kind.writes_owner()),
        orders,
        quotes,
        ..Slots::default()
    }
}

impl Slots {
    /// What an empty batch uses. For hashes and ranges these counts are upper bounds: equal look-ups
    /// share a block.
    pub fn empty() -> Self {
        Self { hashes: HEAD_HASHES, ranges128: 1, ranges40: 1, ..Self::default() }.with_blob(0, 0)
    }

    /// Adds an operation; `accounts`, `nodes` and `policies` are the batch's totals after it.
    #[must_use]
    pub fn with(mut self, kind: Kind, accounts: usize, nodes: usize, policies: usize) -> Self {
        let n = needs(kind);
        self.ops += n.ops;
        self.signatures += n.signatures;
        self.hashes += n.hashes + POLICY_HASHES * (policies - self.policies.min(policies));
        self.ranges128 += n.ranges128;
        self.ranges40 += n.ranges40;
        self.limiters += n.limiters;
        self.orders += n.orders;
        self.quotes += n.quotes;
        self.accounts = accounts;
        self.nodes = nodes;
        self.policies = policies;
        // A signature is that of one L2 record, an order and a quote have one more, and nobody signs a quote.
        let l2 = self.signatures + self.orders + 2 * self.quotes;
        self.with_blob(l2, self.owners + n.owners)
    }
}
