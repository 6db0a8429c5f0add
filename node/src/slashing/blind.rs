//! Broken blind receipts and closings (protocol section 16.6).

use alloy_primitives::{keccak256, Address, Bytes, B256, U256};
use alloy_sol_types::{SolCall, SolValue};
use bastion_client::{SignedBlind, SignedClosing, SignedReceipt};
use bastion_contract::slashing::{self as contract, ISlashing};
use bastion_protocol::blind::{tree, Entry};
use bastion_protocol::data::BatchData;
use bastion_protocol::order::{operations_of, BatchOrder, InclusionProof};
use bastion_protocol::records::{L2Posted, Section};
use bastion_protocol::{Address as L2Address, Fr, PublicInputs};

use super::{batches, parts, read, unproven, words, Evidence, Fault, Shown};
use crate::blind::l1::receipt;
use crate::error::NodeError;
use crate::settle::to_u256;

/// What the contract is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum BlindShown {
    Two([(contract::BlindReceipt, contract::Signature); 2]),
    Other(Blind, ISlashing::Signed),
    Block(Blind, InclusionProof),
    Earlier(Blind, InclusionProof),
    Ignored(Blind, InclusionProof),
    Closings([(contract::Closing, contract::Signature); 2]),
    Replaced((contract::Closing, contract::Signature), Box<ISlashing::Entry>, InclusionProof),
    Reopened((contract::Closing, contract::Signature), Vec<U256>, InclusionProof),
}

type Blind = (contract::BlindReceipt, contract::Signature);

impl BlindShown {
    /// Number of the block that is shown.
    pub(super) fn block(&self) -> Option<u64> {
        match self {
            Self::Two(_) | Self::Other(..) | Self::Closings(_) => None,
            Self::Block(_, proof) | Self::Earlier(_, proof) | Self::Ignored(_, proof) => {
                Some(proof.block)
            }
            Self::Replaced(_, _, proof) | Self::Reopened(_, _, proof) => Some(proof.block),
        }
    }

    /// The call that reports it.
    pub(super) fn report(
        &self,
        (owner, signer): (Address, Address),
        root: B256,
        salt: B256,
    ) -> Result<Bytes, NodeError> {
        let call = match self.clone() {
            Self::Two([(first, one), (second, other)]) => {
                let call = ISlashing::reportTwoBlindCall {
                    owner,
                    signer,
                    first,
                    firstSignature: one,
                    second,
                    secondSignature: other,
                    salt,
                };
                call.abi_encode()
            }
            Self::Other((blind, signature), signed) => {
                ISlashing::reportBlindAndOtherCall { owner, signer, blind, signature, signed, salt }
                    .abi_encode()
            }
            Self::Block((blind, signature), proof) => {
                let shown = shown(&proof, root)?;
                let call = ISlashing::reportBlindBrokenCall {
                    owner,
                    signer,
                    blind,
                    signature,
                    shown,
                    salt,
                };
                call.abi_encode()
            }
            Self::Earlier((blind, signature), proof) => ISlashing::reportBlindOvertakenCall {
                owner,
                signer,
                blind,
                signature,
                number: U256::from(proof.block),
                inputs: words(&proof.inputs),
                exitRoot: root,
                salt,
            }
            .abi_encode(),
            Self::Ignored((blind, signature), proof) => {
                let shown = shown(&proof, root)?;
                let call =
                    ISlashing::reportIgnoredCall { owner, signer, blind, signature, shown, salt };
                call.abi_encode()
            }
            Self::Closings([(first, one), (second, other)]) => {
                let call = ISlashing::reportTwoClosingsCall {
                    owner,
                    signer,
                    first,
                    firstSignature: one,
                    second,
                    secondSignature: other,
                    salt,
                };
                call.abi_encode()
            }
            Self::Replaced((closing, signature), entry, proof) => {
                let (entry, shown) = (*entry, shown(&proof, root)?);
                let call = ISlashing::reportReplacedCall {
                    owner,
                    signer,
                    closing,
                    signature,
                    entry,
                    shown,
                    salt,
                };
                call.abi_encode()
            }
            Self::Reopened((closing, signature), words, proof) => {
                let (position, shown) = (U256::from(proof.position), shown(&proof, root)?);
                let call = ISlashing::reportReopenedCall {
                    owner,
                    signer,
                    closing,
                    signature,
                    position,
                    words,
                    shown,
                    salt,
                };
                call.abi_encode()
            }
        };
        Ok(call.into())
    }
}

fn shown(proof: &InclusionProof, root: B256) -> Result<ISlashing::Shown, NodeError> {
    Ok(ISlashing::Shown {
        inputs: words(&proof.inputs),
        exitRoot: root,
        batches: batches(proof)?,
        leaf: to_u256(&proof.leaf),
        siblings: proof.siblings.iter().map(to_u256).collect(),
    })
}

