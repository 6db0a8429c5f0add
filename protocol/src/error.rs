//! What can be wrong with bytes, text and configuration.

use thiserror::Error;

use crate::proofs::ProofError;
use crate::records::RecordError;

/// What can be wrong with bytes, text and configuration.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ProtocolError {
    /// Bytes of the wrong length.
    #[error("{what}: expected {expected} bytes, got {got}")]
    Length {
        /// What was read.
        what: &'static str,
        /// Length it must have.
        expected: usize,
        /// Length it has.
        got: usize,
    },
    /// A field element that is not below the modulus.
    #[error("{what}: {value} is not below the field modulus; encode it reduced")]
    NotCanonical {
        /// What was read.
        what: &'static str,
        /// The offending value in hex.
        value: String,
    },
    /// A value that its place cannot hold.
    #[error("{what}: {value} is outside {range}")]
    Range {
        /// What was read.
        what: &'static str,
        /// The offending value.
        value: String,
        /// Values allowed.
        range: &'static str,
    },
    /// An amount or fee that the wire cannot carry.
    #[error("{what}: {value} is no m x 10^e with m below 2^{bits} and e below 32: round it down to {below}")]
    NotAFloat {
        /// Which of them.
        what: &'static str,
        /// The value.
        value: u128,
        /// Bits of the mantissa.
        bits: u32,
        /// The largest value below it that the wire carries.
        below: u128,
    },
    /// A limit price that is not in its form.
    #[error(
        "limit {mantissa} / 2^{exponent}: set the top bit of a mantissa of 64 bits, and an exponent of at most 127"
    )]
    Limit {
        /// The mantissa.
        mantissa: u128,
        /// The exponent.
        exponent: u8,
    },
    /// A limit price that is too large or too small.
    #[error("limit {bought} / {sold}: ask for a quotient of at least 2^-64 and below 2^64")]
    LimitRange {
        /// Units that are bought.
        bought: u128,
        /// Units that are sold.
        sold: u128,
    },
    /// A point that is no valid key or nonce commitment.
    #[error("{what}: {why}")]
    Point {
        /// Which point.
        what: &'static str,
        /// What is wrong with it.
        why: &'static str,
    },
    /// Text or bytes of an unknown shape.
    #[error("{what}: {why}")]
    Malformed {
        /// What was read.
        what: &'static str,
        /// What is wrong with it.
        why: String,
    },
    /// Bytes that are no record.
    #[error("posted data: {0}")]
    Record(#[from] RecordError),
    /// Bytes that are no proof.
    #[error(transparent)]
    Proof(#[from] ProofError),
    /// A policy that cannot be proven or enforced.
    #[error("policy: {0}")]
    Policy(String),
}
