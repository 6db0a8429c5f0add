//! Errors as a node answers them (RFC 9457).

use serde::{Deserialize, Serialize};

/// Why a request has no answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Problem {
    /// `urn:bastion:problem:` and the code.
    #[serde(rename = "type")]
    pub kind: String,
    /// The problem in a few words, the same for all of its code.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What is wrong, with values, and what helps.
    pub detail: String,
    /// The problem in a word.
    pub code: String,
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} ({}, status {})", self.detail, self.code, self.status)
    }
}
