//! Accounts with what proves them.

use bastion_protocol::{Account, Index};
use serde::{Deserialize, Serialize};

use super::text::{Amount, Element};

/// An account as of the last sealed batch, with its Merkle proof.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct AccountProof {
    /// Its index.
    pub index: Index,
    /// Its content; null if the leaf is empty.
    #[cfg_attr(feature = "schema", schema(value_type = Option<AccountContent>))]
    pub account: Option<Account>,
    /// The siblings of its leaf, from the leaf up.
    #[cfg_attr(feature = "schema", schema(min_items = 32, max_items = 32))]
    pub path: Vec<Element>,
    /// The root that leaf and path give.
    pub root: Element,
    /// Number of batches after which this is the root.
    pub batch: u64,
    /// The last sealed block, 0 if there is none.
    pub block: u64,
    /// Whether the root is the one that is final on L1.
    pub finalized: bool,
    /// What the account is after the last operation that has a receipt; null if it does not exist then.
    pub pending: Option<Pending>,
}

/// What operations that are not sealed yet may have changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Pending {
    /// The nonce that the next operation must have.
    pub nonce: u32,
    /// The balance, in the token's smallest unit.
    pub balance: Amount,
    /// The time until which it is frozen, 0 if it never was.
    pub frozen_until: u64,
}

/// Accounts of an owner.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Accounts {
    /// At most 100 of them.
    pub accounts: Vec<AccountProof>,
}

/// The schema of [`Account`], which has no one of its own.
#[cfg(feature = "schema")]
#[derive(utoipa::ToSchema)]
#[schema(as = AccountState)]
#[allow(dead_code)]
pub struct AccountContent {
    /// `compress(key hash, exit address)`.
    owner: Element,
    /// The token that it holds.
    token: u16,
    /// Number of operations that its key has signed.
    nonce: u32,
    /// Amount in the token's smallest unit.
    balance: Amount,
    /// The time until which it is frozen, 0 if it never was.
    frozen_until: u64,
}
