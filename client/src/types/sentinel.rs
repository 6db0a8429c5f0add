//! What the sentinel found, and what it holds back.

use bastion_protocol::{Address, Index};
use serde::{Deserialize, Serialize};

use super::text::{Bytes, Hash};

/// An operation that is held back. It is executed by itself when its time has come; nothing needs to be
/// sent again. A forced exit on L1 needs nobody's leave.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Held {
    /// keccak256 of its bytes.
    pub operation: Hash,
    /// The account that acts.
    pub account: Index,
    /// When it is released, in seconds.
    pub until: u64,
    /// Why.
    pub reasons: Vec<Reason>,
    /// The operation itself, for the operator alone: where it pays is public when it is executed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes: Option<Bytes>,
}

impl Held {
    /// The detectors that asked for it.
    #[must_use]
    pub fn why(&self) -> String {
        let names: Vec<&str> = self.reasons.iter().map(|reason| &*reason.detector).collect();
        names.join(", ")
    }
}

/// One detector's part in a decision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Reason {
    /// Which detector, such as `rule.new-key-then-drain`.
    pub detector: String,
    /// Version of its rules, or of its model.
    pub version: String,
    /// How sure it is, from 0 to 1000.
    pub score: u16,
    /// What it saw.
    pub evidence: Vec<Evidence>,
}

/// A value that a detector saw.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Evidence {
    /// Its name.
    pub name: String,
    /// The value.
    pub value: String,
}

/// How the sentinel stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct SentinelStatus {
    /// `off`: nothing is looked at. `watch`: findings are kept, nothing is held back. `enforce`: both.
    pub mode: String,
    /// Version of the rules.
    pub rules: String,
    /// Hash that names the learned models as they are.
    pub model: String,
    /// Operations that were seen.
    pub observed: u64,
    /// Operations that are held back.
    pub held: u32,
    /// Entries of the log of findings.
    pub findings: u64,
    /// Its head: with each block, the head of that time is posted on L1.
    pub head: Hash,
}

/// Entries of the log of findings, in order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Findings {
    /// The entries, each as its canonical JSON: keccak256 of the text goes into the chain of hashes.
    pub findings: Vec<String>,
    /// Number of the first of them.
    pub from: u64,
    /// Entries of the whole log.
    pub count: u64,
    /// Head after all of them.
    pub head: Hash,
}

/// Operations that are held back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Quarantine {
    /// In the order in which they came.
    pub held: Vec<Held>,
}

/// How long an account is to be frozen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct FreezeRequest {
    /// In seconds. The policy bounds it.
    pub seconds: u64,
    /// The watcher's report because of which it is frozen, and which answers for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub report: Option<u64>,
}

/// An address that other chains are told of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PublishRequest {
    /// The address, on this rollup's L1.
    pub address: Address,
    /// What it is about, in some words.
    pub name: String,
    /// How sure that is, from 1 to 100.
    pub confidence: u8,
}

/// For how long to go back to the rules before the newest ones.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RollBackRequest {
    /// In seconds, at most a week.
    pub seconds: u64,
    /// Why.
    pub reason: String,
}
