//! What a node's answers hold, as far as it is needed. Members that nobody asked for are skipped as they
//! are read and never kept: an answer takes at most a few times its length in memory, whatever a node
//! writes into it. alloy's own types keep such members, as values of many times their length.

use alloy::primitives::{Address, Bytes, B256, U256};
use serde::de::{Error as _, IgnoredAny};
use serde::{Deserialize, Deserializer};

/// A number as nodes write it: `0x` and hexadecimal digits. Unlike the numbers of libraries it takes no
/// other form, so that an empty answer is no zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Quantity(pub(super) U256);

impl<'de> Deserialize<'de> for Quantity {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let digits = text.strip_prefix("0x").filter(|digits| !digits.is_empty());
        let number = digits.and_then(|digits| U256::from_str_radix(digits, 16).ok());
        number.map(Self).ok_or_else(|| D::Error::custom(format!("no 0x number: `{text}`")))
    }
}

/// The same of at most 64 bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Small(pub(super) u64);

impl<'de> Deserialize<'de> for Small {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let small = u64::try_from(Quantity::deserialize(deserializer)?.0);
        small.map(Self).map_err(|_| D::Error::custom("a number of more than 64 bits"))
    }
}

/// A block that may not be mined yet, and then has neither number nor hash.
#[derive(Debug, Clone, Copy, Deserialize)]
pub(super) struct Time {
    pub(super) timestamp: Small,
}

/// A block of the chain.
#[derive(Debug, Clone, Copy, Deserialize)]
pub(super) struct Header {
    pub(super) number: Small,
    pub(super) hash: B256,
    pub(super) timestamp: Small,
}

/// A block with its transactions; it may be one that is not mined yet.
#[derive(Debug, Deserialize)]
pub(super) struct Filled {
    pub(super) transactions: Vec<Transaction>,
}

/// A transaction of any kind.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Transaction {
    pub(super) hash: B256,
    pub(super) from: Address,
    /// The contract, if none is created.
    pub(super) to: Option<Address>,
    pub(super) nonce: Small,
    pub(super) value: Quantity,
    pub(super) input: Bytes,
}

/// What became of a transaction.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Receipt {
    pub(super) transaction_hash: B256,
    /// 1 if it had its effect.
    pub(super) status: Small,
    pub(super) gas_used: Small,
    pub(super) contract_address: Option<Address>,
}

/// Where a transaction that was signed here ended up.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Mined {
    pub(super) transaction_hash: B256,
    pub(super) block_number: Small,
    pub(super) block_hash: B256,
    /// 1 if it had its effect.
    pub(super) status: Small,
    pub(super) gas_used: Small,
    pub(super) effective_gas_price: Quantity,
    /// Of transactions with blobs alone.
    #[serde(default)]
    pub(super) blob_gas_used: Option<Quantity>,
    #[serde(default)]
    pub(super) blob_gas_price: Option<Quantity>,
}

/// Fees of the last blocks.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct FeeHistory {
    /// One more than there are blocks: the last one is that of the next block.
    #[serde(default)]
    pub(super) base_fee_per_gas: Vec<Quantity>,
    /// The same of blobs; nodes of chains without them leave it out.
    #[serde(default)]
    pub(super) base_fee_per_blob_gas: Vec<Quantity>,
    /// A percentile of the tips in each block.
    #[serde(default)]
    pub(super) reward: Option<Vec<Vec<Quantity>>>,
}

/// What a block tells of its fees.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct BlockFees {
    pub(super) base_fee_per_gas: Option<Quantity>,
}

/// The logs in a receipt.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Logged {
    pub(super) block_number: Small,
    pub(super) logs: Vec<Log>,
}

/// A log; one of a block that is not mined yet has no place.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Log {
    pub(super) address: Address,
    pub(super) topics: Vec<B256>,
    pub(super) data: Bytes,
    pub(super) block_number: Option<Small>,
    pub(super) block_hash: Option<B256>,
    pub(super) transaction_hash: Option<B256>,
    pub(super) log_index: Option<Small>,
    #[serde(default)]
    pub(super) removed: bool,
}

/// A step of a transaction, in the form of `trace_transaction` and of geth's `flatCallTracer`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Trace {
    #[serde(rename = "type")]
    pub(super) kind: Step,
    pub(super) action: Action,
    /// There if it failed.
    pub(super) error: Option<IgnoredAny>,
    /// Its place in the tree of all calls.
    pub(super) trace_address: Vec<u32>,
}

/// Which kind of step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Step {
    /// A call.
    Call,
    /// A contract's creation.
    Create,
    /// A contract's end.
    #[serde(alias = "selfdestruct")]
    Suicide,
    /// Of a block, not of a transaction.
    Reward,
}

/// What a step does; all of it is there if it is a call.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Action {
    pub(super) call_type: Option<String>,
    pub(super) to: Option<Address>,
    pub(super) input: Option<Bytes>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_that_nobody_asked_for_are_skipped() {
        let word = format!("0x{}", "1".repeat(64));
        let address = format!("0x{}", "2".repeat(40));
        let many = format!("[{}0]", "0,".repeat(1_000));
        let log = format!(
            r#"{{"more":{many},"address":"{address}","topics":["{word}"],"data":"0x01","blockNumber":"0x5",
            "blockHash":"{word}","transactionHash":"{word}","logIndex":"0x0","removed":false}}"#
        );
        let log: Log = serde_json::from_str(&log).unwrap();
        assert_eq!((log.block_number, log.data.as_ref()), (Some(Small(5)), &[1][..]));
        let header = format!(
            r#"{{"more":{many},"number":"0x1","hash":"{word}","timestamp":"0x2","extraData":"0x"}}"#
        );
        let header: Header = serde_json::from_str(&header).unwrap();
        assert_eq!((header.number, header.timestamp), (Small(1), Small(2)));
        let trace = format!(
            r#"{{"type":"selfdestruct","action":{{"more":{many}}},"traceAddress":[0,1],"error":null}}"#
        );
        let trace: Trace = serde_json::from_str(&trace).unwrap();
        assert!(trace.kind == Step::Suicide && trace.error.is_none());
        let failed = r#"{"type":"call","action":{},"traceAddress":[],"error":"Reverted"}"#;
        assert!(serde_json::from_str::<Trace>(failed).unwrap().error.is_some());
        assert!(serde_json::from_str::<Trace>(&failed.replace("call", "jump")).is_err());
    }
}
