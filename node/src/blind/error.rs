//! Why a batch of blind orders does not take something.

use bastion_protocol::blind::BlindError;
use bastion_protocol::{Index, Token};
use bastion_state::executor::Rejection;

/// Why a batch of blind orders does not take something.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BlindBatchError {
    /// The batch takes nothing any more.
    #[error("the batch is closed: send it again for the next one")]
    Closed,
    /// The batch is not closed.
    #[error("the batch is open: reveal nothing before it is closed")]
    Open,
    /// Neither an order nor an operation of the queue.
    #[error("a batch with blind orders takes orders and entries of the queue alone: send it again for another batch")]
    NotAnOrder,
    /// The key did not sign the message.
    #[error("the signature is not one of the message by the key: sign the order's message")]
    Signature,
    /// The forfeit is not lost to everybody.
    #[error("the forfeit goes to {}, which could be spent from: name an account with key hash 0 and exit address 0x00..00dead", named(.0))]
    NotBurned(Option<Index>),
    /// The operator has no least forfeit for a token.
    #[error("token {0} is none that hidden orders may sell or buy here: the operator lists no forfeit for it")]
    NotListed(Token),
    /// It may buy many tokens.
    #[error("the accounts that may be paid are of {got} tokens: name those of at most {most}")]
    Tokens {
        /// How many.
        got: usize,
        /// At most.
        most: usize,
    },
    /// The forfeit is too small.
    #[error("the forfeit is too small: it must be at least {least} units of token {token}")]
    SmallForfeit {
        /// The token.
        token: Token,
        /// The least.
        least: u128,
    },
    /// An account that may be paid does not exist.
    #[error("there is no account {0}: name accounts of your own that exist")]
    NoAccount(Index),
    /// An account of the system.
    #[error("account {0} is the system's: sell from an account of a user")]
    SystemAccount(Index),
    /// The account has hidden an order in this batch.
    #[error("account {0} has hidden an order in this batch: send it again for the next one")]
    Waits(Index),
    /// No order of this account is hidden.
    #[error("account {0} has hidden no order in this batch")]
    NothingHidden(Index),
    /// It does not fit.
    #[error("the batch has no room for it: send it again for the next one")]
    NoRoom,
    /// L1 may take an opening still.
    #[error("{hidden} orders are not revealed, and L1 takes openings until {reveal_by}: it was read up to {l1_time}; wait until a later block is final")]
    TooSoon {
        /// Orders that are hidden still.
        hidden: usize,
        /// Up to when L1 was read.
        l1_time: u64,
        /// Until when it takes openings.
        reveal_by: u64,
    },
    /// The executor refuses it.
    #[error(transparent)]
    Rejected(#[from] Rejection),
    /// The order or its opening is refused.
    #[error(transparent)]
    Blind(#[from] BlindError),
    /// The key cannot sign.
    #[error("the sequencer's key cannot sign: {0}")]
    Key(String),
}

fn named(account: &Option<Index>) -> String {
    account.map_or_else(|| "no account".into(), |account| format!("account {account}"))
}

impl From<crate::NodeError> for BlindBatchError {
    fn from(error: crate::NodeError) -> Self {
        Self::Key(error.to_string())
    }
}
