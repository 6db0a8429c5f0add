//! Finds what a grid violates, by name: the circuit's rules evaluated natively.
//!
//! Constraints are evaluated as they are; bus tuples are compared as multisets instead of through
//! challenges, so that a failure names the rule whose tuple has no partner.

use std::collections::{BTreeSet, HashMap};
use std::fmt;

use crate::core::{Challenges, Grid, Layout, Table};
use crate::{tables, Fr, Shape};

/// A violated rule.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Failure {
    /// The table.
    pub table: Table,
    /// The constraint or bus term.
    pub name: String,
    /// First row of the block.
    pub row: usize,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}.{} in the block at row {}",
            self.table.name(),
            self.name,
            self.row
        )
    }
}

type TupleKey = (u64, Vec<[u8; 32]>);

/// All violations of a grid; empty for a correct witness.
pub fn check(shape: &Shape, grid: &Grid) -> BTreeSet<Failure> {
    let layout = Layout::new(shape);
    let blocks = tables::blocks(shape);
    let challenges = Challenges {
        beta: Fr::zero(),
        gamma: Fr::zero(),
    };
    let mut failures = BTreeSet::new();
    let mut bus: HashMap<TupleKey, (Fr, Vec<Failure>)> = HashMap::new();
    for placement in &layout.blocks {
        let block = &blocks[placement.table as usize];
        let value = |e: &crate::core::Expr| grid.evaluate(e, placement.row, &challenges, &[]);
        let failure = |name: &str| Failure {
            table: placement.table,
            name: name.into(),
            row: placement.row,
        };
        for constraint in &block.constraints {
            if value(&constraint.poly) != Fr::zero() {
                failures.insert(failure(&constraint.name));
            }
        }
        for term in block.bus.iter().flatten() {
            let multiplicity = value(&term.multiplicity);
            if multiplicity == Fr::zero() {
                continue;
            }
            let entries = term.tuple.entries.iter().map(|e| value(e).to_bytes());
            let entry = bus
                .entry((term.tuple.tag as u64, entries.collect()))
                .or_insert((Fr::zero(), Vec::new()));
            entry.0 += multiplicity;
            entry.1.push(failure(&term.name));
        }
    }
    for (_, (sum, terms)) in bus {
        if sum != Fr::zero() {
            failures.extend(terms);
        }
    }
    failures
}

/// The distinct `table.rule` names of failures.
pub fn names(failures: &BTreeSet<Failure>) -> BTreeSet<String> {
    failures
        .iter()
        .map(|f| format!("{}.{}", f.table.name(), f.name))
        .collect()
}
