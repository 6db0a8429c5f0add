//! The witness: first-phase cells of the whole circuit.

use halo2_proofs::halo2curves::bn256::Fr;
use rayon::prelude::*;

use crate::core::{Challenges, Expr, Layout, Program, RowBlock, Table, WIDTH};

/// First-phase cells, row by row, with what was assigned, and the public inputs.
#[derive(Clone, Debug)]
pub struct Grid {
    cells: Vec<[Fr; WIDTH]>,
    marks: Vec<Marks>,
    public: Vec<Fr>,
}

/// What happened to the cells of a row, a bit a column.
#[derive(Clone, Copy, Debug, Default)]
struct Marks {
    assigned: u32,
    /// Assigned a second time.
    again: u32,
}

const _: () = assert!(WIDTH <= u32::BITS as usize);

impl Grid {
    /// An empty grid of `rows` rows.
    pub fn new(rows: usize) -> Self {
        Self {
            cells: vec![[Fr::zero(); WIDTH]; rows],
            marks: vec![Marks::default(); rows],
            public: Vec::new(),
        }
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.cells.len()
    }

    /// The public inputs.
    pub fn public(&self) -> &[Fr] {
        &self.public
    }

    /// Sets the public inputs.
    pub fn set_public(&mut self, public: Vec<Fr>) {
        self.public = public;
    }

    /// The value at `(row, col)`; 0 outside of the grid.
    pub fn get(&self, row: usize, col: usize) -> Fr {
        self.cells.get(row).map_or(Fr::zero(), |row| row[col])
    }

    /// Whether the cell was assigned.
    pub fn is_assigned(&self, row: usize, col: usize) -> bool {
        let marks = self.marks.get(row);
        marks.is_some_and(|m| m.assigned >> col & 1 == 1)
    }

    /// Overwrites a cell: for tests that cheat.
    pub fn overwrite(&mut self, row: usize, col: usize, value: Fr) {
        self.cells[row][col] = value;
    }

    /// Cells that were assigned twice: always a bug of witness generation.
    pub fn conflicts(&self) -> Vec<(usize, usize)> {
        let marks = self.marks.iter().enumerate();
        let of_row = |(row, marks): (usize, &Marks)| {
            let again = marks.again;
            let columns = (0..WIDTH).filter(move |col| again >> col & 1 == 1);
            columns.map(move |col| (row, col))
        };
        marks.flat_map(of_row).collect()
    }

    /// Number of assigned cells in `rows` rows from `first` on.
    pub fn assigned_in(&self, first: usize, rows: usize) -> usize {
        let marks = self.marks[first..first + rows].iter();
        marks.map(|m| m.assigned.count_ones() as usize).sum()
    }

