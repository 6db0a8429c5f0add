//! Multipliers of a group's slots: powers of `z`, and the same times `2^120` for the second slot of
//! an element. Four blocks one after the other have four powers each.

use halo2_proofs::halo2curves::bn256::Fr;

use crate::blob::limbs::LimbCounts;
use crate::blob::reduce::{range_row, row_count, Reduction, A_ROW};
use crate::blob::{slot_shift, QUARTER_SLOTS};
use crate::core::{pow2, BlockWriter, Expr, RowBlock, Table, Tag, Term, Tuple};

/// Powers of a quarter.
const POWERS: usize = QUARTER_SLOTS / 2;

/// Reductions of a quarter: each power times `2^120` and times `z`, and two more multipliers.
pub const REDUCTIONS: usize = 2 * POWERS + 2;

/// Bits from the second word of a value to the third.
const SECOND_WORD_BITS: u32 = 117;

const QUARTER: Expr = Expr::nth(0);
const Z: [Expr; 2] = [Expr::nth(1), Expr::nth(2)];
const START: [Expr; 2] = [Expr::nth(3), Expr::nth(4)];
const USES: Expr = Expr::nth(5);
const VALUE_USES: Expr = Expr::nth(6);
const NEXT_USES: Expr = Expr::nth(7);
/// Rows of reductions, from row 1 on.
const ROWS: usize = REDUCTIONS / A_ROW;

/// The cells of reduction `n`.
fn reduction(n: usize) -> Reduction<Expr> {
    Reduction::cells(1 + n / A_ROW, n % A_ROW)
}

/// The tuple of the power that a quarter begins at, and of the two words of `z`.
pub fn power_tuple(quarter: Expr, z: [Expr; 2], power: [Expr; 2]) -> Tuple {
    Tuple::new(Tag::Power, [quarter, z[0], z[1], power[0], power[1]])
}

/// The tuple of the multipliers of a quarter's slots.
pub fn multipliers_tuple(quarter: Expr, multipliers: &[[Expr; 2]]) -> Tuple {
    Tuple::new(Tag::Multipliers, [quarter].into_iter().chain(multipliers.iter().flatten().copied()))
}

/// The tuple of the multipliers of a value's three words.
pub fn value_multipliers_tuple(quarter: Expr, multipliers: &[[Expr; 2]; 3]) -> Tuple {
    let entries = [quarter].into_iter().chain(multipliers.iter().flatten().copied());
    Tuple::new(Tag::ValueMultipliers, entries)
}

/// Multipliers of a quarter, and how they come from one another.
#[derive(Clone, Debug)]
struct Chain<F> {
    /// Limbs of the power that the quarter begins at, and of the result of each reduction.
    limbs: Vec<[F; 2]>,
}

impl<F: Copy> Chain<F> {
    /// Power `j`, counted from where the quarter begins.
    fn power(&self, j: usize) -> [F; 2] {
        self.limbs[2 * j]
    }

    /// Power `j` times `2^120`.
    fn shifted(&self, j: usize) -> [F; 2] {
        self.limbs[2 * j + 1]
    }

    /// What reduction `n` multiplies: only results of those before it.
    fn products(&self, n: usize, z: [F; 2], shifts: [F; 2]) -> Vec<(F, [F; 2])> {
        match n {
            _ if n == REDUCTIONS - 1 => vec![(shifts[1], self.shifted(POWERS))],
            _ if n.is_multiple_of(2) => vec![(shifts[0], self.power(n / 2))],
            _ => vec![(z[0], self.power(n / 2)), (z[1], self.shifted(n / 2))],
        }
    }

    /// Multipliers of the slots.
    fn slots(&self) -> Vec<[F; 2]> {
        (0..POWERS).flat_map(|j| [self.power(j), self.shifted(j)]).collect()
    }

    /// Multipliers of the words of a value that follows the quarter.
    fn value_words(&self) -> [[F; 2]; 3] {
        [self.power(POWERS), self.shifted(POWERS), self.limbs[REDUCTIONS]]
    }
}

