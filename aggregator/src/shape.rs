//! Public inputs and sizes of block circuits.

use bastion_prover::srs::packed_k;
use serde::{Deserialize, Serialize};

use crate::error::AggregatorError;

/// Limbs of the accumulator, which come first among the public inputs.
pub const LIMBS: usize = 12;
/// Public inputs of a block proof: the limbs and the sixteen of the protocol, section 7.
pub const PUBLIC_INPUTS: usize = LIMBS + bastion_protocol::inputs::COUNT;

/// Least size: the range table has `2^16` rows.
pub(crate) const MIN_K: u32 = 17;
/// Largest size: the order of the field's group of roots of unity is `2^28`.
pub(crate) const MAX_K: u32 = 28;

/// Outputs: exposed of the last batch. All others are exposed of the first.
pub(crate) const OUTPUTS: [usize; 5] = [1, 3, 5, 14, 15];

/// Size of a block circuit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BlockShape {
    /// Batch proofs that it verifies.
    pub batches: usize,
    /// log2 of the number of rows.
    pub k: u32,
}

impl BlockShape {
    /// The shape for a number of batches: rows grow with them, so that the columns, which the L1
    /// verifier pays for, do not. The same for every batch shape: the circuit sees the batch
    /// circuit's columns, of which all shapes have the same number, and not its rows.
    ///
    /// Each batch takes 44,526 rows of the chip and 97,974 cells of scalar arithmetic, for which there are
    /// two columns.
    pub fn for_batches(batches: usize) -> Self {
        let k = match batches {
            0..=2 => 17,
            3..=5 => 18,
            6..=10 => 19,
            11..=21 => 20,
            22..=42 => 21,
            43..=85 => 22,
            _ => 23,
        };
        Self { batches, k }
    }

    /// log2 of the powers that the SRS must have, with batch circuits of `2^batch_k` rows: block proofs
    /// are packed, and take many times as many as the circuit has rows.
    pub fn srs_k(self, batch_k: u32) -> u32 {
        packed_k(self.k).max(batch_k)
    }

    /// Short name, for people and for file names.
    pub fn name(self) -> String {
        format!("block-{}x-k{}", self.batches, self.k)
    }

    /// # Errors
    /// [`AggregatorError::BadShape`] for a shape that cannot exist.
    pub(crate) fn check(self) -> Result<(), AggregatorError> {
        let Self { batches, k } = self;
        if batches == 0 || !(MIN_K..=MAX_K).contains(&k) {
            return Err(AggregatorError::BadShape { batches, k });
        }
        Ok(())
    }
}

/// What fixes the columns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BlockParams {
    /// log2 of the number of rows.
    pub k: u32,
    /// Columns of scalar arithmetic.
    pub columns: usize,
}

/// Cells of a block circuit by part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct BlockCells {
    /// Commitments whose multiples are summed: points of proofs, points of the verifying key.
    pub bases: usize,
    /// Rows of the chip's blocks.
    pub rows: usize,
    /// Columns of the chip, its sums included.
    pub chip_columns: usize,
    /// Permutations of the transcripts.
    pub permutations: usize,
    /// Cells of scalar arithmetic.
    pub scalar_cells: usize,
}
