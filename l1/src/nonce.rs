//! Why a node refuses the nonce of a transaction.

/// What is wrong with a nonce.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NonceFault {
    /// The account has used it already.
    #[error("its nonce is too low")]
    TooLow,
    /// Transactions before it are missing.
    #[error("its nonce is too high")]
    TooHigh,
    /// The node takes none that leaves a gap.
    #[error("its nonce leaves a gap")]
    Gap,
}

impl NonceFault {
    /// The fault that a node's words name, if they name one.
    pub fn of(message: &str) -> Option<Self> {
        let message = message.to_lowercase();
        let says = |words: &[&str]| words.iter().any(|word| message.contains(word));
        if says(&["nonce too low", "nonce is too low", "nonce already used"]) {
            Some(Self::TooLow)
        } else if says(&["nonce gap", "gapped nonce", "nonce-gap", "gapped-nonce"]) {
            Some(Self::Gap)
        } else if says(&["nonce too high", "nonce is too high", "nonce too far"]) {
            Some(Self::TooHigh)
        } else {
            None
        }
    }

    /// What helps.
    pub(crate) fn remedy(self) -> &'static str {
        match self {
            Self::TooLow => "another transaction took it; run again, which asks for the next one",
            Self::TooHigh | Self::Gap => {
                "an earlier transaction of the account is missing; wait for it, or send it again"
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_of_a_nonce_are_told_apart() {
        for (words, fault) in [
            ("nonce too low: next nonce 7, tx nonce 5", Some(NonceFault::TooLow)),
            ("Nonce too high", Some(NonceFault::TooHigh)),
            ("gapped-nonce tx from delegated accounts", Some(NonceFault::Gap)),
            ("insufficient funds", None),
        ] {
            assert_eq!(NonceFault::of(words), fault, "{words}");
        }
    }
}
