//! One step of Horner's rule: a group of 32 slots and the value of all that follows it.

use bastion_protocol::blob::GROUP_SLOTS;
use halo2_proofs::halo2curves::bn256::Fr;

use crate::blob::limbs::LimbCounts;
use crate::blob::powers::{value_multipliers_tuple, Quarter};
use crate::blob::reduce::{range_row, row_count, Pieces, Reduction};
use crate::blob::runs::{self, sums_tuple};
use crate::blob::{QUARTERS, QUARTER_SLOTS};
use crate::core::{BlockWriter, Expr, RowBlock, Table, Tag, Term, Tuple, WIDTH};

/// The row of the reduction; the place beside it stays empty.
const REDUCTION_ROW: usize = 0;
const GROUP: Expr = Expr::nth(WIDTH);
const BEFORE: usize = WIDTH + 1;
const MULTIPLIERS: usize = BEFORE + 4;
const SUMS: usize = MULTIPLIERS + 6;

/// The tuple of the value of the polynomial's rest from a group on.
pub fn rest_tuple(group: Expr, pieces: Pieces<Expr>) -> Tuple {
    Tuple::new(Tag::Rest, [group].into_iter().chain(pieces.0))
}

fn pair(first: usize) -> [Expr; 2] {
    [Expr::nth(first), Expr::nth(first + 1)]
}

fn active() -> Expr {
    row_count(REDUCTION_ROW)
}

/// Constraints of a step.
pub fn block() -> RowBlock {
    let mut block = RowBlock::new(Table::Horner);
    block.constrain("active_flag", active().boolean());
    let of_value = [0, 1, 2].map(|i| pair(MULTIPLIERS + 2 * i));
    let before = Pieces([0, 1, 2, 3].map(|i| Expr::nth(BEFORE + i)));
    let sums: [[Expr; 2]; QUARTERS] = std::array::from_fn(|quarter| pair(SUMS + 2 * quarter));
    let reduction = Reduction::cells(REDUCTION_ROW, 0);

    let of_slots = sums.map(|sums| (Expr::one(), sums));
    let products: Vec<_> =
        of_slots.into_iter().chain(before.words().into_iter().zip(of_value)).collect();
    reduction.constrain(&mut block, "", &products);
    range_row(&mut block, REDUCTION_ROW, ["", "empty."]);
    let empty = Reduction::cells(REDUCTION_ROW, 1).all();
    for (n, cell) in empty.into_iter().enumerate() {
        block.constrain(format!("empty{n}"), cell);
    }

    let rest = rest_tuple(GROUP + Expr::one(), before);
    let result = rest_tuple(GROUP, reduction.value);
    let last_quarter = Expr::from(QUARTERS as u64 - 1);
    let of_value = value_multipliers_tuple(last_quarter, &of_value);
    block.bus(
        1,
        [
            Term::consume("rest", active(), rest),
            Term::produce("result", active(), result),
            Term::consume("value_multipliers", active(), of_value),
        ],
    );
    for (quarter, sums) in sums.into_iter().enumerate() {
        let behind = Expr::from((QUARTER_SLOTS * quarter) as u64);
        let position = GROUP * Expr::from(GROUP_SLOTS as u64) + behind;
        let tuple = sums_tuple(position, Expr::from(quarter as u64), sums);
        block.bus(2, [Term::consume(format!("sums{quarter}"), active(), tuple)]);
    }
    block
}

/// What a group adds up: the sums of its quarters, and the words of the value `before` it.
pub fn products(words: &[Fr], before: &Pieces<Fr>, quarters: &[Quarter]) -> Vec<(Fr, [Fr; 2])> {
    let runs = words.chunks(QUARTER_SLOTS).zip(quarters);
    let of_slots = runs.map(|(words, quarter)| (Fr::one(), runs::sums(words, &quarter.slots())));
    let of_value = quarters.last().map(Quarter::value_words);
    of_slots.chain(before.words().into_iter().zip(of_value.into_iter().flatten())).collect()
}

/// A group with what it does to the value.
#[derive(Clone, Debug)]
pub struct Step {
    /// Number of the group.
    pub group: u64,
    /// Its slots.
    pub words: Vec<Fr>,
    /// Value of what follows it.
    pub before: Pieces<Fr>,
    /// The reduction to the value from this group on.
    pub reduction: Reduction<Fr>,
}

impl Step {
    /// Position of the first slot of a quarter, and its slots.
    pub fn run(&self, quarter: usize) -> (u64, &[Fr]) {
        let first = QUARTER_SLOTS * quarter;
        let words = &self.words[first..first + QUARTER_SLOTS];
        (self.group * GROUP_SLOTS as u64 + first as u64, words)
    }
}

/// Assigns a group (or an unused block).
pub fn assign(
    writer: &mut BlockWriter<'_>,
    step: Option<&Step>,
    quarters: &[Quarter],
    limbs: &mut LimbCounts,
) {
    let unused = Step {
        group: 0,
        words: Vec::new(),
        before: Pieces([Fr::zero(); 4]),
        reduction: Reduction::zero(),
    };
    writer.set(&active(), Fr::from(u64::from(step.is_some())));
    let filled = step.unwrap_or(&unused);
    writer.set(&GROUP, Fr::from(filled.group));
    for (n, piece) in filled.before.0.into_iter().enumerate() {
        writer.nth(BEFORE + n, piece);
    }
    let of_value = quarters.last().map(Quarter::value_words).filter(|_| step.is_some());
    let of_value = of_value.unwrap_or([[Fr::zero(); 2]; 3]);
    of_value.iter().flatten().enumerate().for_each(|(n, limb)| writer.nth(MULTIPLIERS + n, *limb));
    let products = step.map(|s| self::products(&s.words, &s.before, quarters)).unwrap_or_default();
    for quarter in 0..QUARTERS {
        let sums = products.get(quarter).map_or([Fr::zero(); 2], |(_, sums)| *sums);
        pair(SUMS + 2 * quarter).iter().zip(sums).for_each(|(cell, sum)| writer.set(cell, sum));
    }
    Reduction::cells(REDUCTION_ROW, 0).assign(writer, &filled.reduction);
    if step.is_some() {
        for reduction in [&filled.reduction, &Reduction::zero()] {
            limbs.value(&reduction.value.0);
            limbs.quotient(reduction.quotient, reduction.shifted_carry());
        }
    }
}
