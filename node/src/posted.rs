//! What a block posts: bytes in calldata, and the blobs, if its L2 and owner records are in some.

use std::sync::Arc;

use alloy_primitives::{Bytes, B256};
use alloy_sol_types::SolCall;
use bastion_contract::rollup::IRollup;
use bastion_l1::blob::Sidecar;
use bastion_protocol::blob::{self, Posted, Scalar};
use bastion_protocol::data::{read_batches, BatchData, DataMode};
use bastion_protocol::exits::{exit_root, exit_tree};
use bastion_protocol::records::Section;
use bastion_protocol::{BlockProof, Fr, Header, PublicInputs};

use crate::error::NodeError;
use crate::settle::{header_of, to_u256};

/// The posted data of a block.
#[derive(Debug, Clone, Copy)]
pub struct PostedData<'a> {
    /// What is in calldata.
    pub data: &'a [u8],
    /// The blobs with the rest, in order; none if all is in calldata.
    pub blobs: &'a [Sidecar],
}

impl<'a> From<&'a Vec<u8>> for PostedData<'a> {
    /// Data that are all in calldata.
    fn from(data: &'a Vec<u8>) -> Self {
        Self { data, blobs: &[] }
    }
}

/// The data of batches as they are posted: calldata, and the blobs if they are to be in some.
///
/// # Errors
/// If they do not fit the blobs of a transaction.
pub fn post(batches: &[BatchData], mode: DataMode) -> Result<(Vec<u8>, Arc<[Sidecar]>), NodeError> {
    let data = batches.iter().flat_map(|batch| batch.to_bytes_in(mode)).collect();
    let blobs = match mode {
        DataMode::Calldata => Vec::new(),
        DataMode::Blob => blob::to_blobs(&blob::coefficients(batches)?)?,
    };
    let sidecars = blobs.iter().map(|bytes| Sidecar::new(bytes));
    let sidecars: Arc<[Sidecar]> =
        sidecars.collect::<Result<_, _>>().map_err(bastion_l1::L1Error::from)?;
    Ok((data, sidecars))
}

