//! The audit: everything that L1 tells is checked, and the state is rebuilt from it.

mod contract;
mod money;

use std::collections::{BTreeSet, HashMap};

use bastion_protocol::data::BatchData;
use bastion_protocol::exits::{exit_root, exit_tree};
use bastion_protocol::queue::roll_queue;
use bastion_protocol::records::{L1Record, Section};
use bastion_protocol::{field, Fr, Policy, PublicInputs};
use serde::Serialize;

use bastion_protocol::times::MAX_CLOCK_LAG;

use crate::blob::{Data, DataFault};
use crate::chain::{Block, Code, History, Proving};
use crate::replay::Replay;
use crate::verifier::Verifier;

/// A circuit that the auditor trusts, from the manifest of its verifier.
pub struct Circuit<'a> {
    /// Its identity.
    pub id: [u8; 32],
    /// keccak256 of the code of its verifier's contract.
    pub code: [u8; 32],
    /// The verifier of its proofs.
    pub verifier: &'a Verifier,
}

/// What an audit expects of a rollup: the parts that L1 holds only a hash of.
pub struct Expectation<'a> {
    /// The published policies under which blocks may have been made.
    pub policies: &'a [Policy],
    /// The circuits whose proofs count.
    pub circuits: &'a [Circuit<'a>],
    /// keccak256 of the code that rollup and governance must have: the published code with the
    /// values of this deployment in the places of its immutables.
    pub code: Code,
    /// First block, from 1, whose proof is verified; those before were by an earlier audit.
    pub from: usize,
    /// Last block that is looked at; `None` for the last finalized one.
    pub to: Option<usize>,
}

/// Something that is not as it must be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What kind it is; stable, for programs.
    pub name: &'static str,
    /// The block, from 1, if it is of one.
    pub block: Option<usize>,
    /// What was found.
    pub what: String,
}

/// The result of an audit.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// Whether nothing was found.
    pub clean: bool,
    /// What was found.
    pub findings: Vec<Finding>,
    /// What is not wrong, but what whoever reads the report should know: such as a verifier that is
    /// registered, of a circuit that the auditor does not know, and has proven nothing.
    pub notices: Vec<Finding>,
    /// Finalized blocks that were checked.
    pub blocks: usize,
    /// Their batches.
    pub batches: u64,
    /// Block proofs that were verified.
    pub proofs: usize,
    /// Their operations.
    pub operations: u64,
    /// Accounts in the rebuilt state.
    pub accounts: usize,
    /// Queue entries not processed yet.
    pub queue_waiting: usize,
    /// Committed blocks that are not final yet. They were not checked.
    pub pending: usize,
    /// Root of the rebuilt state.
    pub root: String,
}

/// Audits the finalized blocks of a history. The state that they lead to comes with the report; it
/// is that of the last block before the first finding that stops the replay.
pub fn audit(history: &History, expected: &Expectation<'_>) -> (Report, Replay) {
    let finals = history.blocks.iter();
    let finalized = finals.take_while(|b| b.finalized.is_some()).count();
    let mut audit = Audit {
        history,
        expected,
        findings: Vec::new(),
        notices: Vec::new(),
        replay: Replay::new(),
        exits: Vec::new(),
        claimed: BTreeSet::new(),
        processed: 0,
        roll: [0; 32],
        policies: expected.policies.iter().map(|p| (p.root(), p)).collect(),
        finalized,
        proofs: 0,
    };
    audit.contract();
    let end = finalized.min(expected.to.unwrap_or(finalized));
    let mut root = audit.replay.root();
    if root != history.genesis {
        audit.find("genesis", None, "the genesis root is not that of the empty state");
    }
    let (mut batches, mut checked, mut time) = (0, 0, history.genesis_time);
    for (i, block) in history.blocks.iter().take(end).enumerate() {
        let number = i + 1;
        audit.header(number, block, &root, time);
        let Some(Data { batches: data, inputs }) = audit.data(number, block) else {
            break;
        };
        audit.proof(number, block, inputs);
        audit.queue(number, &data);
        batches += data.len() as u64;
        if !audit.execute(number, block, &data) {
            break;
        }
        (root, time) = (block.header.new_root, block.header.time);
        checked += 1;
    }
    audit.claims(checked);
    audit.exodus(checked);
    audit.owed();
    if checked == finalized {
        audit.vault();
    }
    let root = audit.replay.root();
    let report = Report {
        clean: audit.findings.is_empty(),
        findings: audit.findings,
        notices: audit.notices,
        blocks: checked,
        batches,
        proofs: audit.proofs,
        operations: audit.replay.operations,
        accounts: audit.replay.accounts().count(),
        queue_waiting: history.queue.len().saturating_sub(audit.processed),
        pending: history.blocks.len() - finalized,
        root: field::to_hex(&root),
    };
    (report, audit.replay)
}

