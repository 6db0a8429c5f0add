//! Executes operations into the batches of a block, and binds their data.

mod pack;

use std::sync::Arc;

use bastion_circuits::witness::{BlobLink, ChainedInputs};
use bastion_l1::blob::Sidecar;
use bastion_protocol::blob::point::limbs;
use bastion_protocol::data::{chain_start, polynomial_start, DataMode};
use bastion_protocol::{Fr, Header, PublicInputs};
use bastion_state::executor::{order_chain, posted_data, BatchContext, BatchTrace};

use crate::error::NodeError;
use crate::posted::{post, values, PostedData};

pub use pack::{next_block, Refused, Source, Waiting};

/// An executed block.
#[derive(Debug, Clone)]
pub struct Block {
    /// What it claims.
    pub header: Header,
    /// What is posted in calldata.
    pub data: Vec<u8>,
    /// The blobs with the rest, in order; none if all is in calldata.
    pub blobs: Arc<[Sidecar]>,
    /// Its batches.
    pub batches: Vec<BatchTrace>,
    /// Whether the packer has evaluated every rule of the circuit on them.
    pub(crate) checked: bool,
}

impl Block {
    /// The block of one executed batch, which continues `old_root`. What does not fit a blob is posted in calldata.
    ///
    /// # Errors
    /// If a blob cannot be made.
    pub fn of_batch(
        old_root: Fr,
        context: &BatchContext,
        batch: BatchTrace,
        mode: DataMode,
    ) -> Result<Self, NodeError> {
        bind(old_root, context, vec![batch], mode)
    }

    /// What it posts.
    pub fn posted(&self) -> PostedData<'_> {
        PostedData { data: &self.data, blobs: &self.blobs }
    }

    /// What links each batch to the block.
    ///
    /// # Errors
    /// If its data are not its batches'.
    pub fn links(&self) -> Result<Vec<ChainedInputs>, NodeError> {
        let posted = self.posted();
        let data: Vec<_> = self.batches.iter().map(|batch| posted_data(&batch.ops)).collect();
        let mut blobs = vec![None; data.len()];
        if posted.mode() == DataMode::Blob {
            let z = posted.point(&self.header)?;
            let behind = values(&data, z)?.into_iter().skip(1);
            blobs = behind.map(|to| Some(BlobLink { z, to })).collect();
        }
        let r = posted.challenge(&self.header);
        let (mut c_in, mut y_in) = (chain_start(), polynomial_start());
        let batches = self.batches.iter().zip(&data).zip(blobs);
        let links = batches.map(|((batch, data), blob)| {
            let here = ChainedInputs { c_in, y_in, r, blob };
            c_in = order_chain(c_in, &batch.ops);
            y_in = data.evaluate_in(posted.mode(), y_in, r);
            here
        });
        Ok(links.collect())
    }

    /// What each batch proves, and `links` says how it is tied to the block.
    ///
    /// # Errors
    /// If the block's data are not its batches'.
    pub fn statements(&self, links: &[ChainedInputs]) -> Result<Vec<PublicInputs<Fr>>, NodeError> {
        let whole = self.posted().public_inputs(&self.header)?;
        let mut from = [whole.blob_in_low, whole.blob_in_high];
        let ends = links.iter().skip(1).map(|next| (next.c_in, next.y_in));
        let ends = ends.chain([(whole.c_out, whole.y_out)]);
        let parts = self.batches.iter().zip(links).zip(ends);
        let statements = parts.map(|((batch, link), (c_out, y_out))| {
            let to = link.blob.map(|blob| limbs(&blob.to).map(Fr::from)).unwrap_or_default();
            let [blob_in_low, blob_in_high] = std::mem::replace(&mut from, to);
            let [blob_out_low, blob_out_high] = to;
            PublicInputs {
                old_root: batch.old_root,
                new_root: batch.new_root,
                c_in: link.c_in,
                c_out,
                y_in: link.y_in,
                y_out,
                blob_in_low,
                blob_in_high,
                blob_out_low,
                blob_out_high,
                ..whole
            }
        });
        Ok(statements.collect())
    }

    /// Operations, padding aside.
    pub fn operations(&self) -> impl Iterator<Item = &bastion_state::executor::OpTrace> {
        self.batches.iter().flat_map(|b| &b.ops)
    }
}

/// The block of executed batches, which continue one another from `old_root` on.
///
/// # Errors
/// If they are to be in blobs, and do not fit those of a transaction.
pub(crate) fn bind(
    old_root: Fr,
    context: &BatchContext,
    batches: Vec<BatchTrace>,
    mode: DataMode,
) -> Result<Block, NodeError> {
    let records: Vec<_> = batches.iter().map(|b| posted_data(&b.ops)).collect();
    let (data, blobs) = post(&records, mode)?;
    let header = Header {
        old_root,
        new_root: batches.last().map_or(old_root, |b| b.new_root),
        policy_root: context.policy.root(),
        domain: context.domain,
        time: context.time,
        c_out: batches.iter().fold(chain_start(), |c, b| order_chain(c, &b.ops)),
        batches: batches.len() as u32,
    };
    Ok(Block { header, data, blobs, batches, checked: false })
}
