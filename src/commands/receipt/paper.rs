//! What a sequencer has signed, and what it shows.

use std::path::Path;

use alloy_primitives::Address;
use bastion_audit::chain::Block;
use bastion_audit::History;
use bastion_client::{SignedBlind, SignedClosing, SignedReceipt};
use bastion_l1::RpcL1;
use bastion_node::blind::l1::revealed_at;
use bastion_node::slashing::{blind_signer, closing_signer, signer, words_at, Evidence};
use bastion_node::NodeError;
use bastion_protocol::order::InclusionProof;

use crate::exit::CliError;

/// A block of a history by its number.
pub(super) fn block_of(history: &History, number: u64) -> eyre::Result<&Block> {
    let place = number.checked_sub(1).and_then(|place| usize::try_from(place).ok());
    let block = place.and_then(|place| history.blocks.get(place));
    let known = history.blocks.len();
    Ok(block.ok_or_else(|| {
        CliError::Usage(format!("the proof is about block {number}, and L1 has {known}"))
    })?)
}

/// What a sequencer has signed.
pub(super) enum Paper {
    Receipt(SignedReceipt),
    Blind(SignedBlind),
    Closing(SignedClosing),
}

impl Paper {
    pub(super) fn read(path: &Path) -> Result<Self, CliError> {
        let value: serde_json::Value = super::read("receipt", path)?;
        let bad = |what, e: serde_json::Error| {
            let (path, why) = (path.to_owned(), e.to_string());
            CliError::BadFile { what, path, why }
        };
        Ok(if value.get("blind").is_some() {
            Self::Blind(serde_json::from_value(value).map_err(|e| bad("blind receipt", e))?)
        } else if value.get("closing").is_some() {
            Self::Closing(serde_json::from_value(value).map_err(|e| bad("closing", e))?)
        } else {
            Self::Receipt(serde_json::from_value(value).map_err(|e| bad("receipt", e))?)
        })
    }

    pub(super) fn signer(&self, (chain, contract): (u64, Address)) -> Result<Address, NodeError> {
        match self {
            Self::Receipt(signed) => signer(signed, chain, contract),
            Self::Blind(signed) => blind_signer(signed, chain, contract),
            Self::Closing(signed) => closing_signer(signed, chain, contract),
        }
    }

    /// Evidence of two papers.
    pub(super) fn and(
        &self,
        other: &Self,
        (chain, contract): (u64, Address),
    ) -> eyre::Result<Option<Evidence>> {
        Ok(match (self, other) {
            (Self::Receipt(one), Self::Receipt(other)) => {
                Some(Evidence::two(one, other, chain, contract)?)
            }
            (Self::Blind(one), Self::Blind(other)) => {
                Some(Evidence::two_blind(one, other, chain, contract)?)
            }
            (Self::Blind(blind), Self::Receipt(other))
            | (Self::Receipt(other), Self::Blind(blind)) => {
                Evidence::blind_and_other(blind, other, chain, contract)?
            }
            (Self::Closing(one), Self::Closing(other)) => {
                Some(Evidence::two_closings(one, other, chain, contract)?)
            }
            (Self::Closing(_), Self::Receipt(_) | Self::Blind(_))
            | (Self::Receipt(_) | Self::Blind(_), Self::Closing(_)) => {
                let why = "a closing and a receipt show nothing together: give a proof (--proof) with one of them";
                return Err(CliError::Usage(why.into()).into());
            }
        })
    }

    /// Evidence of a paper and a block. Whether an order was revealed is asked of the contract `Slashing`, if that
    /// is given.
    pub(super) fn against(
        &self,
        proof: &InclusionProof,
        history: &History,
        (l1, slashing): (&mut RpcL1, Option<Address>),
        (chain, contract): (u64, Address),
    ) -> eyre::Result<Option<Evidence>> {
        Ok(match self {
            Self::Receipt(signed) => Evidence::against(signed, proof, chain, contract)?,
            Self::Blind(signed) => {
                let rollup = bastion_protocol::Address(contract.into_array());
                let digest = signed.blind.digest(chain, rollup);
                let revealed = match slashing {
                    Some(slashing) => revealed_at(l1, slashing, digest)?.is_some(),
                    None => false,
                };
                Evidence::against_blind(signed, proof, revealed, chain, contract)?
            }
            Self::Closing(signed) => {
                let data = block_of(history, proof.block)?.read(history.domain());
                let batch = data.ok().and_then(|d| d.batches.into_iter().nth(proof.batch as usize));
                let words = batch.as_ref().and_then(|batch| words_at(batch, proof.position));
                Evidence::against_closing(signed, proof, words.as_deref(), chain, contract)?
            }
        })
    }
}
