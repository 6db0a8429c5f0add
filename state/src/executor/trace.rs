//! What executed operations leave behind for the circuit and the posted data.
//!
//! A trace is the input of a proving job: it serializes, and whoever proves it needs no state.

use super::BatchContext;
use crate::tree::NodeTouch;
use bastion_auction::{Ruling, TokenQuote};
use bastion_protocol::codec::serde_op;
use bastion_protocol::field::{serde_fr, serde_option_fr};
use bastion_protocol::ops::{Op, SignedOp};
use bastion_protocol::{Account, Address, Fr, Index, Limit, Opening, Token, TokenLimits};
use bastion_protocol::{Kind, Quote};
use serde::{Deserialize, Serialize};

/// One access to an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Access {
    /// Leaf.
    pub index: Index,
    /// Before.
    pub before: Option<Account>,
    /// After.
    pub after: Option<Account>,
}

/// One use of a bridge limiter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
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

/// What the orders of a batch have sold of a token, and what they were paid of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Flow {
    /// Sold.
    pub sold: u128,
    /// Paid.
    pub paid: u128,
}

/// How an order was filled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderTrace {
    /// The token that is sold.
    pub sell: Token,
    /// The token that is bought.
    pub buy: Token,
    /// Most that is sold.
    pub amount: u128,
    /// Limit price.
    pub limit: Limit,
    /// Market and price of the sold and of the bought token.
    pub quotes: [TokenQuote; 2],
    /// Class, part, what is due and paid by it with what rounding left, and whether that fits the limit.
    pub ruling: Ruling,
    /// Sold.
    pub sold: u128,
    /// Paid.
    pub paid: u128,
    /// Flows of the sold and of the bought token in the batch before it.
    pub before: [Flow; 2],
    /// The same after it.
    pub after: [Flow; 2],
}

/// How a quote was used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuoteTrace {
    /// The quote.
    pub quote: Quote,
    /// The largest smaller key of a quote of the batch; none for the first. Known when the batch is closed.
    pub previous: Option<u64>,
    /// What goes to the fee account of its token: what orders sold of it and were not paid. 0 for a
    /// fraction.
    pub surplus: u128,
    /// How often orders look it up: an order looks up the prices of both its tokens, and the fraction of
    /// its pair if it is at the margin. Known when the batch is closed.
    pub uses: u64,
}

/// What an operation did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpTrace {
    /// The operation.
    #[serde(with = "serde_op")]
    pub op: Op,
    /// What it turned out to be.
    pub kind: Kind,
    /// Primary account; receiver or limiter; fee account.
    pub accesses: [Option<Access>; 3],
    /// What moved; what an order sold.
    pub amount: u128,
    /// The fee that was paid.
    pub fee: u128,
    /// Use of the limiter.
    pub limiter: Option<LimiterTrace>,
    /// Key hash and exit address behind the primary account's owner.
    #[serde(with = "serde_opening")]
    pub opening: Option<(Fr, Address)>,
    /// Message that was signed.
    #[serde(with = "serde_option_fr")]
    pub message: Option<Fr>,
    /// How an order was filled.
    pub order: Option<OrderTrace>,
    /// How a quote was used.
    pub quote: Option<QuoteTrace>,
}

/// A touched account over a whole batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountTouch {
    /// Leaf.
    pub index: Index,
    /// Before the batch.
    pub before: Option<Account>,
    /// After the batch.
    pub after: Option<Account>,
}

/// Everything about an executed batch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BatchTrace {
    /// Context.
    pub context: BatchContext,
    /// Root before.
    #[serde(with = "serde_fr")]
    pub old_root: Fr,
    /// Root after.
    #[serde(with = "serde_fr")]
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
            kind: Kind::Noop,
            accesses: [None; 3],
            amount: 0,
            fee: 0,
            limiter: None,
            opening: None,
            message: None,
            order: None,
            quote: None,
        }
    }

    /// The opening that the operation makes known, if it makes one known.
    #[must_use]
    pub fn learned(&self) -> Option<Opening> {
        match &self.op {
            Op::Deposit(d) => Some((d.keyhash, d.exit)),
            Op::Signed(s) => self.opening.and_then(|(_, exit)| s.body.new_owner(exit)),
            Op::ForcedExit(_) | Op::Quote(_) | Op::Noop => None,
        }
    }

    /// The signed operation, if it is one.
    #[must_use]
    pub fn signed(&self) -> Option<&SignedOp> {
        match &self.op {
            Op::Signed(s) => Some(s),
            Op::Deposit(_) | Op::ForcedExit(_) | Op::Quote(_) | Op::Noop => None,
        }
    }
}

/// The opening of an owner as a pair of element and address.
mod serde_opening {
    use super::{serde_fr, Address, Deserialize, Fr, Serialize};
    use serde::{Deserializer, Serializer};

    #[derive(Serialize, Deserialize)]
    struct Opening(#[serde(with = "serde_fr")] Fr, Address);

    pub(super) fn serialize<S: Serializer>(
        opening: &Option<(Fr, Address)>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        opening.map(|(keyhash, exit)| Opening(keyhash, exit)).serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<(Fr, Address)>, D::Error> {
        let opening = Option::<Opening>::deserialize(deserializer)?;
        Ok(opening.map(|Opening(keyhash, exit)| (keyhash, exit)))
    }
}
