//! Why a contract refused a call.

use std::fmt;

use alloy::primitives::Bytes;
use bastion_contract::rollup::describe_revert;

use crate::foreign;

/// Revert data, and the error of the contracts that it encodes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revert {
    /// Name of the contract's error, such as `NotAnOperator`, if the contracts have one.
    pub error: Option<String>,
    /// The error with its values, or the data in hexadecimal; only the start of what is long.
    pub reason: String,
    /// The data.
    pub data: Bytes,
}

impl Revert {
    /// Reads revert data.
    pub fn new(data: Bytes) -> Self {
        let reason = foreign::tame(&describe_revert(&data), &[]);
        let end = reason.find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        let name = &reason[..end.unwrap_or(reason.len())];
        let named = name.starts_with(|c: char| c.is_ascii_alphabetic());
        Self { error: named.then(|| name.to_owned()), reason, data }
    }

    /// Whether it is the contract's error of a name.
    pub fn is(&self, error: &str) -> bool {
        self.error.as_deref() == Some(error)
    }
}

impl fmt::Display for Revert {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)
    }
}
