//! Why a call is refused.

use bastion_protocol::Index;
use thiserror::Error;

use crate::rewards::{ReportId, RewardError};

/// Why a call is refused. A refused call changes nothing.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum TreasuryError {
    /// The registry refuses it.
    #[error(transparent)]
    Registry(#[from] RewardError),
    /// Rewards have not begun.
    #[error("rewards have not begun: the account of sentinel.rewards does not exist yet")]
    Closed,
    /// They begin a second time.
    #[error("rewards have begun before, with account {account}; a log has one rewards account")]
    Open {
        /// The account.
        account: Index,
    },
    /// A time before one that was seen.
    #[error("time {at} is before {last}, which was seen already")]
    Time {
        /// The time.
        at: u64,
        /// The latest time.
        last: u64,
    },
    /// A call that was taken before, or comes too early.
    #[error("call {got} of account {account}: the next one is {expected}; each is taken once")]
    Number {
        /// The watcher.
        account: Index,
        /// The next number.
        expected: u64,
        /// The number given.
        got: u64,
    },
    /// A signature that does not hold.
    #[error("the signature is not that of the key for this call, account, number and rollup")]
    Signature,
    /// A key that is not the account's.
    #[error("key and exit address are not those of account {account}; sign with the key that it has now")]
    NotOwner {
        /// The account.
        account: Index,
    },
    /// Another watcher's report.
    #[error("report {report} is not of account {account}; only who committed to it opens it")]
    OtherWatcher {
        /// The report.
        report: ReportId,
        /// Who asked.
        account: Index,
    },
    /// A report about an account of the system.
    #[error("account {subject} is the system's own; name a user's account")]
    Subject {
        /// The account.
        subject: Index,
    },
    /// The operator has less to use.
    #[error("{amount} is more than the {free} that came in and is not used yet; transfer more to the rewards account")]
    Free {
        /// What was asked for.
        amount: u128,
        /// What there is.
        free: u128,
    },
    /// The pool would hold more than an epoch pays.
    #[error("the pool holds {pool}, and with {amount} more it would be above the budget of an epoch, {budget}; put in less")]
    Full {
        /// What it holds.
        pool: u128,
        /// What was to come in.
        amount: u128,
        /// The most.
        budget: u128,
    },
    /// More money than 128 bits count.
    #[error("{amount} more than {sum} overflows 128 bits; use a larger unit")]
    Overflow {
        /// What there was.
        sum: u128,
        /// What was to come in.
        amount: u128,
    },
    /// An entry of the sequencer's log that was taken before.
    #[error("entry {entry} of the sequencer's log was taken before; the next is {next} or later")]
    Seen {
        /// The entry.
        entry: u64,
        /// The first that was not.
        next: u64,
    },
    /// No freeze of this hash was ordered for a report.
    #[error("no report asked for this freeze")]
    NotOrdered,
    /// Another nonce than the next payment's.
    #[error("an operation has nonce {got}, and the next payment {expected}")]
    Nonce {
        /// The next payment's.
        expected: u32,
        /// The operation's.
        got: u32,
    },
    /// The account has signed all that it can.
    #[error("the rewards account has no nonce left; open another")]
    NoNonce,
    /// What the log says is paid is not what the registry pays.
    #[error("{recorded} payments are recorded, and the registry owes {computed}, or others")]
    Differ {
        /// Payments of the log.
        recorded: usize,
        /// Payments of the registry.
        computed: usize,
    },
}
