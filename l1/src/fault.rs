//! Why a node refuses a signed transaction. The protocol has no codes for it, so the words of anvil,
//! geth, reth and their relatives decide.

use crate::error::L1Error;
use crate::nonce::NonceFault;

/// What is wrong with a transaction, in a node's view.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SendFault {
    /// Nothing: the node has it already.
    #[error("the node knows it already")]
    Known,
    /// Its nonce.
    #[error(transparent)]
    Nonce(NonceFault),
    /// The node has one with the same nonce, and this one does not pay enough more.
    #[error("it pays too little to replace the one with its nonce")]
    Underpriced,
    /// It pays less than the node takes at all.
    #[error("it pays less than the node takes")]
    TooCheap,
    /// The account cannot pay for it.
    #[error("the account cannot pay for it")]
    Funds,
    /// Its fee cap is below the base fee.
    #[error("its fee cap is below the base fee")]
    BelowBaseFee,
    /// The account has a transaction of the other kind, with or without blobs, in the node's pool.
    #[error("the account has a transaction of the other kind, with or without blobs, waiting")]
    Reserved,
    /// The node's pool takes no more, of this account or at all.
    #[error("the node's pool is full")]
    Full,
}

/// In this order: what names one fault precisely comes before what may be part of another's words.
const WORDS: [(SendFault, &[&str]); 7] = [
    (
        SendFault::Known,
        &["already known", "already imported", "already in mempool", "alreadyknown"],
    ),
    (
        SendFault::Underpriced,
        &[
            "replacement transaction underpriced",
            "insufficient gas price to replace",
            "could not replace existing",
            "replacement fee too low",
            "future transaction tries to replace pending",
            "replacementnotallowed",
        ],
    ),
    (SendFault::Funds, &["insufficient funds", "insufficientfunds", "insufficient balance"]),
    (
        SendFault::BelowBaseFee,
        &[
            "max fee per gas less than block base fee",
            "fee cap less than block base fee",
            "max fee per gas less than base fee",
            "feecap too low",
            "max fee per blob gas less than block blob gas fee",
            "blob gas fee cap",
        ],
    ),
    (SendFault::Reserved, &["already reserved"]),
    (
        SendFault::Full,
        &[
            "txpool is full",
            "transaction pool is full",
            "account limit exceeded",
            "in-flight transaction limit",
        ],
    ),
    (SendFault::TooCheap, &["underpriced", "gas tip cap", "below minimum required priority fee"]),
];

impl SendFault {
    /// The fault that a node's words name, if they name one.
    pub fn of(message: &str) -> Option<Self> {
        if let Some(fault) = NonceFault::of(message) {
            return Some(Self::Nonce(fault));
        }
        let message = message.to_lowercase();
        let says = |words: &[&str]| words.iter().any(|word| message.contains(word));
        WORDS.into_iter().find(|(_, words)| says(words)).map(|(fault, _)| fault)
    }

    /// The fault that a refusal names, if it is one.
    pub fn of_error(error: &L1Error) -> Option<Self> {
        match error {
            L1Error::Refused { message, .. } => Self::of(message),
            L1Error::Nonce { fault, .. } => Some(Self::Nonce(*fault)),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOW: Option<SendFault> = Some(SendFault::Nonce(NonceFault::TooLow));
    const HIGH: Option<SendFault> = Some(SendFault::Nonce(NonceFault::TooHigh));
    const GAP: Option<SendFault> = Some(SendFault::Nonce(NonceFault::Gap));

    /// The words stand in the sources of the clients.
    #[test]
    fn the_words_of_anvil_geth_and_reth_are_understood() {
        const HASH: &str = "0x2d5b2c6d0bfb3f7a8c4c4b1d6a1d0a11c0ffee00c0ffee00c0ffee00c0ffee00";
        for (client, words, fault) in [
            ("anvil", "Tx: [{}] already Imported", Some(SendFault::Known)),
            ("anvil", "transaction already imported", Some(SendFault::Known)),
            ("anvil", "nonce too low", LOW),
            ("anvil", "Nonce too high", HIGH),
            (
                "anvil",
                "Tx: [{}] insufficient gas price to replace existing transaction",
                Some(SendFault::Underpriced),
            ),
            ("anvil", "replacement transaction underpriced", Some(SendFault::Underpriced)),
            ("anvil", "Insufficient funds for gas * price + value", Some(SendFault::Funds)),
            ("anvil", "insufficient funds for transfer", Some(SendFault::Funds)),
            ("anvil", "max fee per gas less than block base fee", Some(SendFault::BelowBaseFee)),
            ("geth", "already known", Some(SendFault::Known)),
            ("geth", "nonce too low: next nonce 7, tx nonce 5", LOW),
            ("geth", "nonce too high: tx nonce 9, gapped nonce 7", GAP),
            ("geth", "nonce too high: address 0x00, tx: 9 state: 7", HIGH),
            ("geth", "gapped-nonce tx from delegated accounts", GAP),
            ("geth", "replacement transaction underpriced", Some(SendFault::Underpriced)),
            (
                "geth",
                "replacement transaction underpriced: new tx gas fee cap 5 < 6 queued",
                Some(SendFault::Underpriced),
            ),
            ("geth", "future transaction tries to replace pending", Some(SendFault::Underpriced)),
            ("geth", "transaction underpriced: gas tip cap 0, minimum needed 1", Some(SendFault::TooCheap)),
            (
                "geth",
                "insufficient funds for gas * price + value: balance 1, tx cost 2, overshot 1",
                Some(SendFault::Funds),
            ),
            (
                "geth",
                "max fee per gas less than block base fee: address 0x00, maxFeePerGas: 1, baseFee: 7",
                Some(SendFault::BelowBaseFee),
            ),
            ("geth", "fee cap less than block base fee", Some(SendFault::BelowBaseFee)),
            (
                "geth",
                "max fee per blob gas less than block blob gas fee: address 0x00 blobGasFeeCap: 1, blobBaseFee: 7",
                Some(SendFault::BelowBaseFee),
            ),
            ("geth", "address already reserved", Some(SendFault::Reserved)),
            ("geth", "txpool is full", Some(SendFault::Full)),
            ("geth", "account limit exceeded: pooled 64 txs", Some(SendFault::Full)),
            ("reth", "already known", Some(SendFault::Known)),
            ("reth", "nonce too low: next nonce 7, tx nonce 5", LOW),
            ("reth", "nonce too high", HIGH),
            ("reth", "replacement transaction underpriced", Some(SendFault::Underpriced)),
            ("reth", "insufficient funds for gas * price + value: have 1 want 2", Some(SendFault::Funds)),
            ("reth", "max fee per gas less than block base fee", Some(SendFault::BelowBaseFee)),
            (
                "reth",
                "transaction priority fee below minimum required priority fee 1",
                Some(SendFault::TooCheap),
            ),
            ("reth", "txpool is full", Some(SendFault::Full)),
            ("all", "execution reverted", None),
            ("all", "intrinsic gas too low", None),
            ("all", "unknown transaction type", None),
        ] {
            let words = words.replace("{}", HASH);
            assert_eq!(SendFault::of(&words), fault, "{client}: {words}");
        }
    }
}
