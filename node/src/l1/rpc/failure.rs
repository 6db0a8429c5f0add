//! Why a request to a node failed, and what follows from that.

use std::time::Duration;

use alloy_primitives::Bytes;
use bastion_contract::rollup::describe_revert;

/// Characters of an answer that an error shows.
const SHOWN: usize = 200;

/// A request that failed. No part of it tells more of the node's URL than scheme, host and port.
#[derive(Debug, thiserror::Error)]
#[error("{method} at {host}: {failure}{}", tries(*attempts))]
pub struct RpcError {
    /// What was asked.
    pub method: &'static str,
    /// Scheme, host and port of the node.
    pub host: String,
    /// How often it was tried.
    pub attempts: u32,
    /// Why it failed.
    pub failure: Failure,
}

fn tries(attempts: u32) -> String {
    match attempts {
        0 | 1 => String::new(),
        n => format!(" (tried {n} times)"),
    }
}

/// Why a request failed.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// No whole answer came.
    #[error("{why}")]
    Transport {
        /// Why.
        why: String,
        /// Whether another try may fare better.
        passing: bool,
    },
    /// The node, or a gateway before it, answered with an HTTP error.
    #[error("HTTP status {status}: {}", shown(body))]
    Status {
        /// The status.
        status: u16,
        /// Start of the body.
        body: String,
        /// When to come back.
        retry_after: Option<Duration>,
    },
    /// The node lives elsewhere.
    #[error("HTTP status {status}: a redirect to {to}, which is not followed: give the URL of the node itself")]
    Redirect {
        /// The status.
        status: u16,
        /// Scheme, host and port of the other place.
        to: String,
    },
    /// The node refused the request.
    #[error("{message} (error {code})")]
    Refused {
        /// Its code.
        code: i64,
        /// Its words.
        message: String,
    },
    /// The call reverted.
    #[error("reverted: {}", describe_revert(data))]
    Reverted {
        /// The encoded error.
        data: Bytes,
    },
    /// The answer is not of the form that the method has.
    #[error("no answer to this request: {why}: {}", shown(body))]
    Malformed {
        /// What is wrong with it.
        why: String,
        /// Its start.
        body: String,
    },
    /// The answer is longer than this program reads.
    #[error("the answer is longer than {limit} bytes (--l1-max-answer allows more)")]
    TooLong {
        /// The limit.
        limit: u64,
    },
}

fn shown(body: &str) -> String {
    let body = body.split_whitespace().collect::<Vec<_>>().join(" ");
    match body.char_indices().nth(SHOWN) {
        _ if body.is_empty() => "no body".into(),
        Some((end, _)) => format!("{}...", &body[..end]),
        None => body,
    }
}

/// Words by which nodes say that somebody asks too often.
const TOO_OFTEN: [&str; 7] =
    ["rate", "too many requests", "per second", "throttl", "quota", "capacity", "compute units"];

/// Words by which nodes say that a request for logs covers too much.
const TOO_MUCH: [&str; 10] = [
    "range",
    "more than",
    "limit exceeded",
    "too large",
    "too big",
    "too many",
    "exceed",
    "response size",
    "timeout",
    "timed out",
];

/// Words by which nodes say that they no longer have a state.
const PRUNED: [&str; 7] = [
    "missing trie node",
    "pruned",
    "state not available",
    "state is not available",
    "historical state",
    "header not found",
    "distance to target block exceeds",
];

fn says(message: &str, words: &[&str]) -> bool {
    let message = message.to_lowercase();
    words.iter().any(|word| message.contains(word))
}

impl Failure {
    /// Whether the same request may succeed later.
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Transport { passing, .. } => *passing,
            Self::Status { status, .. } => matches!(status, 408 | 425 | 429 | 500..),
            Self::Refused { code, message } => *code == 429 || says(message, &TOO_OFTEN),
            Self::Redirect { .. }
            | Self::Reverted { .. }
            | Self::Malformed { .. }
            | Self::TooLong { .. } => false,
        }
    }

    /// How long the node asks to wait.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Status { retry_after, .. } => *retry_after,
            _ => None,
        }
    }

    /// Whether a request for fewer blocks' logs may succeed.
    pub fn is_too_much(&self) -> bool {
        match self {
            Self::TooLong { .. } => true,
            Self::Status { status, body, .. } => {
                matches!(status, 413 | 504 | 524)
                    || matches!(status, 400 | 403 | 422) && says(body, &TOO_MUCH)
            }
            Self::Refused { code, message } => {
                !self.is_passing() && (*code == -32005 || says(message, &TOO_MUCH))
            }
            Self::Transport { .. }
            | Self::Redirect { .. }
            | Self::Reverted { .. }
            | Self::Malformed { .. } => false,
        }
    }

    /// Whether the node understood the request and said no.
    pub fn is_refusal(&self) -> bool {
        matches!(self, Self::Refused { .. })
    }

    /// Whether the node says that it no longer has the state that was asked for.
    pub fn is_pruned(&self) -> bool {
        matches!(self, Self::Refused { message, .. } if says(message, &PRUNED))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(code: i64, message: &str) -> Failure {
        Failure::Refused { code, message: message.into() }
    }

    #[test]
    fn nodes_words_are_understood() {
        for (code, message) in [
            (-32005, "query returned more than 10000 results"),
            (-32602, "Log response size exceeded."),
            (-32600, "eth_getLogs is limited to a 10,000 block range"),
            (-32000, "exceed maximum block range: 5000"),
            (-32005, "limit exceeded"),
            (-32000, "query timeout exceeded"),
            (-32701, "Please specify an address or reduce the range"),
        ] {
            let failure = refused(code, message);
            assert!(failure.is_too_much() && !failure.is_passing(), "{message}");
        }
        for (code, message) in [
            (-32005, "daily request count exceeded, request rate limited"),
            (429, "slow down"),
            (-32007, "50/second request limit reached: too many requests"),
            (-32000, "exceeded its compute units per second capacity"),
        ] {
            let failure = refused(code, message);
            assert!(failure.is_passing() && !failure.is_too_much(), "{message}");
        }
        for message in ["unknown method", "invalid argument 0"] {
            let failure = refused(-32601, message);
            assert!(!failure.is_passing() && !failure.is_too_much());
        }
        assert!(refused(-32000, "missing trie node 12ab").is_pruned());
    }

    #[test]
    fn statuses_are_understood() {
        let status =
            |status, body: &str| Failure::Status { status, body: body.into(), retry_after: None };
        assert!(status(429, "").is_passing() && status(502, "").is_passing());
        assert!(!status(401, "").is_passing() && !status(404, "").is_passing());
        assert!(status(413, "").is_too_much() && status(400, "block range").is_too_much());
        assert!(!status(401, "block range").is_too_much() && !status(502, "").is_too_much());
    }

    #[test]
    fn an_error_shows_the_start_of_a_long_body() {
        assert_eq!(shown(" a\n b "), "a b");
        assert_eq!(shown("\n"), "no body");
        assert_eq!(shown(&"é".repeat(300)).chars().count(), SHOWN + 3);
    }
}
