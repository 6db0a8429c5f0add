//! One step of Horner's rule: a group of 32 slots and the value of all that follows it.

use bastion_protocol::blob::{GROUP_SLOTS, SLOT_BITS};
use halo2_proofs::halo2curves::bn256::Fr;

use crate::blob::limbs::LimbCounts;
use crate::blob::powers::{multipliers_tuple, value_multipliers_tuple, Half};
use crate::blob::reduce::{Pieces, Reduction, CELLS};
use crate::blob::{word_tuple, HALF_SLOTS, HALVES};
use crate::core::{BlockWriter, Expr, RowBlock, Table, Tag, Term, Tuple};

const ACTIVE: Expr = Expr::nth(0);
const GROUP: Expr = Expr::nth(1);
const WORDS: usize = 2;
/// Multipliers of all slots but the first two, whose are constants.
const MULTIPLIERS: usize = WORDS + GROUP_SLOTS;
const CONSTANT_SLOTS: usize = 2;
const VALUE_MULTIPLIERS: usize = MULTIPLIERS + 2 * (GROUP_SLOTS - CONSTANT_SLOTS);
const BEFORE: usize = VALUE_MULTIPLIERS + 6;
const REDUCTION: usize = BEFORE + 4;
/// Cells of a block.
const END: usize = REDUCTION + CELLS;

/// The tuple of the value of the polynomial's rest from a group on.
pub fn rest_tuple(group: Expr, pieces: Pieces<Expr>) -> Tuple {
    Tuple::new(Tag::Rest, [group].into_iter().chain(pieces.0))
}

fn pair(first: usize) -> [Expr; 2] {
    [Expr::nth(first), Expr::nth(first + 1)]
}

/// The limbs of a slot's multiplier: 1 and `2^120` are what they are for every `z`.
fn multiplier(slot: usize) -> [Expr; 2] {
    match slot {
        0 => [Expr::one(), Expr::zero()],
        1 => [Expr::pow2(SLOT_BITS), Expr::zero()],
        slot => pair(MULTIPLIERS + 2 * (slot - CONSTANT_SLOTS)),
    }
}

/// Constraints of a step.
pub fn block() -> RowBlock {
    let mut block = RowBlock::new(Table::Horner);
    block.constrain("active_flag", ACTIVE.boolean());
    let words: Vec<Expr> = (0..GROUP_SLOTS).map(|s| Expr::nth(WORDS + s)).collect();
    let multipliers: Vec<[Expr; 2]> = (0..GROUP_SLOTS).map(multiplier).collect();
    let of_value = [0, 1, 2].map(|i| pair(VALUE_MULTIPLIERS + 2 * i));
    let before = Pieces([0, 1, 2, 3].map(|i| Expr::nth(BEFORE + i)));
    let reduction = Reduction::cells(REDUCTION);

    let of_slots = words.iter().copied().zip(multipliers.iter().copied());
    let products: Vec<_> = of_slots.chain(before.words().into_iter().zip(of_value)).collect();
    reduction.constrain(&mut block, "", &products);

    let mut terms: Vec<Term> = Vec::new();
    for (s, word) in words.into_iter().enumerate() {
        let position = GROUP * Expr::from(GROUP_SLOTS as u64) + Expr::from(s as u64);
        terms.push(Term::consume(format!("word{s}"), ACTIVE, word_tuple(position, word)));
    }
    for (half, of_half) in multipliers.chunks(HALF_SLOTS).enumerate() {
        let tuple = multipliers_tuple(Expr::from(half as u64), of_half);
        terms.push(Term::consume(format!("multipliers{half}"), ACTIVE, tuple));
    }
    let last_half = Expr::from(HALVES as u64 - 1);
    let tuple = value_multipliers_tuple(last_half, &of_value);
    terms.push(Term::consume("value_multipliers", ACTIVE, tuple));
    terms.push(Term::consume("rest", ACTIVE, rest_tuple(GROUP + Expr::one(), before)));
    terms.push(Term::produce("result", ACTIVE, rest_tuple(GROUP, reduction.value)));
    terms.extend(reduction.ranges("", ACTIVE));
    block.bus_packed(0, terms);
    block
}

/// What a group multiplies: its slots, and the words of the value `before` it.
pub fn products(words: &[Fr], before: &Pieces<Fr>, halves: &[Half]) -> Vec<(Fr, [Fr; 2])> {
    let multipliers = halves.iter().flat_map(Half::slots);
    let of_slots = words.iter().copied().zip(multipliers);
    let of_value = halves.last().map(Half::value_words);
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

/// Assigns a group (or an unused block).
pub fn assign(
    writer: &mut BlockWriter<'_>,
    step: Option<&Step>,
    halves: &[Half],
    limbs: &mut LimbCounts,
) {
    let Some(step) = step else {
        (0..END).for_each(|n| writer.nth(n, Fr::zero()));
        return;
    };
    writer.set(&ACTIVE, Fr::one());
    writer.set(&GROUP, Fr::from(step.group));
    for (n, word) in step.words.iter().enumerate() {
        writer.nth(WORDS + n, *word);
    }
    let multipliers = halves.iter().flat_map(Half::slots).skip(CONSTANT_SLOTS);
    let of_value = halves.last().map(Half::value_words);
    let limbs_of = multipliers.chain(of_value.into_iter().flatten()).flatten();
    limbs_of.enumerate().for_each(|(n, limb)| writer.nth(MULTIPLIERS + n, limb));
    for (n, piece) in step.before.0.into_iter().enumerate() {
        writer.nth(BEFORE + n, piece);
    }
    Reduction::cells(REDUCTION).assign(writer, &step.reduction);
    limbs.value(&step.reduction.value.0);
    limbs.quotient(step.reduction.quotient, step.reduction.shifted_carry());
}
