//! What L1 tells about a rollup: everything that an audit starts from.

use std::collections::BTreeMap;

use bastion_protocol::ops::Op;
use bastion_protocol::{field, Address, Fr, Header, Memo};

use crate::blob::PostedBlob;

/// A queue entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// A deposit or a forced exit.
    pub op: Op,
    /// L1 time of the request.
    pub time: u64,
}

/// A policy root that was put in force, from the event `PolicyChanged` of the governance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PolicyChange {
    /// The root.
    pub root: Fr,
    /// L1 time from which on it is in force.
    pub time: u64,
    /// Whether the governor tightened the policy before it (`PolicyTightened` of the same root stands
    /// before it in the same transaction), which needs no announcement.
    pub tightened: bool,
}

/// A change that the governor announced, from the events `PolicyAnnounced` and
/// `VerifierAnnounced`. Those that were cancelled are not in the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Announcement {
    /// What shall change.
    pub what: Announced,
    /// L1 time of the announcement.
    pub time: u64,
    /// L1 time from which on the change may be made.
    pub ready_at: u64,
}

/// What an announcement announces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Announced {
    /// A policy.
    Policy(Fr),
    /// A verifier for a circuit.
    Verifier {
        /// The circuit.
        circuit_id: [u8; 32],
        /// The verifier's contract.
        verifier: Address,
    },
}

/// A verifier that governance registered, from the event `VerifierAdded`. The first one of a history
/// is that of the deployment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Registration {
    /// The circuit whose proofs it verifies.
    pub circuit_id: [u8; 32],
    /// Its contract.
    pub verifier: Address,
    /// keccak256 of the contract's code.
    pub code: [u8; 32],
    /// L1 time of the registration.
    pub time: u64,
    /// L1 time at which the council removed it (`VerifierRemoved`).
    pub removed: Option<u64>,
}

/// keccak256 of the code that the contracts have on the chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Code {
    /// Of the rollup.
    pub rollup: [u8; 32],
    /// Of the governance that the rollup asks.
    pub governance: [u8; 32],
}

/// Counters of the rollup, read from the contract and not from events. What the events tell must
/// lead to the same numbers: a node that leaves events out is found by them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counters {
    /// `committed()`.
    pub committed: u64,
    /// `proven()`.
    pub proven: u64,
    /// `finalized()`.
    pub finalized: u64,
    /// `queueLength()`.
    pub queue: u64,
    /// `exodus()`.
    pub exodus: bool,
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
    /// L1 time of the call.
    pub time: u64,
}

/// A block, from the calldata and the events of L1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// Its header.
    pub header: Header,
    /// Posted bytes, those in calldata.
    pub data: Vec<u8>,
    /// The blobs with its L2 and owner records, in order; none if all its data are in calldata.
    pub blobs: Vec<PostedBlob>,
    /// What the operator claimed with its commit, if anything.
    pub memo: Option<Memo>,
    /// L1 time of the commit.
    pub committed_at: u64,
    /// Root of its exits, as the contract announced it.
    pub exit_root: [u8; 32],
    /// keccak256 of its public inputs, which the contract's record binds together with `exit_root`.
    pub inputs_hash: [u8; 32],
    /// Queue entries processed after it, as the contract announced it.
    pub processed: u64,
    /// The proof, if it was proven.
    pub proving: Option<Proving>,
    /// The root that the contract announced as finalized.
    pub finalized: Option<Fr>,
    /// L1 time at which it became final.
    pub finalized_at: Option<u64>,
}

/// What the operator claimed with a commit that was taken back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OldMemo {
    /// Number of the block that was taken back.
    pub block: u64,
    /// L1 time of the commit.
    pub committed_at: u64,
    /// The claim: that the block is gone does not take it back.
    pub memo: Memo,
}

/// How exodus began, from the event `ExodusBegan`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExodusBegan {
    /// Number of the last final block, as the contract announced it.
    pub block: u64,
    /// The root under which accounts leave, as the contract announced it.
    pub root: Fr,
    /// L1 time.
    pub time: u64,
}

/// A payment that its receiver refused (`Owed`), or that was collected later (`Collected`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Due {
    /// To whom it is owed.
    pub account: Address,
    /// Token.
    pub token: u16,
    /// Amount.
    pub amount: u128,
}

/// A claimed exit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Claim {
    /// Number of the block, from 1.
    pub block: u64,
    /// Header that the block of that number had when it was paid; an alarm may have taken it back
    /// since. `None` if there was no such block.
    pub header: Option<Header>,
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

/// An alarm: two accepted proofs that contradict each other (the event `Alarmed`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Alarm {
    /// Number of the block in doubt.
    pub block: u64,
    /// L1 time.
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
    /// L1 time.
    pub time: u64,
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

/// The history of one contract, as L1 tells it at one of its blocks: events, calldata and the values
/// of the contract at that block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct History {
    /// Chain id.
    pub chain_id: u64,
    /// The contract.
    pub contract: Address,
    /// The governance that the contract asks.
    pub governance: Address,
    /// L1 time of the block at which everything was read.
    pub time: u64,
    /// Code of rollup and governance.
    pub code: Code,
    /// Its genesis root.
    pub genesis: Fr,
    /// Time of genesis (`time` of block 0).
    pub genesis_time: u64,
    /// Policies that were put in force, in order; the last one still is in force.
    pub policies: Vec<PolicyChange>,
    /// What the governor announced, in order.
    pub announcements: Vec<Announcement>,
    /// Every verifier that was ever registered, in order.
    pub verifiers: Vec<Registration>,
    /// Root that it finalized last.
    pub state_root: Fr,
    /// Counters of the contract.
    pub counters: Counters,
    /// Queue entries in order.
    pub queue: Vec<Entry>,
    /// Blocks in order, without those that were taken back: unproven ones, or by an alarm.
    pub blocks: Vec<Block>,
    /// How often commits were taken back: the epoch of receipts (protocol section 13.3).
    pub reverts: u32,
    /// Memos of commits that were taken back, in the order of the commits.
    pub old_memos: Vec<OldMemo>,
    /// Claims in order.
    pub claims: Vec<Claim>,
    /// Alarms in order.
    pub alarms: Vec<Alarm>,
    /// How exodus began, if it has; an alarm in exodus takes it further back, and then this is what
    /// the last event says.
    pub exodus: Option<ExodusBegan>,
    /// Accounts that left in exodus, in order.
    pub departures: Vec<Departure>,
    /// Deposits that exodus gave back, in order.
    pub refunds: Vec<Refund>,
    /// Payments that their receivers refused, in order; each is also a claim, departure or refund.
    pub owed: Vec<Due>,
    /// Owed payments that were collected, in order.
    pub collected: Vec<Due>,
    /// What the contract holds by its books (`held`), of every registered token, 0 (ETH) included.
    pub held: BTreeMap<u16, u128>,
}

impl History {
    /// What signatures and proofs bind of chain and contract.
    pub fn domain(&self) -> Fr {
        bastion_protocol::header::domain(self.chain_id, self.contract)
    }
}

/// An element from an EVM word, if it is below the modulus.
pub fn element(word: &[u8; 32]) -> Option<Fr> {
    field::from_bytes("word", word).ok()
}
