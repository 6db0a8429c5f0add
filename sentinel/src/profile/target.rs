//! What is remembered of an L1 address to which something left.

use serde::{Deserialize, Serialize};

use super::{Ring, DAY_MS};

/// One address.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Target {
    /// First seen, in milliseconds.
    pub first_ms: u64,
    /// Who withdrew to it, and how much.
    pub into: Ring,
}

impl Target {
    /// Whether it is known when an amount leaves to it now: for a day, or by [`Event::acquaints`].
    ///
    /// [`Event::acquaints`]: super::Event::acquaints
    #[must_use]
    pub fn is_known(&self, now_ms: u64, amount: u128) -> bool {
        let age = now_ms.saturating_sub(self.first_ms);
        age >= DAY_MS || self.into.all().any(|event| event.acquaints(now_ms, amount))
    }
}