impl PostedData<'_> {
    /// Where the L2 and owner records are.
    pub fn mode(&self) -> DataMode {
        match self.blobs.is_empty() {
            true => DataMode::Calldata,
            false => DataMode::Blob,
        }
    }

    /// The records of the block's batches.
    ///
    /// # Errors
    /// If the data are not those of so many batches.
    pub fn batches(&self, count: u32) -> Result<Vec<BatchData>, NodeError> {
        match self.mode() {
            DataMode::Calldata => Ok(read_batches(self.data, count)?),
            DataMode::Blob => Ok(Posted::read(self.data, count)?.complete(&self.coefficients()?)?),
        }
    }

    /// The coefficients of the block's polynomial that the blobs hold.
    fn coefficients(&self) -> Result<Vec<Scalar>, NodeError> {
        Ok(blob::from_blobs(self.blobs.iter().map(Sidecar::blob))?)
    }

    /// Versioned hashes of the blobs.
    pub fn versioned_hashes(&self) -> Vec<[u8; 32]> {
        self.blobs.iter().map(|sidecar| sidecar.versioned_hash().0).collect()
    }

    /// The challenge `r` of the block.
    pub fn challenge(&self, header: &Header) -> Fr {
        match self.mode() {
            DataMode::Calldata => header.challenge(self.data),
            DataMode::Blob => header.challenge_in_blobs(self.data, &self.versioned_hashes()),
        }
    }

    /// The point at which the block's blobs are evaluated.
    ///
    /// # Errors
    /// If the data are not those of so many batches, or the batches take another number of blobs.
    pub fn point(&self, header: &Header) -> Result<u128, NodeError> {
        let posted = Posted::read(self.data, header.batches)?;
        posted.require_blobs(self.blobs.len())?;
        Ok(header.blob_claim(&self.versioned_hashes(), posted.elements()).point())
    }

    /// The public inputs of the block, as the contract computes them.
    ///
    /// # Errors
    /// If the data are not those of the header's batches.
    pub fn public_inputs(&self, header: &Header) -> Result<PublicInputs<Fr>, NodeError> {
        if self.mode() == DataMode::Calldata {
            return Ok(header.public_inputs(self.data)?);
        }
        let coefficients = self.coefficients()?;
        let batches = Posted::read(self.data, header.batches)?.complete(&coefficients)?;
        let z = self.point(header)?;
        let value = blob::evaluate(&coefficients, z);
        Ok(header.public_inputs_at(&batches, self.challenge(header), z, &value))
    }

    /// Number and tree of the block's exits, as the contract keeps them; 0 if nothing leaves. They are in
    /// calldata: no blob is read.
    ///
    /// # Errors
    /// If the data are not those of so many batches.
    pub fn exit_root(&self, count: u32) -> Result<B256, NodeError> {
        exit_root_of(self.data, self.mode(), count)
    }

    /// Calldata that commit the block.
    ///
    /// # Errors
    /// If there is no proof of the value of a blob.
    pub fn commit_call(&self, header: &Header) -> Result<Bytes, NodeError> {
        let (header_of_call, data) = (header_of(header), Bytes::copy_from_slice(self.data));
        Ok(match self.mode() {
            DataMode::Calldata => IRollup::commitCall { header: header_of_call, data }.abi_encode(),
            DataMode::Blob => {
                let openings = self.openings(header)?;
                IRollup::commitInBlobsCall { header: header_of_call, data, openings }.abi_encode()
            }
        }
        .into())
    }

    /// Calldata that commit, prove and finalize the block.
    ///
    /// # Errors
    /// As [`PostedData::commit_call`].
    pub fn settle_call(&self, header: &Header, proof: &BlockProof) -> Result<Bytes, NodeError> {
        let (header_of_call, data) = (header_of(header), Bytes::copy_from_slice(self.data));
        let circuit_id = proof.circuit_id.to_bytes().into();
        let accumulator = proof.accumulator.map(|limb| to_u256(&limb));
        let proof = Bytes::from(proof.proof.clone());
        Ok(match self.mode() {
            DataMode::Calldata => IRollup::settleCall {
                header: header_of_call,
                data,
                circuitId: circuit_id,
                accumulator,
                proof,
            }
            .abi_encode(),
            DataMode::Blob => IRollup::settleInBlobsCall {
                header: header_of_call,
                data,
                openings: self.openings(header)?,
                circuitId: circuit_id,
                accumulator,
                proof,
            }
            .abi_encode(),
        }
        .into())
    }

    /// For each blob the value of its polynomial, commitment and proof.
    fn openings(&self, header: &Header) -> Result<Bytes, NodeError> {
        let z = B256::left_padding_from(&self.point(header)?.to_be_bytes());
        let mut openings = Vec::new();
        for sidecar in self.blobs {
            let opened = sidecar.point_proof(z).map_err(bastion_l1::L1Error::from)?;
            openings.extend_from_slice(opened.value.as_slice());
            openings.extend_from_slice(sidecar.commitment().as_slice());
            openings.extend_from_slice(opened.proof.as_slice());
        }
        Ok(openings.into())
    }
}

/// Number and tree of the exits in calldata.
///
/// # Errors
/// If the data are not those of so many batches.
pub(crate) fn exit_root_of(data: &[u8], mode: DataMode, count: u32) -> Result<B256, NodeError> {
    let exits = |batches: &[BatchData]| -> Vec<Vec<u8>> {
        batches.iter().flat_map(|batch| batch.section(Section::Exits)).cloned().collect()
    };
    let exits = match mode {
        DataMode::Calldata => exits(&read_batches(data, count)?),
        DataMode::Blob => exits(Posted::read(data, count)?.batches()),
    };
    Ok(exit_root(&exit_tree(&exits)).into())
}

