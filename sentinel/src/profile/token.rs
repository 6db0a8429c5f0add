//! What is usual in a token.

use serde::{Deserialize, Serialize};

use super::Counter;
use crate::fixed::log16;

/// Averages of one token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenStats {
    /// Average of `log16` of amounts, times 256; 0 before the first.
    pub amount: i32,
    /// Average of `log16` of fees, times 256; 0 before the first.
    pub fee: i32,
    /// Signed operations so far.
    pub signed: u64,
    /// Deposits so far.
    pub deposits: u64,
    /// What left, by hour over a day.
    pub exited: Counter,
}

impl Default for TokenStats {
    fn default() -> Self {
        Self { amount: 0, fee: 0, signed: 0, deposits: 0, exited: Counter::new(super::HOUR_MS, 25) }
    }
}

impl TokenStats {
    /// Counts a signed operation.
    pub(crate) fn sign(&mut self, amount: u128, fee: u128) {
        self.signed = self.signed.saturating_add(1);
        if amount != 0 {
            average(&mut self.amount, amount);
        }
        if fee != 0 {
            average(&mut self.fee, fee);
        }
    }
}

fn average(old: &mut i32, value: u128) {
    let value = log16(value) as i32 * 256;
    *old = match *old {
        0 => value,
        old => old + (value - old) / 64,
    };
}
