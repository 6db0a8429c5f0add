//! What a step did or found.

use alloy::primitives::{B256, U256};

use crate::error::L1Error;
use crate::fault::SendFault;

/// Something worth a line in a log.
#[derive(Debug)]
pub enum Notice {
    /// A new attempt was signed, stored and sent.
    Sent {
        /// The intent.
        name: String,
        /// Its hash.
        transaction: B256,
        /// Its nonce.
        nonce: u64,
    },
    /// An attempt is in a block.
    Mined {
        /// The intent.
        name: String,
        /// Its hash.
        transaction: B256,
        /// The block.
        block: u64,
        /// Whether it had its effect.
        succeeded: bool,
    },
    /// The block of an attempt is gone.
    Reorged {
        /// The intent.
        name: String,
        /// The attempt that was in it.
        transaction: B256,
    },
    /// An intent is over: [`super::State`] says how.
    Over {
        /// The intent.
        name: String,
        /// Its state in a word.
        state: &'static str,
    },
    /// An intent waits for a better time: it would revert now.
    Waiting {
        /// The intent.
        name: String,
        /// Why.
        why: String,
    },
    /// No node takes an attempt now. It stays stored, and is sent again.
    Refused {
        /// The intent.
        name: String,
        /// What is wrong, if the node's words are understood.
        fault: Option<SendFault>,
        /// The refusal.
        error: L1Error,
    },
    /// A transaction that is none of the attempts has their nonce: somebody else uses the account. The
    /// intent gets another nonce when that is final.
    ForeignNonce {
        /// The intent.
        name: String,
        /// The nonce.
        nonce: u64,
    },
    /// The account has less than it should.
    LowBalance {
        /// What it has, in wei.
        balance: U256,
        /// What it should have at least, in wei.
        minimum: U256,
    },
    /// Something could not be done in this step, such as a bump that a limit forbids
    /// ([`L1Error::Capped`]). It is tried again.
    Trouble {
        /// The intent, if it was about one.
        name: Option<String>,
        /// Why.
        error: L1Error,
    },
}
