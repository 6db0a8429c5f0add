//! Broken receipts: which promise is broken, and the call by which the contract `Slashing` judges it (protocol
//! section 13.4).
//!
//! The contract decides. What is found here says which of its calls to try, and what to tell people.

mod blind;

use alloy_primitives::{keccak256, Address, Bytes, B256, U256};
use alloy_sol_types::{SolCall, SolInterface, SolValue};
use bastion_client::SignedReceipt;
use bastion_contract::slashing::ISlashing::{self, ISlashingErrors as Refused};
use bastion_l1::{L1Error, ReadL1};
use bastion_protocol::order::{operations_of, BatchOrder, InclusionProof, OrderError};
use bastion_protocol::receipt::Place;
use bastion_protocol::{Address as L2Address, Fr, PublicInputs};
use serde::Serialize;

use crate::blind::l1::plain;
use crate::error::NodeError;
use crate::exodus::view;
use crate::settle::to_u256;

pub use blind::{blind_signer, closing_signer, words_at};

/// Which promise is broken, in the words of the contract's `Fault`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// Two receipts for one place.
    TwoForOnePlace,
    /// The block has another time.
    OtherTime,
    /// The block has no such batch.
    NoBatch,
    /// The batch has no such position.
    NoPosition,
    /// Another operation stands at the place.
    OtherLeaf,
    /// An earlier block has a later time.
    Overtaken,
    /// Two closings of one batch.
    TwoClosings,
    /// An operation stands behind the closing of its batch.
    Reopened,
    /// The forfeit stands at the place of an order that was revealed on L1.
    Ignored,
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::TwoForOnePlace => "two receipts for one place",
            Self::OtherTime => "the block has another time",
            Self::NoBatch => "the block has no such batch",
            Self::NoPosition => "the batch has no such position",
            Self::OtherLeaf => "another operation stands at the place",
            Self::Overtaken => {
                "an earlier block has a later time, so the block can have its own no more"
            }
            Self::TwoClosings => "two closings of one batch",
            Self::Reopened => "an operation stands behind the closing of its batch",
            Self::Ignored => "the forfeit stands at the place of an order that was revealed on L1",
        })
    }
}

/// Evidence about one key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evidence {
    /// The fault that it shows, if it does.
    pub fault: Fault,
    /// Whose signature it has.
    pub signer: Address,
    /// What a reporter announces of it.
    pub hash: B256,
    shown: Shown,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Shown {
    Two(Box<(ISlashing::Signed, ISlashing::Signed)>),
    Block(Box<(ISlashing::Signed, InclusionProof)>),
    Earlier(Box<(ISlashing::Signed, InclusionProof)>),
    Blind(Box<blind::BlindShown>),
}

/// What the contract would say to a report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "verdict", content = "why")]
pub enum Verdict {
    /// The evidence holds, and the bond would be lost.
    Broken,
    /// The promise was kept.
    Kept,
    /// The receipt is void.
    Void,
    /// The evidence does not hold, or there is no bond.
    Refused(String),
}

/// The receipt for the contract, who signed it, and its digest.
fn read(
    signed: &SignedReceipt,
    chain_id: u64,
    rollup: Address,
) -> Result<(ISlashing::Signed, Address, B256), NodeError> {
    let contract = L2Address(rollup.into_array());
    let (r, s, v, signer) = parts(&signed.signature, signed.signer(chain_id, contract))?;
    let receipt = plain(&signed.receipt);
    let digest = signed.receipt.digest(chain_id, contract).into();
    Ok((ISlashing::Signed { receipt, r, s, v }, signer, digest))
}

/// The parts of a signature for the contract, and who has made it.
fn parts(
    signature: &str,
    signer: Option<L2Address>,
) -> Result<(B256, B256, u8, Address), NodeError> {
    let malformed = || NodeError::Receipt {
        why: "its signature is none of 65 bytes with v 27 or 28 and s in the lower half".into(),
    };
    let signer = signer.ok_or_else(malformed)?;
    let bytes: Bytes = signature.parse().map_err(|_| malformed())?;
    let bytes: &[u8; 65] = bytes.as_ref().try_into().map_err(|_| malformed())?;
    // A contract takes no other.
    if !matches!(bytes[64], 27 | 28) {
        return Err(malformed());
    }
    let (r, s) = (B256::from_slice(&bytes[..32]), B256::from_slice(&bytes[32..64]));
    Ok((r, s, bytes[64], Address::from(signer.0)))
}