fn refused<T>(why: impl Into<String>) -> Result<T, NodeError> {
    Err(NodeError::Receipt { why: why.into() })
}

/// A blind receipt for the contract, who signed it, and its digest.
fn read_blind(
    signed: &SignedBlind,
    chain_id: u64,
    rollup: Address,
) -> Result<(Blind, Address, B256), NodeError> {
    let contract = L2Address(rollup.into_array());
    let (r, s, v, signer) = parts(&signed.signature, signed.signer(chain_id, contract))?;
    if signed.blind.receipt.operation != signed.terms.hash() {
        return refused("the terms are not those that were signed");
    }
    let digest = signed.blind.digest(chain_id, contract).into();
    Ok(((receipt(&signed.blind), contract::Signature { r, s, v }), signer, digest))
}

/// The same of a closing.
fn read_closing(
    signed: &SignedClosing,
    chain_id: u64,
    rollup: Address,
) -> Result<((contract::Closing, contract::Signature), Address, B256), NodeError> {
    let contract = L2Address(rollup.into_array());
    let (r, s, v, signer) = parts(&signed.signature, signed.signer(chain_id, contract))?;
    let c = &signed.closing;
    let closing = contract::Closing {
        epoch: c.epoch,
        number: c.block,
        batch: c.batch,
        count: c.count,
        root: to_u256(&c.root),
        time: c.time,
    };
    let digest = c.digest(chain_id, contract).into();
    Ok(((closing, contract::Signature { r, s, v }), signer, digest))
}

/// Who signed a blind receipt.
///
/// # Errors
/// [`NodeError::Receipt`] if nobody did, or its terms are others.
pub fn blind_signer(
    signed: &SignedBlind,
    chain_id: u64,
    rollup: Address,
) -> Result<Address, NodeError> {
    read_blind(signed, chain_id, rollup).map(|(_, signer, _)| signer)
}

/// Who signed a closing.
///
/// # Errors
/// [`NodeError::Receipt`] if nobody did.
pub fn closing_signer(
    signed: &SignedClosing,
    chain_id: u64,
    rollup: Address,
) -> Result<Address, NodeError> {
    read_closing(signed, chain_id, rollup).map(|(_, signer, _)| signer)
}

/// The posted words of the L2 operation at a position; `None` if there is none.
#[must_use]
pub fn words_at(batch: &BatchData, position: u32) -> Option<Vec<Fr>> {
    let l1 = batch.section(Section::L1).len();
    let place = usize::try_from(position).ok()?.checked_sub(l1)?;
    let mut rest = batch.section(Section::L2);
    let mut posted = Vec::new();
    while let Some(op) = L2Posted::take(&mut rest).ok()? {
        let records = batch.section(Section::L2).len() - rest.len();
        posted.push((op.kind, records));
    }
    let before = |section: Section, until: usize| -> usize {
        posted.iter().take(until).map(|(kind, _)| kind.records(section)).sum()
    };
    let (kind, end) = *posted.get(place)?;
    // Exits of L1 operations stand before those of L2 operations.
    let exits = batch.section(Section::Exits);
    let first_exit = exits.len().checked_sub(before(Section::Exits, posted.len()))?;
    let parts = [
        (Section::L2, end - kind.records(Section::L2)),
        (Section::Owners, before(Section::Owners, place)),
        (Section::Exits, first_exit + before(Section::Exits, place)),
    ];
    let mut words = Vec::new();
    for (section, from) in parts {
        let records = batch.section(section).get(from..from + kind.records(section))?;
        let split = records.iter().flat_map(|record| section.split(record));
        words.extend(split.map(|word| word.to_fr()));
    }
    Some(words)
}

impl Evidence {
    /// Two blind receipts for one place.
    ///
    /// # Errors
    /// [`NodeError::Receipt`] if they are not for one place, of different keys, or the same.
    pub fn two_blind(
        first: &SignedBlind,
        second: &SignedBlind,
        chain_id: u64,
        rollup: Address,
    ) -> Result<Self, NodeError> {
        let (one, signer, a) = read_blind(first, chain_id, rollup)?;
        let (other, signer_too, b) = read_blind(second, chain_id, rollup)?;
        let place = |s: &SignedBlind| (s.blind.receipt.epoch, s.blind.receipt.place);
        Self::pair((place(first) == place(second), signer == signer_too, a, b))?;
        let shown = Shown::Blind(Box::new(BlindShown::Two([one, other])));
        let hash = keccak256((a, b).abi_encode());
        Ok(Self { fault: Fault::TwoForOnePlace, signer, hash, shown })
    }

