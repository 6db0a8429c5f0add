//! What the journal of the quarantine holds.

use serde::{Deserialize, Serialize};

use super::held::hash_hex;
use super::{Ending, Held, ResponseError};

/// A record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "record", rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum Record {
    /// An operation is held.
    Held {
        /// The operation.
        held: Box<Held>,
        /// How its end is decided already, if it is.
        #[serde(default)]
        ready: Option<Ending>,
    },
    /// The end of an operation's quarantine is decided; it is taken with the next ones.
    Ready {
        #[serde(with = "hash_hex")]
        hash: [u8; 32],
        ending: Ending,
    },
    /// An operation has left.
    Left {
        #[serde(with = "hash_hex")]
        hash: [u8; 32],
        ending: Ending,
    },
    /// A detector's rule ended.
    RuleEnded { detector: String },
    /// The clock had gone back to a time: later operations count as arrived then, with an end at the latest.
    Clock { now_ms: u64, latest_ms: u64 },
}

impl Record {
    /// Its bytes.
    pub(super) fn to_bytes(&self) -> Result<Vec<u8>, ResponseError> {
        serde_json::to_vec(self).map_err(|e| ResponseError::Encode { why: e.to_string() })
    }
}
