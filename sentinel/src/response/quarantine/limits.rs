//! Bounds of a quarantine.

use serde::{Deserialize, Serialize};

use super::HARD_LIMIT_MS;
use crate::response::ResponseError;

/// Bounds of a quarantine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct Limits {
    /// Operations that are held at most, from 1 to 100 000.
    pub count: usize,
    /// Operations of one account that are held at most, from 1 to `count`.
    pub per_account: usize,
    /// How long an operation is held at most, in milliseconds, from 1 to [`HARD_LIMIT_MS`].
    pub longest_ms: u64,
    /// How many operations that left are remembered, from `count` to 1 000 000. One that is forgotten could
    /// be held a second time.
    pub remembered: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { count: 10_000, per_account: 16, longest_ms: 3_600_000, remembered: 100_000 }
    }
}

impl Limits {
    /// Checks the ranges.
    ///
    /// # Errors
    /// [`ResponseError::Limit`].
    pub fn check(&self) -> Result<(), ResponseError> {
        let within = |what, value: u64, least: u64, most: u64| match (least..=most).contains(&value)
        {
            true => Ok(()),
            false => Err(ResponseError::Limit { what, value, least, most }),
        };
        let count = self.count as u64;
        within("count", count, 1, 100_000)?;
        within("per-account", self.per_account as u64, 1, count)?;
        within("longest-ms", self.longest_ms, 1, HARD_LIMIT_MS)?;
        within("remembered", self.remembered as u64, count, 1_000_000)
    }
}