fn unproven(error: OrderError) -> NodeError {
    NodeError::Unproven(error.to_string())
}

/// Checks the path of a proof, and that its public inputs are those of which L1 holds the hash.
///
/// # Errors
/// [`NodeError::Unproven`] if it shows nothing.
pub fn holds(proof: &InclusionProof, inputs_hash: B256) -> Result<(), NodeError> {
    proof.verify().map_err(unproven)?;
    let found = keccak256(words(&proof.inputs).abi_encode());
    if found != inputs_hash {
        return Err(NodeError::Unproven(format!(
            "the hash of its public inputs is {found}, and L1 holds {inputs_hash} of block {}",
            proof.block
        )));
    }
    Ok(())
}

/// All batches of a block, for the contract.
fn batches(proof: &InclusionProof) -> Result<Vec<ISlashing::Batch>, NodeError> {
    let batches = proof.batches().map_err(unproven)?;
    let batch = |b: &BatchOrder| ISlashing::Batch {
        root: b.root.map_or(U256::ZERO, |root| to_u256(&root)),
        counts: to_u256(&b.counts),
    };
    Ok(batches.iter().map(batch).collect())
}

fn words(inputs: &[Fr; 16]) -> [U256; 16] {
    inputs.map(|input| to_u256(&input))
}

impl Evidence {
    /// Two receipts for one place.
    ///
    /// # Errors
    /// [`NodeError::Receipt`] if they are not for one place, of different keys, or the same.
    pub fn two(
        first: &SignedReceipt,
        second: &SignedReceipt,
        chain_id: u64,
        rollup: Address,
    ) -> Result<Self, NodeError> {
        let refused = |why: &str| Err(NodeError::Receipt { why: why.into() });
        let ((one, signer, a), (other, signer_too, b)) =
            (read(first, chain_id, rollup)?, read(second, chain_id, rollup)?);
        if (first.receipt.epoch, first.receipt.place)
            != (second.receipt.epoch, second.receipt.place)
        {
            return refused("the two are of different epochs or places: each may be kept");
        }
        if signer != signer_too {
            return refused("the two were signed by different keys");
        }
        if a == b {
            return refused("the two are the same receipt");
        }
        let hash = keccak256((a, b).abi_encode());
        let shown = Shown::Two(Box::new((one, other)));
        Ok(Self { fault: Fault::TwoForOnePlace, signer, hash, shown })
    }

    /// A receipt against a block, which is its own or an earlier one. None if the promise was kept, as far as the
    /// proof shows. Whether L1 has such a block is not looked at ([`holds`]).
    ///
    /// # Errors
    /// [`NodeError::Unproven`] if the proof does not hold, [`NodeError::Receipt`] if it is about something else.
    pub fn against(
        signed: &SignedReceipt,
        proof: &InclusionProof,
        chain_id: u64,
        rollup: Address,
    ) -> Result<Option<Self>, NodeError> {
        let refused = |why: String| Err(NodeError::Receipt { why });
        let (own, signer, hash) = read(signed, chain_id, rollup)?;
        proof.verify().map_err(unproven)?;
        let receipt = &signed.receipt;
        let Place { block, batch, position } = receipt.place;
        let time = PublicInputs::from_array(proof.inputs).time;
        let shown = Box::new((own, proof.clone()));
        if proof.block < block {
            let late = time > Fr::from(receipt.time);
            let fault = Fault::Overtaken;
            return Ok(late.then_some(Self { fault, signer, hash, shown: Shown::Earlier(shown) }));
        }
        if proof.block > block {
            return refused(format!(
                "the proof is about block {}, and the receipt about block {}: a proof of that block or an earlier \
                 one says something about it",
                proof.block, block
            ));
        }
        let all = proof.batches().map_err(unproven)?;
        let operations = |order: &BatchOrder| operations_of(&order.counts).unwrap_or_default();
        let at_place = (proof.batch, proof.position) == (batch, position);
        let fault = match all.get(batch as usize).map(operations) {
            _ if time != Fr::from(receipt.time) => Fault::OtherTime,
            None => Fault::NoBatch,
            Some(operations) if operations <= u64::from(position) => Fault::NoPosition,
            Some(_) if !at_place => {
                return refused(format!(
                    "the proof is about batch {}, position {}, and the receipt about batch {batch}, position \
                     {position}: make one of that place (`bastion proof inclusion`)",
                    proof.batch, proof.position
                ))
            }
            Some(_) if proof.leaf == receipt.leaf => return Ok(None),
            Some(_) => Fault::OtherLeaf,
        };
        Ok(Some(Self { fault, signer, hash, shown: Shown::Block(shown) }))
    }

