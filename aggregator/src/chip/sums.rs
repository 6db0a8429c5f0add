//! The running sums of the bus: two over the chunks, one over the relations and the range table.

use bastion_circuits::core::{batch_invert, Challenges, Expr, Tag, Term, Tuple};
use halo2_proofs::halo2curves::bn256::Fr;
use rayon::prelude::*;

use super::columns::{CHUNKS, COUNT, TABLE};
use super::grid::Grid;
use super::layout::{Layout, RANGE};
use super::{gates, Gate};

/// Sums over chunks: three columns each, which a step of degree 5 allows.
pub const CHUNK_SUMS: usize = CHUNKS / 3;
/// All sums.
pub const SUMS: usize = CHUNK_SUMS + 1;

fn chunk_tuple(value: Expr) -> Tuple {
    Tuple::new(Tag::Chunk, [value])
}

/// What chunk sum `n` consumes on every row.
pub fn chunk_terms(n: usize) -> Vec<Term> {
    (3 * n..3 * n + 3)
        .map(|column| Term::consume("chunk", Expr::one(), chunk_tuple(Expr::cell(0, column))))
        .collect()
}

/// What the range table produces on row `row` of a block.
pub fn table_term(row: i32) -> Term {
    Term::produce("range", Expr::cell(row, COUNT), chunk_tuple(Expr::cell(row, TABLE)))
}

/// The rows on which a block steps the sum over relations, with its terms and the table's.
pub fn steps(gate: &Gate) -> impl Iterator<Item = (usize, Vec<Term>)> + '_ {
    gate.bus.iter().enumerate().filter(|(_, terms)| !terms.is_empty()).map(|(row, terms)| {
        let mut terms = terms.clone();
        terms.push(table_term(row as i32));
        (row, terms)
    })
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
    let relations: Vec<(usize, Fr, Fr)> = layout
        .program
        .blocks
        .par_iter()
        .flat_map_iter(|(step, row)| {
            let value = |e: &Expr| grid.evaluate(e, *row, challenges);
            let mut found = Vec::new();
            for (offset, terms) in gates[step.kind() as usize].bus.iter().enumerate() {
                for term in terms {
                    let multiplicity = value(&term.multiplicity);
                    if multiplicity != Fr::zero() {
                        let print = value(&term.tuple.fingerprint());
                        found.push((row + offset, multiplicity, print));
                    }
                }
            }
            found
        })
        .collect();
    let mut prints: Vec<Fr> = relations.iter().map(|(_, _, print)| *print).collect();
    batch_invert(&mut prints);
    let mut deltas: Vec<Fr> =
        (0..rows).map(|row| grid.get(row, COUNT) * inverse(&grid.get(row, TABLE))).collect();
    for ((row, multiplicity, _), inverse) in relations.iter().zip(prints) {
        deltas[*row] += *multiplicity * inverse;
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
    std::array::from_fn(|n| {
        if n == CHUNK_SUMS {
            running(&mut deltas.iter().copied())
        } else {
            running(&mut (0..rows).map(|row| {
                let chunks = 3 * n..3 * n + 3;
                -chunks.map(|c| inverse(&grid.get(row, c))).sum::<Fr>()
            }))
        }
    })
}
