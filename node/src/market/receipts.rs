//! Receipts of a block's operations, and whether L1 shows that they were kept.

use bastion_audit::{History, Replay};
use bastion_client::SignedBlind;
use bastion_protocol::ops::Op;
use bastion_protocol::order::leaf_of;
use bastion_protocol::receipt::operation_hash;
use bastion_protocol::records::value_record;
use bastion_protocol::{Address, Fr, Policy, Receipt};
use serde::Serialize;

use crate::error::NodeError;
use crate::sequencer::{ReceiptSigner, SignedReceipt};

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
    /// Receipts, blind ones included.
    pub receipts: usize,
    /// Those for whose place L1 shows what they promise, with their signer and their block's time.
    pub kept: usize,
}

/// A promise about a place.
struct Vow {
    receipt: Receipt,
    forfeit: Option<Fr>,
    signer: Option<Address>,
}

/// Compares receipts with the blocks of a history, all of them under one policy, from posted data alone.
///
/// # Errors
/// [`NodeError::Data`] and [`NodeError::History`] if the data cannot be read or replayed.
pub fn compare(
    history: &History,
    policy: &Policy,
    receipts: &[SignedReceipt],
    blind: &[SignedBlind],
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
    let (chain, contract) = (history.chain_id, history.contract);
    let known = receipts.iter().map(|signed| Vow {
        receipt: signed.receipt,
        forfeit: None,
        signer: signed.signer(chain, contract),
    });
    let hidden = blind.iter().map(|signed| Vow {
        receipt: signed.blind.receipt,
        forfeit: Some(signed.blind.forfeit),
        signer: signed.signer(chain, contract),
    });
    let kept = |vow: &Vow| {
        let Receipt { place, leaf, time, .. } = vow.receipt;
        let number = usize::try_from(place.block).ok().and_then(|n| n.checked_sub(1));
        let stands = number.and_then(|n| blocks.get(n)).and_then(|(at, order)| {
            let batch = order.batches.get(place.batch as usize)?;
            let found = *batch.leaves.get(place.position as usize)?;
            Some(*at == time && (found == leaf || Some(found) == vow.forfeit))
        });
        stands == Some(true) && vow.signer == Some(signer)
    };
    let kept = known.chain(hidden).filter(kept).count();
    Ok(Compared { receipts: receipts.len() + blind.len(), kept })
}
