//! Cheating provers in the range checks: a value that is looked up in pieces that are not in range,
//! or chunks that are none.

use super::cheats::replace;
use super::*;
use crate::blob::bits10;
use crate::blob::reduce::Reduction;
use crate::core::{pow2, WIDTH};
use crate::witness::convert::{halves, inverse_or_zero};

/// Chunks of the limbs, their top chunks, digits, uses, as they are numbered here.
const LOW: usize = 0;
const HIGH: usize = 13;
const TOP: usize = 12;
const LOW_DIGIT: usize = 26;
const HIGH_DIGIT: usize = 27;
const VALUE_USES: usize = 28;
const CELLS: usize = 30;

/// Row and column of one of them in its block.
fn place(n: usize) -> (usize, usize) {
    let n = match n {
        n if n < HIGH => n,
        n if n < LOW_DIGIT => n + 1,
        n => return (7, n - LOW_DIGIT),
    };
    (n / 4, n % 4)
}

/// Of the scaled top chunks.
const SCALED: [(usize, usize); 2] = [(3, 1), (6, 3)];

/// The cells of a range check that shows `pieces`, as far as they are in range.
fn cells_of(pieces: &Pieces<Fr>) -> [Fr; CELLS] {
    let [low, high] = pieces.limbs().map(|limb| halves(&limb).0);
    let chunk = |limb: u128, i: usize, bits: u32| wide(limb >> (10 * i) & ((1 << bits) - 1));
    let mut cells = [Fr::zero(); CELLS];
    for i in 0..TOP {
        cells[LOW + i] = chunk(low, i, 10);
        cells[HIGH + i] = chunk(high, i, 10);
    }
    cells[LOW + TOP] = chunk(low, TOP, 5);
    cells[HIGH + TOP] = chunk(high, TOP, 6);
    cells[LOW_DIGIT] = wide(low >> 125);
    cells[HIGH_DIGIT] = wide(high >> 126);
    cells
}

/// The 10-bit numbers are counted again, as far as chunks are some.
fn recount(case: &Case, grid: &mut Grid) {
    let mut counts = [0u64; 1024];
    for n in 0..case.room.limbs {
        let row = case.row(Table::Limbs, n);
        let chunks = (0..LOW_DIGIT).map(|n| grid.get(row + place(n).0, place(n).1));
        let scaled = SCALED.map(|(r, col)| grid.get(row + r, col));
        for value in chunks.chain(scaled) {
            if let (v @ 0..1024, 0) = halves(&value) {
                counts[v as usize] += 1;
            }
        }
    }
    for (v, count) in counts.into_iter().enumerate() {
        let row = case.row(Table::Bits10, v / bits10::ENTRIES);
        let n = v % bits10::ENTRIES;
        grid.overwrite(row + n / 4, n % 4, Fr::from(count));
    }
}

/// The rules that break when the value of the first group is taken in the pieces that `take` makes
/// of it, and a range check shows these pieces by cells that `cheat` changed.
fn cheat(take: impl Fn(&mut Reduction<Fr>), change: impl Fn(&mut [Fr; CELLS])) -> BTreeSet<String> {
    let mut case = Case::sample();
    case.room.limbs += 1;
    let mut honest = None;
    let mut alter = |stage: Stage<'_>| {
        if let Stage::Group { group: 0, reduction } = stage {
            honest = Some(reduction.value);
            take(reduction);
        }
    };
    case.claim_what_comes_out(&mut alter);
    let mut grid = case.grid(&mut alter);
    let honest = honest.unwrap();
    let mut cells = cells_of(&honest);
    change(&mut cells);
    cells[VALUE_USES] = Fr::one();
    // The honest value, which nobody looks up where pieces were changed.
    let same = (0..case.room.limbs).find(|n| {
        let row = case.row(Table::Limbs, *n);
        let own = cells_of(&honest);
        (0..LOW_DIGIT).all(|c| grid.get(row + place(c).0, place(c).1) == own[c])
    });
    let unused = case.room.limbs - 1;
    let row = case.row(Table::Limbs, same.unwrap_or(unused));
    for (c, value) in cells.into_iter().enumerate() {
        grid.overwrite(row + place(c).0, place(c).1, value);
    }
    let tops = [cells[LOW + TOP] * pow2(5), cells[HIGH + TOP] * pow2(4)];
    for ((r, col), scaled) in SCALED.into_iter().zip(tops) {
        grid.overwrite(row + r, col, scaled);
    }
    recount(&case, &mut grid);
    case.check(&grid)
}

/// A chunk that is no number below 1024, and the next one makes up for it.
#[test]
fn chunks_are_10_bit_numbers() {
    for (first, name, whole) in [(LOW, "low", 11), (HIGH, "high", 10)] {
        for i in 0..whole {
            let names = cheat(
                |_| {},
                |cells| {
                    cells[first + i] -= pow2(10);
                    cells[first + i + 1] += Fr::one();
                },
            );
            assert_eq!(names, set(&[&format!("limbs.{name}_chunk{i}")]));
        }
    }
    // Chunk 11 is the last of the second half of a piece: its top is the top chunk.
    let names = cheat(
        |_| {},
        |cells| {
            cells[HIGH + 11] -= pow2(10);
            cells[HIGH + TOP] += Fr::one();
        },
    );
    assert_eq!(names, set(&["limbs.high_chunk11"]));
    // At the end of a piece the value is taken in pieces that do not fit.
    let names = cheat(
        |r| {
            r.value.0[0] -= pow2(120);
            r.value.0[1] += Fr::one();
        },
        |cells| {
            cells[LOW + 11] -= pow2(10);
            cells[LOW + TOP] += Fr::one();
        },
    );
    assert_eq!(names, set(&["limbs.low_chunk11"]));
    let names = cheat(
        |r| {
            r.value.0[2] -= pow2(110);
            r.value.0[3] += Fr::one();
        },
        |cells| {
            cells[HIGH + 10] -= pow2(10);
            cells[HIGH + 11] += Fr::one();
        },
    );
    assert_eq!(names, set(&["limbs.high_chunk10"]));
}