    /// A blind receipt and a receipt for one place; `None` if they agree.
    ///
    /// # Errors
    /// As [`Evidence::two_blind`].
    pub fn blind_and_other(
        blind: &SignedBlind,
        other: &SignedReceipt,
        chain_id: u64,
        rollup: Address,
    ) -> Result<Option<Self>, NodeError> {
        let (one, signer, a) = read_blind(blind, chain_id, rollup)?;
        let (signed, signer_too, b) = read(other, chain_id, rollup)?;
        let (hidden, known) = (&blind.blind.receipt, &other.receipt);
        let same = (hidden.epoch, hidden.place) == (known.epoch, known.place);
        Self::pair((same, signer == signer_too, a, b))?;
        if (hidden.leaf, hidden.time) == (known.leaf, known.time) {
            return Ok(None);
        }
        let shown = Shown::Blind(Box::new(BlindShown::Other(one, signed)));
        let hash = keccak256((a, b).abi_encode());
        Ok(Some(Self { fault: Fault::TwoForOnePlace, signer, hash, shown }))
    }

    /// Two closings of one batch.
    ///
    /// # Errors
    /// As [`Evidence::two_blind`].
    pub fn two_closings(
        first: &SignedClosing,
        second: &SignedClosing,
        chain_id: u64,
        rollup: Address,
    ) -> Result<Self, NodeError> {
        let (one, signer, a) = read_closing(first, chain_id, rollup)?;
        let (other, signer_too, b) = read_closing(second, chain_id, rollup)?;
        let batch = |s: &SignedClosing| (s.closing.epoch, s.closing.block, s.closing.batch);
        Self::pair((batch(first) == batch(second), signer == signer_too, a, b))?;
        let shown = Shown::Blind(Box::new(BlindShown::Closings([one, other])));
        let hash = keccak256((a, b).abi_encode());
        Ok(Self { fault: Fault::TwoClosings, signer, hash, shown })
    }

    fn pair((place, signer, a, b): (bool, bool, B256, B256)) -> Result<(), NodeError> {
        if !place {
            return refused("the two are of different epochs or places: each may be kept");
        }
        if !signer {
            return refused("the two were signed by different keys");
        }
        if a == b {
            return refused("the two are the same");
        }
        Ok(())
    }

    /// A blind receipt against a block, which is its own or an earlier one. `revealed` says that the order was
    /// revealed on L1 in time. None if the promise was kept, as far as the proof shows.
    ///
    /// # Errors
    /// As [`Evidence::against`].
    pub fn against_blind(
        signed: &SignedBlind,
        proof: &InclusionProof,
        revealed: bool,
        chain_id: u64,
        rollup: Address,
    ) -> Result<Option<Self>, NodeError> {
        let (own, signer, hash) = read_blind(signed, chain_id, rollup)?;
        proof.verify().map_err(unproven)?;
        let receipt = &signed.blind.receipt;
        let place = receipt.place;
        let time = PublicInputs::from_array(proof.inputs).time;
        let of = |fault, shown| {
            let shown = Shown::Blind(Box::new(shown));
            Ok(Some(Self { fault, signer, hash, shown }))
        };
        if proof.block < place.block {
            if time <= Fr::from(receipt.time) {
                return Ok(None);
            }
            return of(Fault::Overtaken, BlindShown::Earlier(own, proof.clone()));
        }
        let at = Placed { proof, time: receipt.time, place: (place.batch, place.position) };
        if proof.block > place.block {
            return refused(format!(
                "the proof is about block {}, which is later than block {} of the promise: a proof of that block or an \
                 earlier one says something about it",
                proof.block, place.block
            ));
        }
        let fault = match at.fault()? {
            Some(fault) => fault,
            None if proof.leaf == receipt.leaf => return Ok(None),
            None if proof.leaf == signed.blind.forfeit && revealed => {
                return of(Fault::Ignored, BlindShown::Ignored(own, proof.clone()))
            }
            None if proof.leaf == signed.blind.forfeit => return Ok(None),
            None => Fault::OtherLeaf,
        };
        of(fault, BlindShown::Block(own, proof.clone()))
    }

