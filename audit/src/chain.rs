//! What L1 tells about a rollup: everything that an audit starts from.

use std::collections::BTreeMap;

use bastion_state::ops::Op;
use bastion_state::{field, Address, Fr};

/// Header of a committed block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// State root before.
    pub old_root: Fr,
    /// State root after.
    pub new_root: Fr,
    /// Policy.
    pub policy_root: Fr,
    /// Time.
    pub time: u64,
    /// Word chain over the data.
    pub c_out: Fr,
    /// Batches.
    pub batches: u32,
}

/// Arguments of the call that proved a block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proving {
    /// Circuit whose verifier was called.
    pub circuit_id: [u8; 32],
    /// Words of the accumulator.
    pub accumulator: Vec<Fr>,
    /// Public inputs; `None` if the block was settled in one call, which takes none.
    pub inputs: Option<Vec<Fr>>,
    /// The proof.
    pub proof: Vec<u8>,
}

/// A block, from the calldata and the events of L1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// Its header.
    pub header: Header,
    /// Posted bytes.
    pub data: Vec<u8>,
    /// Root of its exits, as the contract announced it.
    pub exit_root: [u8; 32],
    /// Queue entries processed after it, as the contract announced it.
    pub processed: u64,
    /// The proof, if it was proven.
    pub proving: Option<Proving>,
    /// The root that the contract announced as finalized.
    pub finalized: Option<Fr>,
}

/// A claimed exit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Claim {
    /// Number of the block, from 1.
    pub block: u64,
    /// Position among the block's exits.
    pub position: u64,
    /// Who was paid.
    pub to: Address,
    /// Token.
    pub token: u16,
    /// Amount.
    pub amount: u128,
    /// Time of the payment.
    pub time: u64,
}

/// An account that left in exodus.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Departure {
    /// Its index.
    pub index: u32,
    /// Who was paid.
    pub to: Address,
    /// Token.
    pub token: u16,
    /// Amount.
    pub amount: u128,
}

/// A deposit that exodus gave back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refund {
    /// Number of the queue entry, from 1.
    pub entry: u64,
    /// Who was paid.
    pub to: Address,
    /// Token.
    pub token: u16,
    /// Amount.
    pub amount: u128,
}

/// The history of one contract.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct History {
    /// Chain id.
    pub chain_id: u64,
    /// The contract.
    pub contract: Address,
    /// Its genesis root.
    pub genesis: Fr,
    /// Policy roots that were in force, in order; the last one still is.
    pub policy_roots: Vec<Fr>,
    /// Root that it finalized last.
    pub state_root: Fr,
    /// keccak256 of the code of every verifier it ever had, by circuit.
    pub verifiers: BTreeMap<[u8; 32], [u8; 32]>,
    /// Queue entries in order: deposits and forced exits.
    pub queue: Vec<Op>,
    /// Blocks in order, without those that were taken back.
    pub blocks: Vec<Block>,
    /// Claims in order.
    pub claims: Vec<Claim>,
    /// Last final block if exodus has begun.
    pub exodus: Option<u64>,
    /// Accounts that left in exodus, in order.
    pub departures: Vec<Departure>,
    /// Deposits that exodus gave back, in order.
    pub refunds: Vec<Refund>,
}

impl History {
    /// What signatures and proofs bind of chain and contract.
    pub fn domain(&self) -> Fr {
        bastion_state::data::domain(self.chain_id, self.contract)
    }
}

/// An element from an EVM word, if it is below the modulus.
pub fn element(word: &[u8; 32]) -> Option<Fr> {
    field::from_bytes("word", word).ok()
}
