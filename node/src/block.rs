//! Executes operations into the batches of a block, and binds their data.

mod pack;

use bastion_circuits::witness::Link;
use bastion_state::data::{chain_start, polynomial_start, word_chain, BatchData, Binding};
use bastion_state::executor::{BatchContext, BatchTrace};
use bastion_state::field;
use bastion_state::Fr;
use serde::{Deserialize, Serialize};

use crate::error::NodeError;
pub use pack::{next_block, Refused, Source};

/// What a block claims, as the contract is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Header {
    /// State root before.
    #[serde(with = "field::serde_fr")]
    pub old_root: Fr,
    /// State root after.
    #[serde(with = "field::serde_fr")]
    pub new_root: Fr,
    /// Policy in force.
    #[serde(with = "field::serde_fr")]
    pub policy_root: Fr,
    /// Chain and contract.
    #[serde(with = "field::serde_fr")]
    pub domain: Fr,
    /// Time of the block.
    pub time: u64,
    /// Word chain over the block.
    #[serde(with = "field::serde_fr")]
    pub c_out: Fr,
    /// Batches, empty ones included.
    pub batches: u32,
}

impl Header {
    /// The evaluation point for posted data.
    pub fn challenge(&self, data: &[u8]) -> Fr {
        Binding {
            domain: self.domain,
            old_root: self.old_root,
            new_root: self.new_root,
            policy_root: self.policy_root,
            time: self.time,
            c_out: self.c_out,
        }
        .challenge(data)
    }

    /// The ten public inputs of the block for posted data (protocol section 7).
    ///
    /// # Errors
    /// If the data is not that of `batches` batches.
    pub fn public_inputs(&self, data: &[u8]) -> Result<[Fr; 10], NodeError> {
        let r = self.challenge(data);
        let mut rest = data;
        let mut y = polynomial_start();
        for _ in 0..self.batches {
            y = BatchData::read(&mut rest)?.evaluate(y, r);
        }
        if !rest.is_empty() {
            return Err(NodeError::TrailingData { bytes: rest.len() });
        }
        Ok([
            self.old_root,
            self.new_root,
            chain_start(),
            self.c_out,
            polynomial_start(),
            y,
            self.policy_root,
            self.domain,
            Fr::from(self.time),
            r,
        ])
    }
}

/// An executed block.
#[derive(Debug, Clone)]
pub struct Block {
    /// What it claims.
    pub header: Header,
    /// What is posted.
    pub data: Vec<u8>,
    /// Its batches.
    pub batches: Vec<BatchTrace>,
    /// Whether the packer has evaluated every rule of the circuit on them.
    pub(crate) checked: bool,
}

impl Block {
    /// What links each batch to the block.
    pub fn links(&self) -> Vec<Link> {
        let r = self.header.challenge(&self.data);
        let mut link = Link {
            c_in: chain_start(),
            y_in: polynomial_start(),
            r,
        };
        self.batches
            .iter()
            .map(|batch| {
                let here = link;
                link.c_in = word_chain(here.c_in, &batch.ops);
                link.y_in = BatchData::of(&batch.ops).evaluate(here.y_in, r);
                here
            })
            .collect()
    }

    /// Operations, padding aside.
    pub fn operations(&self) -> impl Iterator<Item = &bastion_state::executor::OpTrace> {
        self.batches.iter().flat_map(|b| &b.ops)
    }
}

fn bind(old_root: Fr, context: &BatchContext, batches: Vec<BatchTrace>) -> Block {
    let data = batches
        .iter()
        .flat_map(|b| BatchData::of(&b.ops).to_bytes())
        .collect();
    let header = Header {
        old_root,
        new_root: batches.last().map_or(old_root, |b| b.new_root),
        policy_root: context.policy.root(),
        domain: context.domain,
        time: context.time,
        c_out: batches
            .iter()
            .fold(chain_start(), |c, b| word_chain(c, &b.ops)),
        batches: batches.len() as u32,
    };
    Block {
        header,
        data,
        batches,
        checked: false,
    }
}
