//! What the operator decides about the API.

use std::collections::BTreeMap;
use std::time::Duration;

use bastion_protocol::ops::{Action, Body, SignedOp};
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
    /// The least fee in each token. With any, nothing is taken in a token that is not here.
    pub least: BTreeMap<Token, u128>,
}

impl FeeOptions {
    /// Whether an operation pays enough. What the guardian signs has no fee.
    ///
    /// # Errors
    /// What it should pay.
    pub fn check(&self, op: &SignedOp) -> Result<(), String> {
        let Body { token, fee, action, .. } = &op.body;
        if self.least.is_empty()
            || matches!(action, Action::Freeze { .. } | Action::Unfreeze { .. })
        {
            return Ok(());
        }
        match self.least.get(token) {
            None => Err(format!(
                "no fee in token {token} is taken here: a forced exit on L1 needs none"
            )),
            Some(least) if fee < least => {
                Err(format!("fee {fee} is below {least}, the least in token {token}: see /v1/fees"))
            }
            Some(_) => Ok(()),
        }
    }
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
                least: config.least_fees.iter().map(|least| (least.token, least.fee.0)).collect(),
            },
        }
    }
}
