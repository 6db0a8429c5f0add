//! The audit: everything that L1 tells is checked, and the state is rebuilt from it.

use std::collections::BTreeSet;

use bastion_state::data::{
    chain_start, exit_root, exit_tree, polynomial_start, roll_queue, BatchData, Binding, Section,
};
use bastion_state::ops::Op;
use bastion_state::{field, Fr, Policy};
use serde::Serialize;

use crate::chain::{Block, History};
use crate::replay::{Exit, Replay};
use crate::verifier::Verifier;

/// What an audit expects of a rollup: the parts that L1 holds only a hash of.
pub struct Expectation<'a> {
    /// The published policies under which blocks may have been made.
    pub policies: &'a [Policy],
    /// The verifier of block proofs.
    pub verifier: &'a Verifier,
    /// Identity of its circuit, from its manifest.
    pub circuit_id: [u8; 32],
    /// keccak256 of the code of the verifier's contract, from its manifest.
    pub verifier_code: [u8; 32],
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
    /// Committed blocks that are not final yet, of which nothing is said.
    pub pending: usize,
    /// Root of the rebuilt state.
    pub root: String,
}

/// Audits the finalized blocks of a history. The state that they lead to comes with the report; it
/// is that of the last block before the first finding that stops the replay.
pub fn audit(history: &History, expected: &Expectation<'_>) -> (Report, Replay) {
    let mut audit = Audit {
        history,
        expected,
        findings: Vec::new(),
        replay: Replay::new(),
        exits: Vec::new(),
        processed: 0,
        roll: [0; 32],
    };
    audit.contract();
    let finalized = history
        .blocks
        .iter()
        .take_while(|b| b.finalized.is_some())
        .count();
    let end = finalized.min(expected.to.unwrap_or(finalized));
    let mut root = audit.replay.root();
    if root != history.genesis {
        audit.find(
            "genesis",
            None,
            "the genesis root is not that of the empty state",
        );
    }
    let (mut batches, mut checked, mut time) = (0, 0, 0);
    for (i, block) in history.blocks.iter().take(end).enumerate() {
        let number = i + 1;
        audit.header(number, block, &root, time);
        let Some(data) = audit.data(number, block) else {
            break;
        };
        if number >= expected.from {
            audit.proof(number, block, &data);
        }
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
    let last = finalized.checked_sub(1).and_then(|i| history.blocks.get(i));
    let announced = last.map_or(history.genesis, |b| b.header.new_root);
    if announced != history.state_root {
        audit.find(
            "state_root",
            None,
            "the contract's root is not that of its last block",
        );
    }
    let later = history.blocks.iter().skip(finalized);
    if later.clone().any(|b| b.finalized.is_some()) {
        audit.find(
            "missing_block",
            None,
            "a block is final before the one before it",
        );
    }
    let root = audit.replay.root();
    let report = Report {
        clean: audit.findings.is_empty(),
        findings: audit.findings,
        blocks: checked,
        batches,
        proofs: checked.saturating_sub(expected.from.saturating_sub(1)),
        operations: audit.replay.operations,
        accounts: audit.replay.accounts().count(),
        queue_waiting: history.queue.len().saturating_sub(audit.processed),
        pending: later.count(),
        root: field::to_hex(&root),
    };
    (report, audit.replay)
}

struct Audit<'a> {
    history: &'a History,
    expected: &'a Expectation<'a>,
    findings: Vec<Finding>,
    replay: Replay,
    /// Exit records of each block.
    exits: Vec<Vec<Vec<u8>>>,
    processed: usize,
    roll: [u8; 32],
}

impl<'a> Audit<'a> {
    fn find(&mut self, name: &'static str, block: Option<usize>, what: impl Into<String>) {
        self.findings.push(Finding {
            name,
            block,
            what: what.into(),
        });
    }

    fn contract(&mut self) {
        for policy in self.expected.policies {
            if let Err(why) = policy.check() {
                self.find("policy_bounds", None, why.to_string());
            }
        }
        for root in &self.history.policy_roots {
            if self.policy(root).is_none() {
                let shown = field::to_hex(root);
                self.find("policy", None, format!("no published policy has {shown}"));
            }
        }
        let expected = (&self.expected.circuit_id, &self.expected.verifier_code);
        if !self.history.verifiers.iter().eq([expected]) {
            self.find(
                "verifier_code",
                None,
                "the contract's verifiers are others than the manifest says",
            );
        }
    }

