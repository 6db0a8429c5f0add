//! Why a description or a proof is refused.

use thiserror::Error;

/// A description that describes no verifier. Nothing is said about any proof.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum BadDescription {
    /// Something in it is wrong.
    #[error("the verifier's description is not usable: {0}; export it again with `bastion setup`")]
    Unusable(String),
    /// A document that is larger than any circuit's.
    #[error("the verifier's description has {bytes} bytes, more than {most}: it is none of `bastion setup`'s")]
    TooLarge {
        /// Its length.
        bytes: usize,
        /// The most.
        most: usize,
    },
    /// A document within its limits by which a verification would not end in reasonable time.
    #[error("verifying by this description would take about {work} multiplications, more than {most}: it is none of `bastion setup`'s")]
    TooMuchWork {
        /// What it would take.
        work: u64,
        /// The most.
        most: u64,
    },
}

/// A proof that does not hold.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Refused {
    /// Wrong number of public inputs in a column.
    #[error("{got} public inputs in column {column}, the circuit has {expected}")]
    InstanceCount {
        /// Instance column; the number of columns if that is wrong.
        column: usize,
        /// Given.
        got: usize,
        /// Needed.
        expected: usize,
    },
    /// Wrong length.
    #[error("the proof has {got} bytes, the circuit's proofs have {expected}")]
    Length {
        /// Given.
        got: usize,
        /// Needed.
        expected: usize,
    },
    /// Not a point of the curve in its only encoding, or the identity.
    #[error("the point at byte {0} of the proof is not a canonical point of the curve")]
    Point(usize),
    /// Not below the modulus.
    #[error("the scalar at byte {0} of the proof is not below the field's modulus")]
    Scalar(usize),
    /// A challenge hit a value at which the equations say nothing (probability about 2^-230).
    #[error("a challenge hit a root of unity")]
    Degenerate,
    /// The openings do not fit the commitments and evaluations.
    #[error("the pairing equation does not hold")]
    Pairing,
    /// The public inputs hold no accumulator.
    #[error("word {0} of the accumulator among the public inputs is too large, or its point is not on the curve")]
    Accumulator(usize),
    /// The aggregated proofs do not hold.
    #[error("the accumulated pairing equation of the aggregated proofs does not hold")]
    AccumulatedPairing,
}
