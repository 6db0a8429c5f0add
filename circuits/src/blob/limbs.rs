//! Range checks of 255 bits in two limbs, for values and for quotients with their carries.

use std::collections::HashMap;

use halo2_proofs::halo2curves::bn256::Fr;

use crate::blob::bits10_tuple;
use crate::core::{BlockWriter, Expr, RowBlock, RowKind, Table, Tag, Term, Tuple, TERMS};
use crate::ranges::digit;
use crate::witness::convert::{halves, small};

/// Bits of a chunk.
const CHUNK_BITS: u32 = 10;
/// Whole chunks of a limb; one of a few bits follows.
const CHUNKS: usize = 12;
/// Bits of the limbs without their digits, and of the top chunks in them.
const BITS: [u32; 2] = [125, 126];
const TOP_BITS: [u32; 2] = [5, 6];
/// Look-ups of a limb: its chunks, the top one, and that one scaled.
const LOOK_UPS: usize = CHUNKS + 2;
/// Rows of look-ups.
const ROWS: usize = 2 * LOOK_UPS / TERMS;
const DIGIT: [Expr; 2] = [Expr::cell(ROWS as i32, 0), Expr::cell(ROWS as i32, 1)];
const VALUE_USES: Expr = Expr::cell(ROWS as i32, 2);
const QUOTIENT_USES: Expr = Expr::cell(ROWS as i32, 3);
const NAMES: [&str; 2] = ["low", "high"];

/// The tuple of a value in pieces of 120, 7, 110 and 18 bits.
pub fn value_tuple(pieces: [Expr; 4]) -> Tuple {
    Tuple::new(Tag::Value, pieces)
}

/// The tuple that says `x < 2^125` and `y < 2^126`.
pub fn quotient_tuple(x: Expr, y: Expr) -> Tuple {
    Tuple::new(Tag::Quotient, [x, y])
}

/// Chunk `i` of limb `l`; the top chunk has number [`CHUNKS`], and the scaled one the next.
fn chunk(l: usize, i: usize) -> Expr {
    let n = LOOK_UPS * l + i;
    Expr::cell((n / TERMS) as i32, n % TERMS)
}

/// `sum chunk_i 2^(10 i)` over some chunks of limb `l`.
fn chunks(l: usize, range: std::ops::Range<usize>) -> Expr {
    let first = range.start;
    range.map(|i| chunk(l, i) * Expr::pow2(CHUNK_BITS * (i - first) as u32)).sum()
}

/// Constraints of a range check.
pub fn block() -> RowBlock {
    let mut block = RowBlock::new(Table::Limbs);
    (0..ROWS).for_each(|row| block.of_kind(row, RowKind::Chunks));
    let mut look_ups = Vec::new();
    for l in 0..2 {
        let name = NAMES[l];
        block.constrain(format!("{name}_digit"), digit(DIGIT[l]));
        let scaled = chunk(l, CHUNKS) * Expr::pow2(CHUNK_BITS - TOP_BITS[l]);
        block.constrain(format!("{name}_scaled"), chunk(l, CHUNKS + 1) - scaled);
        for i in 0..LOOK_UPS {
            let name = match i {
                0..=CHUNKS => format!("{name}_chunk{i}"),
                _ => format!("{name}_top"),
            };
            look_ups.push(Term::consume(name, Expr::one(), bits10_tuple(chunk(l, i))));
        }
    }
    block.bus_packed(0, look_ups);
    let e1 = chunk(0, CHUNKS) + DIGIT[0] * Expr::pow2(TOP_BITS[0]);
    let top = chunk(1, CHUNKS) + DIGIT[1] * Expr::pow2(TOP_BITS[1]);
    let e3 = chunk(1, CHUNKS - 1) + top * Expr::pow2(CHUNK_BITS);
    let pieces = [chunks(0, 0..CHUNKS), e1, chunks(1, 0..CHUNKS - 1), e3];
    let [x, y] = [0, 1].map(|l| chunks(l, 0..CHUNKS + 1));
    let value = Term::produce("value", VALUE_USES, value_tuple(pieces));
    let quotient = Term::produce("quotient", QUOTIENT_USES, quotient_tuple(x, y));
    block.bus(ROWS, [value, quotient]);
    block
}

/// Two limbs that were looked up as a value, and as a quotient, so many times.
#[derive(Clone, Copy, Debug)]
struct Entry {
    limbs: [u128; 2],
    values: u64,
    quotients: u64,
}

/// What was looked up, in the order of its first use.
#[derive(Clone, Debug, Default)]
pub struct LimbCounts {
    index: HashMap<[u128; 2], usize>,
    entries: Vec<Entry>,
    /// What fits no range, by the rule that asked for it: no honest witness has any, and the bus
    /// does not balance.
    pub out_of_range: Vec<(&'static str, Fr)>,
}

impl LimbCounts {
    /// Distinct limbs.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether nothing was looked up.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    fn entry(&mut self, limbs: [u128; 2]) -> &mut Entry {
        let next = self.entries.len();
        let place = *self.index.entry(limbs).or_insert(next);
        if place == next {
            self.entries.push(Entry { limbs, values: 0, quotients: 0 });
        }
        &mut self.entries[place]
    }

    /// Notes that pieces are looked up as a value.
    pub fn value(&mut self, pieces: &[Fr; 4]) {
        match checked(pieces, [120, 7, 110, 18]) {
            Ok([e0, e1, e2, e3]) => self.entry([e0 | e1 << 120, e2 | e3 << 110]).values += 1,
            Err(piece) => self.out_of_range.push(("value", piece)),
        }
    }

    /// Notes that `x` and `y` are looked up as a quotient.
    pub fn quotient(&mut self, x: Fr, y: Fr) {
        match checked(&[x, y], BITS) {
            Ok(limbs) => self.entry(limbs).quotients += 1,
            Err(limb) => self.out_of_range.push(("quotient", limb)),
        }
    }

    /// Assigns block `n`, used or not, and counts the 10-bit numbers that it looks up.
    pub fn assign(&self, writer: &mut BlockWriter<'_>, n: usize, looked_up: &mut [u64; 1024]) {
        let unused = Entry { limbs: [0; 2], values: 0, quotients: 0 };
        let entry = self.entries.get(n).copied().unwrap_or(unused);
        let mask = (1 << CHUNK_BITS) - 1;
        for (l, limb) in entry.limbs.into_iter().enumerate() {
            let below = limb & ((1 << BITS[l]) - 1);
            let mut look_up = |value: u128| {
                looked_up[value as usize & mask] += 1;
                small(value as u64)
            };
            for i in 0..=CHUNKS {
                let part = below >> (CHUNK_BITS * i as u32) & mask as u128;
                writer.set(&chunk(l, i), look_up(part));
            }
            let top = below >> (CHUNK_BITS * CHUNKS as u32);
            let scaled = look_up(top << (CHUNK_BITS - TOP_BITS[l]));
            writer.set(&chunk(l, CHUNKS + 1), scaled);
            writer.set(&DIGIT[l], small((limb >> BITS[l]) as u64));
        }
        writer.set(&VALUE_USES, small(entry.values));
        writer.set(&QUOTIENT_USES, small(entry.quotients));
    }
}

/// The values as integers, or the first that has more than its bits.
fn checked<const N: usize>(values: &[Fr; N], bits: [u32; N]) -> Result<[u128; N], Fr> {
    let mut out = [0; N];
    for (i, value) in values.iter().enumerate() {
        match halves(value) {
            (v, 0) if v >> bits[i] == 0 => out[i] = v,
            _ => return Err(*value),
        }
    }
    Ok(out)
}
