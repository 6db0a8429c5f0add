//! Which request of which node an error is about.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

/// Methods whose answers grow with what happened on the chain.
const LONG: [&str; 5] = [
    "eth_getLogs",
    "eth_getBlockReceipts",
    "eth_getTransactionByHash",
    "trace_transaction",
    "debug_traceTransaction",
];

/// How the name of what is asked begins if it is no method of a node of L1.
pub(crate) const GET: &str = "GET ";

/// A request to a node. No part of it tells more of the node's URL than scheme, host and port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// The method.
    pub method: Cow<'static, str>,
    /// Scheme, host and port of the node.
    pub host: Arc<str>,
    /// How often it was tried.
    pub attempts: u32,
}

impl Asked {
    /// A request that was tried once.
    pub fn once(method: impl Into<Cow<'static, str>>, host: Arc<str>) -> Self {
        Self { method: method.into(), host, attempts: 1 }
    }

    /// Whether only [`crate::Options::max_answer`] limits the answer's length.
    pub(crate) fn may_be_long(&self) -> bool {
        LONG.contains(&&*self.method)
    }

    /// Whether somebody else than a node of L1 was asked.
    pub(crate) fn is_get(&self) -> bool {
        self.method.starts_with(GET)
    }

    /// Words about the number of tries, if there was more than one.
    pub(crate) fn tries(&self) -> String {
        match self.attempts {
            0 | 1 => String::new(),
            n => format!(" (tried {n} times)"),
        }
    }
}

impl fmt::Display for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at {}", self.method, self.host)
    }
}
