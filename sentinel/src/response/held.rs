//! An operation that is held back, and how that ends.

use std::collections::BTreeSet;

use bastion_protocol::ops::{Op, SignedOp};
use bastion_protocol::Index;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::Verdict;

/// An operation that is held back: what its owner may see.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Held {
    /// Its number, in the order of arrival.
    pub number: u64,
    /// The operation; its canonical bytes in hexadecimal where it is text.
    #[serde(with = "signed_op")]
    pub op: SignedOp,
    /// Its hash, the one of its receipt.
    #[serde(with = "hash_hex")]
    pub hash: [u8; 32],
    /// When it came, in milliseconds since 1970.
    pub arrived_ms: u64,
    /// When it is released at the latest, in milliseconds since 1970.
    pub until_ms: u64,
    /// Why it is held.
    pub verdict: Verdict,
    /// Detectors of the verdict whose rule has ended since.
    #[serde(default)]
    pub ended: BTreeSet<String>,
}

impl Held {
    /// The account that it acts for.
    #[must_use]
    pub fn account(&self) -> Index {
        self.op.body.account
    }

    /// Whether no detector asks for it any more.
    pub(super) fn nobody_asks(&self) -> bool {
        let mut reasons = self.verdict.reasons.iter().peekable();
        reasons.peek().is_some() && reasons.all(|r| self.ended.contains(&r.detector))
    }
}

/// How a quarantine ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "ending", rename_all = "snake_case", deny_unknown_fields)]
pub enum Ending {
    /// Its time was over.
    Time,
    /// An admin released it.
    Admin,
    /// The rules that asked for it ended.
    Rule,
    /// It was dropped. Its owner can sign another one, or leave by forced exit.
    Dropped {
        /// Why.
        why: String,
    },
}

/// Why an operation is not held.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Full {
    /// Too many are held.
    #[error("{limit} operations are held and no more fit; release some or raise `count`")]
    Count {
        /// How many fit.
        limit: usize,
    },
    /// Too many of the account are held.
    #[error(
        "account {account} has {limit} operations held and no more fit; wait, or release some"
    )]
    Account {
        /// Whose.
        account: Index,
        /// How many fit.
        limit: usize,
    },
    /// It was held before and let go: it is not held again.
    #[error("this operation was held before and released; include it")]
    Released,
    /// It was held before and dropped.
    #[error("this operation was dropped: {why}; its owner may sign another one")]
    Dropped {
        /// Why.
        why: String,
    },
    /// The verdict does not ask for it.
    #[error(
        "the verdict does not ask for a quarantine; include or refuse the operation as it says"
    )]
    NotAsked,
    /// It does not fit a record.
    #[error("the operation and its verdict have {bytes} bytes, of {limit} at most; shorten the evidence")]
    Long {
        /// How many it has.
        bytes: usize,
        /// How many fit.
        limit: usize,
    },
}

/// Hashes as hexadecimal text.
pub(super) mod hash_hex {
    use serde::{de::Error, Deserialize, Deserializer, Serializer};

    pub fn serialize<S: Serializer>(hash: &[u8; 32], s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(&hex::encode(hash))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<[u8; 32], D::Error> {
        let mut hash = [0; 32];
        hex::decode_to_slice(String::deserialize(d)?, &mut hash).map_err(D::Error::custom)?;
        Ok(hash)
    }
}

/// A signed operation by its canonical bytes.
mod signed_op {
    use super::{Op, SignedOp};
    use bastion_protocol::codec::serde_op;
    use serde::{de::Error, Deserializer, Serializer};

    pub fn serialize<S: Serializer>(op: &SignedOp, s: S) -> Result<S::Ok, S::Error> {
        serde_op::serialize(&Op::Signed(*op), s)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<SignedOp, D::Error> {
        match serde_op::deserialize(d)? {
            Op::Signed(op) => Ok(op),
            Op::Deposit(_) | Op::ForcedExit(_) | Op::Quote(_) | Op::Noop => {
                Err(D::Error::custom("an operation that nobody signed is never held"))
            }
        }
    }
}
