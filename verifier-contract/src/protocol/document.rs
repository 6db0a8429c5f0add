//! The description as a document for verifiers that share no code with the prover
//! (`docs/protocol.md`, section 9): constraints flattened into steps, all numbers at full width.

use super::{AccumulatorLayout, Expression, G1Point, G2Point, Pack, PackedDescription, Query};
use super::{SrsPoints, VerifierDescription};
use alloy_primitives::U256;
use serde_json::{json, Value};
use std::collections::BTreeMap;

/// Version of the document.
pub const DOCUMENT_FORMAT: u32 = 3;

/// Transcript of the SHPLONK proofs that a document is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transcript {
    /// Keccak-256, uncompressed points.
    Keccak,
    /// Poseidon, compressed points: proofs that are aggregated.
    Poseidon,
}

impl PackedDescription {
    /// The document of packed proofs, with a Keccak transcript. It has one form: equal descriptions
    /// give equal bytes.
    pub fn to_document(&self) -> Value {
        let mut steps = Steps::default();
        let constraints: Vec<usize> = self.constraints.iter().map(|c| steps.add(c)).collect();
        let pack = |p: &Pack| json!({ "polynomials": p.polynomials, "rotations": p.rotations });
        let rounds = self.rounds.iter().map(|round| {
            json!({
                "commitments": round.packs.iter().map(pack).collect::<Vec<_>>(),
                "challenges": round.challenges,
            })
        });
        let fixed = self.fixed.iter().map(|fixed| {
            json!({
                "point": g1(&fixed.point),
                "polynomials": fixed.pack.polynomials,
                "rotations": fixed.pack.rotations,
            })
        });
        json!({
            "format": DOCUMENT_FORMAT,
            "scheme": "packed",
            "k": self.k,
            "omega": word(&self.omega),
            "digest": word(&self.digest),
            "stride": self.stride,
            "fixed": fixed.collect::<Vec<_>>(),
            "instances": self.num_instance,
            "rounds": rounds.collect::<Vec<_>>(),
            "nodes": steps.nodes,
            "constraints": constraints,
            "combiner": self.combiner,
            "accumulator": accumulator(self.accumulator.as_ref()),
            "srs": srs(&self.srs),
        })
    }
}

impl VerifierDescription {
    /// The document of SHPLONK proofs. It has one form: equal descriptions give equal bytes.
    pub fn to_document(&self, transcript: Transcript) -> Value {
        let mut steps = Steps::default();
        let constraints: Vec<usize> = self.constraints.iter().map(|c| steps.add(c)).collect();
        let queries = |list: &[Query]| -> Vec<Value> {
            list.iter().map(|q| json!([q.poly, q.rotation])).collect()
        };
        json!({
            "format": DOCUMENT_FORMAT,
            "scheme": "shplonk",
            "transcript": match transcript {
                Transcript::Keccak => "keccak",
                Transcript::Poseidon => "poseidon",
            },
            "k": self.k,
            "omega": word(&self.omega),
            "digest": word(&self.transcript_initial_state),
            "instances": self.num_instance,
            "fixed": self.preprocessed.iter().map(g1).collect::<Vec<_>>(),
            "rounds": self.phases,
            "quotient_pieces": self.quotient_chunks,
            "evaluations": queries(&self.evaluations),
            "openings": queries(&self.queries),
            "nodes": steps.nodes,
            "constraints": constraints,
            "combiner": self.combiner,
            "accumulator": accumulator(self.accumulator.as_ref()),
            "srs": srs(&self.srs),
        })
    }
}

/// Expressions as steps; equal subexpressions are one step.
#[derive(Default)]
struct Steps {
    nodes: Vec<Value>,
    known: BTreeMap<String, usize>,
}

impl Steps {
    fn step(&mut self, node: Value) -> usize {
        let key = node.to_string();
        let next = self.nodes.len();
        *self.known.entry(key).or_insert_with(|| {
            self.nodes.push(node);
            next
        })
    }

    fn add(&mut self, expression: &Expression) -> usize {
        let node = match expression {
            Expression::Constant(value) => json!({ "constant": word(value) }),
            Expression::Identity => json!("z"),
            Expression::Lagrange(row) => json!({ "lagrange": row }),
            Expression::Polynomial(q) => json!({ "polynomial": [q.poly, q.rotation] }),
            Expression::Challenge(i) => json!({ "challenge": i }),
            Expression::Negated(a) => json!({ "negated": self.add(a) }),
            Expression::Sum(a, b) => json!({ "sum": [self.add(a), self.add(b)] }),
            Expression::Product(a, b) => json!({ "product": [self.add(a), self.add(b)] }),
            Expression::Powers { terms, base } => {
                let base = self.add(base);
                let mut terms = terms.iter();
                let zero = Expression::Constant(U256::ZERO);
                let mut sum = self.add(terms.next().unwrap_or(&zero));
                for term in terms {
                    let term = self.add(term);
                    let product = self.step(json!({ "product": [sum, base] }));
                    sum = self.step(json!({ "sum": [product, term] }));
                }
                return sum;
            }
        };
        self.step(node)
    }
}

fn accumulator(layout: Option<&AccumulatorLayout>) -> Value {
    json!(layout.map(|layout| &layout.indices))
}

fn srs(points: &SrsPoints) -> Value {
    json!({ "g1": g1(&points.g1), "g2": g2(&points.g2), "s_g2": g2(&points.s_g2) })
}

fn word(value: &U256) -> String {
    format!("{value:#066x}")
}

fn g1(point: &G1Point) -> [String; 2] {
    [word(&point.x), word(&point.y)]
}

fn g2(point: &G2Point) -> [[String; 2]; 2] {
    [point.x, point.y].map(|c| c.map(|value| word(&value)))
}