struct Audit<'a> {
    history: &'a History,
    expected: &'a Expectation<'a>,
    findings: Vec<Finding>,
    notices: Vec<Finding>,
    replay: Replay,
    /// Exit records of each block.
    exits: Vec<Vec<Vec<u8>>>,
    processed: usize,
    roll: [u8; 32],
    /// The published policies by their roots.
    policies: HashMap<Fr, &'a Policy>,
    /// Exits that were claimed: number of the block that has them now, and position.
    claimed: BTreeSet<(usize, u64)>,
    /// Final blocks of the history.
    finalized: usize,
    /// Proofs that were verified.
    proofs: usize,
}

impl<'a> Audit<'a> {
    fn find(&mut self, name: &'static str, block: Option<usize>, what: impl Into<String>) {
        self.findings.push(Finding { name, block, what: what.into() });
    }

    fn notice(&mut self, name: &'static str, what: impl Into<String>) {
        self.notices.push(Finding { name, block: None, what: what.into() });
    }

    fn policy(&self, root: &Fr) -> Option<&'a Policy> {
        self.policies.get(root).copied()
    }

    fn header(&mut self, number: usize, block: &Block, root: &Fr, time: u64) {
        let h = &block.header;
        if h.old_root != *root {
            self.find(
                "root_continuity",
                Some(number),
                format!(
                    "starts at {}, the block before ends at {}",
                    field::to_hex(&h.old_root),
                    field::to_hex(root)
                ),
            );
        }
        match self.policy(&h.policy_root) {
            Some(policy) => self.replay.set_policy(policy),
            None => self.find(
                "block_policy",
                Some(number),
                "was made under a policy that is not published",
            ),
        }
        if !self.in_force(&h.policy_root, block.committed_at) {
            self.find(
                "block_policy",
                Some(number),
                "was made under a policy that was not in force at its commit",
            );
        }
        if h.time < time {
            self.find("time", Some(number), "is older than the block before it");
        }
        let committed = block.committed_at;
        if h.time > committed || h.time < committed.saturating_sub(MAX_CLOCK_LAG) {
            self.find(
                "clock",
                Some(number),
                format!(
                    "has the time {}, but was committed at {committed}: it may be at most \
                     {MAX_CLOCK_LAG} seconds behind, and not ahead",
                    h.time
                ),
            );
        }
        if block.finalized != Some(h.new_root) {
            self.find(
                "finalized_root",
                Some(number),
                "another root was finalized than was committed",
            );
        }
    }

    fn data(&mut self, number: usize, block: &Block) -> Option<Data> {
        let data = match block.read(self.history.domain()) {
            Ok(data) => data,
            Err(why) => {
                let name = match &why {
                    DataFault::Calldata(_) => "data",
                    DataFault::Missing { .. } => "blob_missing",
                    DataFault::Blob { .. } | DataFault::Layout(_) => "blob",
                };
                self.find(name, Some(number), why.to_string());
                return None;
            }
        };
        let exits: Vec<Vec<u8>> =
            data.batches.iter().flat_map(|b| b.section(Section::Exits).to_vec()).collect();
        if exit_root(&exit_tree(&exits)) != block.exit_root {
            self.find("exit_root", Some(number), "the exits in the data have another root");
        }
        self.exits.push(exits);
        Some(data)
    }

    fn proof(&mut self, number: usize, block: &Block, inputs: PublicInputs<Fr>) {
        let Some(proving) = &block.proving else {
            self.find("proof_missing", Some(number), "is final without a proof");
            return;
        };
        let Some(circuit) = self.circuit(number, proving) else {
            return;
        };
        if number < self.expected.from {
            return;
        }
        let inputs = inputs.into_array();
        if proving.inputs.as_ref().is_some_and(|own| *own != inputs) {
            self.find(
                "public_inputs",
                Some(number),
                "was proven for other public inputs than its header and data give",
            );
        }
        let instances = [&proving.accumulator[..], &inputs].concat();
        match circuit.verifier.verify(&[instances], &proving.proof) {
            Ok(()) => self.proofs += 1,
            Err(why) => self.find("proof", Some(number), why.to_string()),
        }
    }

    /// The circuit that proved a block, if it is one that counts and its verifier was the one that
    /// counts.
    fn circuit(&mut self, number: usize, proving: &Proving) -> Option<&'a Circuit<'a>> {
        let mut circuits = self.expected.circuits.iter();
        let circuit = circuits.find(|c| c.id == proving.circuit_id);
        let Some(circuit) = circuit else {
            self.find("circuit", Some(number), "was proven by an unknown circuit");
            return None;
        };
        let mut registered = self.history.verifiers.iter().filter(|r| {
            r.circuit_id == proving.circuit_id
                && r.time <= proving.time
                && r.removed.is_none_or(|at| proving.time <= at)
        });
        match registered.next_back() {
            None => self.find(
                "circuit",
                Some(number),
                "was proven by a circuit that had no verifier then",
            ),
            Some(verifier) if verifier.code != circuit.code => self.find(
                "verifier_code",
                Some(number),
                "was proven to a verifier with other code than its manifest says",
            ),
            Some(_) => {}
        }
        Some(circuit)
    }

    /// The block's L1 records are the next entries of the queue.
    fn queue(&mut self, number: usize, data: &[BatchData]) {
        let records = data.iter().flat_map(|b| &b.records[Section::L1 as usize]);
        for record in records {
            // The index of a deposit is the operator's choice: it is none in the queue.
            let roll = L1Record::read(record).map(|record| roll_queue(self.roll, &record.op()));
            let roll = roll.unwrap_or_default();
            let next = self.history.queue.get(self.processed);
            let expected = next.map(|entry| roll_queue(self.roll, &entry.op));
            if expected != Some(roll) {
                let entry = self.processed + 1;
                self.find("queue", Some(number), format!("L1 record is not queue entry {entry}"));
            }
            self.roll = roll;
            self.processed += 1;
        }
        let announced = self.history.blocks.get(number - 1).map(|b| b.processed);
        if announced != Some(self.processed as u64) {
            self.find("queue_count", Some(number), "another number of queue entries was announced");
        }
    }

    /// Replays the data; false if that is not possible.
    fn execute(&mut self, number: usize, block: &Block, data: &[BatchData]) -> bool {
        for (i, batch) in data.iter().enumerate() {
            if let Err(why) = self.replay.apply(batch, block.header.time) {
                self.find("replay", Some(number), format!("batch {i}: {why}"));
                return false;
            }
        }
        if self.replay.take_order().chain != block.header.c_out {
            self.find(
                "chain",
                Some(number),
                "its data have another order of operations than it claims",
            );
        }
        if self.replay.root() != block.header.new_root {
            self.find("root", Some(number), "its data lead to another root than it claims");
            return false;
        }
        true
    }
}
