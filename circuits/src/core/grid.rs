//! The witness: first-phase cells of the whole circuit.

use halo2_proofs::halo2curves::bn256::Fr;

use crate::core::{Block, Challenges, Expr, Layout, Program, Table, WIDTH};

/// First-phase cells, column by column, with what was assigned, and the public inputs.
#[derive(Clone, Debug)]
pub struct Grid {
    columns: Vec<Vec<Fr>>,
    assigned: Vec<Vec<bool>>,
    public: Vec<Fr>,
    conflicts: Vec<(usize, usize)>,
}

impl Grid {
    /// An empty grid of `rows` rows.
    pub fn new(rows: usize) -> Self {
        Self {
            columns: vec![vec![Fr::zero(); rows]; WIDTH],
            assigned: vec![vec![false; rows]; WIDTH],
            public: Vec::new(),
            conflicts: Vec::new(),
        }
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.columns[0].len()
    }

    /// The cells of one column.
    pub fn column(&self, col: usize) -> &[Fr] {
        &self.columns[col]
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
        self.columns[col].get(row).copied().unwrap_or(Fr::zero())
    }

    /// Whether the cell was assigned.
    pub fn is_assigned(&self, row: usize, col: usize) -> bool {
        self.assigned[col].get(row).copied().unwrap_or(false)
    }

    /// Assigns a cell. A second assignment is remembered in [`Grid::conflicts`].
    pub fn assign(&mut self, row: usize, col: usize, value: Fr) {
        if self.assigned[col][row] {
            self.conflicts.push((row, col));
        }
        self.columns[col][row] = value;
        self.assigned[col][row] = true;
    }

    /// Overwrites a cell: for tests that cheat.
    pub fn overwrite(&mut self, row: usize, col: usize, value: Fr) {
        self.columns[col][row] = value;
    }

    /// Cells that were assigned twice: always a bug of witness generation.
    pub fn conflicts(&self) -> &[(usize, usize)] {
        &self.conflicts
    }

    /// Number of assigned cells in `rows` rows from `first` on.
    pub fn assigned_in(&self, first: usize, rows: usize) -> usize {
        self.assigned
            .iter()
            .map(|c| c[first..first + rows].iter().filter(|a| **a).count())
            .sum()
    }

    /// A writer for the block whose first row is `row`.
    pub fn block(&mut self, row: usize) -> BlockWriter<'_> {
        BlockWriter { grid: self, row }
    }

    /// The value of an expression on the block at `row`. Cells before row 0 read as 0.
    pub fn evaluate(&self, expr: &Expr, row: usize, challenges: &Challenges, sums: &[Fr]) -> Fr {
        let at = |offset: i32| usize::try_from(row as i64 + i64::from(offset)).ok();
        expr.evaluate(&|leaf| match leaf {
            Expr::Cell { row, col } => at(*row).map_or(Fr::zero(), |r| self.get(r, *col)),
            Expr::Sum(row) => at(*row)
                .and_then(|r| sums.get(r).copied())
                .unwrap_or(Fr::zero()),
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
    pub fn bus_sums(&self, layout: &Layout, blocks: &[Block], challenges: &Challenges) -> Vec<Fr> {
        use rayon::prelude::*;

        // Row, multiplicity and fingerprint of each term: numbers of steps of the table's program.
        let programs: Vec<(Program, Vec<(usize, usize, usize)>)> = blocks
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
    grid: &'g mut Grid,
    row: usize,
}

impl BlockWriter<'_> {
    /// Assigns the cell that `cell` names, relative to the block.
    pub fn set(&mut self, cell: &Expr, value: Fr) {
        if let Expr::Cell { row, col } = cell {
            let at = self.row as i64 + i64::from(*row);
            self.grid.assign(at as usize, *col, value);
        }
    }

    /// Assigns the cell with running number `n`.
    pub fn nth(&mut self, n: usize, value: Fr) {
        self.grid.assign(self.row + n / WIDTH, n % WIDTH, value);
    }
}
