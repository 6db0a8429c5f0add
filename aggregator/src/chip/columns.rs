//! Columns, and where cells stand in a block.

use bastion_circuits::core::{pow2, Expr};

/// Columns of chunks: every cell of theirs is below `2^16`, on every row of the bus.
pub const CHUNKS: usize = 6;
/// Chunks of a limb, in the first columns.
pub const LIMB_CHUNKS: usize = CHUNKS - 1;
/// The chunk column beside them.
pub const SIDE: usize = LIMB_CHUNKS;
/// Columns of words: cells without a range of their own.
pub const WORDS: usize = 2;
/// The word column that copy constraints reach.
pub const IO: usize = CHUNKS;
/// What the chunks of the row amount to.
pub const LIMB: usize = CHUNKS + WORDS;
/// How often each entry of the range table is used.
pub const COUNT: usize = LIMB + 1;
/// Advice columns of the first phase.
pub const ADVICE: usize = COUNT + 1;
/// First fixed column: constants of blocks, all on the block's first row.
pub const CONSTANT: usize = ADVICE;
/// Fixed columns of constants.
pub const CONSTANTS: usize = 5;
/// Fixed column: the range table.
pub const TABLE: usize = CONSTANT + CONSTANTS;
/// Fixed column: 1 on rows whose limb is a wide one.
pub const WIDE: usize = TABLE + 1;
/// Fixed columns that a grid holds, first [`CONSTANT`].
pub const FIXED: usize = CONSTANTS + 2;
/// Columns that a grid holds: the advice columns of the first phase, and the fixed ones.
pub const COLUMNS: usize = ADVICE + FIXED;

/// Bits of a chunk.
pub const CHUNK_BITS: u32 = 16;
/// Bits of a limb.
pub const LIMB_BITS: u32 = CHUNK_BITS * LIMB_CHUNKS as u32;
/// Place of the side chunk in a wide limb: it overlaps the others.
pub const WIDE_TOP: u32 = 74;
/// Limbs of a number: three of 80 bits and one of 16.
pub const LIMBS: usize = 4;
/// Rows of a number: its limbs of 80 bits.
pub const NUMBER: usize = LIMBS - 1;
/// Rows that the link of a block takes.
pub const LINK_ROWS: usize = 4;
/// Rows behind the link.
pub const LINK_BEHIND: usize = 1;

/// Limbs of a number, lowest first.
pub type Limbs = [Expr; LIMBS];

/// The limb of a row.
pub fn limb(row: usize) -> Expr {
    Expr::cell(row as i32, LIMB)
}

/// The side chunk of a row.
pub fn side(row: usize) -> Expr {
    Expr::cell(row as i32, SIDE)
}

/// The word in `column` (0 is [`IO`]) of a row.
pub fn word(row: i32, column: usize) -> Expr {
    Expr::cell(row, CHUNKS + column)
}

/// Constant `n` of a block.
pub fn constant(n: usize) -> Expr {
    Expr::cell(0, CONSTANT + n)
}

/// A limb minus what the chunks of its row amount to.
pub fn limb_rule() -> Expr {
    let chunks = (0..LIMB_CHUNKS)
        .map(|n| Expr::cell(0, n) * Expr::pow2(CHUNK_BITS * n as u32))
        .sum::<Expr>();
    Expr::cell(0, LIMB) - chunks - Expr::cell(0, WIDE) * Expr::cell(0, SIDE) * Expr::pow2(WIDE_TOP)
}

/// Where a number stands: the first of the rows of its limbs, and the row of its side chunk.
#[derive(Clone, Copy, Debug)]
pub struct Number {
    /// First row of three.
    pub row: usize,
    /// Row of the highest limb.
    pub top: usize,
}

impl Number {
    /// Its limbs.
    pub fn limbs(&self) -> Limbs {
        [limb(self.row), limb(self.row + 1), limb(self.row + 2), side(self.top)]
    }
}

/// The value of a number modulo the order of the scalar field.
pub fn native(limbs: &Limbs) -> Expr {
    limbs.iter().enumerate().map(|(k, limb)| *limb * pow2(LIMB_BITS * k as u32)).sum()
}

/// `a - b`, limb by limb (a number with signed limbs).
pub fn minus(a: &Limbs, b: &Limbs) -> Limbs {
    std::array::from_fn(|k| a[k] - b[k])
}

/// What identities need of an integer `sum of E_k 2^(80 k)`.
#[derive(Clone, Copy, Debug)]
pub struct Parts {
    /// `E_0 + 2^80 E_1`.
    pub low: Expr,
    /// `E_2 + 2^80 E_3`.
    pub high: Expr,
    /// The integer modulo the scalar field's order.
    pub native: Expr,
}

impl Parts {
    /// Those of a number.
    pub fn of(a: &Limbs) -> Self {
        let weight = Expr::pow2(LIMB_BITS);
        Self { low: a[0] + a[1] * weight, high: a[2] + a[3] * weight, native: native(a) }
    }

    /// Those of a product of numbers.
    pub fn product(a: &Limbs, b: &Limbs) -> Self {
        let weight = Expr::pow2(LIMB_BITS);
        let limb = |k: usize| -> Expr { (0..=k).map(|i| a[i] * b[k - i]).sum() };
        Self {
            low: limb(0) + limb(1) * weight,
            high: limb(2) + limb(3) * weight,
            native: native(a) * native(b),
        }
    }

    /// Each part of this and of another one, combined.
    pub fn with(&self, other: &Self, f: impl Fn(Expr, Expr) -> Expr) -> Self {
        Self {
            low: f(self.low, other.low),
            high: f(self.high, other.high),
            native: f(self.native, other.native),
        }
    }

    /// All three.
    pub fn all(&self) -> [Expr; 3] {
        [self.low, self.high, self.native]
    }
}

/// What a block leaves to the next one: the point `(x, y)`.
///
/// After an addition or a doubling `y` is `lambda (a - x) + b`, for a chord or tangent of slope
/// `lambda` through `(a, -b)`, and only what identities need of it has cells. Other blocks leave the
/// number itself.
pub struct Link {
    /// `x`.
    pub x: Limbs,
    /// `y`, of an explicit link: the limbs.
    pub y: Limbs,
}

impl Link {
    /// The link of the block that ends before row `end`, which is relative to another one.
    fn ending(end: i32) -> Self {
        let limbs = |n: usize| {
            std::array::from_fn(|k| {
                let at = n * LIMBS + k;
                let row = end - (LINK_ROWS + LINK_BEHIND) as i32 + (at / WORDS) as i32;
                word(row, at % WORDS)
            })
        };
        Self { x: limbs(0), y: limbs(1) }
    }

    /// The link that the block before left.
    pub fn previous() -> Self {
        Self::ending(0)
    }

    /// The link that a block of `rows` rows leaves.
    pub fn own(rows: usize) -> Self {
        Self::ending(rows as i32)
    }

    /// `y` of a link that is not explicit.
    pub fn ordinate(&self) -> Parts {
        let [low, high, native, _] = self.y;
        Parts { low, high, native }
    }
}
