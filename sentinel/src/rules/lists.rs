//! Lists of known accounts and addresses.

use std::collections::BTreeSet;

use bastion_protocol::{Address, Index};
use serde::{Deserialize, Serialize};

/// Most entries of a list.
pub const MAX_LISTED: usize = 100_000;

/// Accounts and L1 addresses that are sources of taint.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lists {
    /// Accounts by index.
    pub flagged_accounts: BTreeSet<Index>,
    /// L1 addresses: exit addresses of accounts, and targets of withdrawals.
    pub flagged_addresses: BTreeSet<Address>,
}

impl Lists {
    /// Whether an account or address is listed.
    #[must_use]
    pub fn flags(&self, account: Option<Index>, address: Option<Address>) -> bool {
        account.is_some_and(|a| self.flagged_accounts.contains(&a))
            || address.is_some_and(|a| self.flagged_addresses.contains(&a))
    }
}
