//! Tests of the tables for data in blobs. Operations and head, which are not there, stand as terms
//! on the bus that they would put there.

mod cheats;
mod limb_cheats;
mod mutation;
mod owner_cheats;
mod reference;

use std::collections::BTreeSet;

use ark_ff::UniformRand;
use bastion_protocol::blob::{coefficients, evaluate, Scalar, GROUP_SLOTS, OWNER_SLOTS};
use bastion_protocol::data::BatchData;
use bastion_protocol::records::{owner_record, L2Record, Section};
use bastion_protocol::Address;
use halo2_proofs::halo2curves::bn256::Fr;
use num_bigint::BigUint;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha20Rng;

use super::fill::Stage;
use super::reduce::Pieces;
use super::*;
use crate::check::{check_blocks, names};
use crate::core::{Grid, Placement, RowBlock, Term};
use crate::witness::convert::wide;
use crate::{tables, Shape};

impl BlobSlots {
    /// Where the blocks stand: one table under the other, from row 0.
    pub fn placements(&self) -> Vec<Placement> {
        let mut row = 0;
        let mut out = Vec::new();
        for table in Table::BLOB {
            for _ in 0..self.blocks_of(table) {
                out.push(Placement { table, row });
                row += table.rows();
            }
        }
        out
    }

    /// Rows of all blocks.
    pub fn rows(&self) -> usize {
        Table::BLOB.into_iter().map(|table| table.rows() * self.blocks_of(table)).sum()
    }
}

/// The description of every table for blobs, in the order of [`Table::BLOB`].
fn blocks() -> Vec<RowBlock> {
    // These do not depend on the shape.
    Table::BLOB.into_iter().map(|table| tables::block(table, &Shape::default())).collect()
}

