//! What every table is made of: expressions over cells, bus tuples, row-blocks, the witness grid
//! and the layout that stacks the blocks.

mod block;
mod bus;
mod expr;
mod grid;
mod kind;
mod layout;
mod program;
mod selector;

pub use block::{Constraint, RowBlock, TERMS};
pub use bus::{step, Tag, Term, Tuple};
pub use expr::{pow2, Challenges, Expr};
pub use grid::{batch_invert, BlockWriter, Grid};
pub use kind::RowKind;
pub use layout::{Layout, Placement, Table, SIGNATURE_ROWS, WINDOWS};
pub use program::Program;
pub use selector::{Selector, SelectorPlace};

/// Advice columns of the first phase. One more column, of the second phase, holds the running sum
/// of the bus.
pub const WIDTH: usize = 25;
