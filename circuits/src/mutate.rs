//! Changes single cells of a witness and finds the rule that notices.
//!
//! A cell that can change without breaking a rule is under-constrained: either it is free by design
//! (then its reason stands in the list that the tests keep), or a prover could lie there. Only what
//! reads the cell is evaluated again, so that every cell of a batch can be tried.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::core::{Challenges, Expr, Grid, Layout, Placement, RowBlock, Table, Term};
use crate::{tables, Fr, Shape};

/// A bus tuple: its tag and the bytes of its entries.
type Tuple = (u64, Vec<[u8; 32]>);

/// What of a table reads a cell: numbers of constraints and of bus terms.
#[derive(Default)]
struct Readers {
    constraints: Vec<usize>,
    terms: Vec<usize>,
}

/// A table as a mutation sees it.
struct Rules {
    names: Vec<String>,
    polys: Vec<Expr>,
    terms: Vec<Term>,
    /// By row relative to the block, and column.
    readers: HashMap<(i32, usize), Readers>,
    rows: BTreeSet<i32>,
}

/// Tries changes of an honest witness.
pub struct Mutator<'g> {
    grid: &'g Grid,
    rules: BTreeMap<Table, Rules>,
    /// Blocks that read a row.
    by_row: HashMap<usize, Vec<Placement>>,
}

impl<'g> Mutator<'g> {
    /// For a witness that violates nothing (see [`crate::check::check`]).
    pub fn new(shape: &Shape, grid: &'g Grid) -> Self {
        Self::of_blocks(tables::blocks(shape), Layout::new(shape).blocks, grid)
    }

    /// For a witness of the blocks at `placements`, which violates nothing (see
    /// [`crate::check::check_blocks`]).
    pub fn of_blocks(blocks: Vec<RowBlock>, placements: Vec<Placement>, grid: &'g Grid) -> Self {
        let mut rules = BTreeMap::new();
        for block in blocks {
            let mut readers: HashMap<(i32, usize), Readers> = HashMap::new();
            for (i, constraint) in block.constraints.iter().enumerate() {
                for cell in cells_of([&constraint.poly]) {
                    readers.entry(cell).or_default().constraints.push(i);
                }
            }
            let terms: Vec<Term> = block.bus.iter().flatten().cloned().collect();
            for (i, term) in terms.iter().enumerate() {
                let parts = term.tuple.entries.iter().chain([&term.multiplicity]);
                for cell in cells_of(parts) {
                    readers.entry(cell).or_default().terms.push(i);
                }
            }
            let rows = readers.keys().map(|(row, _)| *row).collect();
            let (names, polys) = block.constraints.into_iter().map(|c| (c.name, c.poly)).unzip();
            rules.insert(block.table, Rules { names, polys, terms, readers, rows });
        }
        let mut by_row: HashMap<usize, Vec<Placement>> = HashMap::new();
        for placement in placements {
            for relative in &rules[&placement.table].rows {
                if let Ok(row) = usize::try_from(placement.row as i64 + i64::from(*relative)) {
                    by_row.entry(row).or_default().push(placement);
                }
            }
        }
        Self { grid, rules, by_row }
    }

    /// Every cell (row, column) that some rule reads. All other cells mean nothing.
    pub fn cells(&self) -> BTreeSet<(usize, usize)> {
        let mut cells = BTreeSet::new();
        for (row, placements) in &self.by_row {
            for placement in placements {
                let relative = *row as i64 - placement.row as i64;
                for (cell_row, col) in self.rules[&placement.table].readers.keys() {
                    if i64::from(*cell_row) == relative {
                        cells.insert((*row, *col));
                    }
                }
            }
        }
        cells
    }

    /// The blocks that read a cell, each with the cell's number in it (row by row, [`crate::core::WIDTH`] a row;
    /// negative in the rows before the block).
    pub fn readers(&self, row: usize, col: usize) -> Vec<(Placement, i64)> {
        let width = crate::core::WIDTH as i64;
        self.readers_of(row, col)
            .map(|(placement, relative, _)| (*placement, i64::from(relative) * width + col as i64))
            .collect()
    }