    fn policy(&self, root: &Fr) -> Option<&'a Policy> {
        self.expected.policies.iter().find(|p| p.root() == *root)
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
        if h.time < time {
            self.find("time", Some(number), "is older than the block before it");
        }
        if block.finalized != Some(h.new_root) {
            self.find(
                "finalized_root",
                Some(number),
                "another root was finalized than was committed",
            );
        }
    }

    fn data(&mut self, number: usize, block: &Block) -> Option<Vec<BatchData>> {
        let mut rest = block.data.as_slice();
        let mut batches = Vec::new();
        for _ in 0..block.header.batches {
            match BatchData::read(&mut rest) {
                Ok(batch) => batches.push(batch),
                Err(why) => {
                    self.find("data", Some(number), why.to_string());
                    return None;
                }
            }
        }
        if !rest.is_empty() {
            self.find("data", Some(number), "data go on after the last batch");
            return None;
        }
        let exits: Vec<Vec<u8>> = batches
            .iter()
            .flat_map(|b| b.records[Section::Exits as usize].clone())
            .collect();
        if exit_root(&exit_tree(&exits)) != block.exit_root {
            self.find(
                "exit_root",
                Some(number),
                "the exits in the data have another root",
            );
        }
        self.exits.push(exits);
        Some(batches)
    }

    fn proof(&mut self, number: usize, block: &Block, data: &[BatchData]) {
        let Some(proving) = &block.proving else {
            self.find("proof_missing", Some(number), "is final without a proof");
            return;
        };
        if proving.circuit_id != self.expected.circuit_id {
            self.find("circuit", Some(number), "was proven by another circuit");
        }
        let h = &block.header;
        let domain = self.history.domain();
        let r = Binding {
            domain,
            old_root: h.old_root,
            new_root: h.new_root,
            policy_root: h.policy_root,
            time: h.time,
            c_out: h.c_out,
        }
        .challenge(&block.data);
        let start = polynomial_start();
        let y = data.iter().fold(start, |y, batch| batch.evaluate(y, r));
        let inputs = [
            h.old_root,
            h.new_root,
            chain_start(),
            h.c_out,
            start,
            y,
            h.policy_root,
            domain,
            Fr::from(h.time),
            r,
        ];
        if proving.inputs.as_ref().is_some_and(|own| *own != inputs) {
            self.find(
                "public_inputs",
                Some(number),
                "was proven for other public inputs than its header and data give",
            );
        }
        let instances = [&proving.accumulator[..], &inputs].concat();
        if let Err(why) = self.expected.verifier.verify(&[instances], &proving.proof) {
            self.find("proof", Some(number), why.to_string());
        }
    }

    /// The block's L1 records are the next entries of the queue.
    fn queue(&mut self, number: usize, data: &[BatchData]) {
        let records = data.iter().flat_map(|b| &b.records[Section::L1 as usize]);
        for record in records {
            let mut posted = record.clone();
            if posted.first() == Some(&1) {
                // The index of a deposit is the operator's choice.
                posted.iter_mut().skip(3).take(4).for_each(|b| *b = 0);
            }
            let roll = bastion_state::data::keccak(&[&self.roll, &posted]);
            let next = self.history.queue.get(self.processed);
            let expected = next.map(|op| roll_queue(self.roll, op));
            if expected != Some(roll) {
                let entry = self.processed + 1;
                self.find(
                    "queue",
                    Some(number),
                    format!("L1 record is not queue entry {entry}"),
                );
            }
            self.roll = roll;
            self.processed += 1;
        }
        let announced = self.history.blocks.get(number - 1).map(|b| b.processed);
        if announced != Some(self.processed as u64) {
            self.find(
                "queue_count",
                Some(number),
                "another number of queue entries was announced",
            );
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
        if self.replay.root() != block.header.new_root {
            self.find(
                "root",
                Some(number),
                "its data lead to another root than it claims",
            );
            return false;
        }
        true
    }

    fn claims(&mut self, blocks: usize) {
        let mut seen = BTreeSet::new();
        for claim in &self.history.claims {
            let number = claim.block as usize;
            if number > blocks {
                continue;
            }
            let name = format!("claim of exit {}", claim.position);
            if !seen.insert((claim.block, claim.position)) {
                self.find(
                    "double_claim",
                    Some(number),
                    format!("{name} a second time"),
                );
            }
            let records = number.checked_sub(1).and_then(|i| self.exits.get(i));
            let record = records.and_then(|r| r.get(claim.position as usize));
            let Some(exit) = record.and_then(|record| Exit::read(record)) else {
                self.find(
                    "forged_exit",
                    Some(number),
                    format!("{name}, which is not in the data"),
                );
                continue;
            };
            if (exit.to, exit.token, exit.amount) != (claim.to, claim.token, claim.amount) {
                self.find(
                    "forged_exit",
                    Some(number),
                    format!("{name} for other values"),
                );
            }
            if claim.time < exit.release_time {
                self.find(
                    "early_claim",
                    Some(number),
                    format!(
                        "{name} at {}, released at {}",
                        claim.time, exit.release_time
                    ),
                );
            }
        }
    }

    /// What exodus paid is what the last state holds, and what the queue still held.
    fn exodus(&mut self, blocks: usize) {
        let history = self.history;
        if history.exodus.is_some_and(|last| last as usize == blocks) {
            let mut seen = BTreeSet::new();
            for d in &history.departures {
                let name = format!("account {}", d.index);
                if !seen.insert(d.index) {
                    self.find("double_departure", None, format!("{name} left twice"));
                }
                let paid = (d.to, d.token, d.amount);
                if self.replay.holding(d.index) != Some(paid) {
                    self.find(
                        "forged_departure",
                        None,
                        format!("{name} left with another balance than the last state's"),
                    );
                }
            }
        } else if !history.departures.is_empty() && history.exodus.is_none() {
            self.find("forged_departure", None, "accounts left without exodus");
        }
        let mut seen = BTreeSet::new();
        for r in &history.refunds {
            let entry = r.entry as usize;
            let op = entry.checked_sub(1).and_then(|i| history.queue.get(i));
            let good = matches!(op, Some(Op::Deposit(d))
                if (d.exit, d.token, d.amount) == (r.to, r.token, r.amount));
            if !good
                || !seen.insert(entry)
                || (history.exodus.is_some_and(|last| last as usize == blocks)
                    && entry <= self.processed)
            {
                self.find(
                    "forged_refund",
                    None,
                    format!("entry {entry} is no deposit that waited, or was given back before"),
                );
            }
        }
    }
}
