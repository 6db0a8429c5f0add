//! The verifier as a document (`docs/protocol.md`, section 9).

use std::collections::{BTreeMap, BTreeSet};

use ark_bn254::{Fr, G1Affine, G2Affine};
use ark_ff::{FftField, Field, One};
use serde::Deserialize;

use crate::error::BadDescription;
use crate::points;

/// Version of the document.
pub const FORMAT: u32 = 2;
/// Largest number of anything in a description: far above every real circuit.
const MAX_COUNT: usize = 1 << 16;
/// Largest document in bytes.
const MAX_BYTES: usize = 1 << 26;
/// Largest distance of a rotation or of a Lagrange polynomial's row from row 0.
const MAX_ROTATION: i32 = 1 << 10;

/// How the transcript hashes, and how points and scalars stand in the proof.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Transcript {
    /// Keccak-256 over big-endian words, points uncompressed: block proofs, for the EVM.
    Keccak,
    /// Poseidon (t = 3) over elements, points compressed, little-endian: batch proofs.
    Poseidon,
}

/// A polynomial and a number of rows ahead of the current one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize)]
pub struct Query(pub usize, pub i32);

/// A step of the constraints' evaluation; operands are numbers of earlier steps.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum RawNode {
    Constant(String),
    Z,
    Lagrange(i32),
    Polynomial(usize, i32),
    Challenge(usize),
    Negated(usize),
    Sum(usize, usize),
    Product(usize, usize),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRound {
    points: usize,
    challenges: usize,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawSrs {
    g1: [String; 2],
    g2: [[String; 2]; 2],
    s_g2: [[String; 2]; 2],
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    format: u32,
    transcript: Transcript,
    k: u32,
    omega: String,
    digest: String,
    instances: Vec<usize>,
    fixed: Vec<[String; 2]>,
    rounds: Vec<RawRound>,
    quotient_pieces: usize,
    evaluations: Vec<Query>,
    openings: Vec<Query>,
    nodes: Vec<RawNode>,
    constraints: Vec<usize>,
    combiner: usize,
    accumulator: Option<Vec<(usize, usize)>>,
    srs: RawSrs,
}

/// One step of the evaluation of the constraints.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Node {
    Constant(Fr),
    Z,
    Lagrange(i32),
    /// Position among the proof's evaluations.
    Evaluation(usize),
    /// Instance column and rotation.
    Instance(usize, i32),
    Challenge(usize),
    Negated(usize),
    Sum(usize, usize),
    Product(usize, usize),
}

/// One round of the transcript: commitments read, then challenges squeezed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Round {
    pub(crate) points: usize,
    pub(crate) challenges: usize,
}

/// A checked description: every index is in range, every point on its curve.
#[derive(Clone, Debug)]
pub struct Description {
    pub(crate) transcript: Transcript,
    pub(crate) k: u32,
    pub(crate) omega: Fr,
    pub(crate) digest: Fr,
    pub(crate) instances: Vec<usize>,
    pub(crate) fixed: Vec<G1Affine>,
    pub(crate) rounds: Vec<Round>,
    pub(crate) quotient_pieces: usize,
    pub(crate) evaluations: Vec<Query>,
    pub(crate) openings: Vec<Query>,
    pub(crate) nodes: Vec<Node>,
    pub(crate) constraints: Vec<usize>,
    pub(crate) combiner: usize,
    pub(crate) accumulator: Option<Vec<(usize, usize)>>,
    pub(crate) g1: G1Affine,
    pub(crate) g2: G2Affine,
    pub(crate) s_g2: G2Affine,
}

impl Description {
    /// Reads and checks a document.
    ///
    /// # Errors
    /// [`BadDescription`] with the first thing that is wrong.
    pub fn from_json(json: &[u8]) -> Result<Self, BadDescription> {
        if json.len() > MAX_BYTES {
            return Err(BadDescription::TooLarge { bytes: json.len(), most: MAX_BYTES });
        }
        let raw = serde_json::from_slice(json);
        let raw: Raw = raw.map_err(|e| BadDescription::Unusable(e.to_string()))?;
        Self::check(raw)
    }

    /// Public inputs of each instance column.
    pub fn instance_counts(&self) -> &[usize] {
        &self.instances
    }

    /// Commitments in the proof before the quotient's pieces.
    pub fn witness_count(&self) -> usize {
        self.rounds.iter().map(|r| r.points).sum()
    }

    /// Number of the first committed polynomial: fixed columns and instance columns come first.
    pub(crate) fn witness_offset(&self) -> usize {
        self.fixed.len() + self.instances.len()
    }

    /// Number of the quotient polynomial.
    pub(crate) fn quotient(&self) -> usize {
        self.witness_offset() + self.witness_count()
    }

    /// Challenges before `z`.
    pub(crate) fn challenge_count(&self) -> usize {
        self.rounds.iter().map(|r| r.challenges).sum()
    }

    /// Exact length of a proof in bytes.
    pub fn proof_len(&self) -> usize {
        let point = match self.transcript {
            Transcript::Keccak => 64,
            Transcript::Poseidon => 32,
        };
        (self.witness_count() + self.quotient_pieces + 2) * point + self.evaluations.len() * 32
    }

