//! Columns, and where cells stand in a block.

use bastion_circuits::core::{pow2, Expr};

/// Columns of chunks: every cell of theirs is below `2^16`, on every row of the bus.
pub const CHUNKS: usize = 6;
/// Columns of words: cells without a range of their own.
pub const WORDS: usize = 2;
/// The word column that copy constraints reach.
pub const IO: usize = CHUNKS;
/// How often each entry of the range table is used.
pub const COUNT: usize = CHUNKS + WORDS;
/// Advice columns of the first phase.
pub const ADVICE: usize = COUNT + 1;
/// Fixed column: numbers and constants of a block.
pub const CONSTANT: usize = ADVICE;
/// Fixed column: the range table.
pub const TABLE: usize = CONSTANT + 1;
/// Fixed column: a third constant, for full rounds.
pub const THIRD: usize = TABLE + 1;
/// Fixed columns that a grid holds, first [`CONSTANT`]. Below the rows of the bus [`TABLE`] holds
/// round constants too.
pub const FIXED: usize = 3;
/// Columns that a grid holds: the advice columns of the first phase, and the fixed ones.
pub const COLUMNS: usize = ADVICE + FIXED;

/// Bits of a chunk.
pub const CHUNK_BITS: u32 = 16;
/// Chunks of a whole limb.
pub const LIMB_CHUNKS: usize = 5;
/// Bits of a limb.
pub const LIMB_BITS: u32 = CHUNK_BITS * LIMB_CHUNKS as u32;
/// Limbs of a number: three of 80 bits and one of 16.
pub const LIMBS: usize = 4;
/// Chunks of a number below `2^256`.
pub const NUMBER: usize = 16;
/// Rows that the link at the end of a block takes.
pub const LINK_ROWS: usize = 8;

/// Limbs of a number, lowest first.
pub type Limbs = [Expr; LIMBS];

/// Chunk number `n` of a block.
pub fn chunk(n: usize) -> Expr {
    Expr::cell((n / CHUNKS) as i32, n % CHUNKS)
}

/// The word in `column` (0 is [`IO`]) of a row.
pub fn word(row: i32, column: usize) -> Expr {
    Expr::cell(row, CHUNKS + column)
}

/// The constant of a row.
pub fn constant(row: i32) -> Expr {
    Expr::cell(row, CONSTANT)
}

/// The limbs of the number in the chunks from `first` on.
pub fn number(first: usize) -> Limbs {
    std::array::from_fn(|k| {
        let at = k * LIMB_CHUNKS;
        (at..NUMBER.min(at + LIMB_CHUNKS))
            .map(|i| chunk(first + i) * Expr::pow2(CHUNK_BITS * (i - at) as u32))
            .sum()
    })
}

/// The value of a number modulo the order of the scalar field.
pub fn native(limbs: &Limbs) -> Expr {
    limbs.iter().enumerate().map(|(k, limb)| *limb * pow2(LIMB_BITS * k as u32)).sum()
}

/// `a - b`, limb by limb (a number with signed limbs).
pub fn minus(a: &Limbs, b: &Limbs) -> Limbs {
    std::array::from_fn(|k| a[k] - b[k])
}

/// What a block leaves to the next one: the point `(x, y)` with `y = lambda (a - x) + b`.
///
/// A chord or tangent of slope `lambda` through `(a, -b)` has this third point, mirrored, so that
/// nothing but the slope is needed to name `y`. With `lambda = 0` and `b = y` it is any point.
pub struct Link {
    /// `x`.
    pub x: Limbs,
    /// Slope.
    pub lambda: Limbs,
    /// Abscissa of the point that the line went through.
    pub a: Limbs,
    /// Its ordinate, negated.
    pub b: Limbs,
}

impl Link {
    /// The link in the last rows before `end`, a row relative to the block.
    fn ending(end: i32) -> Self {
        let limbs = |n: usize| {
            std::array::from_fn(|k| {
                let at = n * LIMBS + k;
                word(end - LINK_ROWS as i32 + (at / WORDS) as i32, at % WORDS)
            })
        };
        Self { x: limbs(0), lambda: limbs(1), a: limbs(2), b: limbs(3) }
    }

    /// The link that the block before left.
    pub fn previous() -> Self {
        Self::ending(0)
    }

    /// The link that a block of `rows` rows leaves.
    pub fn own(rows: usize) -> Self {
        Self::ending(rows as i32)
    }
}
