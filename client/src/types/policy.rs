//! The schema of [`bastion_protocol::Policy`], which has no one of its own.

use std::collections::BTreeMap;

use super::text::Element;

/// What the guardian and the bridge may do.
#[derive(utoipa::ToSchema)]
#[schema(as = Policy)]
#[allow(dead_code)]
pub struct PolicyDocument {
    /// Hash of the key that may freeze.
    guardian_keyhash: Element,
    /// Longest freeze in seconds.
    max_freeze: u64,
    /// Seconds between the end of a freeze and the next one.
    cooldown: u64,
    /// Key hash of new fee accounts.
    fee_keyhash: Element,
    /// Exit address of new fee accounts.
    #[schema(value_type = String)]
    fee_exit: String,
    /// Limits of the tokens that are not listed.
    default_limits: TokenLimits,
    /// Limits of single tokens.
    limits: BTreeMap<String, TokenLimits>,
}

/// Bridge limits of a token.
#[derive(utoipa::ToSchema)]
#[allow(dead_code)]
pub struct TokenLimits {
    /// Units per second that may leave in the long run.
    rate: u64,
    /// How many seconds of the rate may leave at once.
    burst_seconds: u64,
    /// Longest delay of an exit in seconds.
    max_delay: u64,
}
