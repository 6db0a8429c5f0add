//! Executes operations into the batches of a block, and binds their data.

mod pack;

use bastion_circuits::witness::ChainedInputs;
use bastion_protocol::data::{chain_start, polynomial_start};
use bastion_protocol::{Fr, Header, PublicInputs};
use bastion_state::executor::{posted_data, word_chain, BatchContext, BatchTrace};

pub use pack::{next_block, Refused, Source};

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
    pub fn links(&self) -> Vec<ChainedInputs> {
        let r = self.header.challenge(&self.data);
        let mut link =
            ChainedInputs { c_in: chain_start(), y_in: polynomial_start(), r, blob: None };
        self.batches
            .iter()
            .map(|batch| {
                let here = link;
                link.c_in = word_chain(here.c_in, &batch.ops);
                link.y_in = posted_data(&batch.ops).evaluate(here.y_in, r);
                here
            })
            .collect()
    }

    /// What each batch proves, and `links` says how it is tied to the block.
    pub fn statements(&self, links: &[ChainedInputs]) -> Vec<PublicInputs<Fr>> {
        let ends = links.iter().skip(1).map(|next| (next.c_in, next.y_in));
        let y_out = match (self.batches.last(), links.last()) {
            (Some(batch), Some(link)) => posted_data(&batch.ops).evaluate(link.y_in, link.r),
            _ => polynomial_start(),
        };
        let ends = ends.chain([(self.header.c_out, y_out)]);
        // The node posts calldata alone: nothing of a blob.
        let no_blob = self.header.public_inputs_of(&[], Fr::from(0u64));
        let parts = self.batches.iter().zip(links).zip(ends);
        parts
            .map(|((batch, link), (c_out, y_out))| PublicInputs {
                old_root: batch.old_root,
                new_root: batch.new_root,
                c_in: link.c_in,
                c_out,
                y_in: link.y_in,
                y_out,
                policy_root: self.header.policy_root,
                domain: self.header.domain,
                time: Fr::from(self.header.time),
                r: link.r,
                ..no_blob
            })
            .collect()
    }

    /// Operations, padding aside.
    pub fn operations(&self) -> impl Iterator<Item = &bastion_state::executor::OpTrace> {
        self.batches.iter().flat_map(|b| &b.ops)
    }
}

/// The block of executed batches, which continue one another from `old_root` on.
pub(crate) fn bind(old_root: Fr, context: &BatchContext, batches: Vec<BatchTrace>) -> Block {
    let data = batches.iter().flat_map(|b| posted_data(&b.ops).to_bytes()).collect();
    let header = Header {
        old_root,
        new_root: batches.last().map_or(old_root, |b| b.new_root),
        policy_root: context.policy.root(),
        domain: context.domain,
        time: context.time,
        c_out: batches.iter().fold(chain_start(), |c, b| word_chain(c, &b.ops)),
        batches: batches.len() as u32,
    };
    Block { header, data, batches, checked: false }
}
