//! Every cell that a rule reads is changed; each change must break a rule, or the cell is free and
//! stands below with its reason. Chunks are changed to other chunks and limbs to others of their range,
//! and the range table counts the chunks again, as a cheating prover would.

use std::collections::HashMap;

use bastion_circuits::core::Expr;
use rand::Rng;
use rayon::prelude::*;

use super::*;
use crate::chip::columns::{word, CHUNKS, COUNT, LIMB, LIMB_BITS};

/// Cells that may change: how many are expected to, and why.
fn may_be_free(step: &Step, row: i32, column: usize) -> Option<&'static str> {
    let cell = Expr::cell(row, column);
    let offered = match step {
        Step::AddWindow { .. } | Step::Double(None) => false,
        Step::AddMultiple { offered, .. } => *offered != 0,
        Step::Constant { offered, .. } => *offered,
        _ => true,
    };
    if !offered && cell == add::uses() {
        return Some("uses of a point that is not on offer");
    }
    if matches!(step, Step::AddMultiple { .. }) && cell == word(1, 0) {
        return Some("digits of an addition that no scalar drives");
    }
    None
}

#[test]
fn every_changed_cell_is_noticed() {
    let (sums, inputs) = example(3);
    let layout = Layout::new(&sums, inputs.permutations.len());
    let grid = fill(&sums, &layout, &inputs);
    let gates = gates();
    let blocks = layout.blocks();
    // Which blocks read a cell, and where it stands in the block that it belongs to.
    let mut readers: HashMap<(usize, usize), Vec<usize>> = HashMap::new();
    for (n, (kind, row)) in blocks.iter().enumerate() {
        let gate = &gates[*kind as usize];
        let mut cells = std::collections::BTreeSet::new();
        let mut visit = |e: &Expr| {
            e.visit_cells(&mut |at, column| {
                if column < COUNT {
                    cells.insert((at, column));
                }
            });
        };
        gate.constraints.iter().for_each(|c| visit(&c.poly));
        for term in gate.bus.iter().flatten() {
            visit(&term.multiplicity);
            term.tuple.entries.iter().for_each(&mut visit);
        }
        for (at, column) in cells {
            let row = usize::try_from(*row as i64 + i64::from(at)).unwrap();
            readers.entry((row, column)).or_default().push(n);
        }
    }
    let owners: Vec<(Step, usize)> = layout.program.blocks.clone();
    let free = |row: usize, column: usize| {
        let n = owners.partition_point(|(_, first)| *first <= row).checked_sub(1)?;
        let (step, first) = &owners[n];
        may_be_free(step, (row - first) as i32, column)
    };
    // The value of an expression with one cell changed.
    let value = |expr: &Expr, row: usize, patch: Option<(usize, usize, Fr)>| {
        expr.evaluate(&|leaf| match leaf {
            Expr::Cell { row: at, col } => {
                let at = usize::try_from(row as i64 + i64::from(*at));
                at.map_or(Fr::zero(), |r| match patch {
                    Some((pr, pc, v)) if (pr, pc) == (r, *col) => v,
                    _ => grid.get(r, *col),
                })
            }
            _ => Fr::zero(),
        })
    };
    let holds = |n: usize, patch| {
        let (kind, row) = blocks[n];
        let constraints = &gates[kind as usize].constraints;
        constraints.iter().all(|c| value(&c.poly, row, Some(patch)) == Fr::zero())
    };
    let tuples = |n: usize, patch| {
        let (kind, row) = blocks[n];
        let mut tuples = Vec::new();
        for term in gates[kind as usize].bus.iter().flatten() {
            let multiplicity = value(&term.multiplicity, row, patch);
            if multiplicity != Fr::zero() {
                let entries = term.tuple.entries.iter();
                let entries: Vec<_> = entries.map(|e| value(e, row, patch).to_bytes()).collect();
                tuples.push((term.tuple.tag as u64, entries, multiplicity.to_bytes()));
            }
        }
        tuples
    };

    let mut cells: Vec<_> = readers.keys().copied().collect();
    cells.sort_unstable();
    let survivors: Vec<_> = cells
        .par_iter()
        .flat_map_iter(|&(row, column)| {
            let mut rng = StdRng::seed_from_u64((row * 16 + column) as u64);
            let honest = grid.get(row, column);
            let in_bus = row < layout.bus_rows();
            let values = if column < CHUNKS && in_bus {
                let chunk = honest.to_bytes();
                let chunk = u16::from_le_bytes([chunk[0], chunk[1]]);
                [chunk.wrapping_add(1), 0, rng.gen(), u16::MAX].map(|v| Fr::from(u64::from(v)))
            } else if column == LIMB && in_bus {
                let largest = bastion_circuits::core::pow2(LIMB_BITS) - Fr::one();
                let next = if honest == largest { Fr::zero() } else { honest + Fr::one() };
                [next, Fr::zero(), Fr::from_u128(rng.gen::<u128>() >> 48), largest]
            } else {
                [honest + Fr::one(), Fr::zero(), Fr::random(&mut rng), -Fr::one()]
            };
            let near = &readers[&(row, column)];
            let before: Vec<_> = near.iter().map(|n| tuples(*n, None)).collect();
            let mut survivors = Vec::new();
            for value in values.into_iter().filter(|v| *v != honest) {
                let patch = (row, column, value);
                let noticed = near
                    .iter()
                    .zip(&before)
                    .any(|(n, before)| !holds(*n, patch) || tuples(*n, Some(patch)) != *before);
                if !noticed {
                    survivors.push((row, column));
                    break;
                }
            }
            survivors
        })
        .collect();
    let tried = cells.len();
    let mut reasons: HashMap<&str, usize> = HashMap::new();
    for (row, column) in &survivors {
        let reason = free(*row, *column);
        assert!(reason.is_some(), "the cell ({row}, {column}) is free");
        *reasons.entry(reason.unwrap()).or_default() += 1;
    }
    println!("{tried} cells, {reasons:?}");
    record("cells", tried);
    record("killed", tried - survivors.len());
    record("allowed", survivors.len());
    assert_eq!(reasons.len(), 2, "{reasons:?}");
}

/// Adds a figure to the report of `make soundness`, if one is being written.
fn record(name: &str, value: usize) {
    use std::io::Write;
    let Ok(path) = std::env::var("BASTION_SOUNDNESS_REPORT") else {
        return;
    };
    let file = std::fs::File::options().create(true).append(true).open(path);
    writeln!(file.unwrap(), "{name} {value}").unwrap();
}
