//! What a sequencer has signed, and what it shows.

use std::path::Path;

use alloy_primitives::Address;
use bastion_audit::chain::Block;
use bastion_audit::History;
use bastion_client::{SignedBlind, SignedClosing, SignedReceipt};
use bastion_l1::ReadL1;
use bastion_node::blind::l1::revealed_at;
use bastion_node::slashing::{blind_signer, closing_signer, holds, signer, words_at, Evidence};
use bastion_node::NodeError;
use bastion_protocol::header::domain;
use bastion_protocol::order::InclusionProof;

use super::known::Known;
use crate::exit::CliError;

/// What a file may be.
const KINDS: &str = "receipt, blind receipt or closing";

/// A block of a history by its number.
pub(super) fn block_of(history: &History, number: u64) -> eyre::Result<&Block> {
    let place = number.checked_sub(1).and_then(|place| usize::try_from(place).ok());
    let block = place.and_then(|place| history.blocks.get(place));
    let known = history.blocks.len();
    Ok(block.ok_or_else(|| {
        CliError::Usage(format!("the proof is about block {number}, and L1 has {known}"))
    })?)
}

/// Checks that a proof holds and that its block is final.
fn proven(proof: &InclusionProof, block: &Block) -> eyre::Result<()> {
    holds(proof, block.inputs_hash.into())?;
    match block.finalized_at {
        Some(_) => Ok(()),
        None => Err(CliError::NotFinal { block: proof.block }.into()),
    }
}

/// What shows nothing is a mistake of whoever gave it, and no broken promise.
fn mistake(error: NodeError) -> eyre::Report {
    match error {
        NodeError::Receipt { .. } => CliError::Usage(error.to_string()).into(),
        other => other.into(),
    }
}

/// What a sequencer has signed.
pub(super) enum Paper {
    Receipt(SignedReceipt),
    Blind(SignedBlind),
    Closing(SignedClosing),
}

impl Paper {
    pub(super) fn read(path: &Path) -> Result<Self, CliError> {
        let value: serde_json::Value = super::read(KINDS, path)?;
        let bad = |what, e: serde_json::Error| {
            let (path, why) = (path.to_owned(), e.to_string());
            CliError::BadFile { what, path, why }
        };
        Ok(if value.get("blind").is_some() {
            Self::Blind(serde_json::from_value(value).map_err(|e| bad("blind receipt", e))?)
        } else if value.get("closing").is_some() {
            Self::Closing(serde_json::from_value(value).map_err(|e| bad("closing", e))?)
        } else if value.get("signature").is_some() {
            Self::Receipt(serde_json::from_value(value).map_err(|e| bad("receipt", e))?)
        } else {
            let why = "it has none of the fields `signature`, `blind` and `closing`: give a file that the \
                       node signed"
                .into();
            return Err(CliError::BadFile { what: KINDS, path: path.to_owned(), why });
        })
    }

    pub(super) fn signer(&self, (chain, contract): (u64, Address)) -> eyre::Result<Address> {
        let found = match self {
            Self::Receipt(signed) => signer(signed, chain, contract),
            Self::Blind(signed) => blind_signer(signed, chain, contract),
            Self::Closing(signed) => closing_signer(signed, chain, contract),
        };
        found.map_err(mistake)
    }

    /// Reverts of L1 that it knows of.
    pub(super) fn epoch(&self) -> u32 {
        match self {
            Self::Receipt(signed) => signed.receipt.epoch,
            Self::Blind(signed) => signed.blind.receipt.epoch,
            Self::Closing(signed) => signed.closing.epoch,
        }
    }

    /// Evidence of two papers, or that they agree.
    pub(super) fn and(
        &self,
        other: &Self,
        (chain, contract): (u64, Address),
    ) -> eyre::Result<Option<Evidence>> {
        let found = match (self, other) {
            (Self::Receipt(one), Self::Receipt(other)) => {
                Evidence::two(one, other, chain, contract).map(Some)
            }
            (Self::Blind(one), Self::Blind(other)) => {
                Evidence::two_blind(one, other, chain, contract).map(Some)
            }
            (Self::Blind(blind), Self::Receipt(other))
            | (Self::Receipt(other), Self::Blind(blind)) => {
                Evidence::blind_and_other(blind, other, chain, contract)
            }
            (Self::Closing(one), Self::Closing(other)) => {
                Evidence::two_closings(one, other, chain, contract).map(Some)
            }
            (Self::Closing(_), Self::Receipt(_) | Self::Blind(_))
            | (Self::Receipt(_) | Self::Blind(_), Self::Closing(_)) => {
                let why = "a closing and a receipt show nothing together: give a proof (--proof) with one of them";
                return Err(CliError::Usage(why.into()).into());
            }
        };
        found.map_err(mistake)
    }

    /// Evidence of a paper and the block of a proof, and what is known without any. Whether an order was revealed is
    /// asked of the contract `Slashing`, if that is given.
    pub(super) fn against(
        &self,
        proof: &InclusionProof,
        block: &Block,
        (l1, slashing): (&mut dyn ReadL1, Option<Address>),
        (chain, contract): (u64, Address),
    ) -> eyre::Result<(Option<Evidence>, Known)> {
        proven(proof, block)?;
        let rollup = bastion_protocol::Address(contract.into_array());
        let (evidence, known) = match self {
            Self::Receipt(signed) => {
                let own = signed.receipt.place.block;
                let evidence = Evidence::against(signed, proof, chain, contract);
                (evidence, Known::of(proof.block, own))
            }
            Self::Blind(signed) => {
                let digest = signed.blind.digest(chain, rollup);
                let asked =
                    slashing.map(|slashing| revealed_at(l1, slashing, digest)).transpose()?;
                let revealed = asked.flatten().is_some();
                let own = &signed.blind.receipt;
                let known = match (Known::of(proof.block, own.place.block), asked) {
                    (Known::AsPromised, None) if proof.leaf != own.leaf => Known::ForfeitNotAsked,
                    (Known::AsPromised, Some(_)) if proof.leaf != own.leaf => Known::Forfeited,
                    (known, _) => known,
                };
                (Evidence::against_blind(signed, proof, revealed, chain, contract), known)
            }
            Self::Closing(signed) => {
                let data = block.read(domain(chain, rollup));
                let batch = data.ok().and_then(|d| d.batches.into_iter().nth(proof.batch as usize));
                let words = batch.as_ref().and_then(|batch| words_at(batch, proof.position));
                let position = proof.position;
                let known = match (position < signed.closing.count, &words) {
                    (true, _) => Known::Entry { position },
                    (false, Some(_)) => Known::Quote { position },
                    (false, None) => Known::Unread { position },
                };
                let words = words.as_deref();
                (Evidence::against_closing(signed, proof, words, chain, contract), known)
            }
        };
        let evidence = evidence.map_err(mistake)?;
        let known = if evidence.is_some() { Known::Broken } else { known };
        Ok((evidence, known))
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
