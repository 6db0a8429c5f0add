//! Broken receipts: which promise is broken, and the call by which the contract `Slashing` judges it (protocol
//! section 13.4).
//!
//! The contract decides. What is found here says which of its calls to try, and what to tell people.

use alloy_primitives::{keccak256, Address, Bytes, B256, U256};
use alloy_sol_types::{eip712_domain, SolCall, SolInterface, SolStruct, SolValue};
use bastion_audit::chain::element;
use bastion_contract::slashing::ISlashing::{self, ISlashingErrors as Refused};
use bastion_contract::slashing::Receipt;
use bastion_l1::{L1Error, ReadL1};
use bastion_protocol::hash::compress;
use bastion_protocol::receipt::Place;
use bastion_protocol::Fr;
use k256::ecdsa::{RecoveryId, Signature, VerifyingKey};
use serde::{Deserialize, Serialize};

use crate::error::NodeError;
use crate::exodus::view;
use crate::settle::to_u256;

/// Place of the block's time among the public inputs.
const TIME: usize = 8;
/// Where the number of operations stands in a word of counts.
const OPERATIONS: usize = 64;

/// A receipt as it stands in a file (protocol section 13.2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReceiptFile {
    /// Number of reverts when its block was opened.
    pub epoch: u32,
    /// Number of its block.
    pub block: u64,
    /// Batch of the block, from 0.
    pub batch: u32,
    /// Position in the batch, from 0.
    pub position: u32,
    /// keccak256 of the operation's bytes.
    pub operation: B256,
    /// Chain of its posted words.
    pub leaf: U256,
    /// Time of its block.
    pub time: u64,
    /// r, s and v.
    pub signature: Bytes,
}

/// What the chain of a block absorbs of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BatchOrder {
    /// Root over its operations; absent if it has none.
    #[serde(default)]
    pub root: Option<U256>,
    /// Its word of counts.
    pub counts: U256,
}

/// A proof that an operation stands at a place of a block, as `bastion proof inclusion` writes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlaceProof {
    /// Number of the block.
    pub block: u64,
    /// Its public inputs.
    pub inputs: [U256; 16],
    /// The batches before, in order.
    pub earlier: Vec<BatchOrder>,
    /// The batch, from 0.
    pub batch: u32,
    /// Its word of counts.
    pub counts: U256,
    /// The position, from 0.
    pub position: u32,
    /// The leaf at the place.
    pub leaf: U256,
    /// Siblings from the leaf up.
    pub siblings: Vec<U256>,
    /// The batches behind, in order.
    pub later: Vec<BatchOrder>,
}

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
    Block(Box<(ISlashing::Signed, PlaceProof)>),
    Earlier(Box<(ISlashing::Signed, PlaceProof)>),
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

impl ReceiptFile {
    /// What is signed, for a rollup on a chain.
    pub fn digest(&self, chain_id: u64, rollup: Address) -> B256 {
        let domain = eip712_domain! {
            name: "Bastion",
            version: "1",
            chain_id: chain_id,
            verifying_contract: rollup,
        };
        self.content().eip712_signing_hash(&domain)
    }

    fn content(&self) -> Receipt {
        let Self { epoch, block, batch, position, operation, leaf, time, signature: _ } = self;
        Receipt {
            epoch: *epoch,
            number: *block,
            batch: *batch,
            position: *position,
            operation: *operation,
            leaf: *leaf,
            time: *time,
        }
    }

    /// Its place.
    pub fn place(&self) -> Place {
        Place { block: self.block, batch: self.batch, position: self.position }
    }

    /// The receipt for the contract, and who signed it.
    fn read(
        &self,
        chain_id: u64,
        rollup: Address,
    ) -> Result<(ISlashing::Signed, Address, B256), NodeError> {
        let malformed = || NodeError::Receipt {
            why: "its signature is none of 65 bytes with v 27 or 28 and s in the lower half".into(),
        };
        let bytes: &[u8; 65] = self.signature.as_ref().try_into().map_err(|_| malformed())?;
        let (rs, v) = (&bytes[..64], bytes[64]);
        let signature = Signature::from_slice(rs).map_err(|_| malformed())?;
        let id = v.checked_sub(27).and_then(RecoveryId::from_byte).filter(|id| !id.is_x_reduced());
        let (Some(id), None) = (id, signature.normalize_s()) else {
            return Err(malformed());
        };
        let digest = self.digest(chain_id, rollup);
        let key = VerifyingKey::recover_from_prehash(digest.as_slice(), &signature, id);
        let key = key.map_err(|_| malformed())?;
        let signer = Address::from(bastion_client::receipt::address_of(&key).0);
        let signed = ISlashing::Signed {
            receipt: self.content(),
            r: B256::from_slice(&rs[..32]),
            s: B256::from_slice(&rs[32..]),
            v,
        };
        Ok((signed, signer, digest))
    }
}

