//! Entries of the log, and the chain of their hashes.

use bastion_protocol::hash::keccak;
use bastion_protocol::Index;
use serde::{Deserialize, Serialize};

use crate::rewards::Record;
use crate::{SentinelError, Verdict};

/// A hash, in hexadecimal where it is text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Hash(pub [u8; 32]);

impl Serialize for Hash {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&hex::encode(self.0))
    }
}

impl<'de> Deserialize<'de> for Hash {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        use serde::de::Error;
        let text = String::deserialize(deserializer)?;
        let mut hash = [0; 32];
        hex::decode_to_slice(&text, &mut hash).map_err(D::Error::custom)?;
        match hex::encode(hash) == text {
            true => Ok(Self(hash)),
            false => Err(D::Error::custom("hexadecimal digits must be lower-case")),
        }
    }
}

impl std::fmt::Display for Hash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case", deny_unknown_fields)]
pub enum Finding {
    /// A verdict that is not a plain permission.
    Verdict {
        /// The operation.
        operation: Hash,
        /// The verdict.
        verdict: Verdict,
    },
    /// A held operation was let go.
    Released {
        /// The operation.
        operation: Hash,
        /// Who or what did it: `time`, `owner`, or an admin's name.
        by: String,
    },
    /// An account was frozen.
    Frozen {
        /// Account.
        account: Index,
        /// End of the freeze, in seconds.
        until: u64,
        /// Heads or hashes of what led to it.
        evidence: Vec<Hash>,
    },
    /// A freeze was ended.
    Unfrozen {
        /// Account.
        account: Index,
        /// Why.
        reason: String,
    },
    /// Other rules came into force.
    Rules {
        /// Their version.
        version: String,
        /// Why: `published`, or `pinned` and the reason.
        reason: String,
    },
    /// What became of rewards: the registry is made of these entries alone.
    Rewards(Box<Record>),
    /// Anything else that belongs into the record.
    Note {
        /// What it is about.
        subject: String,
        /// The text.
        text: String,
    },
}

/// An entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// Its number, from 0.
    pub number: u64,
    /// When, in milliseconds since 1970.
    pub at_ms: u64,
    /// What.
    pub finding: Finding,
}

impl Entry {
    /// The canonical bytes: JSON without spaces, the fields in the order of their definition.
    ///
    /// # Errors
    /// None in practice: no field of an entry can fail to encode.
    pub fn to_bytes(&self) -> Result<Vec<u8>, SentinelError> {
        serde_json::to_vec(self)
            .map_err(|e| SentinelError::Log { entry: self.number, why: e.to_string() })
    }

    /// Reads canonical bytes; others are refused.
    ///
    /// # Errors
    /// [`SentinelError::Log`].
    pub fn from_bytes(number: u64, bytes: &[u8]) -> Result<Self, SentinelError> {
        let fail = |why: String| SentinelError::Log { entry: number, why };
        let entry: Self = serde_json::from_slice(bytes).map_err(|e| fail(e.to_string()))?;
        if entry.number != number {
            return Err(fail(format!("it says that its number is {}", entry.number)));
        }
        match entry.to_bytes()? == bytes {
            true => Ok(entry),
            false => Err(fail("its bytes are not the canonical ones".into())),
        }
    }
}

/// The head of an empty log: `keccak256("bastion-sentinel/findings/v1" || domain)`. The domain is that
/// of chain and contract, so that logs of two chains never share a head.
#[must_use]
pub fn genesis(domain: &[u8; 32]) -> Hash {
    Hash(keccak(&[b"bastion-sentinel/findings/v1", domain]))
}

/// The head after an entry: `keccak256(head || keccak256(bytes))`.
#[must_use]
pub fn extend(head: Hash, bytes: &[u8]) -> Hash {
    Hash(keccak(&[&head.0, &keccak(&[bytes])]))
}

/// Checks a chain of entries' bytes from one head, and returns the last one.
///
/// # Errors
/// [`SentinelError::Log`] for the first entry that is not canonical or has not its number.
pub fn verify<'a>(
    start: Hash,
    first: u64,
    entries: impl IntoIterator<Item = &'a [u8]>,
) -> Result<Hash, SentinelError> {
    let mut head = start;
    for (number, bytes) in (first..).zip(entries) {
        Entry::from_bytes(number, bytes)?;
        head = extend(head, bytes);
    }
    Ok(head)
}
