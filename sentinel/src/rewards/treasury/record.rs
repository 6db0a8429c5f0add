//! Entries of the log of findings that are about rewards: from them alone the registry is made again.

use bastion_protocol::field::serde_decimal;
use bastion_protocol::hash::keccak;
use bastion_protocol::watcher::{Registry, SignedCall};
use bastion_protocol::{Address, Fr, Index, Token};
use serde::{Deserialize, Serialize};

use crate::findings::Hash;
use crate::rewards::{Cause, Params, ReportId};

/// The account that rewards begin with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Opening {
    /// The account that stakes go to, and everything is paid from.
    pub account: Index,
    /// Its token.
    pub token: Token,
    /// Its exit address.
    pub exit: Address,
    /// An account whose transfers are the operator's, besides the fee accounts.
    pub funder: Option<Index>,
    /// The registry's parameters.
    pub params: Params,
    /// The account's nonce: that of the first payment.
    pub nonce: u32,
    /// What it holds: the operator's money.
    #[serde(with = "serde_decimal")]
    pub balance: u128,
    /// First entry of the sequencer's log that counts.
    pub entry: u64,
}

impl Opening {
    /// The registry that begins so, on the rollup of a domain: what watchers sign for (protocol section 15.3).
    #[must_use]
    pub fn registry(&self, domain: Fr) -> Registry {
        let Self { account, token, exit, nonce, balance, entry, funder: _, params: _ } = self;
        let id = keccak(&[
            b"bastion.registry.v1",
            &account.to_be_bytes(),
            &token.to_be_bytes(),
            &exit.0,
            &nonce.to_be_bytes(),
            &balance.to_be_bytes(),
            &entry.to_be_bytes(),
        ]);
        Registry { domain, id }
    }
}

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
pub enum Call {
    /// Rewards begin.
    Open(Opening),
    /// Money came in: a stake if it is a user's and enough, else the operator's to use.
    Received {
        /// Entry of the sequencer's log.
        entry: u64,
        /// Who sent it; null for a deposit from L1.
        from: Option<Index>,
        /// How much.
        #[serde(with = "serde_decimal")]
        amount: u128,
    },
    /// The operator puts money that came in into the pool.
    Fund {
        /// How much.
        #[serde(with = "serde_decimal")]
        amount: u128,
    },
    /// The operator says that an account attacked, and what of the money that came in is due to that.
    Confirm {
        /// The account.
        subject: Index,
        /// How much.
        #[serde(with = "serde_decimal")]
        amount: u128,
    },
    /// A watcher's call, as it was signed.
    Watcher(SignedCall),
    /// The guardian signed a freeze because of a report.
    Order {
        /// The report.
        report: ReportId,
        /// Hash of the freeze.
        operation: Hash,
    },
    /// A freeze that was ordered was executed.
    Frozen {
        /// Entry of the sequencer's log.
        entry: u64,
        /// Its hash.
        operation: Hash,
        /// When it ends.
        until: u64,
    },
    /// The first report about an event is paid.
    Settle {
        /// The account.
        subject: Index,
        /// Epoch of the event.
        epoch: u64,
    },
    /// A freeze ended, and nothing was confirmed.
    Expire {
        /// The report.
        report: ReportId,
    },
    /// A report was never opened, or nothing came of it.
    Lapse {
        /// The report.
        report: ReportId,
    },
    /// A payment was sequenced.
    Paid {
        /// Entry of the sequencer's log.
        entry: u64,
        /// Its nonce.
        nonce: u32,
    },
    /// Money left the account, or its key signed something, and no payment asked for it.
    Foreign {
        /// Entry of the sequencer's log.
        entry: u64,
        /// Nonce of what was signed; null for a forced exit.
        nonce: Option<u32>,
        /// What left.
        #[serde(with = "serde_decimal")]
        amount: u128,
    },
}

/// A payment that is owed: a transfer without a fee from the rewards account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pay {
    /// Nonce of the transfer: whatever happens, no second one can have it.
    pub nonce: u32,
    /// To whom.
    pub to: Index,
    /// How much: what a transfer can carry of it.
    #[serde(with = "serde_decimal")]
    pub amount: u128,
    /// Why.
    pub cause: Cause,
}

/// An entry: what happened, when, and what is paid for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// The sequencer's time, in seconds. It never falls.
    pub at: u64,
    /// What happened.
    pub call: Call,
    /// What is owed because of it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pays: Vec<Pay>,
}
