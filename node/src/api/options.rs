//! What the operator decides about the API.

use std::collections::BTreeMap;
use std::time::Duration;

use bastion_protocol::Token;

use crate::service::config::ApiConfig;

/// What the operator decides about the API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// Requests a second that one client may make in the long run.
    pub requests_per_second: u32,
    /// Requests that it may make at once.
    pub burst: u32,
    /// Whether a proxy in front says who the client is, as the last address of `X-Forwarded-For`.
    pub behind_proxy: bool,
    /// Until an answer is made.
    pub timeout: Duration,
    /// Streams of events at most.
    pub watchers: usize,
    /// What fees are made of.
    pub fees: FeeOptions,
}

/// What fees are made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeeOptions {
    /// What proving an operation costs, in wei.
    pub proving_wei: u128,
    /// What is added to the cost.
    pub margin_percent: u32,
    /// How many of the smallest units of other tokens are worth 10^18 wei. There is no fee in a token
    /// that is not here; token 0 is wei.
    pub units_per_ether: BTreeMap<Token, u128>,
}

impl Default for Options {
    fn default() -> Self {
        Self::from(&ApiConfig::default())
    }
}

impl From<&ApiConfig> for Options {
    fn from(config: &ApiConfig) -> Self {
        Self {
            requests_per_second: config.requests_per_second,
            burst: config.burst,
            behind_proxy: config.behind_proxy,
            timeout: Duration::from_secs(20),
            watchers: 256,
            fees: FeeOptions {
                proving_wei: config.proving_wei.0,
                margin_percent: config.margin_percent,
                units_per_ether: config
                    .prices
                    .iter()
                    .map(|price| (price.token, price.units_per_ether.0))
                    .collect(),
            },
        }
    }
}
