//! A row-block: the unit of a table.

use std::collections::BTreeMap;

use crate::core::{bus, Expr, RowKind, Selector, Table, Term};

/// Most terms that share a row of the bus.
pub const TERMS: usize = 4;

/// A named polynomial that is zero on every block of the table.
#[derive(Clone, Debug)]
pub struct Constraint {
    /// Name, unique in the table; stands in the table's README.
    pub name: String,
    /// The polynomial.
    pub poly: Expr,
    /// The row of the block whose kind has the constraint, if it is not the table's own.
    pub of_row: Option<usize>,
}

impl Constraint {
    /// The constraint `poly = 0` of a table.
    pub fn new(name: impl Into<String>, poly: Expr) -> Self {
        Self { name: name.into(), poly, of_row: None }
    }
}

/// One row-block: constraints over its cells, and the tuples it puts on the bus row by row.
#[derive(Clone, Debug)]
pub struct RowBlock {
    /// The table.
    pub table: Table,
    /// Rows of a block.
    pub rows: usize,
    /// Constraints that hold on each block.
    pub constraints: Vec<Constraint>,
    /// Bus terms by row: at most `TERMS` of degree-one tuples, so that the step stays at degree 6.
    pub bus: Vec<Vec<Term>>,
    /// Rows that are like rows of other blocks, with their kinds.
    pub kinds: BTreeMap<usize, RowKind>,
}

impl RowBlock {
    /// A block without constraints.
    pub fn new(table: Table) -> Self {
        let rows = table.rows();
        let bus = vec![Vec::new(); rows];
        Self { table, rows, constraints: Vec::new(), bus, kinds: BTreeMap::new() }
    }

    /// Says that `row` is of a kind: the constraints that [`Self::constrain_row`] adds there are those
    /// of the kind, and all that it puts on the bus, if the kind puts anything there.
    pub fn of_kind(&mut self, row: usize, kind: RowKind) {
        self.kinds.insert(row, kind);
    }

    /// Adds the constraint `poly = 0` of a row that is of a kind.
    pub fn constrain_row(&mut self, row: usize, name: impl Into<String>, poly: Expr) {
        self.constraints.push(Constraint { name: name.into(), poly, of_row: Some(row) });
    }

    /// Adds the constraint `poly = 0`.
    pub fn constrain(&mut self, name: impl Into<String>, poly: Expr) {
        self.constraints.push(Constraint::new(name, poly));
    }

    /// Constraints on the blocks on which `flag` is 1. It is 0 on the others.
    pub fn when(&mut self, flag: impl Into<Expr>) -> When<'_> {
        let flag = flag.into();
        When { block: self, flag }
    }

    /// Puts `terms` on the bus at `row` of the block.
    pub fn bus(&mut self, row: usize, terms: impl IntoIterator<Item = Term>) {
        self.bus[row].extend(terms);
    }

    /// Puts `terms` on the bus, as many to a row as the degree of its selector leaves room for, from
    /// `first_row` on; returns the next free row.
    pub fn bus_packed(&mut self, first_row: usize, terms: Vec<Term>) -> usize {
        let mut row = first_row;
        let mut left = terms.into_iter().peekable();
        while left.peek().is_some() {
            let room = self.room(row);
            self.bus(row, left.by_ref().take(room));
            row += 1;
        }
        row
    }

    /// How many terms a row has room for.
    fn room(&self, row: usize) -> usize {
        let kind = self.kinds.get(&row).filter(|kind| kind.has_terms());
        let selector = kind.map_or(Selector::Table(self.table), |kind| Selector::Kind(*kind));
        (TERMS + 1).saturating_sub(selector.place().members as usize).max(1)
    }

    /// Constraints and bus steps together, named: what the circuit enforces under the selectors.
    pub fn polynomials(&self) -> Vec<Constraint> {
        let steps = self.bus.iter().enumerate().filter(|(_, terms)| !terms.is_empty()).map(
            |(row, terms)| Constraint {
                name: format!("bus.{row}"),
                poly: bus::step(row as i32, terms),
                of_row: self.kinds.get(&row).filter(|kind| kind.has_terms()).map(|_| row),
            },
        );
        self.constraints.iter().cloned().chain(steps).collect()
    }

    /// The rules of a row that is of a kind, as they are on row 0.
    pub fn row_rules(&self, row: usize) -> Vec<Constraint> {
        let of_row = self.polynomials().into_iter().filter(|c| c.of_row == Some(row));
        of_row.map(|c| Constraint { poly: c.poly.shifted(-(row as i32)), ..c }).collect()
    }
}

/// Adds constraints that hold under a flag. They have the flag's degree on top of their own.
pub struct When<'b> {
    block: &'b mut RowBlock,
    flag: Expr,
}

impl When<'_> {
    /// `a = b`.
    pub fn equal(&mut self, name: impl Into<String>, a: Expr, b: Expr) -> &mut Self {
        self.block.constrain(name, self.flag * (a - b));
        self
    }

    /// `a = 0`.
    pub fn zero(&mut self, name: impl Into<String>, a: Expr) -> &mut Self {
        self.equal(name, a, Expr::zero())
    }

    /// `a = 1`, for a flag or a product that proves that something is not 0.
    pub fn holds(&mut self, name: impl Into<String>, a: Expr) -> &mut Self {
        self.equal(name, a, Expr::one())
    }
}