impl PlaceProof {
    /// All batches of the block; that of the proof has the root to which leaf and siblings lead.
    fn batches(&self) -> Result<Vec<ISlashing::Batch>, NodeError> {
        let batch = |b: &BatchOrder| ISlashing::Batch {
            root: b.root.unwrap_or_default(),
            counts: b.counts,
        };
        let own = ISlashing::Batch { root: self.root()?, counts: self.counts };
        let earlier = self.earlier.iter().map(batch);
        Ok(earlier.chain([own]).chain(self.later.iter().map(batch)).collect())
    }

    fn root(&self) -> Result<U256, NodeError> {
        let word = |x: &U256| {
            element(&x.to_be_bytes())
                .ok_or_else(|| NodeError::Receipt { why: format!("{x:#x} is no field element") })
        };
        let mut at = operations(self.counts).saturating_add(U256::from(self.position));
        let mut node = word(&self.leaf)?;
        for sibling in &self.siblings {
            let sibling: Fr = word(sibling)?;
            node = match at.bit(0) {
                false => compress(node, sibling),
                true => compress(sibling, node),
            };
            at >>= 1;
        }
        Ok(to_u256(&node))
    }
}

fn operations(counts: U256) -> U256 {
    counts >> OPERATIONS
}

impl Evidence {
    /// Two receipts for one place.
    ///
    /// # Errors
    /// [`NodeError::Receipt`] if they are not for one place, of different keys, or the same.
    pub fn two(
        first: &ReceiptFile,
        second: &ReceiptFile,
        chain_id: u64,
        rollup: Address,
    ) -> Result<Self, NodeError> {
        let refused = |why: &str| Err(NodeError::Receipt { why: why.into() });
        let ((one, signer, a), (other, signer_too, b)) =
            (first.read(chain_id, rollup)?, second.read(chain_id, rollup)?);
        if (first.epoch, first.place()) != (second.epoch, second.place()) {
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
    /// proof shows.
    ///
    /// # Errors
    /// [`NodeError::Receipt`] if the proof is about something else.
    pub fn against(
        receipt: &ReceiptFile,
        proof: &PlaceProof,
        chain_id: u64,
        rollup: Address,
    ) -> Result<Option<Self>, NodeError> {
        let refused = |why: String| Err(NodeError::Receipt { why });
        let (signed, signer, hash) = receipt.read(chain_id, rollup)?;
        let time = proof.inputs[TIME];
        let shown = Box::new((signed, proof.clone()));
        if proof.block < receipt.block {
            let late = time > U256::from(receipt.time);
            let fault = Fault::Overtaken;
            return Ok(late.then_some(Self { fault, signer, hash, shown: Shown::Earlier(shown) }));
        }
        if proof.block > receipt.block {
            return refused(format!(
                "the proof is about block {}, and the receipt about block {}: a proof of that block or an earlier \
                 one says something about it",
                proof.block, receipt.block
            ));
        }
        let batches = proof.batches()?;
        let own = batches.get(receipt.batch as usize).map(|batch| operations(batch.counts));
        let at_place = (proof.batch, proof.position) == (receipt.batch, receipt.position);
        let fault = match own {
            _ if time != U256::from(receipt.time) => Fault::OtherTime,
            None => Fault::NoBatch,
            Some(operations) if operations <= U256::from(receipt.position) => Fault::NoPosition,
            Some(_) if !at_place => {
                return refused(format!(
                    "the proof is about batch {}, position {}, and the receipt about batch {}, position {}: make one \
                     of that place",
                    proof.batch, proof.position, receipt.batch, receipt.position
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
            Shown::Block(shown) | Shown::Earlier(shown) => Some(shown.1.block),
        }
    }

    /// The call that reports it. `exit_root` is that of [`Evidence::block`].
    ///
    /// # Errors
    /// [`NodeError::Receipt`] for a proof whose words are no field elements.
    pub fn report(&self, owner: Address, exit_root: B256, salt: B256) -> Result<Bytes, NodeError> {
        let signer = self.signer;
        let call = match &self.shown {
            Shown::Two(two) => {
                let (first, second) = (two.0.clone(), two.1.clone());
                ISlashing::reportTwoCall { owner, signer, first, second, salt }.abi_encode()
            }
            Shown::Earlier(shown) => ISlashing::reportOvertakenCall {
                owner,
                signer,
                signed: shown.0.clone(),
                number: U256::from(shown.1.block),
                inputs: shown.1.inputs,
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
                    inputs: proof.inputs,
                    exitRoot: exit_root,
                    batches: proof.batches()?,
                    leaf: proof.leaf,
                    siblings: proof.siblings.clone(),
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
pub fn signer(receipt: &ReceiptFile, chain_id: u64, rollup: Address) -> Result<Address, NodeError> {
    receipt.read(chain_id, rollup).map(|(_, signer, _)| signer)
}

#[cfg(test)]
mod tests;
