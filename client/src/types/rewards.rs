//! Rewards for watchers: what they stake, report and earn.

use bastion_protocol::keys::{PublicKey, Signature};
use bastion_protocol::watcher::{SignedCall, WatcherCall as Call};
use bastion_protocol::{Address, Index, Token};
use serde::{Deserialize, Serialize};

use super::text::{Amount, Hash};

/// Rewards as they stand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Rewards {
    /// The account that stakes go to, and everything is paid from.
    pub account: Index,
    /// Its token.
    pub token: Token,
    /// Which registry it is: watchers sign for it.
    pub registry: Hash,
    /// An account whose transfers to it are the operator's money, besides the fee accounts.
    pub funder: Option<Index>,
    /// What is paid, taken and waited for.
    pub params: RewardsParams,
    /// What rewards are paid from.
    pub pool: Amount,
    /// All stakes.
    pub stakes: Amount,
    /// What nobody gets. It stays in the account.
    pub burned: Amount,
    /// What was paid, withdrawn stakes included.
    pub paid: Amount,
    /// What came in and is not used yet.
    pub free: Amount,
    /// The epoch, and what was paid from the pool for it.
    pub epoch: u64,
    /// What was paid from the pool for it: never more than the budget.
    pub spent: Amount,
    /// Reports that are not closed.
    pub reports: u64,
    /// Payments that are owed and not sequenced.
    pub waiting: Vec<RewardPayment>,
}

/// What is paid, taken and waited for. Amounts are in the smallest unit, times in seconds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct RewardsParams {
    /// Least stake of who reports.
    pub stake: Amount,
    /// Thousandths of what an event brings in that its first reporter gets.
    pub reward_permille: u16,
    /// Thousandths that are burned.
    pub burn_permille: u16,
    /// What a commitment locks.
    pub penalty: Amount,
    /// What is burned of it if nothing came of the report.
    pub noise_fee: Amount,
    /// Length of an epoch.
    pub epoch_seconds: u64,
    /// Most that the pool pays for an epoch.
    pub epoch_budget: Amount,
    /// How long a commitment may stay sealed.
    pub reveal_window: u64,
    /// How long after its commitment a report may be confirmed.
    pub event_window: u64,
    /// Time from announcing a withdrawal to taking it.
    pub withdraw_delay: u64,
}

/// A payment: a transfer from the rewards account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct RewardPayment {
    /// Nonce of the transfer.
    pub nonce: u32,
    /// To whom.
    pub to: Index,
    /// How much.
    pub amount: Amount,
    /// Why: `reward`, `compensation`, `withdrawal`, `diligence`.
    pub cause: String,
}

/// A watcher.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Watcher {
    /// Its account.
    pub account: Index,
    /// What no report locks.
    pub free: Amount,
    /// What reports lock.
    pub locked: Amount,
    /// What is announced for withdrawal.
    pub leaving: Amount,
    /// When it may be taken, in seconds; 0 if nothing is announced.
    pub leaves_at: u64,
    /// The number that its next call must have.
    pub next_call: u64,
    /// Its reports that are not closed.
    pub reports: Vec<WatcherReport>,
}

/// A report that is not closed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct WatcherReport {
    /// Its number.
    pub report: u64,
    /// When it was committed to, in seconds.
    pub committed: u64,
    /// Hash of the report and its salt.
    pub commitment: Hash,
    /// `sealed`, `open` or `frozen`.
    pub stage: String,
    /// The account that it is about, once it is open.
    pub subject: Option<Index>,
    /// What it locks.
    pub bond: Amount,
    /// When it ends by itself, in seconds.
    pub ends: u64,
}

/// Watchers by their accounts, in order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Watchers {
    /// The watchers.
    pub watchers: Vec<Watcher>,
}

/// A watcher's call. What is signed stands in the protocol, section 15.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct WatcherRequest {
    /// The watcher's account.
    pub account: Index,
    /// Number of the call among this watcher's, from 0.
    pub number: u64,
    /// What is asked for.
    pub call: WatcherCall,
    /// The account's exit address.
    #[cfg_attr(feature = "schema", schema(value_type = String, pattern = "^0x[0-9a-fA-F]{40}$"))]
    pub exit: Address,
    /// The account's key.
    #[cfg_attr(feature = "schema", schema(value_type = String, pattern = "^0x[0-9a-f]{128}$"))]
    pub key: PublicKey,
    /// Its signature.
    #[cfg_attr(feature = "schema", schema(value_type = String, pattern = "^0x[0-9a-f]{192}$"))]
    pub signature: Signature,
}

