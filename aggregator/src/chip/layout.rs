//! Rows of the whole circuit: the bus with its blocks and the range table beside them, then the
//! permutations.

use halo2_proofs::halo2curves::bn256::Fr;

use super::columns::{CHUNK_BITS, TABLE};
use super::gate::Kind;
use super::grid::Grid;
use super::permutation::{self, ABOVE, ROWS};
use super::program::{Program, Sums};

/// Entries of the range table.
pub const RANGE: usize = 1 << CHUNK_BITS;

/// Where everything stands.
#[derive(Clone, Debug)]
pub struct Layout {
    /// The blocks on the bus.
    pub program: Program,
    /// Permutations.
    pub permutations: usize,
}

impl Layout {
    /// The layout of sums and a number of permutations.
    pub fn new(sums: &Sums, permutations: usize) -> Self {
        Self { program: Program::new(sums), permutations }
    }

    /// Rows of the bus; its sums end at this row.
    pub fn bus_rows(&self) -> usize {
        self.program.rows.max(RANGE)
    }

    /// The first row of permutation `n`; of the last load for their number.
    pub fn permutation(&self, n: usize) -> usize {
        self.bus_rows() + 1 + ABOVE + n * ROWS
    }

    /// Rows in use.
    pub fn rows(&self) -> usize {
        self.permutation(self.permutations) + ABOVE
    }

    /// Every block: kind and first row.
    pub fn blocks(&self) -> Vec<(Kind, usize)> {
        let program = self.program.blocks.iter();
        let mut blocks: Vec<(Kind, usize)> =
            program.map(|(step, row)| (step.kind(), *row)).collect();
        for n in 0..self.permutations {
            let row = self.permutation(n);
            blocks.push((Kind::Load, row));
            blocks.extend(permutation::kinds().map(|(kind, at)| (kind, row + at)));
        }
        if self.permutations > 0 {
            blocks.push((Kind::Load, self.permutation(self.permutations)));
        }
        blocks
    }

    /// A grid with nothing but the fixed columns.
    pub fn fixed(&self) -> Grid {
        let mut grid = Grid::new(self.rows());
        for value in 0..RANGE {
            grid.set(value, TABLE, Fr::from(value as u64));
        }
        self.program.constants(&mut grid);
        for n in 0..self.permutations {
            permutation::constants(&mut grid, self.permutation(n));
        }
        grid
    }
}
