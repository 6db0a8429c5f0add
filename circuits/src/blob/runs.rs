//! Two runs of eight slots that have the same multipliers: slots of two groups, times the limbs.
//!
//! Products of words and limbs are not reduced here: a sum of eight is an integer below `p`.

use halo2_proofs::halo2curves::bn256::Fr;

use crate::blob::powers::{multipliers_tuple, Quarter};
use crate::blob::{word_tuple, QUARTER_SLOTS};
use crate::core::{BlockWriter, Expr, RowBlock, RowKind, Table, Tag, Term, Tuple, TERMS};

/// Runs of a block.
pub const RUNS: usize = 2;

/// Slots of a row of words.
const ROW_SLOTS: usize = TERMS;
/// Rows of a run.
const RUN_ROWS: usize = QUARTER_SLOTS / ROW_SLOTS;
/// The row below those of the runs.
const LAST: usize = RUNS * RUN_ROWS;
/// Columns behind those of a row of words.
const BESIDE: usize = 2 + ROW_SLOTS;

const QUARTER: Expr = Expr::cell(LAST as i32, 0);

/// Four slots one after the other, in a row of kind [`RowKind::Words`].
#[derive(Clone, Copy, Debug)]
pub struct WordRow {
    /// How often they are produced.
    pub count: Expr,
    /// Position of the first.
    pub position: Expr,
    /// The slots.
    pub words: [Expr; ROW_SLOTS],
}

impl WordRow {
    /// The cells in a row of a block.
    pub fn cells(row: usize) -> Self {
        let at = |i: usize| Expr::cell(row as i32, i);
        Self { count: at(0), position: at(1), words: std::array::from_fn(|i| at(2 + i)) }
    }

    /// Puts the slots on the bus, named `{name}{first + i}`.
    pub fn put(&self, block: &mut RowBlock, row: usize, name: &str, first: usize) {
        block.of_kind(row, RowKind::Words);
        for (i, word) in self.words.into_iter().enumerate() {
            let tuple = word_tuple(self.position + Expr::from(i as u64), word);
            block.bus(row, [Term::produce(format!("{name}{}", first + i), self.count, tuple)]);
        }
    }

    /// Assigns the cells.
    pub fn assign(&self, writer: &mut BlockWriter<'_>, count: Fr, position: Fr, words: [Fr; 4]) {
        writer.set(&self.count, count);
        writer.set(&self.position, position);
        self.words.iter().zip(words).for_each(|(cell, word)| writer.set(cell, word));
    }
}

/// The tuple of what a run comes to, by the position of its first slot.
pub fn sums_tuple(position: Expr, quarter: Expr, sums: [Expr; 2]) -> Tuple {
    Tuple::new(Tag::Sums, [position, quarter, sums[0], sums[1]])
}

/// Limbs of the multiplier of a slot of both runs: four to a row.
fn multiplier(slot: usize) -> [Expr; 2] {
    let at = |i: usize| Expr::cell((slot / 2) as i32, BESIDE + 2 * (slot % 2) + i);
    [at(0), at(1)]
}

/// What a run comes to.
fn sums_cells(run: usize) -> [Expr; 2] {
    [1, 2].map(|i| Expr::cell(LAST as i32, 2 * run + i))
}

/// Constraints of two runs.
pub fn block() -> RowBlock {
    let mut block = RowBlock::new(Table::Slots);
    let multipliers: Vec<[Expr; 2]> = (0..QUARTER_SLOTS).map(multiplier).collect();
    let rows: Vec<WordRow> = (0..LAST).map(WordRow::cells).collect();
    for (n, row) in rows.iter().enumerate() {
        row.put(&mut block, n, "word", ROW_SLOTS * n);
    }
    let mut terms = Vec::new();
    let mut uses = Expr::zero();
    for (n, rows) in rows.chunks(RUN_ROWS).enumerate() {
        // Slots are consumed: counts are -1 in a run that is active, and 0 in one that is not.
        let active = -rows[0].count;
        block.constrain(format!("active_flag{n}"), active.boolean());
        for (i, row) in rows.iter().enumerate().skip(1) {
            let position = rows[0].position + Expr::from((ROW_SLOTS * i) as u64);
            block.constrain(format!("count{n}"), row.count - rows[0].count);
            block.constrain(format!("position{n}"), row.position - position);
        }
        let words: Vec<Expr> = rows.iter().flat_map(|row| row.words).collect();
        let sums = sums_cells(n);
        for (l, name) in ["low", "high"].into_iter().enumerate() {
            let sum: Expr = words.iter().zip(&multipliers).map(|(w, m)| *w * m[l]).sum();
            block.constrain(format!("{name}{n}"), sum - sums[l]);
        }
        let tuple = sums_tuple(rows[0].position, QUARTER, sums);
        terms.push(Term::produce(format!("sums{n}"), active, tuple));
        uses = uses + active;
    }
    terms.push(Term::consume("multipliers", uses, multipliers_tuple(QUARTER, &multipliers)));
    block.bus(LAST, terms);
    block
}

/// What a run comes to: its words times the limbs of the multipliers.
pub fn sums(words: &[Fr], multipliers: &[[Fr; 2]]) -> [Fr; 2] {
    let products = |l: usize| words.iter().zip(multipliers).map(move |(w, m)| *w * m[l]);
    [0, 1].map(|l| products(l).fold(Fr::zero(), |sum, product| sum + product))
}

/// Assigns two runs of quarter `quarter`, each by the position of its first slot and its slots (or
/// not used).
pub fn assign(
    writer: &mut BlockWriter<'_>,
    runs: [Option<(u64, &[Fr])>; RUNS],
    quarter: usize,
    quarters: &[Quarter],
) {
    let multipliers = quarters.get(quarter).map(Quarter::slots).unwrap_or_default();
    for (slot, limbs) in multipliers.iter().enumerate() {
        multiplier(slot).iter().zip(limbs).for_each(|(cell, limb)| writer.set(cell, *limb));
    }
    writer.set(&QUARTER, Fr::from(quarter as u64));
    for (n, run) in runs.into_iter().enumerate() {
        let zeros = [Fr::zero(); QUARTER_SLOTS];
        let (count, position, words) = match run {
            Some((position, words)) => (-Fr::one(), position, words),
            None => (Fr::zero(), 0, &zeros[..]),
        };
        for (i, words) in words.as_chunks::<ROW_SLOTS>().0.iter().enumerate() {
            let position = Fr::from(position + (ROW_SLOTS * i) as u64);
            WordRow::cells(RUN_ROWS * n + i).assign(writer, count, position, *words);
        }
        let sums = sums(words, &multipliers);
        sums_cells(n).iter().zip(sums).for_each(|(cell, sum)| writer.set(cell, sum));
    }
}
