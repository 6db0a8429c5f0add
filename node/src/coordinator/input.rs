//! What a worker is given for a job. Whoever holds the keys of the circuit needs nothing else.

use bastion_circuits::witness::{BlobLink, ChainedInputs};
use bastion_protocol::blob::point;
use bastion_protocol::field::serde_fr;
use bastion_protocol::{BatchProof, Fr};
use bastion_state::executor::BatchTrace;
use serde::{Deserialize, Serialize};

use crate::error::NodeError;

/// Input of a batch's proof.
#[derive(Debug, Serialize, Deserialize)]
pub struct BatchInput {
    /// What the batch did.
    pub trace: BatchTrace,
    #[serde(with = "serde_fr")]
    c_in: Fr,
    #[serde(with = "serde_fr")]
    y_in: Fr,
    #[serde(with = "serde_fr")]
    r: Fr,
    /// Point and value behind the batch, if the block has a blob.
    blob: Option<([u8; 16], [u8; 32])>,
}

impl BatchInput {
    /// The input for a trace and what ties it to its block.
    pub fn new(trace: BatchTrace, link: ChainedInputs) -> Self {
        let ChainedInputs { c_in, y_in, r, blob } = link;
        let blob = blob.map(|BlobLink { z, to }| (z.to_be_bytes(), point::to_bytes(&to)));
        Self { trace, c_in, y_in, r, blob }
    }

    /// What ties it to its block.
    ///
    /// # Errors
    /// [`NodeError::JobInput`] for a value that is none.
    pub fn link(&self) -> Result<ChainedInputs, NodeError> {
        let blob = self.blob.map(|(z, to)| {
            let value = point::from_bytes(&to).map(|to| BlobLink { z: u128::from_be_bytes(z), to });
            value.ok_or_else(|| NodeError::JobInput {
                why: "the blob's value is not below the modulus".into(),
            })
        });
        Ok(ChainedInputs { c_in: self.c_in, y_in: self.y_in, r: self.r, blob: blob.transpose()? })
    }

    /// As bytes.
    ///
    /// # Errors
    /// [`NodeError::JobInput`].
    pub fn to_bytes(&self) -> Result<Vec<u8>, NodeError> {
        postcard::to_stdvec(self).map_err(malformed)
    }

    /// From bytes.
    ///
    /// # Errors
    /// [`NodeError::JobInput`] if they are of something else or of another version.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, NodeError> {
        postcard::from_bytes(bytes).map_err(malformed)
    }
}

/// Input of a block's proof: the proofs of its batches, in order.
pub fn block_input(proofs: &[Vec<u8>]) -> Result<Vec<u8>, NodeError> {
    postcard::to_stdvec(proofs).map_err(malformed)
}

/// Reads the input of a block's proof.
///
/// # Errors
/// [`NodeError::JobInput`] or [`NodeError::Proof`].
pub fn read_block_input(bytes: &[u8]) -> Result<Vec<BatchProof>, NodeError> {
    let proofs: Vec<Vec<u8>> = postcard::from_bytes(bytes).map_err(malformed)?;
    proofs.iter().map(|proof| Ok(BatchProof::from_json(proof)?)).collect()
}

fn malformed(error: postcard::Error) -> NodeError {
    NodeError::JobInput { why: error.to_string() }
}
