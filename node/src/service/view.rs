//! What the parts of a node show of themselves, for the API.

use std::collections::BTreeMap;
use std::sync::{Arc, RwLock};

use bastion_protocol::{Address, CircuitId, Policy};

/// What a node is, from its start to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// Chain id of L1.
    pub chain_id: u64,
    /// The rollup's contract.
    pub contract: Address,
    /// Whose signature receipts have.
    pub sequencer: Address,
    /// Name of the batch shape.
    pub shape: String,
    /// Numbers of batches that a block may have.
    pub batches: Vec<u32>,
    /// Circuit of the batches.
    pub batch_circuit: CircuitId,
    /// Circuits of the blocks, by number of batches.
    pub block_circuits: BTreeMap<u32, CircuitId>,
    /// Somebody may know the secret of the reference string.
    pub unsafe_dev_srs: bool,
    /// The policy in force at the start.
    pub policy: Policy,
}

/// A transaction that brought a block one step further.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TxInfo {
    /// Its hash.
    pub hash: [u8; 32],
    /// The L1 block that it is in.
    pub block: u64,
    /// Gas that it took.
    pub gas: u64,
    /// What it cost, in wei.
    pub wei: u128,
    /// Attempts that were sent.
    pub attempts: u32,
}

/// L1 as the settler saw it last.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct L1Status {
    /// Number of the latest block.
    pub block: u64,
    /// Its time, in seconds.
    pub time: u64,
    /// Whether the last look at L1 succeeded.
    pub synced: bool,
    /// Number of the last committed block of the rollup.
    pub committed: u64,
    /// Number of the last proven one.
    pub proven: u64,
    /// Number of the last finalized one.
    pub finalized: u64,
    /// Entries of the contract's queue.
    pub queue_on_l1: u64,
    /// Age of the first entry that no block has processed, in seconds.
    pub oldest_queue_seconds: u64,
    /// Price of gas, in wei.
    pub gas_price: u128,
    /// What the operator's account holds, in wei.
    pub balance_wei: u128,
    /// The policy that the next block takes, once the settler has looked.
    pub policy: Option<Policy>,
    /// What committed, proved and finalized each block, as far as this node sent it.
    pub transactions: BTreeMap<u64, [Option<TxInfo>; 3]>,
}

/// Shared by the settler, which writes it, and those who read.
pub type L1View = Arc<RwLock<L1Status>>;
