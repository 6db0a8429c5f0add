//! Cells of one Poseidon2 compression.

use std::sync::OnceLock;

use bastion_state::hash::round_constants;
use halo2_proofs::halo2curves::bn256::Fr;

use crate::core::BlockWriter;
use crate::hash::gates::{stores_lane1, PAIRS};
use crate::witness::convert;

struct Constants {
    external: [[Fr; 2]; 8],
    internal: [Fr; 56],
}

fn constants() -> &'static Constants {
    static CONSTANTS: OnceLock<Constants> = OnceLock::new();
    CONSTANTS.get_or_init(|| Constants {
        external: round_constants()
            .external
            .map(|round| round.map(convert::to_halo2)),
        internal: round_constants().internal.map(convert::to_halo2),
    })
}

/// Assigns the cells of `compress(a, b)`; returns the compression.
pub fn assign_compress(writer: &mut BlockWriter<'_>, a: Fr, b: Fr) -> Fr {
    let mut n = 0;
    let mut put = |value: Fr| {
        writer.nth(n, value);
        n += 1;
    };
    put(a);
    put(b);
    let mut lanes = external([a, b]);
    for pair in 0..2 {
        lanes = full_pair(&mut put, lanes, pair);
        lanes.iter().for_each(|x| put(*x));
    }

    let [mut x, mut lane1] = lanes;
    for pair in 0..PAIRS {
        let x0 = x + constants().internal[2 * pair];
        let v = x0.square().square();
        let y = v * x0;
        let middle = y.double() + lane1;
        let lane1_middle = y + lane1.double() + lane1;

        let x1 = middle + constants().internal[2 * pair + 1];
        let w = x1.square();
        let y = w.square() * x1;
        x = y.double() + lane1_middle;
        lane1 = y + lane1_middle.double() + lane1_middle;
        put(v);
        put(w);
        put(x);
        if stores_lane1(pair) {
            put(lane1);
        }
    }

    let lanes = full_pair(&mut put, [x, lane1], 2);
    lanes.iter().for_each(|x| put(*x));
    let lanes = full_pair(&mut put, lanes, 3);
    let out = lanes[0] + a;
    put(out);
    out
}

fn external([a, b]: [Fr; 2]) -> [Fr; 2] {
    let sum = a + b;
    [sum + a, sum + b]
}

fn full_pair(put: &mut impl FnMut(Fr), lanes: [Fr; 2], pair: usize) -> [Fr; 2] {
    let rounds = &constants().external[2 * pair..];
    let mut middle = lanes;
    for (lane, x) in middle.iter_mut().enumerate() {
        let input = *x + rounds[0][lane];
        let v = input.square().square();
        put(v);
        *x = v * input;
    }
    let mut last = external(middle);
    for (lane, x) in last.iter_mut().enumerate() {
        let input = *x + rounds[1][lane];
        let w = input.square();
        put(w);
        *x = w.square() * input;
    }
    external(last)
}
