//! Batches and blocks.

use serde::{Deserialize, Serialize};

use super::job::Job;
use super::text::{Amount, Element, Hash};

/// A batch: operations that one proof covers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Batch {
    /// Its number since genesis, from 0.
    pub number: u64,
    /// Its block.
    pub block: u64,
    /// Its number in the block, from 0.
    pub batch: u32,
    /// Its operations so far.
    pub operations: u32,
    /// Its first entry in the sequencer's log.
    pub first_entry: u64,
    /// State root before it, once it is sealed.
    pub old_root: Option<Element>,
    /// State root after it, once it is sealed.
    pub new_root: Option<Element>,
    /// Time of its block.
    pub time: u64,
    /// The job that proves it, once its block is sealed.
    pub job: Option<Job>,
}

/// Batches in order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Batches {
    /// The batches.
    pub batches: Vec<Batch>,
}

/// How far a block has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// It takes operations.
    Open,
    /// It takes no more, and its roots are computed.
    Sealing,
    /// Its batches are proven.
    Proving,
    /// The proof of the whole block is made.
    Aggregating,
    /// Its proof holds, and it is brought to L1.
    Settling,
    /// It is final on L1.
    Final,
}

impl Stage {
    /// All stages in order.
    pub const ALL: [Self; 6] =
        [Self::Open, Self::Sealing, Self::Proving, Self::Aggregating, Self::Settling, Self::Final];

    /// The stage in a word, as in JSON.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Sealing => "sealing",
            Self::Proving => "proving",
            Self::Aggregating => "aggregating",
            Self::Settling => "settling",
            Self::Final => "final",
        }
    }
}

/// A block: batches that are brought to L1 together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Block {
    /// Its number, from 1.
    pub number: u64,
    /// keccak256 of its sixteen public inputs, which the contract's record of it binds; null until it is sealed.
    pub hash: Option<Hash>,
    /// How far it has come.
    pub stage: Stage,
    /// Whether its data are on L1. Commitment and proof are made side by side.
    pub committed: bool,
    /// Whether its proof holds.
    pub proven: bool,
    /// Its batches so far.
    pub batches: u32,
    /// Its operations so far.
    pub operations: u64,
    /// Bytes that it posts, 0 until it is sealed.
    pub data_bytes: u64,
    /// The time that its operations see.
    pub time: u64,
    /// State root before it, once it is sealed.
    pub old_root: Option<Element>,
    /// State root after it, once it is sealed.
    pub new_root: Option<Element>,
    /// When its first operation came.
    pub opened_at: u64,
    /// When it was final on L1.
    pub finalized_at: Option<u64>,
    /// Its transactions on L1, as far as this node knows them.
    pub transactions: Transactions,
    /// Gas of its transactions for each operation, once all three are there.
    pub gas_per_operation: Option<u64>,
    /// What they cost for each operation, in wei.
    pub wei_per_operation: Option<Amount>,
}

/// Blocks, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Blocks {
    /// The blocks.
    pub blocks: Vec<Block>,
}

/// The transactions that bring a block to L1.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Transactions {
    /// Posts its data.
    pub commit: Option<Tx>,
    /// Proves it.
    pub prove: Option<Tx>,
    /// Makes it final.
    pub finalize: Option<Tx>,
}

/// A transaction on L1.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = Transaction))]
pub struct Tx {
    /// Its hash.
    pub hash: Hash,
    /// Its block on L1.
    pub block: u64,
    /// Gas that it took.
    pub gas: u64,
    /// What it cost, in wei.
    pub wei: Amount,
    /// Attempts that were sent; all but one were replaced.
    pub attempts: u32,
}