    /// Number of the block whose root of exits the report needs.
    pub fn block(&self) -> Option<u64> {
        match &self.shown {
            Shown::Two(_) => None,
            Shown::Blind(shown) => shown.block(),
            Shown::Block(shown) | Shown::Earlier(shown) => Some(shown.1.block),
        }
    }

    /// The call that reports it. `exit_root` is that of [`Evidence::block`].
    ///
    /// # Errors
    /// [`NodeError::Unproven`] for a proof whose words are none.
    pub fn report(&self, owner: Address, exit_root: B256, salt: B256) -> Result<Bytes, NodeError> {
        let signer = self.signer;
        let call = match &self.shown {
            Shown::Blind(shown) => return shown.report((owner, signer), exit_root, salt),
            Shown::Two(two) => {
                let (first, second) = (two.0.clone(), two.1.clone());
                ISlashing::reportTwoCall { owner, signer, first, second, salt }.abi_encode()
            }
            Shown::Earlier(shown) => ISlashing::reportOvertakenCall {
                owner,
                signer,
                signed: shown.0.clone(),
                number: U256::from(shown.1.block),
                inputs: words(&shown.1.inputs),
                exitRoot: exit_root,
                salt,
            }
            .abi_encode(),
            Shown::Block(shown) => {
                let (signed, proof) = (shown.0.clone(), &shown.1);
                ISlashing::reportBrokenCall {
                    owner,
                    signer,
                    signed,
                    inputs: words(&proof.inputs),
                    exitRoot: exit_root,
                    batches: batches(proof)?,
                    leaf: to_u256(&proof.leaf),
                    siblings: proof.siblings.iter().map(to_u256).collect(),
                    salt,
                }
                .abi_encode()
            }
        };
        Ok(call.into())
    }

    /// What a reporter announces.
    pub fn commitment(&self, reporter: Address, owner: Address, salt: B256) -> B256 {
        keccak256((reporter, owner, self.hash, salt).abi_encode())
    }

    /// What the contract would say to a report of this evidence: it is tried without an announcement, which the
    /// contract looks for last.
    ///
    /// # Errors
    /// Those of L1.
    pub fn verdict(
        &self,
        l1: &mut dyn ReadL1,
        slashing: Address,
        owner: Address,
        exit_root: B256,
    ) -> Result<Verdict, NodeError> {
        let (amount, _) = bond(l1, slashing, owner, self.signer)?;
        if amount == 0 {
            let why = format!("{owner} has no bond for the key {}", self.signer);
            return Ok(Verdict::Refused(why));
        }
        let call = self.report(owner, exit_root, B256::ZERO)?;
        let revert = match l1.view(slashing, call) {
            // Whoever asked had announced it.
            Ok(_) => return Ok(Verdict::Broken),
            Err(L1Error::Reverted { revert, .. }) => revert,
            Err(error) => return Err(error.into()),
        };
        Ok(match Refused::abi_decode(&revert.data) {
            Ok(Refused::NotAnnounced(_) | Refused::TooSoon(_)) => Verdict::Broken,
            Ok(Refused::Kept(_)) => Verdict::Kept,
            Ok(Refused::Void(_)) => Verdict::Void,
            _ => Verdict::Refused(revert.reason),
        })
    }
}

/// The bond of an owner for a key in wei, and when it may be withdrawn (0: that is not announced).
///
/// # Errors
/// Those of L1.
pub fn bond(
    l1: &mut dyn ReadL1,
    slashing: Address,
    owner: Address,
    signer: Address,
) -> Result<(u128, u64), NodeError> {
    let found = view(l1, slashing, &ISlashing::bondsCall { owner, signer })?;
    Ok((found.amount, found.leavesAt))
}

/// Who signed a receipt.
///
/// # Errors
/// [`NodeError::Receipt`] if nobody did.
pub fn signer(
    receipt: &SignedReceipt,
    chain_id: u64,
    rollup: Address,
) -> Result<Address, NodeError> {
    read(receipt, chain_id, rollup).map(|(_, signer, _)| signer)
}

#[cfg(test)]
mod tests;