/// What a watcher asks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
pub enum WatcherCall {
    /// Takes the hash of a report, which stays sealed.
    Commit {
        /// Hash of the report and its salt.
        commitment: Hash,
    },
    /// Opens a report.
    Reveal {
        /// Its number.
        report: u64,
        /// The account that it is about.
        subject: Index,
        /// Whether it asks for a freeze, and answers for it.
        asks_freeze: bool,
        /// Hash of the evidence.
        evidence: Hash,
        /// What made the commitment unguessable.
        salt: Hash,
    },
    /// Announces that a part of the stake is to leave.
    Leave {
        /// How much.
        amount: Amount,
    },
    /// Takes what was announced.
    Withdraw {},
}

impl From<Call> for WatcherCall {
    fn from(call: Call) -> Self {
        match call {
            Call::Commit { commitment } => Self::Commit { commitment: Hash(commitment) },
            Call::Reveal { report, subject, asks_freeze, evidence, salt } => Self::Reveal {
                report,
                subject,
                asks_freeze,
                evidence: Hash(evidence),
                salt: Hash(salt),
            },
            Call::Leave { amount } => Self::Leave { amount: Amount(amount) },
            Call::Withdraw => Self::Withdraw {},
        }
    }
}

impl From<WatcherCall> for Call {
    fn from(call: WatcherCall) -> Self {
        match call {
            WatcherCall::Commit { commitment } => Self::Commit { commitment: commitment.0 },
            WatcherCall::Reveal { report, subject, asks_freeze, evidence, salt } => {
                Self::Reveal { report, subject, asks_freeze, evidence: evidence.0, salt: salt.0 }
            }
            WatcherCall::Leave { amount } => Self::Leave { amount: amount.0 },
            WatcherCall::Withdraw {} => Self::Withdraw,
        }
    }
}

impl From<SignedCall> for WatcherRequest {
    fn from(signed: SignedCall) -> Self {
        let SignedCall { account, number, call, exit, key, signature } = signed;
        Self { account, number, call: call.into(), exit, key, signature }
    }
}

impl From<WatcherRequest> for SignedCall {
    fn from(request: WatcherRequest) -> Self {
        let WatcherRequest { account, number, call, exit, key, signature } = request;
        Self { account, number, call: call.into(), exit, key, signature }
    }
}

/// What became of a call. It is on disk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct WatcherAnswer {
    /// Number of its entry in the log of findings: its place in the order.
    pub entry: u64,
    /// When it was taken, in seconds.
    pub at: u64,
    /// The report that was committed to.
    pub report: Option<u64>,
    /// What is paid because of it.
    pub payments: Vec<RewardPayment>,
    /// What became of a freeze that was asked for.
    pub freeze: Option<String>,
}

/// Money that the operator uses.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FundRequest {
    /// How much goes into the pool, in the smallest unit.
    pub amount: Amount,
}

/// An event that the operator confirms.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConfirmRequest {
    /// The account that attacked.
    pub subject: Index,
    /// What that brought in, of the money that came in and is not used yet.
    pub amount: Amount,
}

#[cfg(test)]
mod tests {
    use bastion_protocol::keys::SecretKey;
    use bastion_protocol::watcher::Registry;
    use bastion_protocol::Fr;

    use super::*;

    #[test]
    fn a_request_is_the_signed_call() {
        let key = SecretKey::from_seed(b"a watcher");
        let reveal = Call::Reveal {
            report: 7,
            subject: 8,
            asks_freeze: true,
            evidence: [1; 32],
            salt: [2; 32],
        };
        for call in [
            Call::Commit { commitment: [3; 32] },
            reveal,
            Call::Leave { amount: 5 },
            Call::Withdraw,
        ] {
            let registry = Registry { domain: Fr::from(4_u64), id: [5; 32] };
            let signed = SignedCall::sign((9, Address([1; 20])), 2, call, &key, &registry);
            let request = WatcherRequest::from(signed);
            let text = serde_json::to_string(&request).unwrap();
            assert_eq!(text, serde_json::to_string(&signed).unwrap());
            let read: WatcherRequest = serde_json::from_str(&text).unwrap();
            assert_eq!(SignedCall::from(read), signed);
        }
    }
}
