//! What values cost, as far as they are not at hand.

use super::Feature;

impl Feature {
    /// What its value costs for one operation, in looks at the 32 movements of an account; 0 if it is at
    /// hand.
    #[must_use]
    pub fn cost(self) -> u32 {
        match self {
            // Up to 64 accounts.
            Self::Cycle => 64,
            // A sum of up to 1,440 minutes, and one of two kinds.
            Self::NetForcedExits | Self::NetFreezes | Self::NetKeyChanges => 32,
            Self::NetNewAccounts => 64,
            // Each movement is compared with the others.
            Self::OutPeers | Self::InPeers | Self::ReceiverInPeers | Self::TargetSenders => 4,
            Self::Known
            | Self::OutCount
            | Self::OutWindowShare
            | Self::SameAmount
            | Self::RoundCount
            | Self::ToPeer
            | Self::ExitCount
            | Self::InCount
            | Self::FromPeer
            | Self::ReceiverInCount
            | Self::Lookalike
            | Self::Poison
            | Self::TargetNew
            | Self::NetExitShare => 1,
            Self::Kind
            | Self::Token
            | Self::Amount
            | Self::Fee
            | Self::FeeShare
            | Self::Balance
            | Self::Nonce
            | Self::OutShare
            | Self::RoundDigits
            | Self::Hour
            | Self::Frozen
            | Self::ToOwnExit
            | Self::Minted
            | Self::ReleaseDelay
            | Self::LimiterUse
            | Self::ShareOfToken
            | Self::Age
            | Self::Idle
            | Self::SinceDeposit
            | Self::SinceReceived
            | Self::SinceKeyChange
            | Self::SinceFreeze
            | Self::Freezes
            | Self::Signed
            | Self::AmountVsOwn
            | Self::AmountVsToken
            | Self::FeeVsToken
            | Self::TokenSigned
            | Self::TokenDeposits
            | Self::HourShare
            | Self::PeakLoss
            | Self::Generation
            | Self::Chain
            | Self::ReceiverNew
            | Self::ReceiverAge
            | Self::ReceiverBalance
            | Self::ReceiverSigned
            | Self::TargetAge
            | Self::Taint
            | Self::TaintHops
            | Self::Flagged
            | Self::ToFlagged
            | Self::HalfSpace
            | Self::Robust => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_looks_over_a_window_is_not_free() {
        for feature in Feature::ALL {
            assert!(!feature.has_window() || feature.cost() > 0, "{feature:?}");
        }
    }
}
