//! Constraints of one Poseidon2 compression in three rows.

use crate::core::{Expr, RowBlock, Table, WIDTH};
use crate::witness::convert;

use bastion_protocol::hash::round_constants;

/// First cell that the permutation leaves free (two are: `SPARE` and `SPARE + 1`).
pub const SPARE: usize = 73;
/// Cells of the two inputs.
pub const INPUT_CELLS: [usize; 2] = [0, 1];
const OUTPUT: usize = 72;
/// Full rounds before the partial ones, and after them.
pub(super) const HALF: usize = 4;

/// First input of the compression that starts `row` rows into a block.
pub fn input_a(row: i32) -> Expr {
    shifted(row, INPUT_CELLS[0])
}

/// Second input of the compression that starts `row` rows into a block.
pub fn input_b(row: i32) -> Expr {
    shifted(row, INPUT_CELLS[1])
}

/// Output of the compression that starts `row` rows into a block.
pub fn output(row: i32) -> Expr {
    shifted(row, OUTPUT)
}

fn shifted(row: i32, n: usize) -> Expr {
    Expr::cell(row + (n / WIDTH) as i32, n % WIDTH)
}

struct Cells {
    next: usize,
}

impl Cells {
    fn take(&mut self) -> Expr {
        let cell = Expr::nth(self.next);
        self.next += 1;
        cell
    }
}

/// The constraints of a compression.
///
/// Each S-box `x^5` stands in the constraint of the one cell that it leads to: degree 5, 6 with the
/// selector.
pub fn compress_block() -> RowBlock {
    let mut block = RowBlock::new(Table::Compress);
    let mut cells = Cells { next: 0 };
    let constants = round_constants();
    let half = convert::inverse_of_two();

    let (a, b) = (cells.take(), cells.take());
    let mut lanes = external([a, b]);
    for round in 0..HALF {
        let next = full_round(&lanes, round);
        lanes = stored(&mut block, &mut cells, &format!("full{round}"), next);
    }

    let [mut x, mut lane1] = lanes;
    for (round, constant) in constants.internal.iter().enumerate() {
        let y = power5(x + Expr::from(convert::to_halo2(*constant)));
        let next = cells.take();
        block.constrain(format!("partial{round}"), next - y * convert::small(2) - lane1);
        // y = (next - lane1) / 2, so lane 1 = y + 3 lane1 stays linear.
        lane1 = next * half + lane1 * (convert::small(5) * half);
        x = next;
    }

    let mut lanes = [x, lane1];
    for round in HALF..2 * HALF - 1 {
        let next = full_round(&lanes, round);
        lanes = stored(&mut block, &mut cells, &format!("full{round}"), next);
    }
    let [last, _] = full_round(&lanes, 2 * HALF - 1);
    let out = cells.take();
    block.constrain("out", out - last - a);
    debug_assert_eq!(cells.next, SPARE);
    block
}

/// Cells for both lanes.
fn stored(block: &mut RowBlock, cells: &mut Cells, name: &str, lanes: [Expr; 2]) -> [Expr; 2] {
    let [first, second] = lanes;
    [(0, first), (1, second)].map(|(lane, value)| {
        let cell = cells.take();
        block.constrain(format!("{name}.x{lane}"), cell - value);
        cell
    })
}

/// `[[2, 1], [1, 2]]`.
fn external(lanes: [Expr; 2]) -> [Expr; 2] {
    let sum = lanes[0] + lanes[1];
    let [a, b] = lanes;
    [sum + a, sum + b]
}

fn power5(x: Expr) -> Expr {
    x.square().square() * x
}

fn full_round(lanes: &[Expr; 2], round: usize) -> [Expr; 2] {
    let constants = &round_constants().external[round];
    let sbox = |lane: usize| power5(lanes[lane] + Expr::from(convert::to_halo2(constants[lane])));
    external([sbox(0), sbox(1)])
}
