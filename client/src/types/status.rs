//! The node itself.

use bastion_protocol::{Address, Token};
use serde::{Deserialize, Serialize};

use super::text::Amount;

/// What a node is, from its start to its end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Version {
    /// Version of the program.
    pub version: String,
    /// Chain id of L1.
    pub chain_id: u64,
    /// The rollup's contract on L1.
    #[cfg_attr(feature = "schema", schema(value_type = String))]
    pub contract: Address,
    /// The address that receipts recover to.
    #[cfg_attr(feature = "schema", schema(value_type = String))]
    pub sequencer: Address,
    /// Name of the batch shape.
    pub shape: String,
    /// Batches of the largest block.
    pub batches_per_block: u32,
    /// Circuit of the batches.
    pub batch_circuit_id: String,
    /// Circuit of the largest block.
    pub block_circuit_id: String,
    /// Whether somebody may know the secret of the reference string: for development alone.
    pub unsafe_dev_srs: bool,
    /// Always `bastion`.
    pub page: String,
}

/// A fee that covers what an operation costs the operator. Nobody is bound to it: the operator takes
/// operations with any fee that his policy accepts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct FeeEstimate {
    /// The token in which the fee is paid.
    pub token: Token,
    /// `(l1_wei_per_transfer + proving_wei_per_transfer) x (1 + margin_percent / 100)`, in the token's
    /// smallest unit, rounded up to a fee that an operation can carry.
    pub suggested: Amount,
    /// Gas on L1 for each operation: the average of the last final blocks, 1000 before there are any.
    pub l1_gas_per_transfer: u64,
    /// Price of gas on L1, in wei.
    pub l1_gas_price: Amount,
    /// The product of both, in wei.
    pub l1_wei_per_transfer: Amount,
    /// What the operator says that proving costs, in wei for each operation.
    pub proving_wei_per_transfer: Amount,
    /// What the operator adds.
    pub margin_percent: u32,
}

/// What a node is doing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Status {
    /// The node's time.
    pub time: u64,
    /// Whether operations are accepted.
    pub accepting: bool,
    /// Whether the operator has paused the node.
    pub paused: bool,
    /// Whether the node ends when everything is final.
    pub draining: bool,
    /// Why nothing is accepted because too many proofs failed, if so.
    pub breaker: Option<String>,
    /// Operations in the node's log: those since genesis, or since it was rebuilt from L1.
    pub entries: u64,
    /// Batches.
    pub batches: BatchCounts,
    /// Blocks.
    pub blocks: BlockNumbers,
    /// The queue of operations that were asked for on L1.
    pub queue: Queue,
    /// Proving jobs.
    pub jobs: JobCounts,
    /// The workers that were ever heard of since the node's start.
    pub workers: Vec<Worker>,
    /// Age of the oldest block that is not final, 0 if all are.
    pub oldest_unfinished_seconds: u64,
    /// Over the last minute.
    pub operations_per_second: f64,
    /// What operations cost on L1.
    pub cost: Cost,
    /// L1 as the node sees it.
    pub l1: L1,
}

/// Batches since genesis.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct BatchCounts {
    /// How many take no more operations.
    pub closed: u64,
    /// How many have their root.
    pub sealed: u64,
}

/// Numbers of the last blocks that have come so far; 0 if none has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct BlockNumbers {
    /// The block that takes operations, if there is one; 0 otherwise.
    pub open: u64,
    /// The last sealed block.
    pub sealed: u64,
    /// The last block up to which all proofs hold.
    pub proven: u64,
    /// The last block whose data are on L1.
    pub committed: u64,
    /// The last block that is final on L1.
    pub finalized: u64,
}

/// The queue of operations that were asked for on L1.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Queue {
    /// Entries that the sequencer has taken.
    pub taken: u64,
    /// Entries on L1.
    pub on_l1: u64,
    /// Age of the first entry that no block has processed.
    pub oldest_seconds: u64,
}

/// Proving jobs by state.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct JobCounts {
    /// They wait for a worker, some after a failed attempt.
    pub queued: u64,
    /// A worker is at them.
    pub leased: u64,
    /// No attempt is left.
    pub failed: u64,
    /// Their proofs hold.
    pub done: u64,
}

/// A worker.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Worker {
    /// Its name.
    pub name: String,
    /// Whether it is at a job.
    pub busy: bool,
    /// Seconds since it was heard of.
    pub last_heard_seconds: u64,
}

/// What an operation costs on L1, from the last final blocks; null before there are any.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Cost {
    /// Gas.
    pub gas_per_operation: Option<u64>,
    /// Wei.
    pub wei_per_operation: Option<Amount>,
}

/// L1 as a node sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct L1 {
    /// Number of the latest block.
    pub block: u64,
    /// Price of gas, in wei.
    pub gas_price: Amount,
    /// What the operator's account holds, in wei.
    pub balance_wei: Amount,
    /// Whether the last look at L1 succeeded.
    pub synced: bool,
}

/// A node that is well.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Health {
    /// Always `ok`.
    pub status: String,
}
