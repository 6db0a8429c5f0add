//! One owner record, cut into four slots. The key hash is an integer below `p`: were it fixed modulo `p` alone,
//! a prover could choose among several after the point of evaluation is known.

use bastion_protocol::blob::{OWNER_PART, OWNER_SLOTS};
use halo2_proofs::halo2curves::bn256::Fr;

use crate::blob::limbs::{quotient_tuple, LimbCounts};
use crate::blob::owner_tuple;
use crate::blob::runs::WordRow;
use crate::core::{pow2, BlockWriter, Expr, RowBlock, Table, Tag, Term, Tuple};
use crate::witness::convert::{halves, wide};

/// Bits of a slot.
const PART_BITS: u32 = 8 * OWNER_PART as u32;
/// Bits of the key hash and of the exit address in the slot that both share.
const KEY_BITS: u32 = 48;
const EXIT_BITS: u32 = 56;

/// Name and bits of each part, from the record's front.
const PARTS: [(&str, u32); 5] = [
    ("key_high", PART_BITS),
    ("key_middle", PART_BITS),
    ("key_low", KEY_BITS),
    ("exit_high", EXIT_BITS),
    ("exit_low", PART_BITS),
];

/// The row of the slots; what stands beside them is in the columns behind theirs.
const SLOTS_ROW: usize = 0;
const NUMBER: Expr = Expr::nth(6);
const KEYHASH: Expr = Expr::nth(7);
const EXIT: Expr = Expr::nth(8);
const FROM: Expr = Expr::nth(9);
const KEY_LOW: Expr = Expr::nth(10);
const EXIT_HIGH: Expr = Expr::nth(11);
/// Whether the low part, and then the middle part, of what a key hash is below `p - 1` borrows from the
/// one above it.
const BORROWS: [Expr; 2] = [Expr::nth(12), Expr::nth(13)];

/// Cells of a block.
const END: usize = 14;

/// Range checks of a block.
pub const RANGES: usize = PARTS.len() + 2;

/// The largest key hash, `p - 1`, in the bits of its parts: high, middle, low.
fn largest() -> [Fr; 3] {
    let high = -Fr::one();
    let (low, top) = halves(&high);
    let middle = low >> KEY_BITS | top << (128 - KEY_BITS);
    let mask = (1 << PART_BITS) - 1;
    [top >> (PART_BITS + KEY_BITS - 128), middle & mask, low & ((1 << KEY_BITS) - 1)].map(wide)
}

/// By how much the parts of a key hash, high, middle and low, are below those of `p - 1`, each with what it
/// borrows and lends. Where none is negative, the key hash is below `p`.
fn rests<F>(largest: [F; 3], parts: [F; 3], borrows: [F; 2], unit: impl Fn(u32) -> F) -> [F; 3]
where
    F: Copy + std::ops::Add<Output = F> + std::ops::Sub<Output = F> + std::ops::Mul<Output = F>,
{
    let [high, middle, low] = [0, 1, 2].map(|i| largest[i] - parts[i]);
    let [of_low, of_middle] = borrows;
    [high - of_middle, middle - of_low + of_middle * unit(PART_BITS), low + of_low * unit(KEY_BITS)]
}

/// The tuple of the first slot behind the L2 records.
pub fn from_tuple(position: Expr) -> Tuple {
    Tuple::new(Tag::OwnersFrom, [position])
}

/// By how much a value of `bits` bits is raised for the second limb of its look-up, so that both
/// limbs fit only if it has no more.
fn raise(bits: u32) -> u32 {
    126 - bits
}

