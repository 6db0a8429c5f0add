//! The data of a block, wherever it posted them.

use bastion_protocol::blob::{evaluate, BlobError, Posted};
use bastion_protocol::data::{read_batches, BatchData};
use bastion_protocol::records::Section;
use bastion_protocol::{Fr, Header, ProtocolError, PublicInputs};

use super::{read, BlobFault};
use crate::chain::Block;

/// A blob of a block.
#[derive(Clone, PartialEq, Eq)]
pub struct PostedBlob {
    /// The hash that the contract was told, as BLOBHASH gave it.
    pub versioned_hash: [u8; 32],
    /// Its bytes, as somebody keeps them; `None` if nobody who was asked has them. They are checked when
    /// they are read.
    pub bytes: Option<Vec<u8>>,
}

impl std::fmt::Debug for PostedBlob {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let bytes = self.bytes.as_ref().map(Vec::len);
        write!(f, "PostedBlob(0x{}, bytes: {bytes:?})", hex::encode(self.versioned_hash))
    }
}

/// Why the data of a block cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DataFault {
    /// What is in calldata.
    #[error(transparent)]
    Calldata(#[from] ProtocolError),
    /// Nobody who was asked has the blob.
    #[error("nobody who was asked has the blob 0x{}: the network drops blobs after about 18 days, an archive has it (--blobs)", hex::encode(hash))]
    Missing {
        /// Its versioned hash.
        hash: [u8; 32],
    },
    /// A blob is not what it must be.
    #[error("the blob 0x{}: {fault}", hex::encode(hash))]
    Blob {
        /// Its versioned hash.
        hash: [u8; 32],
        /// What is wrong with it.
        fault: BlobFault,
    },
    /// The blobs are those that L1 has the hashes of, but they are not laid out as the block's counts say.
    #[error("its blobs: {0}")]
    Layout(#[from] BlobError),
}

/// The data of a block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Data {
    /// Its batches, with all of their records.
    pub batches: Vec<BatchData>,
    /// The public inputs that they give with its header.
    pub inputs: PublicInputs<Fr>,
}

impl Block {
    /// The exit records of the block, in order. They are in calldata always, so this takes no blob.
    ///
    /// # Errors
    /// [`DataFault::Calldata`].
    pub fn exits(&self) -> Result<Vec<Vec<u8>>, DataFault> {
        let batches = match self.blobs.is_empty() {
            true => read_batches(&self.data, self.header.batches)?,
            false => Posted::read(&self.data, self.header.batches)?.batches().to_vec(),
        };
        Ok(batches.iter().flat_map(|batch| batch.section(Section::Exits).to_vec()).collect())
    }

    /// Reads the block's data, on a rollup of this domain.
    ///
    /// # Errors
    /// [`DataFault`].
    pub fn read(&self, domain: Fr) -> Result<Data, DataFault> {
        let header = Header { domain, ..self.header };
        if self.blobs.is_empty() {
            let batches = read_batches(&self.data, header.batches)?;
            let inputs = header.public_inputs_of(&batches, header.challenge(&self.data));
            return Ok(Data { batches, inputs });
        }
        let posted = Posted::read(&self.data, header.batches)?;
        posted.require_blobs(self.blobs.len())?;
        let mut coefficients = Vec::new();
        for PostedBlob { versioned_hash: hash, bytes } in &self.blobs {
            let hash = *hash;
            let bytes = bytes.as_ref().ok_or(DataFault::Missing { hash })?;
            let own = read(bytes, &hash).map_err(|fault| DataFault::Blob { hash, fault })?;
            coefficients.extend(own);
        }
        let batches = posted.complete(&coefficients)?;
        // All of them at once, where the contract joins the values of the blobs.
        let value_at = |z| evaluate(&coefficients, z);
        let hashes = self.versioned_hashes();
        let inputs = header.public_inputs_posted(&self.data, &hashes, value_at)?;
        Ok(Data { batches, inputs })
    }

    /// Versioned hashes of the blobs, in order; none if all data are in calldata.
    #[must_use]
    pub fn versioned_hashes(&self) -> Vec<[u8; 32]> {
        self.blobs.iter().map(|blob| blob.versioned_hash).collect()
    }
}
