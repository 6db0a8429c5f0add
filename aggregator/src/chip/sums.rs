//! The running sums of the bus: two over the chunks, one over the range table, two over relations.

use bastion_circuits::core::{batch_invert, step, Challenges, Expr, Tag, Term, Tuple};
use halo2_proofs::halo2curves::bn256::Fr;
use rayon::prelude::*;

use super::columns::{CHUNKS, COUNT, TABLE};
use super::gate::RELATIONS;
use super::grid::Grid;
use super::layout::{Layout, RANGE};
use super::{gates, Gate};

/// Sums over chunks: three columns each, which a step of degree 5 allows.
pub const CHUNK_SUMS: usize = CHUNKS / 3;
/// The sum over the range table.
pub const TABLE_SUM: usize = CHUNK_SUMS;
/// All sums; those over relations come last.
pub const SUMS: usize = TABLE_SUM + 1 + RELATIONS;
/// Names of the steps of the sums over relations.
pub const STEPS: [&str; RELATIONS] = ["bus.multiples", "bus.digits"];

fn chunk_tuple(value: Expr) -> Tuple {
    Tuple::new(Tag::Chunk, [value])
}

/// What chunk sum `n` consumes on every row.
pub fn chunk_terms(n: usize) -> Vec<Term> {
    (3 * n..3 * n + 3)
        .map(|column| Term::consume("chunk", Expr::one(), chunk_tuple(Expr::cell(0, column))))
        .collect()
}

/// What the range table produces on every row.
pub fn table_term() -> Term {
    Term::produce("range", Expr::cell(0, COUNT), chunk_tuple(Expr::cell(0, TABLE)))
}

/// The steps of the sums over relations, each with its sum: a block that steps one of them steps
/// both.
pub fn steps(gate: &Gate) -> impl Iterator<Item = (usize, Expr)> + '_ {
    let terms = gate.steps().then(|| gate.bus.iter()).into_iter().flatten();
    terms.enumerate().map(|(sum, terms)| (sum, step(0, terms)))
}

/// The sums, one value for each row of the bus and one behind it.
pub fn assign(layout: &Layout, grid: &Grid, challenges: &Challenges) -> [Vec<Fr>; SUMS] {
    let rows = layout.bus_rows();
    let mut inverses: Vec<Fr> = (0..RANGE as u64)
        .map(|v| challenges.beta + Fr::from(Tag::Chunk as u64) + challenges.gamma * Fr::from(v))
        .collect();
    batch_invert(&mut inverses);
    let inverse = |value: &Fr| {
        let bytes = value.to_bytes();
        // Of a chunk out of range nothing is known; the sum will not end at 0.
        inverses[usize::from(u16::from_le_bytes([bytes[0], bytes[1]]))]
    };

    let gates = gates();
    let relations: Vec<(usize, usize, Fr, Fr)> = layout
        .program
        .blocks
        .par_iter()
        .flat_map_iter(|(step, row)| {
            let value = |e: &Expr| grid.evaluate(e, *row, challenges);
            let mut found = Vec::new();
            for (sum, terms) in gates[step.kind() as usize].bus.iter().enumerate() {
                for term in terms {
                    let multiplicity = value(&term.multiplicity);
                    if multiplicity != Fr::zero() {
                        let print = value(&term.tuple.fingerprint());
                        found.push((sum, *row, multiplicity, print));
                    }
                }
            }
            found
        })
        .collect();
    let mut prints: Vec<Fr> = relations.iter().map(|(.., print)| *print).collect();
    batch_invert(&mut prints);
    let mut steps = [(); RELATIONS].map(|()| vec![Fr::zero(); rows]);
    for ((sum, row, multiplicity, _), inverse) in relations.iter().zip(prints) {
        steps[*sum][*row] += *multiplicity * inverse;
    }

    let running = |deltas: &mut dyn Iterator<Item = Fr>| {
        let mut sum = Fr::zero();
        let mut sums = Vec::with_capacity(rows + 1);
        sums.push(sum);
        for delta in deltas {
            sum += delta;
            sums.push(sum);
        }
        sums
    };
    std::array::from_fn(|n| match n.checked_sub(TABLE_SUM) {
        None => running(&mut (0..rows).map(|row| {
            let chunks = 3 * n..3 * n + 3;
            -chunks.map(|c| inverse(&grid.get(row, c))).sum::<Fr>()
        })),
        Some(0) => {
            running(&mut (0..rows).map(|row| grid.get(row, COUNT) * inverse(&grid.get(row, TABLE))))
        }
        Some(relation) => running(&mut steps[relation - 1].iter().copied()),
    })
}
