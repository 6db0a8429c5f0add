//! What the screener decides about an operation, and why.

use serde::{Deserialize, Serialize};

/// What to do with an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(tag = "decision", rename_all = "snake_case")]
pub enum Decision {
    /// Include it.
    Allow,
    /// Hold it back until a time in seconds, unless an admin releases it before. Its owner may leave by
    /// forced exit meanwhile.
    Quarantine {
        /// When it is released.
        until: u64,
    },
    /// Refuse it.
    Reject,
}

/// One detector's part in a verdict.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reason {
    /// Which detector: `invariant.conservation`, `rule.drain-new-receiver`, `model.half-space`,
    /// `graph.taint`, `feed.indicator`.
    pub detector: String,
    /// Version of the detector: of the rules' bundle, or the hash of the model before this operation.
    pub version: String,
    /// How sure it is, from 0 to 1000.
    pub score: u16,
    /// What it saw, as names and values, in the order that explains best.
    pub evidence: Vec<(String, String)>,
}

/// The decision about an operation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Verdict {
    /// What to do: the severest of what the detectors ask for.
    pub decision: Decision,
    /// Why; empty for an operation that nobody found anything about.
    pub reasons: Vec<Reason>,
}