/// The value of a block's polynomial from each batch on, with powers counted from its first coefficient,
/// and behind the last one: 0.
///
/// # Errors
/// If a record has a wrong length.
pub(crate) fn values(batches: &[BatchData], z: u128) -> Result<Vec<Scalar>, NodeError> {
    let mut values = vec![Scalar::from(0u64)];
    for batch in batches.iter().rev() {
        let behind = values.last().copied().unwrap_or_default();
        let mut coefficients = blob::coefficients(std::slice::from_ref(batch))?;
        // What follows is the coefficient behind the batch's own.
        coefficients.push(behind);
        values.push(blob::evaluate(&coefficients, z));
    }
    values.reverse();
    Ok(values)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn batch(l2: usize, owners: usize, fill: u8) -> BatchData {
        let record = |section: Section| [vec![0], vec![fill; section.record_len() - 1]].concat();
        let counts = [1, l2, 1, owners];
        BatchData { records: Section::ALL.map(|s| vec![record(s); counts[s as usize]]) }
    }

    fn header(batches: u32) -> Header {
        let [old_root, new_root, policy_root, domain, c_out] = [1u64, 2, 3, 4, 5].map(Fr::from);
        Header { old_root, new_root, policy_root, domain, time: 6, c_out, batches }
    }

    #[test]
    fn a_blob_and_calldata_make_the_batches() {
        let batches = [batch(40, 3, 7), BatchData::default(), batch(1, 0, 9)];
        for mode in [DataMode::Calldata, DataMode::Blob] {
            let (data, blobs) = post(&batches, mode).unwrap();
            let posted = PostedData { data: &data, blobs: &blobs };
            assert_eq!(posted.mode(), mode);
            assert_eq!(posted.batches(3).unwrap(), batches);
            assert!(posted.batches(2).is_err());
            let inputs = posted.public_inputs(&header(3)).unwrap();
            assert_eq!(inputs.mode, Fr::from(mode.flag()));
        }
    }

    #[test]
    fn values_run_from_the_blob_to_nothing() {
        let batches = [batch(40, 3, 7), BatchData::default(), batch(33, 0, 9)];
        let whole = blob::evaluate(&blob::coefficients(&batches).unwrap(), 12_345);
        let values = values(&batches, 12_345).unwrap();
        assert_eq!(values.len(), 4);
        assert_eq!(values[0], whole);
        assert_eq!(values[1], values[2]);
        assert_eq!(values[2], blob::evaluate(&blob::coefficients(&batches[2..]).unwrap(), 12_345));
        assert_eq!(values[3], Scalar::from(0u64));
    }

    #[test]
    fn records_that_do_not_fit_the_blobs_of_a_transaction_are_told() {
        let many = vec![batch(8_192, 0, 1); 7];
        assert!(matches!(post(&many, DataMode::Blob), Err(NodeError::Blob(_))));
        assert!(post(&many, DataMode::Calldata).is_ok());
    }

    #[test]
    fn the_blobs_are_part_of_the_challenge() {
        let (data, blobs) = post(&[batch(3, 0, 7)], DataMode::Blob).unwrap();
        let (same, others) = post(&[batch(3, 0, 8)], DataMode::Blob).unwrap();
        let posted = |data, blobs| PostedData { data, blobs };
        // L1 records and exits differ between them: calldata of the one, blob of the other.
        let [own, mixed] = [posted(&data, &blobs), posted(&data, &others)];
        assert_ne!(data, same);
        assert_ne!(own.challenge(&header(1)), mixed.challenge(&header(1)));
        assert_ne!(own.challenge(&header(1)), posted(&data, &[]).challenge(&header(1)));
    }

    /// The parts of the contract's computation, with openings as the precompile takes them.
    #[test]
    fn a_block_in_two_blobs_is_opened_in_both() {
        let batches = [batch(5_000, 3, 7), batch(5_000, 0, 9)];
        let (data, blobs) = post(&batches, DataMode::Blob).unwrap();
        assert_eq!(blobs.len(), 2);
        let posted = PostedData { data: &data, blobs: &blobs };
        assert_eq!(posted.batches(2).unwrap(), batches);
        let inputs = posted.public_inputs(&header(2)).unwrap();
        let z = posted.point(&header(2)).unwrap();
        assert_eq!(inputs.z, Fr::from(z));
        let openings = posted.openings(&header(2)).unwrap();
        assert_eq!(openings.len(), 2 * 128);
        let values: Vec<Scalar> = openings
            .chunks(128)
            .map(|opening| blob::point::from_bytes(opening.first_chunk().unwrap()).unwrap())
            .collect();
        let value = blob::combine(&values, z);
        assert_eq!(value, blob::evaluate(&blob::coefficients(&batches).unwrap(), z));
        let [low, high] = blob::point::limbs(&value).map(Fr::from);
        assert_eq!((inputs.blob_in_low, inputs.blob_in_high), (low, high));
        // One of them alone is no block's, nor are both and one more.
        let more = [&blobs[..], &blobs[..1]].concat();
        for blobs in [&blobs[..1], &more[..]] {
            let other = PostedData { data: &data, blobs };
            assert!(matches!(other.commit_call(&header(2)), Err(NodeError::Blob(_))));
        }
    }
}
