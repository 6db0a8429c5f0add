//! What a step did or found.

use std::fmt;

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
    /// No node takes the newest attempt now. It stays stored, and is sent again.
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
    /// Nonces before those of the attempts on their way are used by nothing that is known here: the node
    /// is behind, or the chain was rolled back further than what counts as final.
    Gap {
        /// The mined nonce.
        mined: u64,
        /// The first nonce that is on its way.
        first: u64,
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

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sent { name, transaction, nonce } => {
                write!(f, "`{name}`: transaction {transaction} was sent with nonce {nonce}")
            }
            Self::Mined { name, transaction, block, succeeded } => {
                let how = if *succeeded { "is" } else { "had no effect" };
                write!(f, "`{name}`: transaction {transaction} {how} in block {block}")
            }
            Self::Reorged { name, transaction } => {
                write!(f, "`{name}`: the block of transaction {transaction} is gone")
            }
            Self::Over { name, state } => write!(f, "`{name}` is {state}"),
            Self::Waiting { name, why } => write!(f, "`{name}` waits: it would revert now ({why})"),
            Self::Refused { name, fault: Some(fault), error } => {
                write!(f, "`{name}` is refused, as {fault}: {error}")
            }
            Self::Refused { name, fault: None, error } => write!(f, "`{name}` is refused: {error}"),
            Self::ForeignNonce { name, nonce } => {
                write!(f, "`{name}`: a transaction of somebody else has its nonce {nonce}: is the key used elsewhere?")
            }
            Self::Gap { mined, first } => {
                write!(f, "the account's next nonce is {mined}, and {first} is the first on its way: the node is behind, or the chain was rolled back further than what counts as final")
            }
            Self::LowBalance { balance, minimum } => {
                write!(f, "the account has {balance} wei, and should have {minimum} at least: send it more")
            }
            Self::Trouble { name: Some(name), error } => write!(f, "`{name}`: {error}"),
            Self::Trouble { name: None, error } => write!(f, "{error}"),
        }
    }
}
