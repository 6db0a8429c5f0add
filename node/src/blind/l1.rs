//! Openings on L1: the way of an owner whom the operator does not hear.

use alloy_primitives::{keccak256, Address, Bytes, Uint};
use alloy_sol_types::{SolCall, SolEvent};
use bastion_client::SignedBlind;
use bastion_contract::slashing::{self as contract, ISlashing};
use bastion_l1::ReadL1;
use bastion_protocol::blind::terms::{Opening, Terms};
use bastion_protocol::blind::{paid_word, BlindReceipt};
use bastion_protocol::ops::Float;
use bastion_protocol::{Limit, Receipt};

use crate::error::NodeError;
use crate::settle::to_u256;

/// The call that reveals a hidden order to the contract `Slashing`.
///
/// # Errors
/// [`NodeError::Receipt`] for an opening that cannot be encoded.
pub fn reveal(signed: &SignedBlind, opening: &Opening) -> Result<Bytes, NodeError> {
    let malformed = |why: String| NodeError::Receipt { why };
    let (amount, fee) = opening.encoded().map_err(|e| malformed(e.to_string()))?;
    let opening = contract::Opening {
        to: opening.to,
        buy: opening.buy,
        amount: Uint::from(amount),
        fee: u16::try_from(fee).map_err(|e| malformed(e.to_string()))?,
        limit: opening.limit.word(),
        deadline: opening.deadline,
    };
    let paid = signed.terms.paid.iter().map(|p| Uint::from(paid_word(p.account, p.token)));
    let (blind, terms) = (receipt(&signed.blind), terms(&signed.terms));
    Ok(ISlashing::revealCall { blind, terms, opening, paid: paid.collect() }.abi_encode().into())
}

/// What the contract took up to a time.
pub struct Openings {
    /// Time of the last block that was read.
    pub time: u64,
    /// Each with the digest of its receipt.
    pub openings: Vec<([u8; 32], Opening)>,
}

/// The openings that the contract took so far, and up to when. A batch is finished by this time and no other:
/// between two looks at L1 there may be one more.
///
/// # Errors
/// Those of L1. An event that cannot be read is passed over: the contract lets nothing else through than what an
/// order can say.
pub fn openings(l1: &mut dyn ReadL1, slashing: Address) -> Result<Openings, NodeError> {
    let pin = l1.pin()?;
    let events = l1.events(&pin, &[slashing])?;
    let revealed = events.iter().filter_map(|e| ISlashing::Revealed::decode_log_data(&e.data).ok());
    let openings = revealed.filter_map(|event| Some((event.digest.0, opening(&event.opening)?)));
    Ok(Openings { time: pin.time, openings: openings.collect() })
}

fn opening(o: &contract::Opening) -> Option<Opening> {
    Some(Opening {
        to: o.to,
        buy: o.buy,
        amount: Float::decode(o.amount.to()).value()?,
        fee: Float::decode(o.fee.into()).value()?,
        limit: Limit::from_word(o.limit).ok()?,
        deadline: o.deadline,
    })
}

/// A blind receipt for the contract.
pub(crate) fn receipt(blind: &BlindReceipt) -> contract::BlindReceipt {
    let forfeit = to_u256(&blind.forfeit);
    contract::BlindReceipt { receipt: plain(&blind.receipt), forfeit }
}

/// A receipt for the contract.
pub(crate) fn plain(receipt: &Receipt) -> contract::Receipt {
    let &Receipt { epoch, place, operation, leaf, time } = receipt;
    contract::Receipt {
        epoch,
        number: place.block,
        batch: place.batch,
        position: place.position,
        operation: operation.into(),
        leaf: to_u256(&leaf),
        time,
    }
}

fn terms(terms: &Terms) -> contract::Terms {
    let packed = terms.paid.iter().flat_map(|paid| {
        let bytes = paid_word(paid.account, paid.token).to_be_bytes();
        bytes.into_iter().skip(2)
    });
    let &Terms { ref message, account, token, nonce, available, reveal_by, .. } = terms;
    contract::Terms {
        message: to_u256(message),
        account,
        token,
        nonce,
        available,
        paid: keccak256(packed.collect::<Vec<u8>>()),
        revealBy: reveal_by,
    }
}

/// Whether the contract noted an opening of a receipt, and when.
///
/// # Errors
/// Those of L1.
pub fn revealed_at(
    l1: &mut dyn ReadL1,
    slashing: Address,
    digest: [u8; 32],
) -> Result<Option<u64>, NodeError> {
    let call = ISlashing::revealedCall { digest: digest.into() };
    let at = crate::exodus::view(l1, slashing, &call)?;
    Ok((at != 0).then_some(at))
}
