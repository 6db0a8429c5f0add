//! What posted data can say that cannot be.

use std::fmt;

use bastion_protocol::records::RecordError;
use bastion_protocol::{Address, Index, Token};

/// Where in the data of a batch, each counted from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// The batch as a whole.
    Batch,
    /// A record of the L1 section.
    L1(usize),
    /// A record of the L2 section, the first of its operation.
    L2(usize),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Batch => f.write_str("the batch"),
            Self::L1(i) => write!(f, "L1 record {i}"),
            Self::L2(i) => write!(f, "L2 record {i}"),
        }
    }
}

/// Posted data that no valid batch has.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{at}: {broken}")]
pub struct ReplayError {
    /// Where.
    pub at: Place,
    /// What is wrong there.
    pub broken: Broken,
}

/// The rule that posted data break.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Broken {
    /// Data before any policy.
    #[error("the policy of the block is not known")]
    NoPolicy,
    /// A section that could reach into the powers of the next.
    #[error("section {section} has {words} words, at most {most} are allowed")]
    TooLong {
        /// Number of the section.
        section: usize,
        /// Its words.
        words: usize,
        /// The most.
        most: usize,
    },
    /// Bytes that are no record.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// No account there.
    #[error("account {0} does not exist")]
    NoAccount(Index),
    /// An account is there already.
    #[error("account {0} exists already")]
    Exists(Index),
    /// An index at which nobody creates accounts.
    #[error("{0} is no index of a user's account")]
    SystemIndex(Index),
    /// A limiter takes part in nothing but exits.
    #[error("account {0} is a limiter")]
    Limiter(Index),
    /// A deposit for somebody else.
    #[error("the deposit is not for the owner of account {0}")]
    NotOwner(Index),
    /// Key hash and exit address behind the owner never occurred in the data.
    #[error("the owner of account {0} never occurred in the data")]
    UnknownOwner(Index),
    /// Another token.
    #[error("account {index} holds token {holds}, not {token}")]
    WrongToken {
        /// Account.
        index: Index,
        /// Its token.
        holds: Token,
        /// The operation's token.
        token: Token,
    },
    /// Nothing to move.
    #[error("the amount is 0")]
    ZeroAmount,
    /// Sender and receiver are one.
    #[error("account {0} sends to itself")]
    ToItself(Index),
    /// A balance below 0.
    #[error("account {index} holds {balance}, the amount {amount} and the fee {fee} are more")]
    Balance {
        /// Account.
        index: Index,
        /// Its balance.
        balance: u128,
        /// Amount; `u128::MAX` for one that is larger.
        amount: u128,
        /// Fee; `u128::MAX` for one that is larger.
        fee: u128,
    },
    /// A balance beyond 128 bits.
    #[error("the balance of account {0} would exceed 128 bits")]
    Overflow(Index),
    /// A nonce beyond 32 bits.
    #[error("account {0} has used all its nonces")]
    Nonce(Index),
    /// A frozen account that acts.
    #[error("account {index} is frozen until {until}")]
    Frozen {
        /// Account.
        index: Index,
        /// End of the freeze.
        until: u64,
    },
    /// A freeze outside of the policy's bounds.
    #[error("a freeze until {until} is not after {time} and at most {max} seconds later")]
    FreezeBounds {
        /// End of the freeze.
        until: u64,
        /// Time of the block.
        time: u64,
        /// Longest freeze of the policy.
        max: u64,
    },
    /// A freeze too soon after the last one.
    #[error("account {index} may not be frozen again before {from}")]
    Cooldown {
        /// Account.
        index: Index,
        /// First time.
        from: u64,
    },
    /// An Unfreeze of an account that is not frozen.
    #[error("account {0} is not frozen")]
    NotFrozen(Index),
    /// A new key with another exit address.
    #[error("the exit address of account {index} is {is}, not {posted}")]
    ExitAddress {
        /// Account.
        index: Index,
        /// Its exit address.
        is: Address,
        /// The posted one.
        posted: Address,
    },
    /// What an order buys goes to somebody else.
    #[error("account {to} has another owner than account {from}, which sells")]
    OtherOwner {
        /// Account that sells.
        from: Index,
        /// Account that is paid.
        to: Index,
    },
    /// An order that sells a token for itself.
    #[error("account {0} holds the token that is sold")]
    SameToken(Index),
    /// An order of more than 112 bits.
    #[error("the order sells 2^112 or more")]
    OrderAmount,
    /// A token that an order names has no price in the batch.
    #[error("token {0} has no price quote")]
    NoPrice(Token),
    /// A pair with an order at the margin has no fraction in the batch.
    #[error("the order is at the margin, and the pair {a} to {b} has no fraction quote")]
    NoFraction {
        /// The token that is sold.
        a: Token,
        /// The token that is bought.
        b: Token,
    },
    /// A second quote of the same tokens.
    #[error("a second quote of {a} and {b}")]
    QuotedTwice {
        /// The first token.
        a: Token,
        /// The second token.
        b: Token,
    },
    /// An order leads from a market to one below it.
    #[error("the order sells in market {from} and buys in market {to}, which is below it")]
    Descends {
        /// Market of the token that is sold.
        from: u16,
        /// Market of the token that is bought.
        to: u16,
    },
    /// A payment of more than 120 bits.
    #[error("the payment of the order is 2^120 or more")]
    Payment,
    /// More of a token is paid than was sold, or what is left has more than 128 bits.
    #[error("orders sell {sold} of token {token} and are paid {paid}")]
    Short {
        /// The token.
        token: Token,
        /// What orders sell, in decimal.
        sold: String,
        /// What orders are paid, in decimal.
        paid: String,
    },
    /// An operation that writes an owner, without its record.
    #[error("its owner record is missing")]
    NoOwner,
    /// Owner records that no operation wrote.
    #[error("{0} owner records belong to no operation")]
    Owners(usize),
    /// An operation that leaves, without its record.
    #[error("exit {0} is missing")]
    NoExit(usize),
    /// Exit records that no operation wrote.
    #[error("{0} exits belong to no operation")]
    Exits(usize),
    /// An exit that is not what its operation takes out.
    #[error("exit {position} is not that of the operation: another {field}")]
    Exit {
        /// Position in the batch.
        position: usize,
        /// What differs.
        field: &'static str,
    },
    /// An exit that is released at another time than the policy says.
    #[error("exit {position} is released at {posted}, the policy says {expected}")]
    ReleaseTime {
        /// Position in the batch.
        position: usize,
        /// Posted time.
        posted: u64,
        /// Time by the limiter.
        expected: u64,
    },
}
