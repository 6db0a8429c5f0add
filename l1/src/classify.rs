//! What follows from an error: whether to try again, to ask for less, or to give up.

use std::time::Duration;

use crate::asked::Asked;
use crate::error::L1Error;
use crate::revert::Revert;

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

/// The code by which nodes say that a parameter is none that the method has.
const INVALID_PARAMS: i64 = -32602;
/// The code by which nodes say that a block is none that they have.
const UNKNOWN_BLOCK: i64 = -39001;

/// Words by which nodes from before the merge refuse `finalized` and `safe`: as no number.
const UNKNOWN_TAG: [&str; 5] = [
    "without 0x prefix",
    "prefixed with \"0x\"",
    "quantity | tag",
    "invalid block tag",
    "unknown block tag",
];

/// Words by which nodes say that they have no such block.
const UNKNOWN: [&str; 3] = ["block not found", "header not found", "unknown block"];

fn says(message: &str, words: &[&str]) -> bool {
    let message = message.to_lowercase();
    words.iter().any(|word| message.contains(word))
}

impl L1Error {
    /// Whether the same request may succeed later.
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Transport { passing, .. } => *passing,
            Self::Status { status, .. } => matches!(status, 408 | 425 | 429 | 500..),
            Self::Refused { code, message, .. } => *code == 429 || says(message, &TOO_OFTEN),
            _ => false,
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
            Self::Refused { code, message, .. } => {
                !self.is_passing() && (*code == -32005 || says(message, &TOO_MUCH))
            }
            _ => false,
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

    /// Whether the node says that it does not know a block by such a name: it takes the name for no
    /// parameter at all. One that knows the name, and has no such block yet, says something else.
    pub(crate) fn is_unknown_tag(&self) -> bool {
        match self {
            Self::Refused { code, message, .. } => {
                !self.is_passing() && (*code == INVALID_PARAMS || says(message, &UNKNOWN_TAG))
            }
            _ => false,
        }
    }

    /// Whether the node says that it has no such block, or knows none by such a name.
    pub(crate) fn is_unknown_block(&self) -> bool {
        match self {
            Self::Refused { code, message, .. } => {
                self.is_unknown_tag()
                    || !self.is_passing() && (*code == UNKNOWN_BLOCK || says(message, &UNKNOWN))
            }
            _ => false,
        }
    }

    /// Whether a contract, or the node in its name, refused a call, as opposed to no answer.
    pub fn is_refused_call(&self) -> bool {
        match self {
            Self::Reverted { .. } | Self::Failed { .. } | Self::Halted { .. } => true,
            Self::Refused { .. } => !self.is_passing(),
            _ => false,
        }
    }

    /// Whether an answer may have been lost on its way: the request may have had its effect.
    pub fn is_lost(&self) -> bool {
        matches!(self, Self::Transport { .. } | Self::Status { .. } | Self::Malformed { .. })
    }

    /// Whether another node may give what this one did not: it gave nothing of use, or is too busy, or
    /// lacks what was asked for.
    pub(crate) fn is_worth_another_node(&self) -> bool {
        match self {
            Self::Transport { .. }
            | Self::Redirect { .. }
            | Self::Malformed { .. }
            | Self::MissingHistory { .. } => true,
            Self::Status { .. } => !self.is_too_much(),
            Self::Refused { .. } => self.is_passing() || self.is_pruned(),
            _ => false,
        }
    }

    /// Why a contract refused, if one did.
    pub fn revert(&self) -> Option<&Revert> {
        match self {
            Self::Reverted { revert, .. } => Some(revert),
            _ => None,
        }
    }

    /// The request that it is about, if it is about one.
    pub fn asked(&self) -> Option<&Asked> {
        match self {
            Self::Transport { asked, .. }
            | Self::Status { asked, .. }
            | Self::Redirect { asked, .. }
            | Self::Refused { asked, .. }
            | Self::Malformed { asked, .. }
            | Self::TooLong { asked, .. } => Some(asked),
            _ => None,
        }
    }

    /// The same after a number of tries.
    pub(crate) fn after(mut self, tries: u32) -> Self {
        match &mut self {
            Self::Transport { asked, .. }
            | Self::Status { asked, .. }
            | Self::Redirect { asked, .. }
            | Self::Refused { asked, .. }
            | Self::Malformed { asked, .. }
            | Self::TooLong { asked, .. } => asked.attempts = tries,
            _ => {}
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked() -> Asked {
        Asked::once("eth_getLogs", "http://h:1".into())
    }

    fn refused(code: i64, message: &str) -> L1Error {
        L1Error::Refused { asked: asked(), code, message: message.into() }
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
    fn a_name_that_is_unknown_is_told_from_a_block_that_is_not_there() {
        for (code, message, tag, block) in [
            (-32602, "invalid argument 0: hex string without 0x prefix", true, true),
            (-32700, "strings must be prefixed with \"0x\".", true, true),
            (-32602, "Invalid params", true, true),
            (-39001, "Unknown block", false, true),
            (-32000, "finalized block not found", false, true),
            (-32603, "internal error", false, false),
            (-32602, "request rate exceeded", false, false),
            (429, "unknown block tag", false, false),
        ] {
            let error = refused(code, message);
            let found = (error.is_unknown_tag(), error.is_unknown_block());
            assert_eq!(found, (tag, block), "{message}");
        }
    }

    #[test]
    fn statuses_are_understood() {
        let status = |status, body: &str| L1Error::Status {
            asked: asked(),
            status,
            body: body.into(),
            retry_after: None,
        };
        assert!(status(429, "").is_passing() && status(502, "").is_passing());
        assert!(!status(401, "").is_passing() && !status(404, "").is_passing());
        assert!(status(413, "").is_too_much() && status(400, "block range").is_too_much());
        assert!(!status(401, "block range").is_too_much() && !status(502, "").is_too_much());
    }
}