    fn check(raw: Raw) -> Result<Self, BadDescription> {
        let bad = |what: &str| BadDescription::Unusable(what.to_owned());
        ensure(raw.format == FORMAT, || {
            format!("format {}, this verifier reads {FORMAT}", raw.format)
        })?;
        ensure((1..=Fr::TWO_ADICITY).contains(&raw.k), || format!("k = {}", raw.k))?;
        let sizes = [
            raw.fixed.len(),
            raw.nodes.len(),
            raw.constraints.len(),
            raw.evaluations.len(),
            raw.openings.len(),
            raw.quotient_pieces,
            raw.rounds.len(),
            raw.instances.len(),
        ];
        let counts = raw.rounds.iter().flat_map(|r| [r.points, r.challenges]);
        let all = sizes.into_iter().chain(counts);
        let total = all
            .chain(raw.instances.iter().copied())
            .try_fold(0, |sum: usize, n| (n <= MAX_COUNT).then(|| sum + n));
        ensure(total.is_some_and(|n| n <= 4 * MAX_COUNT), || {
            "more entries than any circuit has".into()
        })?;
        ensure(raw.quotient_pieces > 0, || "no quotient".into())?;
        ensure(!raw.constraints.is_empty(), || "no constraints".into())?;

        let omega = points::scalar(&raw.omega).ok_or_else(|| bad("omega"))?;
        let minus_one = -Fr::one();
        ensure(omega.pow([1 << (raw.k - 1)]) == minus_one, || {
            format!("omega is no primitive root of order 2^{}", raw.k)
        })?;
        let fixed = raw
            .fixed
            .iter()
            .enumerate()
            .map(|(i, p)| points::g1(p).ok_or_else(|| bad(&format!("fixed point {i}"))));
        let mut description = Self {
            transcript: raw.transcript,
            k: raw.k,
            omega,
            digest: points::scalar(&raw.digest).ok_or_else(|| bad("digest"))?,
            fixed: fixed.collect::<Result<_, _>>()?,
            rounds: raw
                .rounds
                .iter()
                .map(|r| Round { points: r.points, challenges: r.challenges })
                .collect(),
            instances: raw.instances,
            quotient_pieces: raw.quotient_pieces,
            evaluations: raw.evaluations,
            openings: raw.openings,
            nodes: Vec::new(),
            constraints: raw.constraints,
            combiner: raw.combiner,
            accumulator: raw.accumulator,
            g1: points::g1(&raw.srs.g1).ok_or_else(|| bad("srs.g1"))?,
            g2: points::g2(&raw.srs.g2).ok_or_else(|| bad("srs.g2"))?,
            s_g2: points::g2(&raw.srs.s_g2).ok_or_else(|| bad("srs.s_g2"))?,
        };
        ensure(description.combiner < description.challenge_count(), || {
            format!("combiner {}", description.combiner)
        })?;
        description.check_queries()?;
        let evaluations = description.evaluations.iter().copied();
        let evaluations: BTreeMap<Query, usize> = evaluations.zip(0..).collect();
        for (i, node) in raw.nodes.iter().enumerate() {
            let node = description
                .node(i, node, &evaluations)
                .ok_or_else(|| bad(&format!("node {i}: {node:?}")))?;
            description.nodes.push(node);
        }
        let nodes = description.nodes.len();
        ensure(description.constraints.iter().all(|c| *c < nodes), || {
            "a constraint that is no node".into()
        })?;
        description.check_accumulator()?;
        Ok(description)
    }

    fn check_queries(&self) -> Result<(), BadDescription> {
        let instances = self.fixed.len()..self.witness_offset();
        let evaluated: BTreeSet<_> = self.evaluations.iter().collect();
        let opened: BTreeSet<_> = self.openings.iter().collect();
        ensure(
            evaluated.len() == self.evaluations.len() && opened.len() == self.openings.len(),
            || "a query twice".into(),
        )?;
        for Query(poly, rotation) in &self.evaluations {
            ensure(
                *poly < self.quotient() && !instances.contains(poly) && in_range(*rotation),
                || format!("evaluation of polynomial {poly} at rotation {rotation}"),
            )?;
        }
        // What is opened is what was evaluated, and the quotient: an evaluation that no opening
        // binds would be the prover's free choice.
        let quotient = Query(self.quotient(), 0);
        let mut expected = evaluated;
        expected.insert(&quotient);
        ensure(opened == expected, || {
            "the openings are not the evaluations and the quotient".into()
        })
    }

    fn node(&self, i: usize, raw: &RawNode, evaluations: &BTreeMap<Query, usize>) -> Option<Node> {
        Some(match *raw {
            RawNode::Constant(ref text) => Node::Constant(points::scalar(text)?),
            RawNode::Z => Node::Z,
            RawNode::Lagrange(row) if in_range(row) => Node::Lagrange(row),
            RawNode::Polynomial(poly, rotation) if in_range(rotation) => {
                let instances = self.fixed.len()..self.witness_offset();
                if instances.contains(&poly) {
                    Node::Instance(poly - instances.start, rotation)
                } else {
                    Node::Evaluation(*evaluations.get(&Query(poly, rotation))?)
                }
            }
            RawNode::Challenge(n) if n < self.challenge_count() => Node::Challenge(n),
            RawNode::Negated(a) if a < i => Node::Negated(a),
            RawNode::Sum(a, b) if a < i && b < i => Node::Sum(a, b),
            RawNode::Product(a, b) if a < i && b < i => Node::Product(a, b),
            _ => return None,
        })
    }

    fn check_accumulator(&self) -> Result<(), BadDescription> {
        let Some(words) = &self.accumulator else {
            return Ok(());
        };
        let there = |(column, row): &(usize, usize)| {
            self.instances.get(*column).is_some_and(|rows| row < rows)
        };
        ensure(words.len() == 12 && words.iter().all(there), || {
            "an accumulator is 12 words among the public inputs".into()
        })
    }
}

fn in_range(rotation: i32) -> bool {
    rotation.unsigned_abs() <= MAX_ROTATION.unsigned_abs()
}

fn ensure(condition: bool, what: impl FnOnce() -> String) -> Result<(), BadDescription> {
    if condition {
        return Ok(());
    }
    Err(BadDescription::Unusable(what()))
}
