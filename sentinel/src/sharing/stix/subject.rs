//! Whom intelligence is about: an account on a chain, or a wallet.

use std::fmt;

use bastion_protocol::Address;
use serde::{Deserialize, Serialize};

/// Letters of a wallet's address at most.
const MOST_WALLET: usize = 128;

/// Whom intelligence is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Subject {
    /// An address of 20 bytes, as Ethereum has them.
    Evm {
        /// The chain's number; none for every chain.
        chain: Option<u64>,
        /// The address.
        address: [u8; 20],
    },
    /// A wallet of another kind, by its text.
    Wallet(String),
}

impl Subject {
    /// An address on one chain.
    pub fn evm(chain: u64, address: Address) -> Self {
        Self::Evm { chain: Some(chain), address: address.0 }
    }

    /// A wallet by its text. One that looks like an address of Ethereum is that address on every chain.
    pub fn wallet(text: &str) -> Option<Self> {
        if let Some(address) = hex_address(text) {
            return Some(Self::Evm { chain: None, address });
        }
        let fits = (1..=MOST_WALLET).contains(&text.len());
        let plain =
            text.bytes().all(|c| c.is_ascii_alphanumeric() || matches!(c, b':' | b'_' | b'-'));
        (fits && plain).then(|| Self::Wallet(text.into()))
    }

    /// The address on every chain, for an address on one.
    pub(in crate::sharing) fn everywhere(&self) -> Option<Self> {
        match self {
            Self::Evm { chain: Some(_), address } => {
                Some(Self::Evm { chain: None, address: *address })
            }
            Self::Evm { chain: None, .. } | Self::Wallet(_) => None,
        }
    }
}

/// Reads `0x` and 40 digits. Capitals mean nothing here, not even EIP-55's.
pub(super) fn hex_address(text: &str) -> Option<[u8; 20]> {
    let digits = text.strip_prefix("0x")?;
    let mut address = [0; 20];
    hex::decode_to_slice(digits, &mut address).ok()?;
    Some(address)
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Evm { chain: Some(chain), address } => {
                write!(f, "0x{} on chain {chain}", hex::encode(address))
            }
            Self::Evm { chain: None, address } => write!(f, "0x{}", hex::encode(address)),
            Self::Wallet(text) => f.write_str(text),
        }
    }
}
