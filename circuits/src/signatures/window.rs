//! Windows: four bits of both scalars a row, most significant first.

use crate::core::{Block, Expr, Table, Tag, Term, Tuple};
use crate::signatures::curve::{add, double, Point};

/// Columns of a window row. The row before it (a window, a half row or the last header row) holds
/// the state to go on from in the same columns.
pub mod columns {
    /// Signature id.
    pub const ID: usize = 0;
    /// Digit of `h`.
    pub const H_DIGIT: usize = 1;
    /// Digit of `S`.
    pub const S_DIGIT: usize = 2;
    /// `h digit x (-A)`.
    pub const KEY: usize = 3;
    /// `S digit x B`.
    pub const BASE: usize = 5;
    /// Four doublings of the accumulator.
    pub const DOUBLINGS: usize = 7;
    /// Helper of the first addition.
    pub const W_KEY: usize = 15;
    /// After the first addition.
    pub const WITH_KEY: usize = 16;
    /// Helper of the second addition.
    pub const W_BASE: usize = 18;
    /// The accumulator after the window.
    pub const POINT: usize = 19;
    /// The digits of `h` of this half so far.
    pub const H: usize = 21;
    /// The digits of `S` of this half so far.
    pub const S: usize = 22;
    /// Number of the half, 1 or 2.
    pub const HALF: usize = 23;
}
use columns::*;

/// The tuple of a multiple of `-A`.
pub fn key_multiple(id: Expr, digit: Expr, point: Point<Expr>) -> Tuple {
    Tuple::new(Tag::KeyMultiple, [id, digit, point.x, point.y])
}

/// The tuple of a multiple of the base point.
pub fn base_multiple(digit: Expr, point: Point<Expr>) -> Tuple {
    Tuple::new(Tag::BaseMultiple, [digit, point.x, point.y])
}

/// The tuple that hands over the state after a half.
pub fn half_tuple(id: Expr, half: Expr, point: Point<Expr>, h: Expr, s: Expr) -> Tuple {
    Tuple::new(Tag::Half, [id, half, point.x, point.y, h, s])
}

/// Constraints of a window.
pub fn window_block() -> Block {
    let mut block = Block::new(Table::Window);
    let here = |col| Expr::cell(0, col);
    let before = |col| Expr::cell(-1, col);
    block.constrain("id", here(ID) - before(ID));
    block.constrain("half", here(HALF) - before(HALF));

    let mut point = Point::at(-1, POINT);
    for i in 0..4 {
        let next = Point::at(0, DOUBLINGS + 2 * i);
        let [x, y] = double(&point, &next);
        block.constrain(format!("double{i}.x"), x);
        block.constrain(format!("double{i}.y"), y);
        point = next;
    }
    let with_key = Point::at(0, WITH_KEY);
    let steps = [
        ("add_key", point, KEY, W_KEY, with_key.clone()),
        ("add_base", with_key, BASE, W_BASE, Point::at(0, POINT)),
    ];
    for (name, p, addend, w, out) in steps {
        let [w, x, y] = add(&p, &Point::at(0, addend), &here(w), &out);
        block.constrain(format!("{name}.w"), w);
        block.constrain(format!("{name}.x"), x);
        block.constrain(format!("{name}.y"), y);
    }
    for (name, acc, digit) in [("h", H, H_DIGIT), ("s", S, S_DIGIT)] {
        block.constrain(name, here(acc) - before(acc) * Expr::from(16) - here(digit));
    }
    block.bus(
        0,
        [
            Term::consume(
                "key_multiple",
                Expr::one(),
                key_multiple(here(ID), here(H_DIGIT), Point::at(0, KEY)),
            ),
            Term::consume(
                "base_multiple",
                Expr::one(),
                base_multiple(here(S_DIGIT), Point::at(0, BASE)),
            ),
        ],
    );
    block
}

/// Constraints of the row after a half: it puts the state on the bus and starts the next half with
/// the same point and empty scalars.
pub fn half_block() -> Block {
    let mut block = Block::new(Table::Half);
    let here = |col| Expr::cell(0, col);
    let before = |col| Expr::cell(-1, col);
    block.constrain("id", here(ID) - before(ID));
    block.constrain("half", here(HALF) - before(HALF) - Expr::one());
    block.constrain("point.x", here(POINT) - before(POINT));
    block.constrain("point.y", here(POINT + 1) - before(POINT + 1));
    block.constrain("h", here(H));
    block.constrain("s", here(S));
    block.bus(
        0,
        [Term::produce(
            "half",
            Expr::one(),
            half_tuple(
                here(ID),
                before(HALF),
                Point::at(0, POINT),
                before(H),
                before(S),
            ),
        )],
    );
    block
}
