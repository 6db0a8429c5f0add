//! The verifier as a document (`docs/protocol.md`, section 9).

use std::collections::{BTreeMap, BTreeSet};

use ark_bn254::{Fr, G1Affine, G2Affine};
use ark_ff::{FftField, Field, One};
use serde::Deserialize;

use crate::error::BadDescription;
use crate::points;

/// Version of the document.
pub const FORMAT: u32 = 3;
/// Largest number of anything in a description: far above every real circuit.
const MAX_COUNT: usize = 1 << 16;
/// Largest document in bytes.
const MAX_BYTES: usize = 1 << 26;
/// Largest distance of a rotation or of a Lagrange polynomial's row from row 0.
const MAX_ROTATION: i32 = 1 << 10;
/// Largest stride of packs.
const MAX_STRIDE: usize = 64;

/// How the transcript hashes, and how points and scalars stand in the proof.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Transcript {
    /// Keccak-256 over big-endian words, points uncompressed: packed proofs, for the EVM.
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
struct RawFixed {
    point: [String; 2],
    polynomials: usize,
    rotations: Vec<i32>,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawPackedRound {
    commitments: Vec<Pack>,
    challenges: usize,
}

/// A document of either kind.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(tag = "scheme", rename_all = "snake_case")]
enum Document {
    Shplonk(Raw),
    Packed(RawPacked),
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawPacked {
    format: u32,
    k: u32,
    omega: String,
    digest: String,
    stride: usize,
    fixed: Vec<RawFixed>,
    instances: Vec<usize>,
    rounds: Vec<RawPackedRound>,
    nodes: Vec<RawNode>,
    constraints: Vec<usize>,
    combiner: usize,
    accumulator: Option<Vec<(usize, usize)>>,
    srs: RawSrs,
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

/// Polynomials under one commitment `P(X) = sum of X^i f_i(X^stride)`, and the rotations at which all
/// of them are opened.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Pack {
    pub(crate) polynomials: usize,
    pub(crate) rotations: Vec<i32>,
}

/// How polynomials are committed to and opened.
#[derive(Clone, Debug)]
pub(crate) enum Scheme {
    /// One commitment each; the quotient in pieces; opened in this order.
    Shplonk { quotient_pieces: usize, openings: Vec<Query> },
    /// Packs, first those of the key; the quotient as one polynomial.
    Packed { stride: usize, packs: Vec<Pack> },
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
    /// Polynomials of the key: the number of the first instance column.
    pub(crate) fixed_polynomials: usize,
    pub(crate) rounds: Vec<Round>,
    /// Polynomials of the rounds.
    pub(crate) round_polynomials: usize,
    pub(crate) evaluations: Vec<Query>,
    pub(crate) scheme: Scheme,
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
        let raw: Document = raw.map_err(|e| BadDescription::Unusable(e.to_string()))?;
        match raw {
            Document::Shplonk(raw) => Self::shplonk(raw),
            Document::Packed(raw) => Self::packed(raw),
        }
    }

    /// Public inputs of each instance column.
    pub fn instance_counts(&self) -> &[usize] {
        &self.instances
    }

    /// Commitments in the proof before those of the quotient.
    pub fn witness_count(&self) -> usize {
        self.rounds.iter().map(|r| r.points).sum()
    }

    /// Evaluations in the proof.
    pub fn evaluation_count(&self) -> usize {
        self.evaluations.len()
    }

    /// Number of the first polynomial of the rounds: those of the key and instance columns come first.
    pub(crate) fn witness_offset(&self) -> usize {
        self.fixed_polynomials + self.instances.len()
    }

    /// Number of the quotient polynomial.
    pub(crate) fn quotient(&self) -> usize {
        self.witness_offset() + self.round_polynomials
    }

    /// Challenges before `z`.
    pub(crate) fn challenge_count(&self) -> usize {
        self.rounds.iter().map(|r| r.challenges).sum()
    }

    /// Commitments to the quotient.
    pub(crate) fn quotient_pieces(&self) -> usize {
        match self.scheme {
            Scheme::Shplonk { quotient_pieces, .. } => quotient_pieces,
            Scheme::Packed { .. } => 1,
        }
    }

    /// Rotations of all openings.
    pub(crate) fn rotations(&self) -> BTreeSet<i32> {
        match &self.scheme {
            Scheme::Shplonk { openings, .. } => openings.iter().map(|q| q.1).collect(),
            Scheme::Packed { packs, .. } => {
                packs.iter().flat_map(|pack| pack.rotations.iter().copied()).collect()
            }
        }
    }