    fn readers_of(
        &self,
        row: usize,
        col: usize,
    ) -> impl Iterator<Item = (&Placement, i32, &Readers)> {
        self.by_row.get(&row).into_iter().flatten().filter_map(move |placement| {
            let relative = (row as i64 - placement.row as i64) as i32;
            let readers = self.rules[&placement.table].readers.get(&(relative, col))?;
            Some((placement, relative, readers))
        })
    }

    /// Every rule there is, `table.rule`.
    pub fn rules(&self) -> BTreeSet<String> {
        let mut all = BTreeSet::new();
        for (table, rules) in &self.rules {
            let terms = rules.terms.iter().map(|t| &t.name);
            all.extend(rules.names.iter().chain(terms).map(|n| format!("{}.{n}", table.name())));
        }
        all
    }

    /// The rules that a changed cell breaks, `table.rule`; none if nothing notices.
    pub fn broken_by(&self, row: usize, col: usize, value: Fr) -> BTreeSet<String> {
        let mut broken = BTreeSet::new();
        let mut bus: HashMap<Tuple, (Fr, String)> = HashMap::new();
        for (placement, _, readers) in self.readers_of(row, col) {
            let rules = &self.rules[&placement.table];
            let name = |rule: &str| format!("{}.{rule}", placement.table.name());
            let changed = |expr: &Expr| self.value(expr, placement.row, Some((row, col, value)));
            for i in &readers.constraints {
                if changed(&rules.polys[*i]) != Fr::zero() {
                    broken.insert(name(&rules.names[*i]));
                }
            }
            let before = |expr: &Expr| self.value(expr, placement.row, None);
            for i in &readers.terms {
                let term = &rules.terms[*i];
                let mut count = |value: &dyn Fn(&Expr) -> Fr, sign: Fr| {
                    let multiplicity = value(&term.multiplicity);
                    if multiplicity == Fr::zero() {
                        return;
                    }
                    let entries = term.tuple.entries.iter().map(|e| value(e).to_bytes());
                    let key = (term.tuple.tag as u64, entries.collect());
                    let entry = bus.entry(key).or_insert((Fr::zero(), name(&term.name)));
                    entry.0 += sign * multiplicity;
                };
                count(&before, -Fr::one());
                count(&changed, Fr::one());
            }
        }
        // The honest sums are 0.
        let unbalanced = bus.into_values().filter(|(sum, _)| *sum != Fr::zero());
        broken.extend(unbalanced.map(|(_, name)| name));
        broken
    }

    /// The terms that a changed cell takes off the bus, `table.rule`. Who looks at the changed grid alone
    /// sees only that their partners are left.
    pub fn gone_by(&self, row: usize, col: usize, value: Fr) -> BTreeSet<String> {
        let mut gone = BTreeSet::new();
        for (placement, _, readers) in self.readers_of(row, col) {
            let rules = &self.rules[&placement.table];
            for term in readers.terms.iter().map(|i| &rules.terms[*i]) {
                let now = self.value(&term.multiplicity, placement.row, Some((row, col, value)));
                let before = self.value(&term.multiplicity, placement.row, None);
                if now == Fr::zero() && before != Fr::zero() {
                    gone.insert(format!("{}.{}", placement.table.name(), term.name));
                }
            }
        }
        gone
    }

    fn value(&self, expr: &Expr, base: usize, change: Option<(usize, usize, Fr)>) -> Fr {
        let challenges = Challenges { beta: Fr::zero(), gamma: Fr::zero() };
        let Some((row, col, value)) = change else {
            return self.grid.evaluate(expr, base, &challenges, &[]);
        };
        expr.evaluate(&|leaf| match leaf {
            Expr::Cell { row: r, col: c }
                if *c == col && base as i64 + i64::from(*r) == row as i64 =>
            {
                value
            }
            other => self.grid.evaluate(other, base, &challenges, &[]),
        })
    }
}

fn cells_of<'e>(exprs: impl IntoIterator<Item = &'e Expr>) -> BTreeSet<(i32, usize)> {
    let mut cells = BTreeSet::new();
    for expr in exprs {
        expr.visit_cells(&mut |row, col| {
            cells.insert((row, col));
        });
    }
    cells
}
