//! Receipts of a block's operations, and whether L1 shows that they were kept.

use bastion_audit::{History, Replay};
use bastion_protocol::ops::Op;
use bastion_protocol::order::leaf_of;
use bastion_protocol::receipt::{operation_hash, Place};
use bastion_protocol::records::value_record;
use bastion_protocol::{Address, Policy, Receipt};
use bastion_state::executor::OpTrace;
use serde::Serialize;

use crate::block::Block;
use crate::error::NodeError;
use crate::sequencer::{ReceiptSigner, SignedReceipt};

/// A receipt for each operation that somebody sent, quotes aside. A block's number and the epoch are not its own
/// knowledge.
///
/// # Errors
/// Those of signing.
pub fn sign_all(
    signer: &ReceiptSigner,
    block: &Block,
    number: u64,
    epoch: u32,
) -> Result<Vec<SignedReceipt>, NodeError> {
    let time = block.header.time;
    let mut receipts = Vec::new();
    for (batch, trace) in (0..).zip(&block.batches) {
        for (position, op) in (0..).zip(&trace.ops).filter(|(_, op)| op.quote.is_none()) {
            let Some(leaf) = OpTrace::leaf(op) else { continue };
            let place = Place { block: number, batch, position };
            let operation = operation_hash(&op.op);
            receipts.push(signer.sign(Receipt { epoch, place, operation, leaf, time })?);
        }
    }
    Ok(receipts)
}

/// A receipt that promises the place of `kept` to another operation, an order. None if it is none.
///
/// # Errors
/// Those of encoding and signing.
pub fn sign_false(
    signer: &ReceiptSigner,
    kept: &SignedReceipt,
    op: &Op,
) -> Result<Option<SignedReceipt>, NodeError> {
    let Op::Signed(signed) = op else {
        return Ok(None);
    };
    let body = &signed.body;
    let Some(limit) = body.value_word().map(value_record) else {
        return Ok(None);
    };
    // An order does not name its own exit address.
    let main = body.wire(Address([0; 20]))?.record(body.account, body.posted_to(0)).to_bytes();
    let Some(leaf) = leaf_of([main.as_slice(), limit.as_slice()]) else {
        return Ok(None);
    };
    let receipt = Receipt { operation: operation_hash(op), leaf, ..kept.receipt };
    Ok(Some(signer.sign(receipt)?))
}

/// Receipts against L1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Compared {
    /// Receipts.
    pub receipts: usize,
    /// Those whose leaf stands at their place, with their signer and their block's time.
    pub kept: usize,
}

/// Compares receipts with the blocks of a history, all of them under one policy, from posted data alone.
///
/// # Errors
/// [`NodeError::Data`] and [`NodeError::History`] if the data cannot be read or replayed.
pub fn compare(
    history: &History,
    policy: &Policy,
    receipts: &[SignedReceipt],
    signer: Address,
) -> Result<Compared, NodeError> {
    let mut replay = Replay::new();
    replay.set_policy(policy);
    let mut blocks = Vec::new();
    for (number, block) in (1..).zip(&history.blocks) {
        let data = block.read(history.domain());
        let data =
            data.map_err(|fault| NodeError::Data { block: number, fault: Box::new(fault) })?;
        for batch in &data.batches {
            replay.apply(batch, block.header.time).map_err(|e| NodeError::History {
                contract: history.contract.to_string(),
                why: format!("block {number}: {e}"),
            })?;
        }
        blocks.push((block.header.time, replay.take_order()));
    }
    let kept = |signed: &&SignedReceipt| {
        let Receipt { place, leaf, time, .. } = signed.receipt;
        let number = usize::try_from(place.block).ok().and_then(|n| n.checked_sub(1));
        let stands = number.and_then(|n| blocks.get(n)).and_then(|(at, order)| {
            let batch = order.batches.get(place.batch as usize)?;
            Some(*at == time && batch.leaves.get(place.position as usize) == Some(&leaf))
        });
        stands == Some(true) && signed.signer(history.chain_id, history.contract) == Some(signer)
    };
    Ok(Compared { receipts: receipts.len(), kept: receipts.iter().filter(kept).count() })
}
