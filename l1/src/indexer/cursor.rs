//! Where an indexer stands.

use alloy::primitives::B256;
use serde::{Deserialize, Serialize};

/// The last block whose logs were given. To be stored by the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor {
    /// Its number.
    pub number: u64,
    /// Its hash, by which a reorganization is noticed.
    pub hash: B256,
}
