//! What a block claims (protocol section 7).

use ark_ff::AdditiveGroup;
use serde::{Deserialize, Serialize};

use crate::blob::{self, BlobError, Posted};
use crate::data::{chain_start, polynomial_start, read_batches, BatchData, DataMode};
use crate::field;
use crate::hash::keccak;
use crate::{Address, Fr, ProtocolError, PublicInputs};

/// `keccak256("bastion.domain.v1" || chain id || contract) mod p`.
#[must_use]
pub fn domain(chain_id: u64, contract: Address) -> Fr {
    field::reduce(&keccak(&[b"bastion.domain.v1", &wide(chain_id), &contract.0]))
}

fn wide(x: u64) -> [u8; 32] {
    let mut out = [0; 32];
    out[24..].copy_from_slice(&x.to_be_bytes());
    out
}

/// What a block claims, as the contract is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Header {
    /// State root before.
    #[serde(with = "field::serde_fr")]
    pub old_root: Fr,
    /// State root after.
    #[serde(with = "field::serde_fr")]
    pub new_root: Fr,
    /// Policy in force.
    #[serde(with = "field::serde_fr")]
    pub policy_root: Fr,
    /// Chain and contract.
    #[serde(with = "field::serde_fr")]
    pub domain: Fr,
    /// Time of the block.
    pub time: u64,
    /// Word chain over the block.
    #[serde(with = "field::serde_fr")]
    pub c_out: Fr,
    /// Batches, empty ones included.
    pub batches: u32,
}

impl Header {
    /// The evaluation point `r` for posted data: `keccak256("bastion.r.v1" || domain || old_root ||
    /// new_root || policy_root || time || c_out || keccak256(data)) mod p`.
    #[must_use]
    pub fn challenge(&self, data: &[u8]) -> Fr {
        self.challenge_of(keccak(&[data]), &[])
    }

    /// The same for a block with blobs, whose versioned hashes follow: `r` stands for all that was posted.
    #[must_use]
    pub fn challenge_in_blobs(&self, data: &[u8], versioned_hashes: &[[u8; 32]]) -> Fr {
        self.challenge_of(keccak(&[data]), versioned_hashes)
    }

    fn challenge_of(&self, posted: [u8; 32], versioned_hashes: &[[u8; 32]]) -> Fr {
        field::reduce(&keccak(&[
            b"bastion.r.v1",
            &field::to_bytes(&self.domain),
            &field::to_bytes(&self.old_root),
            &field::to_bytes(&self.new_root),
            &field::to_bytes(&self.policy_root),
            &wide(self.time),
            &field::to_bytes(&self.c_out),
            &posted,
            versioned_hashes.as_flattened(),
        ]))
    }

    /// The public inputs of the block for posted data.
    ///
    /// # Errors
    /// If the data is not that of `batches` batches.
    pub fn public_inputs(&self, data: &[u8]) -> Result<PublicInputs<Fr>, ProtocolError> {
        let batches = read_batches(data, self.batches)?;
        Ok(self.public_inputs_of(&batches, self.challenge(data)))
    }

    /// The same for data that were read, all in calldata, at the evaluation point that belongs to them.
    #[must_use]
    pub fn public_inputs_of(&self, batches: &[BatchData], r: Fr) -> PublicInputs<Fr> {
        let batches = batches.iter();
        let y_out = batches.fold(polynomial_start(), |y, batch| batch.evaluate(y, r));
        PublicInputs {
            old_root: self.old_root,
            new_root: self.new_root,
            c_in: chain_start(),
            c_out: self.c_out,
            y_in: polynomial_start(),
            y_out,
            policy_root: self.policy_root,
            domain: self.domain,
            time: Fr::from(self.time),
            r,
            z: Fr::ZERO,
            mode: Fr::from(DataMode::Calldata.flag()),
            blob_in_low: Fr::ZERO,
            blob_in_high: Fr::ZERO,
            blob_out_low: Fr::ZERO,
            blob_out_high: Fr::ZERO,
        }
    }

    /// The public inputs of a block whose L2 and owner records are in blobs, at the points `r` and
    /// `z` that belong to it.
    ///
    /// # Errors
    /// [`BlobError`] if the records do not fit the blobs of a block.
    pub fn public_inputs_in_blobs(
        &self,
        batches: &[BatchData],
        r: Fr,
        z: u128,
    ) -> Result<PublicInputs<Fr>, BlobError> {
        let value = blob::evaluate(&blob::coefficients(batches)?, z);
        Ok(self.public_inputs_at(batches, r, z, &value))
    }

    /// The same, with the value at `z` of the polynomial that the blobs themselves hold.
    #[must_use]
    pub fn public_inputs_at(
        &self,
        batches: &[BatchData],
        r: Fr,
        z: u128,
        value: &blob::Scalar,
    ) -> PublicInputs<Fr> {
        let batches = batches.iter();
        let y_out =
            batches.fold(polynomial_start(), |y, batch| batch.evaluate_in(DataMode::Blob, y, r));
        self.inputs_in_blobs(y_out, r, z, value)
    }

    /// The same from the bytes in calldata, the versioned hashes of the blobs, and what gives the value of
    /// the block's polynomial at the point that follows: what the contract computes.
    ///
    /// # Errors
    /// If the bytes are not those of `batches` batches.
    pub fn public_inputs_posted(
        &self,
        data: &[u8],
        versioned_hashes: &[[u8; 32]],
        value_at: impl FnOnce(u128) -> blob::Scalar,
    ) -> Result<PublicInputs<Fr>, ProtocolError> {
        let posted = Posted::read(data, self.batches)?;
        let r = self.challenge_in_blobs(data, versioned_hashes);
        let z = self.blob_claim(versioned_hashes, posted.elements()).point();
        Ok(self.inputs_in_blobs(posted.polynomial(r), r, z, &value_at(z)))
    }

    fn inputs_in_blobs(&self, y_out: Fr, r: Fr, z: u128, value: &blob::Scalar) -> PublicInputs<Fr> {
        let [blob_in_low, blob_in_high] = blob::point::limbs(value).map(Fr::from);
        PublicInputs {
            y_out,
            z: Fr::from(z),
            mode: Fr::from(DataMode::Blob.flag()),
            blob_in_low,
            blob_in_high,
            ..self.public_inputs_of(&[], r)
        }
    }

    /// What fixes the point at which the block's blobs are compared. Elements beyond `2^32` are no block's.
    #[must_use]
    pub fn blob_claim<'h>(
        &self,
        versioned_hashes: &'h [[u8; 32]],
        elements: u64,
    ) -> blob::Claim<'h> {
        let Self { domain, c_out, batches, .. } = *self;
        let elements = u32::try_from(elements).unwrap_or(u32::MAX);
        blob::Claim { domain, c_out, versioned_hashes, batches, elements }
    }
}
