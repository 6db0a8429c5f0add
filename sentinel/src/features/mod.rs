//! The named values that rules' conditions are about. All are integers.

mod cost;
mod parts;
mod paths;
mod view;

pub use view::{Scores, View};

/// Raised when a feature's value changes for the same operations. It is part of the version of every set of
/// rules, and so of every verdict: verdicts of one version are made again bit for bit.
pub const MEANING: u32 = 2;

macro_rules! features {
    ($($(#[doc = $doc:literal])+ $variant:ident = $name:literal,)*) => {
        /// A named value of an operation.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Feature {
            $($(#[doc = $doc])+ $variant,)*
        }

        impl Feature {
            /// All, in the order of their definition.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// Its name in conditions.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }

            /// What it is, in one sentence.
            #[must_use]
            pub fn meaning(self) -> &'static str {
                match self {
                    $(Self::$variant => concat!($($doc),+),)*
                }
            }
        }
    };
}

features! {
    /// The kind: compare it with `deposit`, `deposit_new`, `forced_exit`, `forced_exit_noop`, `transfer`, `transfer_new`, `withdraw`, `change_key`, `freeze`, `unfreeze`.
    Kind = "kind",
    /// The token's number.
    Token = "token",
    /// What moves, in the token's smallest unit.
    Amount = "amount",
    /// The fee.
    Fee = "fee",
    /// The fee in thousandths of the amount.
    FeeShare = "fee_share",
    /// Balance of the acting account before.
    Balance = "balance",
    /// Nonce of the acting account before.
    Nonce = "nonce",
    /// What is sent, in thousandths of the balance before.
    OutShare = "out_share",
    /// Zeros at the end of the amount.
    RoundDigits = "round_digits",
    /// Hour of the day, UTC.
    Hour = "hour",
    /// 1 if the acting account is frozen.
    Frozen = "frozen",
    /// 1 if it is a withdrawal to the account's own exit address.
    ToOwnExit = "to_own_exit",
    /// What accounts hold afterwards without anything to back it.
    Minted = "minted",
    /// Seconds that the bridge limiter holds an exit.
    ReleaseDelay = "release_delay",
    /// How full the limiter's burst is afterwards, in thousandths (1000: the next exit waits).
    LimiterUse = "limiter_use",
    /// What moves, in thousandths of all that accounts hold of the token.
    ShareOfToken = "share_of_token",
    /// Seconds since the acting account was first seen; for one older than the screener, since then.
    Age = "age",
    /// Seconds since its key last changed or sent at least 1 % of the balance, a spell of that aside which began within the last hour; the age if it never did.
    Idle = "idle",
    /// Seconds since its last deposit; a very large number if there was none.
    SinceDeposit = "since_deposit",
    /// Seconds since it last got something from another account; a very large number if never.
    SinceReceived = "since_received",
    /// Seconds since its key changed; a very large number if never.
    SinceKeyChange = "since_key_change",
    /// Seconds since it was last frozen; a very large number if never.
    SinceFreeze = "since_freeze",
    /// How often it was frozen before.
    Freezes = "freezes",
    /// Operations that its key signed before.
    Signed = "signed",
    /// log2 of the amount, less its usual one, in sixteenths; 0 without one.
    AmountVsOwn = "amount_vs_own",
    /// log2 of the amount, less the token's usual one, in sixteenths; 0 without one.
    AmountVsToken = "amount_vs_token",
    /// log2 of the fee, less the token's usual one, in sixteenths; 0 without one.
    FeeVsToken = "fee_vs_token",
    /// Operations of the token that were signed before.
    TokenSigned = "token_signed",
    /// Deposits of the token before.
    TokenDeposits = "token_deposits",
    /// Share of its operations around this hour of the day, in thousandths.
    HourShare = "hour_share",
    /// How far the balance afterwards is below its peak, in thousandths.
    PeakLoss = "peak_loss",
    /// Accounts that made one another until this one, each within a day.
    Generation = "generation",
    /// Accounts that got at least half of their balance from another account and passed most of it on within an hour, one after another until the receiver.
    Chain = "chain",
    /// 1 if it paid this receiver or address at least a day ago, or at least an hour ago and at least 1 % of this amount, as far as its last 32 payments tell.
    Known = "known",
    /// Payments and exits in the window, this one included; at most 33.
    OutCount = "out_count",
    /// Distinct receivers in the window, this one included.
    OutPeers = "out_peers",
    /// What left in the window, in thousandths of that and the balance afterwards.
    OutWindowShare = "out_window_share",
    /// Payments of exactly this amount in the window, this one included.
    SameAmount = "same_amount",
    /// Payments in the window with at least three zeros at the end, this one included.
    RoundCount = "round_count",
    /// Payments to this receiver in the window, this one included.
    ToPeer = "to_peer",
    /// Exits in the window, this one included.
    ExitCount = "exit_count",
    /// Receipts and deposits of the acting account in the window.
    InCount = "in_count",
    /// Distinct senders to the acting account in the window.
    InPeers = "in_peers",
    /// Payments of the receiver to the acting account in the window.
    FromPeer = "from_peer",
    /// Length of the shortest circle of payments in the window that this one closes; 0 for none up to 4.
    Cycle = "cycle",
    /// 1 if the receiver is new with this operation.
    ReceiverNew = "receiver_new",
    /// Seconds since the receiver was first seen.
    ReceiverAge = "receiver_age",
    /// The receiver's balance before.
    ReceiverBalance = "receiver_balance",
    /// Payments to the receiver in the window, this one included; at most 33.
    ReceiverInCount = "receiver_in_count",
    /// Distinct senders to the receiver in the window, this one included.
    ReceiverInPeers = "receiver_in_peers",
    /// Payments that the receiver made before.
    ReceiverSigned = "receiver_signed",
    /// Receiver that looks like one the account paid: 1 by digits of its index that are swapped, 2 by its exit address, 3 an L1 address.
    Lookalike = "lookalike",
    /// 1 if the sender's exit address looks like one that the receiver paid.
    Poison = "poison",
    /// Seconds since the L1 address was first withdrawn to; 0 for a new one.
    TargetAge = "target_age",
    /// 1 unless something was withdrawn to the L1 address at least a day ago, or at least an hour ago and at least 1 % of this amount.
    TargetNew = "target_new",
    /// Distinct accounts that withdrew to the L1 address in the window, this one included.
    TargetSenders = "target_senders",
    /// Taint of the acting account, in thousandths.
    Taint = "taint",
    /// Hops of its taint from a flagged source; 0 for the source and without taint.
    TaintHops = "taint_hops",
    /// 1 if the acting account is flagged.
    Flagged = "flagged",
    /// 1 if the receiver or the L1 address is flagged.
    ToFlagged = "to_flagged",
    /// Forced exits of the network in the window.
    NetForcedExits = "net_forced_exits",
    /// Freezes of the network in the window, this one included.
    NetFreezes = "net_freezes",
    /// Key changes of the network in the window, this one included.
    NetKeyChanges = "net_key_changes",
    /// Accounts made in the network in the window, this one included.
    NetNewAccounts = "net_new_accounts",
    /// What left of the token in the window with this, in thousandths of that and what accounts hold.
    NetExitShare = "net_exit_share",
    /// How unusual the half-space trees find it: share of earlier operations with a lower score, in parts per million; 0 while they learn.
    HalfSpace = "half_space",
    /// The same by the robust averages.
    Robust = "robust",
}

impl Feature {
    /// The feature with a name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|f| f.name() == name)
    }

    /// Whether its value depends on the rule's window.
    #[must_use]
    pub fn has_window(self) -> bool {
        self.meaning().contains("the window")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_every_feature_has_a_meaning() {
        for (i, feature) in Feature::ALL.iter().enumerate() {
            assert_eq!(Feature::ALL.iter().position(|f| f.name() == feature.name()), Some(i));
            assert_eq!(Feature::named(feature.name()), Some(*feature));
            assert!(feature.meaning().trim().ends_with('.'), "{feature:?}");
        }
        assert!(Feature::OutCount.has_window() && !Feature::Amount.has_window());
        assert_eq!(Feature::named("no_such"), None);
    }

    /// The list for authors of rules is complete.
    #[test]
    fn the_readme_lists_all() {
        let readme = include_str!("../../README.md");
        for feature in Feature::ALL {
            let line = format!("| `{}` | {} |", feature.name(), feature.meaning().trim());
            assert!(readme.contains(&line), "sentinel/README.md lacks the line\n{line}");
        }
    }
}
