//! Blocks, events and calls, as both kinds of L1 tell of them.

use alloy::primitives::{address, Address, Bytes, LogData, B256, U256};

/// First development account of anvil and hardhat: deploys and operates on development chains.
pub const DEV_OPERATOR: Address = address!("f39Fd6e51aad88F6F4ce6aB8827279cffFb92266");
/// Chain id of anvil and hardhat.
pub const DEV_CHAIN_ID: u64 = 31_337;
/// Chain ids of development chains: anvil and hardhat, ganache.
pub const DEV_CHAIN_IDS: [u64; 2] = [DEV_CHAIN_ID, 1_337];

/// A block of one chain, such as the one as of which history is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pin {
    /// Its number.
    pub number: u64,
    /// Its hash.
    pub hash: B256,
    /// Its time, in seconds.
    pub time: u64,
}

/// Something that a contract logged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// The contract.
    pub address: Address,
    /// What it logged.
    pub data: LogData,
    /// The transaction.
    pub transaction: B256,
    /// Place among the logs of its block.
    pub index: u64,
    /// Its block.
    pub block: Pin,
}

/// Whom a transaction called, and with what; other contracts may have passed the call on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Called {
    /// The contract, if none was created.
    pub to: Option<Address>,
    /// The calldata.
    pub input: Bytes,
}

/// A call before it is a transaction: without nonce and fees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// Who makes it.
    pub from: Address,
    /// Whom it calls; `None` creates a contract.
    pub to: Option<Address>,
    /// What it brings, in wei.
    pub value: U256,
    /// Its calldata, or the contract's creation code.
    pub input: Bytes,
    /// Versioned hashes of the blobs that it carries.
    pub blobs: Vec<B256>,
}

/// What became of a transaction that is in a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Receipt {
    /// Its hash.
    pub transaction: B256,
    /// Number of the block.
    pub block: u64,
    /// Hash of the block.
    pub block_hash: B256,
    /// Whether it had its effect.
    pub succeeded: bool,
    /// The gas that it used.
    pub gas_used: u64,
    /// What it paid for each gas, in wei.
    pub gas_price: u128,
    /// What it paid for its blobs, in wei.
    pub blob_cost: U256,
}

/// What others pay for gas, in wei.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Market {
    /// The base fee of the next block.
    pub base_fee: u128,
    /// The 20th percentile of the tips in each of the last ten blocks, of which the median.
    pub tip: u128,
    /// The fee for each unit of the gas of blobs in the next block; 0 where there are no blobs.
    pub blob_fee: u128,
}

/// Which block.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum At {
    /// The last finalized block, on development chains the latest.
    #[default]
    Settled,
    /// The latest block: what it holds may still change.
    Latest,
    /// The last block that the node calls safe.
    Safe,
    /// The last block that the node calls finalized.
    Finalized,
    /// A block by its number.
    Number(u64),
}

impl std::str::FromStr for At {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "latest" => Ok(Self::Latest),
            "safe" => Ok(Self::Safe),
            "finalized" => Ok(Self::Finalized),
            number => {
                let hex = number.strip_prefix("0x").map(|d| u64::from_str_radix(d, 16));
                let number = hex.unwrap_or_else(|| number.parse());
                let number = number.map_err(|_| "give latest, safe, finalized or a block's number");
                Ok(Self::Number(number?))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_named_in_words_or_by_number() {
        for (text, at) in [
            ("latest", At::Latest),
            ("safe", At::Safe),
            ("finalized", At::Finalized),
            ("12", At::Number(12)),
            ("0x12", At::Number(18)),
        ] {
            assert_eq!(text.parse::<At>(), Ok(at));
        }
        assert!("soon".parse::<At>().is_err() && "-1".parse::<At>().is_err());
    }
}
