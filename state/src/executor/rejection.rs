//! Why an operation is refused.

use bastion_auction::RuleError;
use bastion_protocol::ProtocolError;
use bastion_protocol::{Index, Token};

/// Why an operation is refused. The state is as it was.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Rejection {
    /// There is no such account.
    #[error("account {0} does not exist")]
    NoSuchAccount(Index),
    /// The index is the bridge limiter's.
    #[error("account {0} is a bridge limiter and takes part in no operation")]
    IsLimiter(Index),
    /// The signature is not the key's for this message.
    #[error("signature does not verify for account {0}: it must be over this chain, contract and every field")]
    BadSignature(Index),
    /// The key is not the account's.
    #[error("the key is not the owner of account {0}")]
    NotOwner(Index),
    /// Not the guardian's key.
    #[error("the key is not the policy's guardian")]
    NotGuardian,
    /// Wrong nonce.
    #[error("nonce of account {account} is {expected}, the operation has {got}")]
    WrongNonce {
        /// Account.
        account: Index,
        /// Nonce of the account.
        expected: u32,
        /// Nonce of the operation.
        got: u32,
    },
    /// The nonce cannot grow.
    #[error("account {0} has used all its nonces: withdraw by a forced exit")]
    NonceExhausted(Index),
    /// Balance below amount and fee.
    #[error("account {account} holds {balance}, amount and fee are {needed}")]
    InsufficientBalance {
        /// Account.
        account: Index,
        /// Its balance.
        balance: u128,
        /// What is needed.
        needed: u128,
    },
    /// Amount and fee are together no balance.
    #[error("account {account}: amount {amount} and fee {fee} exceed 128 bits together")]
    CostOverflow {
        /// Account.
        account: Index,
        /// The amount.
        amount: u128,
        /// The fee.
        fee: u128,
    },
    /// Tokens differ.
    #[error("account {account} holds token {expected}, the operation names {got}")]
    WrongToken {
        /// Account.
        account: Index,
        /// Its token.
        expected: Token,
        /// Token named.
        got: Token,
    },
    /// Too late.
    #[error("deadline {deadline} has passed at time {time}")]
    PastDeadline {
        /// Deadline.
        deadline: u64,
        /// Time of the batch.
        time: u64,
    },
    /// The account is frozen.
    #[error(
        "account {account} is frozen until {until}: it can only withdraw to its own exit address"
    )]
    Frozen {
        /// Account.
        account: Index,
        /// End of the freeze.
        until: u64,
    },
    /// Sender is receiver.
    #[error("account {0} sends to itself")]
    SelfTransfer(Index),
    /// Nothing to move.
    #[error("amount is 0")]
    ZeroAmount,
    /// A balance would pass 2^128.
    #[error("balance of account {0} would exceed 128 bits")]
    BalanceOverflow(Index),
    /// The freeze is not in (time, time + max_freeze].
    #[error("freeze until {until} is not after {time} and at most {max} later")]
    FreezeOutOfBounds {
        /// End of the freeze.
        until: u64,
        /// Time of the batch.
        time: u64,
        /// Longest freeze.
        max: u64,
    },
    /// Too soon after the last freeze.
    #[error("account {account} may be frozen again from {from} on")]
    Cooldown {
        /// Account.
        account: Index,
        /// First possible time.
        from: u64,
    },
    /// There is no freeze to end, or not this one.
    #[error("account {account} is frozen until {until}, the operation says {got}")]
    WrongFreeze {
        /// Account.
        account: Index,
        /// Its frozen_until.
        until: u64,
        /// What the operation says.
        got: u64,
    },
    /// An amount or fee that the wire cannot carry.
    #[error("{what}: {value} is no m x 10^e with m below 2^{bits} and e below 32: round it down to {below}")]
    NotAFloat {
        /// Which of them.
        what: &'static str,
        /// The value.
        value: u128,
        /// Bits of the mantissa.
        bits: u32,
        /// The largest value below it that the wire carries.
        below: u128,
    },
    /// A time that the wire cannot carry, or a fee of the guardian.
    #[error("{0}")]
    Encoding(String),
    /// L1 queues no forced exit of fee accounts and limiters.
    #[error("account {0} is the system's: L1 queues forced exits of accounts from 131072 on")]
    SystemAccount(Index),
    /// L1 queues no deposit to the zero address, and nobody can ask for an exit from it.
    #[error("the exit address is zero: L1 queues no such operation")]
    ZeroExit,
    /// What is bought goes to an account of somebody else.
    #[error("account {to} has another owner than account {account}: name one of the same owner")]
    OtherOwner {
        /// Account that sells.
        account: Index,
        /// Account that would be paid.
        to: Index,
    },
    /// Sells a token for itself.
    #[error("account {0} holds the token that is sold: name an account of another token")]
    SameToken(Index),
    /// An order in a batch that clears none.
    #[error("this batch has no prices: orders are taken where they are cleared at its end")]
    NoAuction,
    /// The batch has no price quote of a token of an order.
    #[error("the batch has no price of token {0}: give it one, which may be 0")]
    NoPrice(Token),
    /// The quotes of the batch are wrong for an order.
    #[error("the order is not for these quotes: {0}")]
    Quotes(RuleError),
    /// Orders sell or are paid more of a token than can be counted.
    #[error("what orders sell and are paid of token {0} exceeds 128 bits: leave some for the next batch")]
    FlowOverflow(Token),
    /// A quote that is none of the batch's.
    #[error("the quote of {a} and {b} is none of this batch's: leave it out, they are made when a batch is packed")]
    NotQuoted {
        /// Its first token.
        a: Token,
        /// Its second token.
        b: Token,
    },
    /// A quote that the batch has already.
    #[error("the batch has the quote of {a} and {b} already: leave the second one out")]
    QuotedTwice {
        /// Its first token.
        a: Token,
        /// Its second token.
        b: Token,
    },
    /// A quote that orders used, and that the batch does not post.
    #[error("orders use the quote of {a} and {b}, and it is not posted: add it")]
    QuoteMissing {
        /// Its first token.
        a: Token,
        /// Its second token.
        b: Token,
    },
    /// More of a token is paid than was sold.
    #[error(
        "{paid} of token {token} are paid, and {sold} came in: find other prices or fractions"
    )]
    Short {
        /// The token.
        token: Token,
        /// What orders sold of it.
        sold: u128,
        /// What orders were paid of it.
        paid: u128,
    },
    /// The surplus is not what is left.
    #[error(
        "{named} of token {token} are named as surplus, and {left} are left: name what is left"
    )]
    Surplus {
        /// The token.
        token: Token,
        /// What was named with the quote.
        named: u128,
        /// What orders sold and were not paid.
        left: u128,
    },
    /// A batch that only finds out what fits.
    #[error("the batch was filled without prices: clear its orders and execute it again")]
    NotCleared,
    /// No free index.
    #[error("the tree is full")]
    TreeFull,
    /// The policy cannot be proven or enforced.
    #[error("{0}")]
    BadPolicy(String),
    /// The time leaves no room for delays.
    #[error("time {0} and the policy's delays exceed 40 bits")]
    TimeOutOfRange(u64),
}

impl From<ProtocolError> for Rejection {
    fn from(error: ProtocolError) -> Self {
        match error {
            ProtocolError::NotAFloat { what, value, bits, below } => {
                Self::NotAFloat { what, value, bits, below }
            }
            other => Self::Encoding(other.to_string()),
        }
    }
}
