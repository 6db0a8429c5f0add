//! How transactions are sent, and what they may cost.

use alloy::primitives::U256;

use crate::indexer::Finality;

/// What may be spent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// For each gas, in wei.
    pub fee_per_gas: u128,
    /// For one transaction, in wei: its gas limit at its highest price, and what it brings.
    pub transaction: U256,
    /// On one day in UTC, in wei: what was spent, and what the attempts on their way may cost.
    pub day: U256,
}

/// How transactions are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TxOptions {
    /// Which blocks are final.
    pub finality: Finality,
    /// Seconds after which the same bytes are sent again: nodes drop transactions without a word.
    pub rebroadcast: u64,
    /// Seconds after which an attempt is replaced by one that pays more.
    pub patience: u64,
    /// Transactions on their way at most: nodes keep few of one account that do not follow one another.
    pub in_flight: usize,
    /// The least tip for each gas, in wei.
    pub min_tip: u128,
    /// Gas above the estimate, in percent.
    pub gas_margin: u64,
    /// What may be spent.
    pub limits: Limits,
    /// What the account should have at least, in wei.
    pub min_balance: U256,
}

const GWEI: u128 = 1_000_000_000;

fn milliether(amount: u64) -> U256 {
    U256::from(amount) * U256::from(1_000_000 * GWEI)
}

impl Default for Limits {
    /// 200 gwei for each gas, one ether for a transaction, five for a day.
    fn default() -> Self {
        let (transaction, day) = (milliether(1_000), milliether(5_000));
        Self { fee_per_gas: 200 * GWEI, transaction, day }
    }
}

impl Default for TxOptions {
    fn default() -> Self {
        Self {
            finality: Finality::Tag { otherwise: 64 },
            rebroadcast: 12,
            patience: 48,
            in_flight: 8,
            min_tip: 1,
            gas_margin: 20,
            limits: Limits::default(),
            min_balance: milliether(200),
        }
    }
}
