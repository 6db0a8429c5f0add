#![doc = include_str!("README.md")]

use bastion_state::executor::NodeTouch;
use halo2_proofs::halo2curves::bn256::Fr;

use crate::core::{BlockWriter, Expr, RowBlock, Table, Tag, Term, Tuple};
use crate::hash;
use crate::witness::convert::{small, to_halo2};

/// Rows from the old compression to the new one.
const NEW: i32 = 3;

const LEVEL: Expr = Expr::cell(2, 23);
const INDEX: Expr = Expr::cell(2, 24);
const LEFT: Expr = Expr::cell(NEW + 2, 23);
const RIGHT: Expr = Expr::cell(NEW + 2, 24);

/// The tuple `(level, index, old, new)` of a node or leaf that changed.
pub fn tuple(level: Expr, index: Expr, old: Expr, new: Expr) -> Tuple {
    Tuple::new(Tag::Node, [level, index, old, new])
}

/// Constraints of a node.
pub fn node_block() -> RowBlock {
    let mut block = RowBlock::new(Table::Node);
    block.constrain("left_flag", LEFT.boolean());
    block.constrain("right_flag", RIGHT.boolean());
    block.constrain("left_untouched", !LEFT * (hash::input_a(0) - hash::input_a(NEW)));
    block.constrain("right_untouched", !RIGHT * (hash::input_b(0) - hash::input_b(NEW)));

    let child = |side: u64| (LEVEL + Expr::one(), INDEX * Expr::from(2) + Expr::from(side));
    let (level, left) = child(0);
    let (_, right) = child(1);
    let touched = LEFT + RIGHT - LEFT * RIGHT;
    block.bus(
        0,
        [
            Term::consume(
                "left_child",
                LEFT,
                tuple(level, left, hash::input_a(0), hash::input_a(NEW)),
            ),
            Term::consume(
                "right_child",
                RIGHT,
                tuple(level, right, hash::input_b(0), hash::input_b(NEW)),
            ),
            Term::produce("node", touched, tuple(LEVEL, INDEX, hash::output(0), hash::output(NEW))),
        ],
    );
    block
}

/// Assigns the cells of a node outside of its two compressions.
pub fn assign(writer: &mut BlockWriter<'_>, node: Option<&NodeTouch>) {
    let (level, index, left, right) = node.map_or((0, 0, false, false), |n| {
        (u64::from(n.level), u64::from(n.index), n.left_touched, n.right_touched)
    });
    writer.set(&LEVEL, small(level));
    writer.set(&INDEX, small(index));
    writer.set(&LEFT, small(u64::from(left)));
    writer.set(&RIGHT, small(u64::from(right)));
}

/// Inputs of the old and the new compression.
pub fn inputs(node: Option<&NodeTouch>) -> [[Fr; 2]; 2] {
    node.map_or([[Fr::zero(); 2]; 2], |n| {
        [
            [to_halo2(n.left.old), to_halo2(n.right.old)],
            [to_halo2(n.left.new), to_halo2(n.right.new)],
        ]
    })
}
