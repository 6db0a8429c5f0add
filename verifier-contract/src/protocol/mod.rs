//! The verifier as data: everything that a verifier of one circuit's proofs must know.
//!
//! [`PackedDescription`] is that of block proofs, and all that the Solidity generator reads.
//! [`VerifierDescription`] is that of batch proofs, taken from snark-verifier's `PlonkProtocol`. As
//! documents both feed verifiers that share no code with the prover.
//!
//! In the latter polynomials are numbered as in snark-verifier: preprocessed ones (fixed columns, then
//! permutation columns), one per instance column, the committed ones in the order in which the
//! transcript reads them, and last the quotient.

mod check;
mod document;
mod expression;
mod import;
mod packed;

pub use document::{Transcript, DOCUMENT_FORMAT};
pub use expression::Expression;
pub use packed::{FixedPack, Pack, PackedDescription, Round, PACKED_VERSION};

use alloy_primitives::U256;
use serde::{Deserialize, Serialize};

/// Version of the JSON form.
pub const DESCRIPTION_VERSION: u32 = 1;

/// An affine point of the first group of BN254, not the identity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct G1Point {
    /// First coordinate, below the base field's modulus.
    pub x: U256,
    /// Second coordinate.
    pub y: U256,
}

/// An affine point of the second group; coordinates are `c0 + c1 * u`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct G2Point {
    /// First coordinate as `[c0, c1]`.
    pub x: [U256; 2],
    /// Second coordinate as `[c0, c1]`.
    pub y: [U256; 2],
}

/// The points of the structured reference string that a verifier needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SrsPoints {
    /// Generator of the first group.
    pub g1: G1Point,
    /// Generator of the second group.
    pub g2: G2Point,
    /// The secret times `g2`.
    pub s_g2: G2Point,
}

/// A polynomial opened, or used, at `z * omega^rotation`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Query {
    /// Polynomial number, see the module's page.
    pub poly: usize,
    /// Rows ahead of the current one.
    pub rotation: i32,
}

/// One round of the transcript.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Phase {
    /// Commitments that the proof contributes.
    pub points: usize,
    /// Challenges squeezed after them.
    pub challenges: usize,
}

/// Where the instances hold the accumulator of the aggregated proofs: `lhs.x`, `lhs.y`, `rhs.x`,
/// `rhs.y`, each as `limbs` words of `bits` bits, least significant first. The pair must satisfy
/// `e(lhs, g2) = e(rhs, s_g2)`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccumulatorLayout {
    /// Words per coordinate.
    pub limbs: usize,
    /// Bits per word.
    pub bits: usize,
    /// (instance column, row) of each word.
    pub indices: Vec<(usize, usize)>,
}

/// A verifier of one circuit's proofs, as data. See the module's page for the numbering.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VerifierDescription {
    /// [`DESCRIPTION_VERSION`] of the writer.
    pub version: u32,
    /// Binary logarithm of the number of rows.
    pub k: usize,
    /// Primitive root of unity of order `2^k`.
    pub omega: U256,
    /// First scalar that the transcript absorbs: halo2's digest of the verifying key.
    pub transcript_initial_state: U256,
    /// Commitments to fixed and then permutation columns.
    pub preprocessed: Vec<G1Point>,
    /// Rows of each instance column, absorbed after the initial state.
    pub num_instance: Vec<usize>,
    /// Rounds before the quotient: advice phases, permuted lookups, running products.
    pub phases: Vec<Phase>,
    /// Commitments to pieces of the quotient, each of degree below `2^k`; the challenge `z`
    /// follows them.
    pub quotient_chunks: usize,
    /// Evaluations in the order in which the proof holds them.
    pub evaluations: Vec<Query>,
    /// Openings in the order in which SHPLONK combines them.
    pub queries: Vec<Query>,
    /// Constraints, combined by Horner's rule with the challenge `combiner`; the sum must be the
    /// quotient times `z^(2^k) - 1`.
    pub constraints: Vec<Expression>,
    /// Number of the challenge that combines the constraints.
    pub combiner: usize,
    /// Accumulator of earlier proofs, if the circuit aggregates.
    pub accumulator: Option<AccumulatorLayout>,
    /// Points of the reference string.
    pub srs: SrsPoints,
}

impl VerifierDescription {
    /// Number of instance words over all columns.
    pub fn instance_count(&self) -> usize {
        self.num_instance.iter().sum()
    }

    /// Commitments in the proof before the quotient.
    pub fn witness_count(&self) -> usize {
        self.phases.iter().map(|phase| phase.points).sum()
    }

    /// Challenges squeezed before `z`.
    pub fn challenge_count(&self) -> usize {
        self.phases.iter().map(|phase| phase.challenges).sum()
    }

    /// Number of the first committed polynomial.
    pub fn witness_offset(&self) -> usize {
        self.preprocessed.len() + self.num_instance.len()
    }

    /// Number of the quotient polynomial.
    pub fn quotient_poly(&self) -> usize {
        self.witness_offset() + self.witness_count()
    }

    /// Exact length of a proof in bytes.
    pub fn proof_length(&self) -> usize {
        let points = self.witness_count() + self.quotient_chunks + 2;
        64 * points + 32 * self.evaluations.len()
    }
}
