//! Cells of one Poseidon2 compression.

use std::sync::OnceLock;

use bastion_protocol::hash::round_constants;
use halo2_proofs::halo2curves::bn256::Fr;

use crate::core::{BlockWriter, Grid, WIDTH};
use crate::hash::gates::HALF;
use crate::witness::convert;

struct Constants {
    external: [[Fr; 2]; 8],
    internal: [Fr; 56],
}

fn constants() -> &'static Constants {
    static CONSTANTS: OnceLock<Constants> = OnceLock::new();
    CONSTANTS.get_or_init(|| Constants {
        external: round_constants().external.map(|round| round.map(convert::to_halo2)),
        internal: round_constants().internal.map(convert::to_halo2),
    })
}

/// Assigns the cells of `compress(a, b)`; returns the compression.
pub fn assign_compress(writer: &mut BlockWriter<'_>, a: Fr, b: Fr) -> Fr {
    let mut n = 0;
    trace(a, b, |value| {
        writer.nth(n, value);
        n += 1;
    })
}

/// Whether the block at `row` satisfies all of [`compress_block`](crate::hash::compress_block): its
/// constraints define every cell from the two inputs, and to compute the cells takes half of the
/// multiplications.
pub fn holds(grid: &Grid, row: usize) -> bool {
    let cell = |n: usize| grid.get(row + n / WIDTH, n % WIDTH);
    let (mut n, mut same) = (0, true);
    trace(cell(0), cell(1), |value| {
        same &= value == cell(n);
        n += 1;
    });
    same
}

/// The cells of `compress(a, b)` in their order, the compression last, which is returned.
fn trace(a: Fr, b: Fr, mut put: impl FnMut(Fr)) -> Fr {
    put(a);
    put(b);
    let mut lanes = external([a, b]);
    for round in 0..HALF {
        lanes = full_round(lanes, round);
        lanes.iter().for_each(|x| put(*x));
    }
    for constant in &constants().internal {
        let y = power5(lanes[0] + constant);
        let lane1 = lanes[1];
        lanes = [y.double() + lane1, y + lane1.double() + lane1];
        put(lanes[0]);
    }
    for round in HALF..2 * HALF - 1 {
        lanes = full_round(lanes, round);
        lanes.iter().for_each(|x| put(*x));
    }
    let out = full_round(lanes, 2 * HALF - 1)[0] + a;
    put(out);
    out
}

fn external([a, b]: [Fr; 2]) -> [Fr; 2] {
    let sum = a + b;
    [sum + a, sum + b]
}

fn power5(x: Fr) -> Fr {
    x.square().square() * x
}

fn full_round(lanes: [Fr; 2], round: usize) -> [Fr; 2] {
    let constants = &constants().external[round];
    external([0, 1].map(|lane| power5(lanes[lane] + constants[lane])))
}
