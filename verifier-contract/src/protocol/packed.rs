//! The verifier of packed proofs as data: what the Solidity generator reads.

use super::check::{
    check_accumulator, check_domain, check_points, ensure, Known, MAX_COUNT, MAX_LAGRANGE,
};
use super::{AccumulatorLayout, Expression, G1Point, Query, SrsPoints};
use crate::error::Result;
use crate::field::SCALAR_MODULUS;
use alloy_primitives::{keccak256, U256};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Version of the JSON form.
pub const PACKED_VERSION: u32 = 2;
/// Largest accepted stride.
const MAX_STRIDE: usize = 64;

/// Polynomials under one commitment: `P(X) = sum of X^i f_i(X^stride)`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pack {
    /// How many: places 0.. of the pack.
    pub polynomials: usize,
    /// Rotations at which all of them are opened.
    pub rotations: Vec<i32>,
}

/// A pack of the verifying key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FixedPack {
    /// The commitment.
    pub point: G1Point,
    /// What it commits to.
    pub pack: Pack,
}

/// One round of the transcript: commitments, then challenges.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Round {
    /// Commitments that the proof contributes.
    pub packs: Vec<Pack>,
    /// Challenges squeezed after them.
    pub challenges: usize,
}

/// A verifier of one circuit's packed proofs, as data.
///
/// Polynomials are numbered: those of the key pack by pack, one per instance column, those of the
/// rounds pack by pack.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PackedDescription {
    /// [`PACKED_VERSION`] of the writer.
    pub version: u32,
    /// Binary logarithm of the number of rows.
    pub k: usize,
    /// Primitive root of unity of order `2^k`.
    pub omega: U256,
    /// First scalar that the transcript absorbs: [`PackedDescription::computed_digest`].
    pub digest: U256,
    /// Places of a pack.
    pub stride: usize,
    /// Packs of the key.
    pub fixed: Vec<FixedPack>,
    /// Rows of each instance column, absorbed after the digest.
    pub num_instance: Vec<usize>,
    /// Rounds before the quotient, which is one commitment to one polynomial; `z` follows it.
    pub rounds: Vec<Round>,
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

impl PackedDescription {
    /// Number of instance words over all columns.
    pub fn instance_count(&self) -> usize {
        self.num_instance.iter().sum()
    }

    /// Polynomials of the key.
    pub fn fixed_count(&self) -> usize {
        self.fixed.iter().map(|fixed| fixed.pack.polynomials).sum()
    }

    /// Number of the first polynomial of the rounds.
    pub fn witness_offset(&self) -> usize {
        self.fixed_count() + self.num_instance.len()
    }

    /// Challenges squeezed before `z`.
    pub fn challenge_count(&self) -> usize {
        self.rounds.iter().map(|round| round.challenges).sum()
    }

    /// All packs in the order of their openings, with the number of their first polynomial.
    pub fn packs(&self) -> Vec<(usize, &Pack)> {
        let fixed = self.fixed.iter().map(|fixed| &fixed.pack);
        let mut packs = Vec::new();
        let mut next = 0;
        for pack in fixed {
            packs.push((next, pack));
            next += pack.polynomials;
        }
        next = self.witness_offset();
        for pack in self.rounds.iter().flat_map(|round| &round.packs) {
            packs.push((next, pack));
            next += pack.polynomials;
        }
        packs
    }

    /// The evaluations in the order of the proof: by pack, by rotation, by place.
    pub fn evaluations(&self) -> Vec<Query> {
        let mut evaluations = Vec::new();
        for (first, pack) in self.packs() {
            for &rotation in &pack.rotations {
                let places = first..first + pack.polynomials;
                evaluations.extend(places.map(|poly| Query { poly, rotation }));
            }
        }
        evaluations
    }

    /// Commitments in the proof before the evaluations: those of the rounds and the quotient.
    pub fn commitment_count(&self) -> usize {
        self.rounds.iter().map(|round| round.packs.len()).sum::<usize>() + 1
    }

    /// Exact length of a proof in bytes.
    pub fn proof_length(&self) -> usize {
        64 * (self.commitment_count() + 2) + 32 * self.evaluations().len()
    }

    /// The digest that binds the transcript to this verifier: Keccak-256 of its document with a digest
    /// of 0, as canonical JSON (RFC 8785), as an integer modulo the order.
    pub fn computed_digest(&self) -> U256 {
        let mut plain = self.clone();
        plain.digest = U256::ZERO;
        // Values have no floating-point numbers and no keys but text: nothing that could fail.
        let json = serde_json_canonicalizer::to_string(&plain.to_document()).unwrap_or_default();
        let hash = keccak256(json);
        U256::from_be_bytes(hash.0).reduce_mod(SCALAR_MODULUS)
    }

    /// The same description with its digest.
    pub fn with_digest(mut self) -> Self {
        self.digest = self.computed_digest();
        self
    }

    /// Checks that every index, length and field element is in range, so that the generator's
    /// output follows from the description alone, and that the digest is its own.
    ///
    /// # Errors
    /// [`crate::ContractError::InvalidDescription`], naming the first contradiction.
    pub fn check(&self) -> Result<()> {
        ensure(self.version == PACKED_VERSION, || {
            format!("version {}, expected {PACKED_VERSION}", self.version)
        })?;
        check_domain(self.k, self.omega)?;
        ensure((1..=MAX_STRIDE).contains(&self.stride), || format!("stride {}", self.stride))?;
        check_points(self.fixed.iter().map(|fixed| &fixed.point), &self.srs)?;
        let bounded = self.num_instance.iter().all(|rows| *rows <= MAX_COUNT)
            && self.num_instance.len() <= MAX_COUNT
            && self.rounds.len() <= MAX_COUNT
            && self.rounds.iter().all(|r| r.packs.len() <= MAX_COUNT && r.challenges <= MAX_COUNT)
            && self.fixed.len() <= MAX_COUNT;
        ensure(bounded, || format!("a count above {MAX_COUNT}"))?;
        self.check_packs()?;
        ensure(!self.constraints.is_empty(), || "no constraints".into())?;
        ensure(self.combiner < self.challenge_count(), || format!("combiner {}", self.combiner))?;
        let evaluations = self.evaluations();
        let known = Known {
            instances: self.fixed_count()..self.witness_offset(),
            challenges: self.challenge_count(),
            evaluations: evaluations.iter().collect(),
        };
        for (index, constraint) in self.constraints.iter().enumerate() {
            known.check(index, constraint)?;
        }
        check_accumulator(self.accumulator.as_ref(), &self.num_instance)?;
        ensure(self.digest == self.computed_digest(), || "the digest is another one's".into())
    }

    fn check_packs(&self) -> Result<()> {
        let packs = self.fixed.iter().map(|fixed| &fixed.pack);
        let packs = packs.chain(self.rounds.iter().flat_map(|round| &round.packs));
        let mut count = 0;
        for (index, pack) in packs.enumerate() {
            count += 1;
            ensure((1..=self.stride).contains(&pack.polynomials), || {
                format!("{} polynomials in pack {index}", pack.polynomials)
            })?;
            let distinct: BTreeSet<i32> = pack.rotations.iter().copied().collect();
            let fine = !distinct.is_empty()
                && distinct.len() == pack.rotations.len()
                && distinct.iter().all(|r| r.unsigned_abs() <= MAX_LAGRANGE.unsigned_abs());
            ensure(fine, || format!("rotations {:?} of pack {index}", pack.rotations))?;
        }
        ensure(count > 0, || "no packs".into())
    }
}
