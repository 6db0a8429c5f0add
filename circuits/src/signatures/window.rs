//! Windows: four bits of both scalars a row, most significant first.

use crate::core::{Expr, RowBlock, Table, Tag, Term, Tuple};
use crate::signatures::curve::{add, double, Point};

/// Columns of a window row. The row before it (a window, a half row or the last header row) holds
/// the state to go on from in the same columns.
pub mod columns {
    /// Signature id.
    pub const ID: usize = 0;
    /// `h digit x (-A)`.
    pub const KEY: usize = 1;
    /// `S digit x B`.
    pub const BASE: usize = 3;
    /// Four doublings of the accumulator.
    pub const DOUBLINGS: usize = 5;
    /// After the first addition.
    pub const WITH_KEY: usize = 13;
    /// The accumulator after the window.
    pub const POINT: usize = 15;
    /// The digits of `h` of this half so far.
    pub const H: usize = 17;
    /// The digits of `S` of this half so far.
    pub const S: usize = 18;
    /// Number of the half, 1 or 2.
    pub const HALF: usize = 19;
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
pub fn window_block() -> RowBlock {
    let mut block = RowBlock::new(Table::Window);
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
    let steps =
        [("add_key", point, KEY, with_key), ("add_base", with_key, BASE, Point::at(0, POINT))];
    for (name, p, addend, out) in steps {
        let [x, y] = add(&p, &Point::at(0, addend), &out);
        block.constrain(format!("{name}.x"), x);
        block.constrain(format!("{name}.y"), y);
    }
    // What a window adds to the digits so far. The look-up of its multiple bounds it.
    let digit = |acc| here(acc) - before(acc) * Expr::from(16);
    block.bus(
        0,
        [
            Term::consume(
                "key_multiple",
                Expr::one(),
                key_multiple(here(ID), digit(H), Point::at(0, KEY)),
            ),
            Term::consume(
                "base_multiple",
                Expr::one(),
                base_multiple(digit(S), Point::at(0, BASE)),
            ),
        ],
    );
    block
}

/// Constraints of the row after a half: it puts the state on the bus and starts the next half with
/// the same point and empty scalars.
pub fn half_block() -> RowBlock {
    let mut block = RowBlock::new(Table::Half);
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
            "hand_over",
            Expr::one(),
            half_tuple(here(ID), before(HALF), Point::at(0, POINT), before(H), before(S)),
        )],
    );
    block
}