/// Constraints of an owner record.
pub fn block() -> RowBlock {
    let mut block = RowBlock::new(Table::Split);
    let slots = WordRow::cells(SLOTS_ROW);
    let active = slots.count;
    let [key_high, key_middle, shared, exit_low] = slots.words;
    let parts = [key_high, key_middle, KEY_LOW, EXIT_HIGH, exit_low];
    block.constrain("active_flag", active.boolean());
    let middle = key_middle * Expr::pow2(KEY_BITS);
    let keyhash = key_high * Expr::pow2(PART_BITS + KEY_BITS) + middle + KEY_LOW;
    block.constrain("keyhash", KEYHASH - keyhash);
    block.constrain("exit", EXIT - EXIT_HIGH * Expr::pow2(PART_BITS) - exit_low);
    block.constrain("shared", shared - KEY_LOW * Expr::pow2(EXIT_BITS) - EXIT_HIGH);
    let first = FROM + NUMBER * Expr::from(OWNER_SLOTS as u64);
    block.constrain("position", slots.position - first);
    block.constrain("low_borrow_flag", BORROWS[0].boolean());
    block.constrain("middle_borrow_flag", BORROWS[1].boolean());
    slots.put(&mut block, SLOTS_ROW, "slot", 0);

    let mut terms = vec![
        Term::consume("record", active, owner_tuple(NUMBER, KEYHASH, EXIT)),
        Term::consume("from", active, from_tuple(FROM)),
    ];
    for ((name, bits), part) in PARTS.into_iter().zip(parts) {
        let tuple = quotient_tuple(part, part * Expr::pow2(raise(bits)));
        terms.push(Term::consume(format!("{name}_range"), active, tuple));
    }
    let key = [key_high, key_middle, KEY_LOW];
    let [high, middle, low] = rests(largest().map(Expr::from), key, BORROWS, Expr::pow2);
    let tuples = [quotient_tuple(low, middle), quotient_tuple(high, Expr::zero())];
    for (name, tuple) in ["canonical_low", "canonical_high"].into_iter().zip(tuples) {
        terms.push(Term::consume(name, active, tuple));
    }
    block.bus_packed(SLOTS_ROW + 1, terms);
    block
}

/// The five parts of an owner record's four slots.
pub fn parts(slots: [u128; OWNER_SLOTS]) -> [Fr; 5] {
    let [high, middle, shared, low] = slots;
    [high, middle, shared >> EXIT_BITS, shared & ((1 << EXIT_BITS) - 1), low].map(wide)
}

/// Whether the low part borrows, and the middle one, for parts that are numbers.
fn borrows(largest: [Fr; 3], key: [Fr; 3]) -> [bool; 2] {
    let [_, middle, low] = [0, 1, 2].map(|i| (halves(&key[i]).0, halves(&largest[i]).0));
    let of_low = low.0 > low.1;
    [of_low, middle.0 + u128::from(of_low) > middle.1]
}

/// Assigns an owner record, `[key hash, exit address]` with its parts (or an unused block).
pub fn assign(
    writer: &mut BlockWriter<'_>,
    record: Option<(u64, [Fr; 2], [Fr; 5])>,
    from: u64,
    limbs: &mut LimbCounts,
) {
    let Some((number, [keyhash, exit], parts)) = record else {
        (0..END).for_each(|n| writer.nth(n, Fr::zero()));
        return;
    };
    let [key_high, key_middle, key_low, exit_high, exit_low] = parts;
    let first = Fr::from(from) + Fr::from(number) * Fr::from(OWNER_SLOTS as u64);
    let slots = [key_high, key_middle, key_low * pow2(EXIT_BITS) + exit_high, exit_low];
    WordRow::cells(SLOTS_ROW).assign(writer, Fr::one(), first, slots);
    let beside = [Fr::from(number), keyhash, exit, Fr::from(from), key_low, exit_high];
    let cells = [NUMBER, KEYHASH, EXIT, FROM, KEY_LOW, EXIT_HIGH];
    cells.iter().zip(beside).for_each(|(cell, value)| writer.set(cell, value));
    for ((_, bits), part) in PARTS.into_iter().zip(parts) {
        limbs.quotient(part, part * pow2(raise(bits)));
    }
    let (largest, key) = (largest(), [key_high, key_middle, key_low]);
    let borrows = borrows(largest, key).map(|borrow| Fr::from(u64::from(borrow)));
    BORROWS.iter().zip(borrows).for_each(|(cell, borrow)| writer.set(cell, borrow));
    let [high, middle, low] = rests(largest, key, borrows, pow2);
    limbs.quotient(low, middle);
    limbs.quotient(high, Fr::zero());
}