    /// Exact length of a proof in bytes.
    pub fn proof_len(&self) -> usize {
        let point = match self.transcript {
            Transcript::Keccak => 64,
            Transcript::Poseidon => 32,
        };
        (self.witness_count() + self.quotient_pieces() + 2) * point + self.evaluations.len() * 32
    }

    fn shplonk(raw: Raw) -> Result<Self, BadDescription> {
        check_counts(
            raw.format,
            raw.k,
            [
                &[raw.fixed.len(), raw.nodes.len(), raw.constraints.len()][..],
                &[raw.evaluations.len(), raw.openings.len(), raw.quotient_pieces],
                &[raw.rounds.len(), raw.instances.len()],
                &raw.rounds.iter().flat_map(|r| [r.points, r.challenges]).collect::<Vec<_>>(),
                &raw.instances,
            ],
        )?;
        ensure(raw.quotient_pieces > 0, || "no quotient".into())?;
        let fixed = raw.fixed.iter().enumerate().map(|(i, p)| fixed_point(i, p));
        let fixed = fixed.collect::<Result<Vec<_>, _>>()?;
        let rounds = raw.rounds.iter();
        let rounds = rounds.map(|r| Round { points: r.points, challenges: r.challenges });
        let description = Self {
            transcript: raw.transcript,
            k: raw.k,
            omega: named("omega", points::scalar(&raw.omega))?,
            digest: named("digest", points::scalar(&raw.digest))?,
            fixed_polynomials: fixed.len(),
            fixed,
            round_polynomials: raw.rounds.iter().map(|r| r.points).sum(),
            rounds: rounds.collect(),
            instances: raw.instances,
            evaluations: raw.evaluations,
            scheme: Scheme::Shplonk {
                quotient_pieces: raw.quotient_pieces,
                openings: raw.openings,
            },
            nodes: Vec::new(),
            constraints: raw.constraints,
            combiner: raw.combiner,
            accumulator: raw.accumulator,
            g1: named("srs.g1", points::g1(&raw.srs.g1))?,
            g2: named("srs.g2", points::g2(&raw.srs.g2))?,
            s_g2: named("srs.s_g2", points::g2(&raw.srs.s_g2))?,
        };
        description.check_queries()?;
        description.checked(&raw.nodes)
    }

    fn packed(raw: RawPacked) -> Result<Self, BadDescription> {
        let of_key = raw.fixed.iter().map(|fixed| Pack {
            polynomials: fixed.polynomials,
            rotations: fixed.rotations.clone(),
        });
        let of_rounds = raw.rounds.iter().flat_map(|round| round.commitments.iter().cloned());
        let packs: Vec<Pack> = of_key.chain(of_rounds).collect();
        check_counts(
            raw.format,
            raw.k,
            [
                &[raw.fixed.len(), raw.nodes.len(), raw.constraints.len()][..],
                &[packs.len(), raw.rounds.len(), raw.instances.len()],
                &packs.iter().flat_map(|p| [p.polynomials, p.rotations.len()]).collect::<Vec<_>>(),
                &raw.rounds.iter().map(|r| r.challenges).collect::<Vec<_>>(),
                &raw.instances,
            ],
        )?;
        ensure((1..=MAX_STRIDE).contains(&raw.stride), || format!("stride {}", raw.stride))?;
        for (i, pack) in packs.iter().enumerate() {
            let distinct: BTreeSet<i32> = pack.rotations.iter().copied().collect();
            let fine = (1..=raw.stride).contains(&pack.polynomials)
                && !distinct.is_empty()
                && distinct.len() == pack.rotations.len()
                && distinct.iter().all(|r| in_range(*r));
            ensure(fine, || format!("pack {i}"))?;
        }
        let fixed = raw.fixed.iter().enumerate().map(|(i, f)| fixed_point(i, &f.point));
        let fixed = fixed.collect::<Result<Vec<_>, _>>()?;
        let polynomials = |packs: &[Pack]| packs.iter().map(|p| p.polynomials).sum::<usize>();
        let (of_key, of_rounds) = packs.split_at(fixed.len());
        let rounds = raw.rounds.iter();
        let rounds =
            rounds.map(|r| Round { points: r.commitments.len(), challenges: r.challenges });
        let mut description = Self {
            transcript: Transcript::Keccak,
            k: raw.k,
            omega: named("omega", points::scalar(&raw.omega))?,
            digest: named("digest", points::scalar(&raw.digest))?,
            fixed_polynomials: polynomials(of_key),
            fixed,
            round_polynomials: polynomials(of_rounds),
            rounds: rounds.collect(),
            instances: raw.instances,
            evaluations: Vec::new(),
            scheme: Scheme::Packed { stride: raw.stride, packs: Vec::new() },
            nodes: Vec::new(),
            constraints: raw.constraints,
            combiner: raw.combiner,
            accumulator: raw.accumulator,
            g1: named("srs.g1", points::g1(&raw.srs.g1))?,
            g2: named("srs.g2", points::g2(&raw.srs.g2))?,
            s_g2: named("srs.s_g2", points::g2(&raw.srs.s_g2))?,
        };
        description.evaluations = description.places(&packs);
        description.scheme = Scheme::Packed { stride: raw.stride, packs };
        description.checked(&raw.nodes)
    }