/// The grid of a batch without any other table, with each stage as `alter` leaves it.
fn fill(room: &BlobSlots, trace: &BlobTrace, alter: &mut dyn FnMut(Stage<'_>)) -> (Grid, Written) {
    let rows = |table: Table, needed: usize| {
        let placements = room.placements().into_iter().filter(|p| p.table == table);
        let rows: Vec<usize> = placements.map(|p| p.row).collect();
        assert!(needed <= rows.len(), "{table:?}: {needed}");
        Ok(rows)
    };
    let mut grid = Grid::new(room.rows());
    let written = write(&mut grid, &rows, trace, alter).unwrap();
    (grid, written)
}

/// A batch with `l2` and `owners` random records.
fn batch(rng: &mut ChaCha20Rng, l2: usize, owners: usize) -> BatchData {
    let mut data = BatchData::default();
    for _ in 0..l2 {
        let record = L2Record {
            kind: rng.gen_range(1..=6),
            fee12: rng.gen_range(0..1 << 12),
            from: rng.gen(),
            to: rng.gen(),
            amount40: rng.gen_range(0..1 << 40),
        };
        data.records[Section::L2 as usize].push(record.to_bytes());
    }
    for _ in 0..owners {
        let opening = (bastion_protocol::Fr::rand(rng), Address(rng.gen()));
        data.records[Section::Owners as usize].push(owner_record(&opening));
    }
    data
}

/// A batch in a blob, and what the other tables say about it.
#[derive(Clone)]
struct Case {
    room: BlobSlots,
    trace: BlobTrace,
    /// What operations post: L2 words in order, owner records by number.
    words: Vec<Fr>,
    owners: Vec<(u64, [Fr; 2])>,
    /// What the head says.
    statement: Statement<Fr>,
}

impl Case {
    /// A batch at `z`, followed by something that has the value `to` there.
    fn of(data: &BatchData, z: u128, to: Scalar) -> Self {
        let trace = BlobTrace::new(z, data, &to).unwrap();
        let coefficients = coefficients(std::slice::from_ref(data)).unwrap();
        let mut all = coefficients.clone();
        all.push(to);
        let statement = Statement {
            z: wide(z),
            l2: Fr::from(trace.l2),
            owners: Fr::from(trace.owners.len() as u64),
            from: Pieces::of(&evaluate(&all, z)).limbs(),
            to: Pieces::of(&to).limbs(),
        };
        let records = trace.owners.iter().map(|o| o.record);
        Self {
            room: BlobSlots::for_batch(trace.groups(), trace.owners.len()),
            words: trace.words[..trace.l2 as usize].to_vec(),
            owners: (0..).zip(records).collect(),
            trace,
            statement,
        }
    }

    /// Three groups: the last has owner records and padding.
    fn sample() -> Self {
        let mut rng = ChaCha20Rng::seed_from_u64(1);
        let data = batch(&mut rng, 60, 3);
        let case = Self::of(&data, rng.gen(), Scalar::rand(&mut rng));
        assert_eq!((case.trace.groups(), case.used()), (3, 72));
        case
    }

    /// Slots in use.
    fn used(&self) -> usize {
        self.trace.l2 as usize + OWNER_SLOTS * self.trace.owners.len()
    }

    /// What operations and head put on the bus.
    fn outside(&self) -> Vec<(Table, Term)> {
        let one = Expr::one();
        let words = self.words.iter().enumerate().map(|(n, word)| {
            let tuple = word_tuple(Expr::from(n as u64), Expr::from(*word));
            (Table::Op, Term::produce("blob_word", one, tuple))
        });
        let owners = self.owners.iter().map(|(number, [keyhash, exit])| {
            let tuple = owner_tuple((*number).into(), (*keyhash).into(), (*exit).into());
            (Table::Op, Term::produce("blob_owner", one, tuple))
        });
        let head = (Table::Head, Term::produce("blob", one, self.statement.tuple()));
        words.chain(owners).chain([head]).collect()
    }

    fn grid(&self, alter: &mut dyn FnMut(Stage<'_>)) -> Grid {
        let (grid, _) = fill(&self.room, &self.trace, alter);
        assert!(grid.conflicts().is_empty());
        grid
    }

    fn check(&self, grid: &Grid) -> BTreeSet<String> {
        names(&check_blocks(&blocks(), &self.room.placements(), grid, &self.outside()))
    }

    /// The rules that a prover breaks who alters stages.
    fn violated(&self, mut alter: impl FnMut(Stage<'_>)) -> BTreeSet<String> {
        self.check(&self.grid(&mut alter))
    }

    /// First row of block `n` of a table.
    fn row(&self, table: Table, n: usize) -> usize {
        let placements = self.room.placements();
        placements.iter().filter(|p| p.table == table).nth(n).unwrap().row
    }

    /// The head says what the tables come to.
    fn claim_what_comes_out(&mut self, mut alter: impl FnMut(Stage<'_>)) {
        let mut found = None;
        fill(&self.room, &self.trace, &mut |stage| match stage {
            Stage::Edge(edge) => found = Some((edge.from.limbs(), edge.to.limbs())),
            other => alter(other),
        });
        let (from, to) = found.unwrap();
        self.statement = Statement { from, to, ..self.statement };
    }
}

/// Adds to the cell with number `n` of the block at `row`.
fn nudge(grid: &mut Grid, row: usize, n: usize, by: Fr) {
    let (row, col) = (row + n / crate::core::WIDTH, n % crate::core::WIDTH);
    grid.overwrite(row, col, grid.get(row, col) + by);
}

/// `BLS_MODULUS` of EIP-4844.
fn modulus() -> BigUint {
    let digits = "73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000001";
    BigUint::parse_bytes(digits.as_bytes(), 16).unwrap()
}

/// The integer behind an element.
fn integer(x: &Fr) -> BigUint {
    BigUint::from_bytes_le(&x.to_bytes())
}

/// `low + 2^127 high`.
fn of_limbs([low, high]: [Fr; 2]) -> BigUint {
    integer(&low) + (integer(&high) << 127)
}

/// The pieces of a value plus `times` the modulus; the last takes what is too much.
fn raised(value: &Pieces<Fr>, times: u32) -> Pieces<Fr> {
    let sum = of_limbs(value.limbs()) + modulus() * times;
    let piece = |from: u32, bits: u32| {
        let piece = (&sum >> from) & ((BigUint::from(1u8) << bits) - 1u8);
        let digits = piece.to_u64_digits();
        let at = |i: usize| u128::from(digits.get(i).copied().unwrap_or(0));
        wide(at(0) | at(1) << 64)
    };
    Pieces([piece(0, 120), piece(120, 7), piece(127, 110), piece(237, 100)])
}

fn set(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|n| (*n).to_string()).collect()
}
