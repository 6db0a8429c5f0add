//! What a block posts: bytes in calldata, and the blob, if its L2 and owner records are in one.

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
    /// The blob with the rest; none if all is in calldata.
    pub blob: Option<&'a Sidecar>,
}

impl<'a> From<&'a Vec<u8>> for PostedData<'a> {
    /// Data that are all in calldata.
    fn from(data: &'a Vec<u8>) -> Self {
        Self { data, blob: None }
    }
}

/// The data of batches as they are posted: calldata, and the blob if they are to be in one.
///
/// # Errors
/// If they do not fit a blob.
pub fn post(
    batches: &[BatchData],
    mode: DataMode,
) -> Result<(Vec<u8>, Option<Arc<Sidecar>>), NodeError> {
    let data = batches.iter().flat_map(|batch| batch.to_bytes_in(mode)).collect();
    let sidecar = match mode {
        DataMode::Calldata => None,
        DataMode::Blob => {
            let blob = blob::to_blob(&blob::coefficients(batches)?)?;
            Some(Arc::new(Sidecar::new(&blob).map_err(bastion_l1::L1Error::from)?))
        }
    };
    Ok((data, sidecar))
}

impl PostedData<'_> {
    /// Where the L2 and owner records are.
    pub fn mode(&self) -> DataMode {
        match self.blob {
            None => DataMode::Calldata,
            Some(_) => DataMode::Blob,
        }
    }

    /// The records of the block's batches.
    ///
    /// # Errors
    /// If the data are not those of so many batches.
    pub fn batches(&self, count: u32) -> Result<Vec<BatchData>, NodeError> {
        let Some(sidecar) = self.blob else {
            return Ok(read_batches(self.data, count)?);
        };
        let coefficients = blob::from_blob(sidecar.blob())?;
        Ok(Posted::read(self.data, count)?.complete(&coefficients)?)
    }

    /// The challenge `r` of the block.
    pub fn challenge(&self, header: &Header) -> Fr {
        match self.blob {
            None => header.challenge(self.data),
            Some(sidecar) => header.challenge_in_blob(self.data, &sidecar.versioned_hash()),
        }
    }

    /// The point at which the block's blob is evaluated.
    ///
    /// # Errors
    /// If the data are not those of so many batches.
    pub fn point(&self, header: &Header, sidecar: &Sidecar) -> Result<u128, NodeError> {
        let elements = Posted::read(self.data, header.batches)?.elements();
        // Elements beyond a blob are refused where they are read.
        let elements = u32::try_from(elements).unwrap_or(u32::MAX);
        Ok(header.blob_claim(sidecar.versioned_hash().0, elements).point())
    }

    /// The public inputs of the block, as the contract computes them.
    ///
    /// # Errors
    /// If the data are not those of the header's batches.
    pub fn public_inputs(&self, header: &Header) -> Result<PublicInputs<Fr>, NodeError> {
        let Some(sidecar) = self.blob else {
            return Ok(header.public_inputs(self.data)?);
        };
        let coefficients = blob::from_blob(sidecar.blob())?;
        let batches = Posted::read(self.data, header.batches)?.complete(&coefficients)?;
        let z = self.point(header, sidecar)?;
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
    /// If there is a blob and no proof of its value.
    pub fn commit_call(&self, header: &Header) -> Result<Bytes, NodeError> {
        let (header_of_call, data) = (header_of(header), Bytes::copy_from_slice(self.data));
        Ok(match self.opening(header)? {
            None => IRollup::commitCall { header: header_of_call, data }.abi_encode(),
            Some(opening) => {
                IRollup::commitInBlobCall { header: header_of_call, data, opening }.abi_encode()
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
        Ok(match self.opening(header)? {
            None => IRollup::settleCall {
                header: header_of_call,
                data,
                circuitId: circuit_id,
                accumulator,
                proof,
            }
            .abi_encode(),
            Some(opening) => IRollup::settleInBlobCall {
                header: header_of_call,
                data,
                opening,
                circuitId: circuit_id,
                accumulator,
                proof,
            }
            .abi_encode(),
        }
        .into())
    }

    /// Value of the blob's polynomial, commitment and proof; none without a blob.
    fn opening(&self, header: &Header) -> Result<Option<Bytes>, NodeError> {
        let Some(sidecar) = self.blob else { return Ok(None) };
        let z = B256::left_padding_from(&self.point(header, sidecar)?.to_be_bytes());
        let opened = sidecar.point_proof(z).map_err(bastion_l1::L1Error::from)?;
        let commitment = sidecar.commitment();
        let parts: [&[u8]; 3] =
            [opened.value.as_slice(), commitment.as_slice(), opened.proof.as_slice()];
        Ok(Some(parts.concat().into()))
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

/// The value of a blob's polynomial from each batch on, with powers counted from its first coefficient,
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
            let (data, blob) = post(&batches, mode).unwrap();
            let posted = PostedData { data: &data, blob: blob.as_deref() };
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
    fn records_that_do_not_fit_a_blob_are_told() {
        let many = vec![batch(2_100, 0, 1); 4];
        assert!(matches!(post(&many, DataMode::Blob), Err(NodeError::Blob(_))));
        assert!(post(&many, DataMode::Calldata).is_ok());
    }

    #[test]
    fn the_blob_is_part_of_the_challenge() {
        let (data, blob) = post(&[batch(3, 0, 7)], DataMode::Blob).unwrap();
        let (same, other) = post(&[batch(3, 0, 8)], DataMode::Blob).unwrap();
        let posted = |data, blob| PostedData { data, blob };
        // L1 records and exits differ between them: calldata of the one, blob of the other.
        let [own, mixed] = [posted(&data, blob.as_deref()), posted(&data, other.as_deref())];
        assert_ne!(data, same);
        assert_ne!(own.challenge(&header(1)), mixed.challenge(&header(1)));
        assert_ne!(own.challenge(&header(1)), posted(&data, None).challenge(&header(1)));
    }
}
