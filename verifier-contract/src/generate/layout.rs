//! Where the verifier keeps what in memory. All addresses are fixed when the contract is written,
//! so that its tables can name operands by two-byte pointers.

use crate::{
    error::{ContractError, Result},
    protocol::{PackedDescription, Query},
};
use std::collections::{BTreeMap, BTreeSet};

/// First free address of Solidity's memory.
const START: usize = 0x80;
/// Room for the pairing's input, the largest of the precompiles' inputs.
const SCRATCH_BYTES: usize = 0x180;
/// Pointers have two bytes.
const POINTER_LIMIT: usize = 1 << 16;

/// One stretch of the proof that is absorbed before a squeeze.
pub(super) struct Segment {
    pub(super) points: usize,
    pub(super) scalars: usize,
    pub(super) challenges: usize,
}

/// Addresses, in bytes, of everything that the generated code names.
pub(super) struct Layout {
    pub(super) scratch: usize,
    /// All challenges in the order of squeezing; the last three are z, gamma, z'.
    pub(super) challenges: usize,
    pub(super) zn: usize,
    /// Lagrange evaluations of rows `lagrange_first..`, first of the values inverted together.
    pub(super) lagrange: usize,
    pub(super) lagrange_first: i32,
    /// The last of these rows.
    pub(super) lagrange_last: i32,
    pub(super) vanishing_inv: usize,
    pub(super) z_inv: usize,
    /// Of z' - z, where the quotient is opened.
    pub(super) quotient_inv: usize,
    /// Of the denominators of the instances' sums.
    pub(super) instance_inv: usize,
    pub(super) rotation_inv: usize,
    pub(super) batch_count: usize,
    pub(super) rotation_diff: usize,
    pub(super) prefix: usize,
    pub(super) instance_evals: usize,
    pub(super) quotient_eval: usize,
    pub(super) state: usize,
    pub(super) transcript: usize,
    /// Distinct rotations of all packs, ascending.
    pub(super) rotations: Vec<i32>,
    /// Instance queries of the constraints, in the order of their evaluations.
    pub(super) instance_queries: Vec<Query>,
    pub(super) segments: Vec<Segment>,
    /// Commitments of the rounds' packs, the quotient, W and W'.
    points: Vec<usize>,
    evaluations: BTreeMap<Query, usize>,
    end: usize,
}

impl Layout {
    pub(super) fn new(d: &PackedDescription) -> Self {
        let instances = d.fixed_count()..d.witness_offset();
        let mut instance_queries = BTreeSet::new();
        let mut rows = BTreeSet::new();
        for constraint in &d.constraints {
            instance_queries
                .extend(constraint.queries().into_iter().filter(|q| instances.contains(&q.poly)));
            rows.extend(constraint.lagranges());
        }
        let lagrange_first = rows.first().copied().unwrap_or(0);
        let lagrange_count = rows.last().map_or(0, |last| (last - lagrange_first) as usize + 1);
        let packs = d.packs();
        let rotations: Vec<i32> = packs
            .iter()
            .flat_map(|(_, pack)| pack.rotations.iter().copied())
            .collect::<BTreeSet<_>>()
            .into_iter()
            .collect();
        let batch_count = lagrange_count + 3 + instance_queries.len() + rotations.len();

        let mut end = START;
        let mut words = |count: usize| {
            let address = end;
            end += 32 * count;
            address
        };
        let scratch = words(SCRATCH_BYTES / 32);
        let challenges = words(d.challenge_count() + 3);
        let zn = words(1);
        let lagrange = words(lagrange_count);
        let vanishing_inv = words(1);
        let z_inv = words(1);
        let quotient_inv = words(1);
        let instance_inv = words(instance_queries.len());
        let rotation_inv = words(rotations.len());
        let rotation_diff = words(rotations.len());
        let prefix = words(batch_count);
        let instance_evals = words(instance_queries.len());
        let quotient_eval = words(1);
        let state = words(8);
        let transcript = words(1 + d.instance_count());
        let mut layout = Self {
            scratch,
            challenges,
            zn,
            lagrange,
            lagrange_first,
            lagrange_last: rows.last().copied().unwrap_or(0),
            vanishing_inv,
            z_inv,
            quotient_inv,
            instance_inv,
            rotation_inv,
            batch_count,
            rotation_diff,
            prefix,
            instance_evals,
            quotient_eval,
            state,
            transcript,
            rotations,
            instance_queries: instance_queries.into_iter().collect(),
            segments: segments(d),
            points: Vec::new(),
            evaluations: BTreeMap::new(),
            end,
        };
        layout.place_proof(d);
        layout
    }

    /// Addresses of the parts of the proof: each stretch follows the hash of the one before.
    fn place_proof(&mut self, d: &PackedDescription) {
        let evaluations = d.evaluations();
        let mut evaluations = evaluations.iter();
        for segment in &self.segments {
            for _ in 0..segment.points {
                self.points.push(self.end);
                self.end += 0x40;
            }
            for query in evaluations.by_ref().take(segment.scalars) {
                self.evaluations.insert(*query, self.end);
                self.end += 0x20;
            }
            if segment.challenges > 0 {
                self.end += 0x20;
            }
        }
        for (index, query) in self.instance_queries.iter().enumerate() {
            self.evaluations.insert(*query, self.instance_evals + 32 * index);
        }
    }

    /// Takes `words` more words at the end.
    pub(super) fn reserve(&mut self, words: usize) -> usize {
        let address = self.end;
        self.end += 32 * words;
        address
    }

    /// End of the arena.
    ///
    /// # Errors
    /// If a two-byte pointer does not reach it.
    pub(super) fn end(&self) -> Result<usize> {
        if self.end > POINTER_LIMIT {
            return Err(ContractError::MemoryExceeded { bytes: self.end, limit: POINTER_LIMIT });
        }
        Ok(self.end)
    }

    /// Address of a commitment of the proof: those of the rounds' packs, of the quotient, W, W'.
    pub(super) fn point(&self, index: usize) -> Result<usize> {
        self.points.get(index).copied().ok_or_else(|| {
            ContractError::InvalidDescription(format!("the proof has no point {index}"))
        })
    }

    /// Address of an evaluation.
    pub(super) fn evaluation(&self, query: &Query) -> Result<usize> {
        self.evaluations.get(query).copied().ok_or_else(|| {
            ContractError::InvalidDescription(format!("{query:?} has no evaluation"))
        })
    }

    /// Address of the challenge z.
    pub(super) fn z(&self) -> usize {
        self.zn - 3 * 0x20
    }

    /// Address of an instance, counted over all columns.
    pub(super) fn instance(&self, index: usize) -> usize {
        self.transcript + 0x20 * (1 + index)
    }

    /// Address of a Lagrange evaluation.
    pub(super) fn lagrange(&self, row: i32) -> usize {
        self.lagrange + 32 * (row - self.lagrange_first).unsigned_abs() as usize
    }

    /// Index of a rotation among the distinct ones.
    pub(super) fn rotation(&self, rotation: i32) -> usize {
        self.rotations.partition_point(|r| *r < rotation)
    }
}

/// The proof's stretches: the rounds, the quotient, the evaluations, W and W'.
fn segments(d: &PackedDescription) -> Vec<Segment> {
    let points = |points, challenges| Segment { points, scalars: 0, challenges };
    d.rounds
        .iter()
        .map(|round| points(round.packs.len(), round.challenges))
        .chain([
            points(1, 1),
            Segment { points: 0, scalars: d.evaluations().len(), challenges: 1 },
            points(1, 1),
            points(1, 0),
        ])
        .collect()
}
