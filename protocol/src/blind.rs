//! Blind orders: an order gets its place before anybody but its owner knows what it says (protocol
//! section 16).
//!
//! The owner hands in the order's leaf and the message that it has signed, and a transfer that takes the
//! place if the order is not revealed. The operator signs a [`BlindReceipt`] for either of the two leaves.
//! When the batch is full it signs a [`Closing`]; only then the owners reveal their orders.
//!
//! | module | content |
//! |---|---|
//! | [`request`] | what an owner hands in, and how an order is made that nobody guesses |
//! | [`terms`] | what both agree on, and whether an opening is that of the hidden order |

pub mod request;
pub mod terms;

use ark_ff::AdditiveGroup;
use serde::{Deserialize, Serialize};

use crate::hash::{compress, keccak};
use crate::order::OrderTree;
use crate::receipt::{typed, word, Receipt};
use crate::{field, Address, Fr, Index, Token};

pub use request::{
    bond_of, conceal, is_burned, Bond, Hidden, Request, BURNED_EXIT, BURNED_KEYHASH, REVEAL_MARGIN,
};
pub use terms::{Opening, Paid, Terms};

const BLIND_TYPE: &[u8] = b"BlindReceipt(Receipt receipt,uint256 forfeit)";
const CLOSING_TYPE: &[u8] = b"Closing(uint32 epoch,uint64 number,uint32 batch,uint32 count,\
uint256 root,uint64 time)";

/// The promise of a place to a hidden order, or to its forfeit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BlindReceipt {
    /// The promise. Its `operation` is [`Terms::hash`], its `leaf` that of the hidden order.
    pub receipt: Receipt,
    /// Leaf of the transfer that takes the place if the order is not revealed: its posted word.
    #[serde(with = "field::serde_fr")]
    pub forfeit: Fr,
}

impl BlindReceipt {
    /// The hash that the sequencer signs, for a rollup on a chain.
    #[must_use]
    pub fn digest(&self, chain_id: u64, contract: Address) -> [u8; 32] {
        let content = keccak(&[
            &keccak(&[BLIND_TYPE, crate::receipt::TYPE]),
            &self.receipt.content(),
            &field::to_bytes(&self.forfeit),
        ]);
        typed(&content, chain_id, contract)
    }

    /// What the closing of the batch says of its place.
    #[must_use]
    pub fn entry(&self) -> Entry {
        Entry { leaf: self.receipt.leaf, forfeit: Some(self.forfeit) }
    }
}

/// What was promised for one place of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// Leaf of the operation.
    #[serde(with = "field::serde_fr")]
    pub leaf: Fr,
    /// Leaf of the forfeit, if the operation is hidden.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "field::serde_option_fr")]
    pub forfeit: Option<Fr>,
}

impl Entry {
    /// Its node in the tree of a closing: the leaf, with the forfeit or 0 hashed to it. A leaf is a hash itself, so
    /// all entries are hashed in the same way.
    #[must_use]
    pub fn node(&self) -> Fr {
        compress(self.leaf, self.forfeit.unwrap_or(Fr::ZERO))
    }
}

/// The tree over the entries of a batch, as the order tree is one over its leaves.
#[must_use]
pub fn tree(entries: &[Entry]) -> OrderTree {
    let nodes: Vec<Fr> = entries.iter().map(Entry::node).collect();
    OrderTree::new(&nodes)
}

/// The promise that a batch has these operations, in this order, and behind them nothing but quotes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Closing {
    /// As in receipts.
    pub epoch: u32,
    /// Number of the block.
    pub block: u64,
    /// Batch of the block, from 0.
    pub batch: u32,
    /// Operations of the batch, quotes aside.
    pub count: u32,
    /// Root of [`tree`]; 0 without operations.
    #[serde(with = "field::serde_fr")]
    pub root: Fr,
    /// Time of the block, in seconds.
    pub time: u64,
}

impl Closing {
    /// The closing of a batch with these entries.
    #[must_use]
    pub fn of(entries: &[Entry], epoch: u32, block: u64, batch: u32, time: u64) -> Self {
        let tree = tree(entries);
        // A batch has fewer than 2^16 operations.
        let count = u32::try_from(entries.len()).unwrap_or(u32::MAX);
        let root = tree.root().unwrap_or(Fr::ZERO);
        Self { epoch, block, batch, count, root, time }
    }

    /// The hash that the sequencer signs, for a rollup on a chain.
    #[must_use]
    pub fn digest(&self, chain_id: u64, contract: Address) -> [u8; 32] {
        let content = keccak(&[
            &keccak(&[CLOSING_TYPE]),
            &word(self.epoch.into()),
            &word(self.block),
            &word(self.batch.into()),
            &word(self.count.into()),
            &field::to_bytes(&self.root),
            &word(self.time),
        ]);
        typed(&content, chain_id, contract)
    }

    /// Whether these are its entries.
    #[must_use]
    pub fn lists(&self, entries: &[Entry]) -> bool {
        let tree = tree(entries);
        u64::from(self.count) == tree.operations() && tree.root().unwrap_or(Fr::ZERO) == self.root
    }
}

/// Why a blind order or its opening is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BlindError {
    /// What is hidden is no order.
    #[error("only an order can be hidden: sign an operation of kind `order`")]
    NotAnOrder,
    /// Another operation takes the place than the one that was agreed on.
    #[error("the forfeit must be a transfer from account {account} with nonce {nonce}, so that order and forfeit cannot both be executed")]
    Forfeit {
        /// The account that sells.
        account: Index,
        /// Its nonce.
        nonce: u32,
    },
    /// The opening has another leaf or message, or the terms another account.
    #[error("the opening is not that of the order which was hidden: {what} differs")]
    OtherOrder {
        /// What differs.
        what: &'static str,
    },
    /// It cannot be executed at its place.
    #[error("the order cannot be executed at its place: {why}")]
    NotExecutable {
        /// Why.
        why: String,
    },
    /// No account may be paid, or one of them twice, or they are not in ascending order.
    #[error("the accounts that may be paid must be from 1 to {most}, in ascending order: {got} were given")]
    PaidAccounts {
        /// Most.
        most: usize,
        /// How many were given.
        got: usize,
    },
    /// A field does not fit.
    #[error(transparent)]
    Protocol(#[from] crate::ProtocolError),
}

/// The word of a paid account: `index 2^16 + token`.
#[must_use]
pub fn paid_word(index: Index, token: Token) -> u64 {
    u64::from(index) << 16 | u64::from(token)
}

#[cfg(test)]
mod tests;