/// The scaled look-up alone would let fractions through, the plain one too many bits.
#[test]
fn top_chunks_have_few_bits() {
    let fraction = |bits: u32| inverse_or_zero(pow2(bits));
    let names = cheat(
        |r| {
            r.value.0[0] -= pow2(115);
            r.value.0[1] += fraction(5);
        },
        |cells| {
            cells[LOW + 11] -= pow2(5);
            cells[LOW + TOP] += fraction(5);
        },
    );
    assert_eq!(names, set(&["limbs.low_chunk12"]));
    let names = cheat(
        |_| {},
        |cells| {
            cells[HIGH + 11] -= pow2(6);
            cells[HIGH + TOP] += fraction(4);
        },
    );
    assert_eq!(names, set(&["limbs.high_chunk12"]));
    let names = cheat(
        |_| {},
        |cells| {
            cells[LOW + TOP] += pow2(5);
            cells[LOW_DIGIT] -= Fr::one();
        },
    );
    assert_eq!(names, set(&["limbs.low_top"]));
    let names = cheat(
        |_| {},
        |cells| {
            cells[HIGH + TOP] += pow2(6);
            cells[HIGH_DIGIT] -= Fr::one();
        },
    );
    assert_eq!(names, set(&["limbs.high_top"]));
}

#[test]
fn digits_are_digits() {
    // The bit of the low limb above 2^127 belongs to the high one.
    let names = cheat(
        |r| {
            let [e0, e1, e2, e3] = r.value.0;
            replace(r, Pieces([e0, e1 + pow2(7), e2 - Fr::one(), e3]));
        },
        |cells| {
            cells[LOW_DIGIT] += Fr::from(4);
            cells[HIGH] -= Fr::one();
        },
    );
    assert_eq!(names, set(&["limbs.low_digit"]));
    // A value of more than 255 bits: with twice the modulus on top.
    let value = std::cell::Cell::new(Pieces([Fr::zero(); 4]));
    let names = cheat(
        |r| {
            value.set(raised(&r.value, 2));
            replace(r, value.get());
        },
        |cells| {
            *cells = cells_of(&value.get());
            let [_, high] = value.get().limbs();
            cells[HIGH_DIGIT] += Fr::from(4) * wide(halves(&high).1);
        },
    );
    assert_eq!(names, set(&["limbs.high_digit"]));
}

#[test]
fn uses_are_counted() {
    let case = Case::sample();
    let grid = |cell: usize| {
        let mut grid = case.grid(&mut |_| {});
        let blocks = 0..case.room.limbs;
        let used = blocks
            .map(|n| case.row(Table::Limbs, n))
            .find(|row| grid.get(row + place(cell).0, place(cell).1) == Fr::one());
        let (row, col) = place(cell);
        nudge(&mut grid, used.unwrap(), WIDTH * row + col, Fr::one());
        grid
    };
    let names = case.check(&grid(VALUE_USES));
    assert!(names.contains("limbs.value") && names.len() == 2, "{names:?}");
    let names = case.check(&grid(VALUE_USES + 1));
    assert!(names.contains("limbs.quotient") && names.len() == 2, "{names:?}");
}

/// A batch without anything leaves most of the table unused.
#[test]
fn entries_are_10_bit_numbers() {
    let case = Case::of(&BatchData::default(), 0, Scalar::from(0u64));
    let row = case.row(Table::Bits10, bits10::BLOCKS - 1);
    let honest = case.grid(&mut |_| {});
    assert_eq!(case.check(&honest), set(&[]));
    for digit in 0..3 {
        let mut grid = honest.clone();
        nudge(&mut grid, row, 5 + digit, Fr::one());
        let first = Fr::from(16 << (2 * digit));
        (0..4).for_each(|r| nudge(&mut grid, row, WIDTH * r + 4, first));
        assert_eq!(case.check(&grid), set(&[&format!("bits10.digit{digit}")]));
    }
    for r in 0..4 {
        let mut grid = honest.clone();
        nudge(&mut grid, row, WIDTH * r + 4, Fr::one());
        assert_eq!(case.check(&grid), set(&[&format!("bits10.first{r}")]));
    }
    for entry in 0..bits10::ENTRIES {
        let mut grid = honest.clone();
        nudge(&mut grid, row, WIDTH * (entry / 4) + entry % 4, Fr::one());
        assert_eq!(case.check(&grid), set(&[&format!("bits10.entry{entry}")]));
    }
}

/// The scaled chunk is looked up, so it must be the top chunk's.
#[test]
fn scaled_chunks_are_those_of_the_top() {
    let case = Case::sample();
    for (name, (r, col)) in ["low", "high"].into_iter().zip(SCALED) {
        let mut grid = case.grid(&mut |_| {});
        let row = case.row(Table::Limbs, 0);
        let other = grid.get(row + r, col) + Fr::one();
        let other = if other == Fr::from(1024) { Fr::zero() } else { other };
        grid.overwrite(row + r, col, other);
        recount(&case, &mut grid);
        assert_eq!(case.check(&grid), set(&[&format!("limbs.{name}_scaled")]));
    }
}
