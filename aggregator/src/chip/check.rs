//! Finds the violated rules of a grid, by name: the circuit's rules evaluated natively.

use std::collections::{BTreeSet, HashMap};

use bastion_circuits::core::Challenges;
use halo2_proofs::halo2curves::bn256::Fr;

use super::columns::{limb_rule, CHUNKS, COUNT};
use super::gates;
use super::grid::Grid;
use super::layout::{Layout, RANGE};

/// A tuple on the bus: its tag and the bytes of its entries.
type Tuple = (u64, Vec<[u8; 32]>);

/// The names (`kind.rule`) of all violated rules; empty for a correct witness.
pub fn check(layout: &Layout, grid: &Grid) -> BTreeSet<String> {
    let gates = gates();
    let none = Challenges { beta: Fr::zero(), gamma: Fr::zero() };
    let mut failures = BTreeSet::new();
    let mut bus: HashMap<Tuple, (Fr, Vec<String>)> = HashMap::new();
    for (kind, row) in &layout.blocks() {
        let gate = &gates[*kind as usize];
        let name = |rule: &str| format!("{}.{rule}", gate.kind.name());
        for constraint in &gate.constraints {
            if grid.evaluate(&constraint.poly, *row, &none) != Fr::zero() {
                failures.insert(name(&constraint.name));
            }
        }
        for term in gate.bus.iter().flatten() {
            let multiplicity = grid.evaluate(&term.multiplicity, *row, &none);
            if multiplicity == Fr::zero() {
                continue;
            }
            let entries = term.tuple.entries.iter();
            let entries = entries.map(|e| grid.evaluate(e, *row, &none).to_bytes());
            let entry = bus
                .entry((term.tuple.tag as u64, entries.collect()))
                .or_insert((Fr::zero(), Vec::new()));
            entry.0 += multiplicity;
            entry.1.push(name(&term.name));
        }
    }
    for (sum, names) in bus.into_values() {
        if sum != Fr::zero() {
            failures.extend(names);
        }
    }
    let limb = limb_rule();
    if (0..layout.bus_rows()).any(|row| grid.evaluate(&limb, row, &none) != Fr::zero()) {
        failures.insert("bus.limb".into());
    }
    if !chunks_are_counted(grid, layout.bus_rows()) {
        failures.insert("range.chunk".into());
    }
    failures
}

fn chunks_are_counted(grid: &Grid, rows: usize) -> bool {
    let mut counts = vec![0u64; RANGE];
    for column in 0..CHUNKS {
        for value in &grid.column(column)[..rows] {
            let bytes = value.to_bytes();
            if bytes[2..].iter().any(|b| *b != 0) {
                return false;
            }
            counts[usize::from(u16::from_le_bytes([bytes[0], bytes[1]]))] += 1;
        }
    }
    counts.iter().enumerate().all(|(row, count)| grid.get(row, COUNT) == Fr::from(*count))
}