    /// A closing against its block. `words` are the posted words of the leaf that the proof shows, which are needed
    /// behind the closing. None if the promise was kept, as far as the proof shows.
    ///
    /// # Errors
    /// As [`Evidence::against`], and [`NodeError::Receipt`] if the entries are not the closing's.
    pub fn against_closing(
        signed: &SignedClosing,
        proof: &InclusionProof,
        posted: Option<&[Fr]>,
        chain_id: u64,
        rollup: Address,
    ) -> Result<Option<Self>, NodeError> {
        let (own, signer, hash) = read_closing(signed, chain_id, rollup)?;
        proof.verify().map_err(unproven)?;
        let closing = &signed.closing;
        if proof.block != closing.block {
            return refused(format!(
                "the proof is about block {}, and the closing about block {}",
                proof.block, closing.block
            ));
        }
        let of = |fault, shown| {
            let shown = Shown::Blind(Box::new(shown));
            Ok(Some(Self { fault, signer, hash, shown }))
        };
        if !closing.lists(&signed.entries) {
            return refused("the entries are not those of the closing");
        }
        let replaced = |fault, position: u64| match entry_at(&signed.entries, position) {
            None => refused("the closing has no such entry"),
            Some(entry) => {
                of(fault, BlindShown::Replaced(own.clone(), Box::new(entry), proof.clone()))
            }
        };
        let all = proof.batches().map_err(unproven)?;
        let operations = all
            .get(closing.batch as usize)
            .map(|order| operations_of(&order.counts).unwrap_or_default());
        // Of a batch that is not there, or shorter, the first entry without a place is shown.
        let count = u64::from(closing.count);
        match operations {
            _ if PublicInputs::from_array(proof.inputs).time != Fr::from(closing.time) => {
                return replaced(Fault::OtherTime, 0)
            }
            None => return replaced(Fault::NoBatch, 0),
            Some(operations) if operations < count => {
                return replaced(Fault::NoPosition, operations)
            }
            Some(_) if proof.batch != closing.batch => {
                return refused(format!(
                    "the proof is about batch {}, and the closing about batch {}",
                    proof.batch, closing.batch
                ))
            }
            Some(_) => {}
        }
        if u64::from(proof.position) >= count {
            let first = posted.and_then(|words| words.first());
            return match (first, posted) {
                (Some(first), Some(posted)) if kind_of(first) != Some(QUOTE) => {
                    let posted = posted.iter().map(to_u256).collect();
                    of(Fault::Reopened, BlindShown::Reopened(own, posted, proof.clone()))
                }
                _ => Ok(None),
            };
        }
        match signed.entries.get(proof.position as usize) {
            Some(entry) if keeps(entry, proof.leaf) => Ok(None),
            _ => replaced(Fault::OtherLeaf, proof.position.into()),
        }
    }
}

/// An entry with its path, for the contract.
fn entry_at(entries: &[Entry], position: u64) -> Option<ISlashing::Entry> {
    let place = usize::try_from(position).ok()?;
    let entry = entries.get(place)?;
    let siblings = tree(entries).siblings(place)?;
    Some(ISlashing::Entry {
        position: U256::from(position),
        leaf: to_u256(&entry.leaf),
        forfeit: entry.forfeit.map_or(U256::ZERO, |forfeit| to_u256(&forfeit)),
        siblings: siblings.iter().map(to_u256).collect(),
    })
}

/// Number of the kind of a Quote.
const QUOTE: u64 = 8;

/// The kind that a posted word begins with; `None` if it is none of an L2 operation.
fn kind_of(word: &Fr) -> Option<u64> {
    let bytes = bastion_protocol::field::to_bytes(word);
    let (above, word) = bytes.split_at(17);
    let first = word.first().copied().unwrap_or_default();
    above.iter().all(|byte| *byte == 0).then_some(u64::from(first >> 4))
}

fn keeps(entry: &Entry, leaf: Fr) -> bool {
    entry.leaf == leaf || entry.forfeit == Some(leaf)
}

/// A place of a block, and what a promise says of it.
struct Placed<'p> {
    proof: &'p InclusionProof,
    time: u64,
    place: (u32, u32),
}

impl Placed<'_> {
    /// What is wrong with the block before its leaf is looked at.
    fn fault(&self) -> Result<Option<Fault>, NodeError> {
        let Self { proof, time, place: (batch, position) } = *self;
        let all = proof.batches().map_err(unproven)?;
        let operations = |order: &BatchOrder| operations_of(&order.counts).unwrap_or_default();
        if PublicInputs::from_array(proof.inputs).time != Fr::from(time) {
            return Ok(Some(Fault::OtherTime));
        }
        Ok(match all.get(batch as usize).map(operations) {
            None => Some(Fault::NoBatch),
            Some(operations) if operations <= u64::from(position) => Some(Fault::NoPosition),
            Some(_) if (proof.batch, proof.position) != (batch, position) => {
                return refused(format!(
                    "the proof is about batch {}, position {}, and the promise about batch {batch}, position \
                     {position}: make one of that place (`bastion proof inclusion`)",
                    proof.batch, proof.position
                ))
            }
            Some(_) => None,
        })
    }
}
