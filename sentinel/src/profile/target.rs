//! What is remembered of an L1 address to which something left.

use serde::{Deserialize, Serialize};

use super::Ring;

/// One address.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Target {
    /// First seen, in milliseconds.
    pub first_ms: u64,
    /// Who withdrew to it, and how much.
    pub into: Ring,
}
