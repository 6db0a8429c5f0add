//! Constraints of one Poseidon2 compression in five rows.

use crate::core::{Block, Expr, Table, WIDTH};
use crate::witness::convert;

use bastion_state::hash::round_constants;

/// First cell that the permutation leaves free (two are: `SPARE` and `SPARE + 1`).
pub const SPARE: usize = 118;
/// Cells of the two inputs.
pub const INPUT_CELLS: [usize; 2] = [0, 1];
const OUTPUT: usize = 117;
/// Pairs of partial rounds.
pub(super) const PAIRS: usize = 28;

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

/// Whether lane 1 gets a cell after this pair of partial rounds. In between it is an expression
/// of degree 2 that grows by one product a pair.
pub(super) fn stores_lane1(pair: usize) -> bool {
    pair > 0 && pair.is_multiple_of(3)
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
/// S-boxes come in pairs: of the first, `v = x^4` has a cell and `v x` is used as it is; of the
/// second, `w = x^2` and the lane after the linear layer have cells. So two S-boxes cost three cells
/// and no constraint exceeds degree 4 (5 with the selector).
pub fn compress_block() -> Block {
    let mut block = Block::new(Table::Compress);
    let mut cells = Cells { next: 0 };
    let constants = round_constants();
    let half = convert::inverse_of_two();

    let (a, b) = (cells.take(), cells.take());
    let mut lanes = external([a.clone(), b]);
    for pair in 0..2 {
        lanes = full_pair(&mut block, &mut cells, lanes, pair, None);
    }

    let [mut x, mut lane1] = lanes;
    for pair in 0..PAIRS {
        let c0 = Expr::from(convert::to_halo2(constants.internal[2 * pair]));
        let c1 = Expr::from(convert::to_halo2(constants.internal[2 * pair + 1]));
        let x0 = x + c0;
        let v = cells.take();
        block.constrain(
            format!("partial{pair}.v"),
            v.clone() - x0.clone().square().square(),
        );
        let y = v * x0;
        let middle = y.clone() * convert::small(2) + lane1.clone();
        let lane1_middle = y + lane1 * convert::small(3);

        let x1 = middle + c1;
        let w = cells.take();
        block.constrain(format!("partial{pair}.w"), w.clone() - x1.clone().square());
        let next = cells.take();
        block.constrain(
            format!("partial{pair}.x"),
            next.clone() - w.square() * x1 * convert::small(2) - lane1_middle.clone(),
        );
        // y = (next - lane1_middle) / 2, so lane 1 = y + 3 lane1_middle stays of degree 2.
        let mut after = next.clone() * half + lane1_middle * (convert::small(5) * half);
        if stores_lane1(pair) {
            let cell = cells.take();
            block.constrain(format!("partial{pair}.lane1"), cell.clone() - after);
            after = cell;
        }
        x = next;
        lane1 = after;
    }

    let lanes = full_pair(&mut block, &mut cells, [x, lane1], 2, None);
    full_pair(&mut block, &mut cells, lanes, 3, Some(a));
    debug_assert_eq!(cells.next, SPARE);
    block
}

/// `[[2, 1], [1, 2]]`.
fn external(lanes: [Expr; 2]) -> [Expr; 2] {
    let sum = lanes[0].clone() + lanes[1].clone();
    let [a, b] = lanes;
    [sum.clone() + a, sum + b]
}

/// Two full rounds. With `feed_forward` (the last pair) only lane 0 gets a cell: the output.
fn full_pair(
    block: &mut Block,
    cells: &mut Cells,
    lanes: [Expr; 2],
    pair: usize,
    feed_forward: Option<Expr>,
) -> [Expr; 2] {
    let constants = &round_constants().external[2 * pair..];
    let constant =
        |round: usize, lane: usize| Expr::from(convert::to_halo2(constants[round][lane]));

    let mut middle = lanes;
    for (lane, x) in middle.iter_mut().enumerate() {
        let input = x.clone() + constant(0, lane);
        let v = cells.take();
        block.constrain(
            format!("full{pair}.v{lane}"),
            v.clone() - input.clone().square().square(),
        );
        *x = v * input;
    }
    let mut last = external(middle);
    for (lane, x) in last.iter_mut().enumerate() {
        let input = x.clone() + constant(1, lane);
        let w = cells.take();
        block.constrain(
            format!("full{pair}.w{lane}"),
            w.clone() - input.clone().square(),
        );
        *x = w.square() * input;
    }
    let mut next = external(last);
    if let Some(a) = feed_forward {
        let out = cells.take();
        block.constrain("out", out.clone() - next[0].clone() - a);
        next[0] = out;
        return next;
    }
    for (lane, x) in next.iter_mut().enumerate() {
        let cell = cells.take();
        block.constrain(format!("full{pair}.x{lane}"), cell.clone() - x.clone());
        *x = cell;
    }
    next
}