/// Constraints of a quarter.
pub fn block() -> RowBlock {
    let mut block = RowBlock::new(Table::Powers);
    let cells: Vec<_> = (0..REDUCTIONS).map(reduction).collect();
    let limbs = [START].into_iter().chain(cells.iter().map(|c| c.value.limbs())).collect();
    let chain = Chain { limbs };
    let shifts = [slot_shift(), Expr::pow2(SECOND_WORD_BITS)];
    let prefixes: Vec<String> = (0..REDUCTIONS).map(|n| format!("reduction{n}.")).collect();
    for (n, reduction) in cells.iter().enumerate() {
        reduction.constrain(&mut block, &prefixes[n], &chain.products(n, Z, shifts));
    }
    for (n, pair) in prefixes.as_chunks::<A_ROW>().0.iter().enumerate() {
        range_row(&mut block, 1 + n, pair.each_ref().map(String::as_str));
        block.constrain(format!("counted{n}"), row_count(1 + n) - Expr::one());
    }
    let start = power_tuple(QUARTER, Z, START);
    let next = power_tuple(QUARTER + Expr::one(), Z, chain.power(POWERS));
    let ends = [Term::consume("start", Expr::one(), start), Term::produce("next", NEXT_USES, next)];
    block.bus(0, ends);
    // Long tuples have rows of their own: fewer terms on a row, fewer cosets of the quotient.
    let multipliers = multipliers_tuple(QUARTER, &chain.slots());
    block.bus(1 + ROWS, [Term::produce("multipliers", USES, multipliers)]);
    let of_value = value_multipliers_tuple(QUARTER, &chain.value_words());
    block.bus(2 + ROWS, [Term::produce("value_multipliers", VALUE_USES, of_value)]);
    block
}

/// A filled quarter.
#[derive(Clone, Debug)]
pub struct Quarter {
    z: [Fr; 2],
    chain: Chain<Fr>,
    reductions: Vec<Reduction<Fr>>,
}

impl Quarter {
    /// The quarter that begins at `start`. `alter` sees each reduction before it is used.
    pub fn new(
        z: [Fr; 2],
        start: [Fr; 2],
        alter: &mut dyn FnMut(usize, &mut Reduction<Fr>),
    ) -> Self {
        let mut quarter = Self { z, chain: Chain { limbs: vec![start] }, reductions: Vec::new() };
        let shifts = [pow2(120), pow2(SECOND_WORD_BITS)];
        for n in 0..REDUCTIONS {
            let mut reduction = Reduction::of(&quarter.chain.products(n, z, shifts));
            alter(n, &mut reduction);
            quarter.chain.limbs.push(reduction.value.limbs());
            quarter.reductions.push(reduction);
        }
        quarter
    }

    /// The power that the next quarter begins at.
    pub fn end(&self) -> [Fr; 2] {
        self.chain.power(POWERS)
    }

    /// Multipliers of its slots.
    pub fn slots(&self) -> Vec<[Fr; 2]> {
        self.chain.slots()
    }

    /// Multipliers of the words of a value that follows it.
    pub fn value_words(&self) -> [[Fr; 2]; 3] {
        self.chain.value_words()
    }

    /// Assigns the quarter, whose multipliers are used so often: of the slots, of a value's words, of
    /// the next quarter.
    pub fn assign(
        &self,
        writer: &mut BlockWriter<'_>,
        quarter: u64,
        uses: [u64; 3],
        limbs: &mut LimbCounts,
    ) {
        let [low, high] = self.chain.power(0);
        let head = [Fr::from(quarter), self.z[0], self.z[1], low, high]
            .into_iter()
            .chain(uses.map(Fr::from));
        head.enumerate().for_each(|(n, value)| writer.nth(n, value));
        (1..=ROWS).for_each(|row| writer.set(&row_count(row), Fr::one()));
        for (n, reduction) in self.reductions.iter().enumerate() {
            self::reduction(n).assign(writer, reduction);
            limbs.value(&reduction.value.0);
            limbs.quotient(reduction.quotient, reduction.shifted_carry());
        }
    }
}
