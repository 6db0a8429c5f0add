//! Rows of the whole circuit: the bus with its blocks and the range table beside them, then the
//! permutations.

use halo2_proofs::halo2curves::bn256::Fr;

use super::columns::{CHUNK_BITS, CONSTANT, TABLE, WIDE};
use super::gate::Kind;
use super::gates;
use super::grid::Grid;
use super::permutation::{self, BEHIND, ROWS};
use super::point;
use super::program::{Program, Step, Sums};

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

    /// The first row of permutation `n`.
    pub fn permutation(&self, n: usize) -> usize {
        self.bus_rows() + 1 + n * ROWS
    }

    /// Rows in use.
    pub fn rows(&self) -> usize {
        self.permutation(self.permutations) + BEHIND
    }

    /// Every block: kind and first row.
    pub fn blocks(&self) -> Vec<(Kind, usize)> {
        let mut blocks = Vec::new();
        for (step, row) in &self.program.blocks {
            blocks.push((step.kind(), *row));
            if let Step::Constant { point, .. } = step {
                let rows = point::constant_rows(point).into_iter();
                blocks.extend(rows.map(|(at, _)| (Kind::Words, row + at)));
            }
        }
        for n in 0..self.permutations {
            let row = self.permutation(n);
            blocks.push((Kind::Load, row));
            blocks.extend(permutation::kinds().map(|(kind, at)| (kind, row + at)));
            blocks.push((Kind::Load, row + ROWS - 1));
        }
        blocks
    }

    /// A grid with nothing but the fixed columns.
    pub fn fixed(&self) -> Grid {
        let mut grid = Grid::new(self.rows());
        for value in 0..RANGE {
            grid.set(value, TABLE, Fr::from(value as u64));
        }
        let gates = gates();
        for (step, row) in &self.program.blocks {
            for at in &gates[step.kind() as usize].wide {
                grid.set(row + at, WIDE, Fr::one());
            }
            if let Step::Constant { point, .. } = step {
                for (at, words) in point::constant_rows(point) {
                    for (n, word) in words.into_iter().enumerate() {
                        grid.set(row + at, CONSTANT + n, word);
                    }
                }
            }
        }
        self.program.constants(&mut grid);
        for n in 0..self.permutations {
            permutation::constants(&mut grid, self.permutation(n));
        }
        grid
    }
}