    /// The evaluations of packs in the order of the proof: by pack, by rotation, by place.
    fn places(&self, packs: &[Pack]) -> Vec<Query> {
        let mut next = 0;
        let mut evaluations = Vec::new();
        for (i, pack) in packs.iter().enumerate() {
            if i == self.fixed.len() {
                next = self.witness_offset();
            }
            for rotation in &pack.rotations {
                let places = next..next + pack.polynomials;
                evaluations.extend(places.map(|poly| Query(poly, *rotation)));
            }
            next += pack.polynomials;
        }
        evaluations
    }

    /// What both kinds have in common.
    fn checked(mut self, nodes: &[RawNode]) -> Result<Self, BadDescription> {
        ensure(!self.constraints.is_empty(), || "no constraints".into())?;
        let minus_one = -Fr::one();
        ensure(self.omega.pow([1 << (self.k - 1)]) == minus_one, || {
            format!("omega is no primitive root of order 2^{}", self.k)
        })?;
        ensure(self.combiner < self.challenge_count(), || format!("combiner {}", self.combiner))?;
        let evaluations = self.evaluations.iter().copied();
        let evaluations: BTreeMap<Query, usize> = evaluations.zip(0..).collect();
        for (i, node) in nodes.iter().enumerate() {
            let bad = || BadDescription::Unusable(format!("node {i}: {node:?}"));
            let node = self.node(i, node, &evaluations).ok_or_else(bad)?;
            self.nodes.push(node);
        }
        let nodes = self.nodes.len();
        ensure(self.constraints.iter().all(|c| *c < nodes), || {
            "a constraint that is no node".into()
        })?;
        self.check_accumulator()?;
        Ok(self)
    }

    fn check_queries(&self) -> Result<(), BadDescription> {
        let Scheme::Shplonk { openings, .. } = &self.scheme else {
            return Ok(());
        };
        let instances = self.fixed_polynomials..self.witness_offset();
        let evaluated: BTreeSet<_> = self.evaluations.iter().collect();
        let opened: BTreeSet<_> = openings.iter().collect();
        ensure(
            evaluated.len() == self.evaluations.len() && opened.len() == openings.len(),
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
                let instances = self.fixed_polynomials..self.witness_offset();
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

/// That lists are no longer than any circuit's, before anything is made of them.
fn check_counts(format: u32, k: u32, counts: [&[usize]; 5]) -> Result<(), BadDescription> {
    ensure(format == FORMAT, || format!("format {format}, this verifier reads {FORMAT}"))?;
    ensure((1..=Fr::TWO_ADICITY).contains(&k), || format!("k = {k}"))?;
    let mut all = counts.into_iter().flatten();
    let total = all.try_fold(0, |sum: usize, n| (*n <= MAX_COUNT).then(|| sum + n));
    ensure(total.is_some_and(|n| n <= 4 * MAX_COUNT), || "more entries than any circuit has".into())
}

fn named<T>(what: &str, value: Option<T>) -> Result<T, BadDescription> {
    value.ok_or_else(|| BadDescription::Unusable(what.to_owned()))
}

fn fixed_point(i: usize, coordinates: &[String; 2]) -> Result<G1Affine, BadDescription> {
    named(&format!("fixed point {i}"), points::g1(coordinates))
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
