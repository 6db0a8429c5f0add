//! Half of a group: sixteen slots times the limbs of their multipliers.
//!
//! Products of words and limbs are not reduced here: a sum of sixteen is an integer below `p`.

use halo2_proofs::halo2curves::bn256::Fr;

use crate::blob::powers::{multipliers_tuple, Quarter};
use crate::blob::{word_tuple, HALF_SLOTS, QUARTER_SLOTS};
use crate::core::{BlockWriter, Expr, RowBlock, RowKind, Table, Tag, Term, Tuple, TERMS};

/// Slots of a row of words.
const ROW_SLOTS: usize = TERMS;
const ROWS: usize = HALF_SLOTS / ROW_SLOTS;
/// First limb of a row's multipliers.
const LIMBS: usize = 2 + ROW_SLOTS;

const HALF: Expr = Expr::cell(ROWS as i32, 0);
const SUMS: [Expr; 2] = [Expr::cell(ROWS as i32, 1), Expr::cell(ROWS as i32, 2)];

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

/// The tuple of what a half comes to, by the position of its first slot.
pub fn sums_tuple(position: Expr, half: Expr, sums: [Expr; 2]) -> Tuple {
    Tuple::new(Tag::Sums, [position, half, sums[0], sums[1]])
}

/// Limbs of the multiplier of a slot.
fn multiplier(slot: usize) -> [Expr; 2] {
    let (row, first) = ((slot / ROW_SLOTS) as i32, LIMBS + 2 * (slot % ROW_SLOTS));
    [Expr::cell(row, first), Expr::cell(row, first + 1)]
}

/// Constraints of a half.
pub fn block() -> RowBlock {
    let mut block = RowBlock::new(Table::Slots);
    let rows: Vec<WordRow> = (0..ROWS).map(WordRow::cells).collect();
    // Slots are consumed: counts are -1 in an active block, and 0 in one that is not.
    let active = -rows[0].count;
    let position = rows[0].position;
    block.constrain("active_flag", active.boolean());
    for (n, row) in rows.iter().enumerate() {
        if n > 0 {
            let behind = Expr::from((ROW_SLOTS * n) as u64);
            block.constrain(format!("count{n}"), row.count + active);
            block.constrain(format!("position{n}"), row.position - position - behind);
        }
        row.put(&mut block, n, "word", ROW_SLOTS * n);
    }
    let words: Vec<Expr> = rows.iter().flat_map(|row| row.words).collect();
    let multipliers: Vec<[Expr; 2]> = (0..HALF_SLOTS).map(multiplier).collect();
    for (l, name) in ["low", "high"].into_iter().enumerate() {
        let sum: Expr = words.iter().zip(&multipliers).map(|(w, m)| *w * m[l]).sum();
        block.constrain(name, sum - SUMS[l]);
    }
    let mut terms = Vec::new();
    for (n, of_quarter) in multipliers.chunks(QUARTER_SLOTS).enumerate() {
        let quarter = HALF * Expr::from(2) + Expr::from(n as u64);
        let tuple = multipliers_tuple(quarter, of_quarter);
        terms.push(Term::consume(format!("multipliers{n}"), active, tuple));
    }
    terms.push(Term::produce("sums", active, sums_tuple(position, HALF, SUMS)));
    block.bus(ROWS, terms);
    block
}

/// What a half comes to: its words times the limbs of the multipliers.
pub fn sums(words: &[Fr], multipliers: &[[Fr; 2]]) -> [Fr; 2] {
    let products = |l: usize| words.iter().zip(multipliers).map(move |(w, m)| *w * m[l]);
    [0, 1].map(|l| products(l).fold(Fr::zero(), |sum, product| sum + product))
}

/// Assigns half `half` of a group from its slots on, which begin at `position` (or an unused block).
pub fn assign(
    writer: &mut BlockWriter<'_>,
    filled: Option<(u64, &[Fr])>,
    half: usize,
    quarters: &[Quarter],
) {
    let zeros = [Fr::zero(); HALF_SLOTS];
    let (count, position, words) = match filled {
        Some((position, words)) => (-Fr::one(), position, words),
        None => (Fr::zero(), 0, &zeros[..]),
    };
    for (n, words) in words.as_chunks::<ROW_SLOTS>().0.iter().enumerate() {
        let position = Fr::from(position + (ROW_SLOTS * n) as u64);
        WordRow::cells(n).assign(writer, count, position, *words);
    }
    let multipliers = quarters.iter().skip(2 * half).flat_map(Quarter::slots).take(HALF_SLOTS);
    let multipliers: Vec<[Fr; 2]> = multipliers.collect();
    for (slot, limbs) in multipliers.iter().enumerate() {
        multiplier(slot).iter().zip(limbs).for_each(|(cell, limb)| writer.set(cell, *limb));
    }
    writer.set(&HALF, Fr::from(half as u64));
    let sums = sums(words, &multipliers);
    SUMS.iter().zip(sums).for_each(|(cell, sum)| writer.set(cell, sum));
}
