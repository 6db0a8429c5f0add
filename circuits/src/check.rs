//! Finds what a grid violates, by name: the circuit's rules evaluated natively.
//!
//! Constraints are evaluated as they are; bus tuples are compared as multisets instead of through
//! challenges, so that a failure names the rule whose tuple has no partner.

use std::collections::{BTreeSet, HashMap};
use std::fmt;

use bastion_protocol::hash::keccak;
use bastion_state::executor::BatchTrace;
use rayon::prelude::*;

use crate::core::{Challenges, Expr, Grid, Layout, Placement, Program, RowBlock, Table, Term};
use crate::error::CircuitError;
use crate::witness::convert::to_halo2;
use crate::witness::LookupCounts;
use crate::{hash, tables, Fr, Shape};

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
        write!(f, "{}.{} in the block at row {}", self.table.name(), self.name, self.row)
    }
}

type TupleKey = (u64, Vec<[u8; 32]>);

/// All violations of a grid; empty for a correct witness.
pub fn check(shape: &Shape, grid: &Grid) -> BTreeSet<Failure> {
    check_blocks(&tables::blocks(shape), &Layout::new(shape).blocks, grid, &[])
}

/// All violations of the blocks at `placements`, of which each table's description is among
/// `blocks`. `outside` are terms that tables outside of the grid put on the bus.
pub fn check_blocks(
    blocks: &[RowBlock],
    placements: &[Placement],
    grid: &Grid,
    outside: &[(Table, Term)],
) -> BTreeSet<Failure> {
    let challenges = Challenges { beta: Fr::zero(), gamma: Fr::zero() };
    let mut failures = BTreeSet::new();
    let mut bus: HashMap<TupleKey, (Fr, Vec<Failure>)> = HashMap::new();
    let mut put = |table: Table, row: usize, term: &Term| {
        let value = |e: &Expr| grid.evaluate(e, row, &challenges, &[]);
        let multiplicity = value(&term.multiplicity);
        if multiplicity == Fr::zero() {
            return;
        }
        let entries = term.tuple.entries.iter().map(|e| value(e).to_bytes());
        let key = (term.tuple.tag as u64, entries.collect());
        let entry = bus.entry(key).or_insert((Fr::zero(), Vec::new()));
        entry.0 += multiplicity;
        entry.1.push(Failure { table, name: term.name.clone(), row });
    };
    let known: HashMap<Table, &RowBlock> = blocks.iter().map(|b| (b.table, b)).collect();
    for Placement { table, row } in placements {
        let Some(block) = known.get(table) else {
            failures.insert(Failure { table: *table, name: "no_description".into(), row: *row });
            continue;
        };
        for constraint in &block.constraints {
            if grid.evaluate(&constraint.poly, *row, &challenges, &[]) != Fr::zero() {
                failures.insert(Failure {
                    table: *table,
                    name: constraint.name.clone(),
                    row: *row,
                });
            }
        }
        for term in block.bus.iter().flatten() {
            put(*table, *row, term);
        }
    }
    for (table, term) in outside {
        put(*table, 0, term);
    }
    for (_, (sum, terms)) in bus {
        if sum != Fr::zero() {
            failures.extend(terms);
        }
    }
    failures
}

/// Whether a grid satisfies every rule: what [`check`] finds, without names and in less time. The bus
/// is summed under challenges that the public inputs give, so a wrong yes has the probability that
/// it has in a proof (`docs/security.md`, 4.1).
pub fn holds(shape: &Shape, grid: &Grid) -> bool {
    let layout = Layout::new(shape);
    let compressions = layout.blocks.par_iter();
    let compressions = compressions.filter(|p| p.table == Table::Compress);
    compressions.map(|p| hash::holds(grid, p.row)).all(|yes| yes) && links_hold(shape, grid)
}

/// [`holds`] for a grid that [`fill`](crate::witness::fill) made: it wrote each compression by the
/// function that would check it.
fn links_hold(shape: &Shape, grid: &Grid) -> bool {
    let layout = Layout::new(shape);
    let blocks = tables::blocks(shape);
    let unused = Challenges { beta: Fr::zero(), gamma: Fr::zero() };
    let programs: Vec<(Program, Vec<usize>)> = blocks
        .iter()
        .map(|block| {
            let mut program = Program::default();
            let zeros = block.constraints.iter().map(|c| program.add(&c.poly));
            let zeros = zeros.collect();
            (program, zeros)
        })
        .collect();
    let vanishes = |values: &mut Vec<Fr>, placement: &Placement| {
        let (program, zeros) = &programs[placement.table as usize];
        program.run(grid, placement.row, &unused, values);
        zeros.iter().all(|n| values[*n] == Fr::zero())
    };
    let constraints = || {
        let blocks = layout.blocks.par_iter();
        let blocks = blocks.filter(|p| p.table != Table::Compress);
        blocks.map_init(Vec::new, vanishes).all(|zero| zero)
    };
    let public: Vec<u8> = grid.public().iter().flat_map(Fr::to_bytes).collect();
    let challenge =
        |name: &[u8]| to_halo2(bastion_protocol::field::reduce(&keccak(&[name, &public])));
    let challenges = Challenges {
        beta: challenge(b"bastion.check.beta"),
        gamma: challenge(b"bastion.check.gamma"),
    };
    let balanced = || {
        let sums = grid.bus_sums(&layout, &blocks, &challenges);
        sums.last() == Some(&Fr::zero())
    };
    let (constraints, balanced) = rayon::join(constraints, balanced);
    constraints && balanced
}

/// Refuses a batch, filled into `grid`, that no proof exists for, and names the first operation at
/// fault.
///
/// # Errors
/// [`CircuitError::Unprovable`].
pub(crate) fn require(
    shape: &Shape,
    trace: &BatchTrace,
    grid: &Grid,
    pools: &LookupCounts,
) -> Result<(), CircuitError> {
    if pools.out_of_range.is_empty() && links_hold(shape, grid) {
        return Ok(());
    }
    let failures = check(shape, grid);
    let rows = Layout::new(shape).rows_of(Table::Op);
    let of_ops = failures.iter().filter(|f| f.table == Table::Op);
    let operation = of_ops
        .filter_map(|f| rows.iter().position(|row| *row == f.row))
        .min()
        .and_then(|n| Some((n, trace.ops.get(n)?.kind)));
    let out_of_range = |(bits, _): &(u32, Fr)| format!("a value of at most {bits} bits");
    let rules =
        names(&failures).into_iter().chain(pools.out_of_range.iter().map(out_of_range)).collect();
    Err(CircuitError::Unprovable { operation, rules })
}

/// The distinct `table.rule` names of failures.
pub fn names(failures: &BTreeSet<Failure>) -> BTreeSet<String> {
    failures.iter().map(|f| format!("{}.{}", f.table.name(), f.name)).collect()
}