    /// A writer for the rows from `row` on.
    pub fn block(&mut self, row: usize) -> BlockWriter<'_> {
        BlockWriter { cells: &mut self.cells[row..], marks: &mut self.marks[row..] }
    }

    /// Writers for `count` blocks of `rows` rows that stand one under the other from `first` on:
    /// they can be filled side by side.
    pub fn blocks(
        &mut self,
        first: usize,
        rows: usize,
        count: usize,
    ) -> impl IndexedParallelIterator<Item = BlockWriter<'_>> {
        let all = first..first + rows * count;
        let cells = self.cells[all.clone()].par_chunks_exact_mut(rows);
        let marks = self.marks[all].par_chunks_exact_mut(rows);
        let writers = cells.zip(marks);
        writers.map(|(cells, marks)| BlockWriter { cells, marks })
    }

    /// The value of an expression on the block at `row`. Cells before row 0 read as 0.
    pub fn evaluate(&self, expr: &Expr, row: usize, challenges: &Challenges, sums: &[Fr]) -> Fr {
        let at = |offset: i32| usize::try_from(row as i64 + i64::from(offset)).ok();
        expr.evaluate(&|leaf| match leaf {
            Expr::Cell { row, col } => at(*row).map_or(Fr::zero(), |r| self.get(r, *col)),
            Expr::Sum(row) => at(*row).and_then(|r| sums.get(r).copied()).unwrap_or(Fr::zero()),
            Expr::Public(i) => usize::try_from(*i)
                .ok()
                .and_then(|i| self.public.get(i).copied())
                .unwrap_or(Fr::zero()),
            Expr::Beta => challenges.beta,
            Expr::Gamma => challenges.gamma,
            _ => Fr::zero(),
        })
    }

    /// The running sum of the bus: one value per row, and the final one.
    ///
    /// A fingerprint that is 0 (probability about 2^-230) contributes nothing here, and the proof
    /// then fails.
    pub fn bus_sums(
        &self,
        layout: &Layout,
        blocks: &[RowBlock],
        challenges: &Challenges,
    ) -> Vec<Fr> {
        // Row, multiplicity and fingerprint of each term: numbers of steps of the table's program.
        type BusTerm = (usize, usize, usize);
        let programs: Vec<(Program, Vec<BusTerm>)> = blocks
            .iter()
            .map(|block| {
                let mut program = Program::default();
                let mut terms = Vec::new();
                for (offset, of_row) in block.bus.iter().enumerate() {
                    for term in of_row {
                        let multiplicity = program.add(&term.multiplicity);
                        let fingerprint = program.add(&term.tuple.fingerprint());
                        terms.push((offset, multiplicity, fingerprint));
                    }
                }
                (program, terms)
            })
            .collect();
        let steps: Vec<(usize, Fr, Fr)> = layout
            .blocks
            .par_iter()
            .filter(|p| p.table != Table::Compress)
            .map_init(Vec::new, |values, placement| {
                let (program, terms) = &programs[placement.table as usize];
                program.run(self, placement.row, challenges, values);
                let of = |(offset, m, c): &(usize, usize, usize)| {
                    let m = values[*m];
                    (m != Fr::zero()).then(|| (placement.row + offset, m, values[*c]))
                };
                terms.iter().filter_map(of).collect::<Vec<_>>()
            })
            .flatten_iter()
            .collect();
        let mut inverses: Vec<Fr> = steps.iter().map(|(_, _, c)| *c).collect();
        batch_invert(&mut inverses);
        let mut deltas = vec![Fr::zero(); layout.rows + 1];
        for ((row, m, _), inverse) in steps.iter().zip(inverses) {
            deltas[row + 1] += *m * inverse;
        }
        let mut sum = Fr::zero();
        deltas
            .into_iter()
            .map(|d| {
                sum += d;
                sum
            })
            .collect()
    }
}

/// Inverts all values in place; zeros stay.
pub fn batch_invert(values: &mut [Fr]) {
    let mut prefix = Vec::with_capacity(values.len());
    let mut acc = Fr::one();
    for v in values.iter() {
        prefix.push(acc);
        if *v != Fr::zero() {
            acc *= v;
        }
    }
    let mut inverse = acc.invert().unwrap_or(Fr::zero());
    for (v, before) in values.iter_mut().zip(prefix).rev() {
        if *v != Fr::zero() {
            let next = inverse * *v;
            *v = inverse * before;
            inverse = next;
        }
    }
}

/// Writes the cells of one block.
pub struct BlockWriter<'g> {
    cells: &'g mut [[Fr; WIDTH]],
    marks: &'g mut [Marks],
}

impl BlockWriter<'_> {
    /// A writer for a block inside of this one, from its row `row` on.
    pub fn inner(&mut self, row: usize) -> BlockWriter<'_> {
        BlockWriter { cells: &mut self.cells[row..], marks: &mut self.marks[row..] }
    }

    /// Assigns the cell that `cell` names, relative to the block.
    ///
    /// # Panics
    /// If the expression is not a cell: the table's description is wrong, whatever the witness.
    pub fn set(&mut self, cell: &Expr, value: Fr) {
        match *cell {
            Expr::Cell { row, col } => self.assign(row as usize, col, value),
            ref other => unreachable!("{other:?} is not a cell"),
        }
    }

    /// Assigns the cell with running number `n`.
    pub fn nth(&mut self, n: usize, value: Fr) {
        self.assign(n / WIDTH, n % WIDTH, value);
    }

    /// Assigns the cell in a row of the block and a column. A second assignment is remembered in
    /// [`Grid::conflicts`].
    pub fn assign(&mut self, row: usize, col: usize, value: Fr) {
        let (marks, bit) = (&mut self.marks[row], 1 << col);
        marks.again |= marks.assigned & bit;
        marks.assigned |= bit;
        self.cells[row][col] = value;
    }
}
