//! Settings of a screener.

use serde::{Deserialize, Serialize};

use crate::fixed::PPM;
use crate::graph::TaintConfig;
use crate::model::HalfSpaceConfig;
use crate::SentinelError;

/// Sizes and thresholds. The same settings, rules and operations make the same verdicts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Accounts that are remembered, 1 to 1,000,000; each takes up to 6 KB.
    pub accounts: usize,
    /// L1 addresses that are remembered, 1 to 1,000,000; each takes up to 3 KB.
    pub targets: usize,
    /// How taint spreads.
    pub taint: TaintConfig,
    /// The half-space trees.
    pub half_space: HalfSpaceConfig,
    /// A model whose rank, in parts per million, is at least this raises an alert.
    pub model_alert: u32,
    /// If both models' ranks are at least this, the operation is held; above 1,000,000 never.
    pub model_hold: u32,
    /// For how many seconds, at most a day.
    pub model_hold_seconds: u64,
    /// An account with at least so much taint, in parts per million, raises an alert when it sends.
    pub taint_alert: u32,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            accounts: 16_384,
            targets: 8_192,
            taint: TaintConfig::default(),
            half_space: HalfSpaceConfig::default(),
            model_alert: 999_900,
            model_hold: PPM as u32 + 1,
            model_hold_seconds: 600,
            taint_alert: 300_000,
        }
    }
}

impl Config {
    /// Checks the ranges.
    ///
    /// # Errors
    /// [`SentinelError::Setting`].
    pub fn check(&self) -> Result<(), SentinelError> {
        let million = 1..=1_000_000;
        for (name, value) in [
            ("accounts", self.accounts),
            ("targets", self.targets),
            ("taint.capacity", self.taint.capacity),
        ] {
            if !million.contains(&value) {
                let value = value as u64;
                return Err(SentinelError::Setting { name, value, range: "1..=1000000" });
            }
        }
        let value = self.model_hold_seconds;
        if value > 86_400 {
            return Err(SentinelError::Setting {
                name: "model_hold_seconds",
                value,
                range: "0..=86400",
            });
        }
        let value = u64::from(self.taint.decay);
        if value > PPM {
            return Err(SentinelError::Setting {
                name: "taint.decay",
                value,
                range: "0..=1000000",
            });
        }
        Ok(())
    }
}
