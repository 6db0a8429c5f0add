//! The permutation of the batch proofs' transcript: Poseidon, eprint 2019/458, `x^5`, t = 3, 8 full
//! and 57 partial rounds; one row for a full round or for two partial ones.
//!
//! The constants of a partial round are moved to the next one, but for that of lane 0, which alone
//! passes an S-box. Inputs and outputs are words that copy constraints reach.

use std::sync::LazyLock;

use bastion_circuits::core::Expr;
use bastion_circuits::witness::convert::to_halo2;
use bastion_protocol::hash::Grain;
use halo2_proofs::halo2curves::bn256::Fr;

use super::columns::{CONSTANT, IO, LIMB, SIDE};
use super::gate::{Gate, Kind};
use super::grid::Grid;

/// Width.
pub const T: usize = 3;
/// Full rounds.
const FULL: usize = 8;
/// Partial rounds.
const PARTIAL: usize = 57;
/// Rows of a permutation: its rounds, and its last state.
pub const ROWS: usize = FULL + PARTIAL / 2 + 1 + 1;
/// Rows behind the last permutation in which words of its output stand.
pub const BEHIND: usize = WORD_STEP * (T - 1);
/// Rows from a word of an input or output to the next: words of inputs and of outputs interlock.
const WORD_STEP: usize = 2;

const CONSTANTS: [usize; T] = [CONSTANT, CONSTANT + 1, CONSTANT + 2];
/// Columns of the state: those that blocks read on the next row too.
const STATE: [usize; T] = [LIMB, IO + 1, SIDE];

struct Parameters {
    /// By round; of partial rounds lane 0 alone is used.
    constants: Vec<[Fr; T]>,
    matrix: [[Fr; T]; T],
}

static PARAMETERS: LazyLock<Parameters> = LazyLock::new(|| {
    let mut grain = Grain::new(T, FULL, PARTIAL);
    let mut constants: Vec<[Fr; T]> =
        (0..FULL + PARTIAL).map(|_| std::array::from_fn(|_| to_halo2(grain.element()))).collect();
    let x: [Fr; T] = std::array::from_fn(|_| to_halo2(grain.reduced_element()));
    let y: [Fr; T] = std::array::from_fn(|_| to_halo2(grain.reduced_element()));
    // A Cauchy matrix; these sums are not 0.
    let matrix = x.map(|x| y.map(|y| (x + y).invert().unwrap_or(Fr::zero())));
    for round in FULL / 2..FULL / 2 + PARTIAL {
        let late = [Fr::zero(), constants[round][1], constants[round][2]];
        for (lane, row) in matrix.iter().enumerate() {
            let moved: Fr = row.iter().zip(&late).map(|(m, c)| *m * c).sum();
            constants[round + 1][lane] += moved;
        }
    }
    Parameters { constants, matrix }
});

/// The rounds of a row: its kind, and the number of its first round.
fn rows() -> impl Iterator<Item = (Kind, usize)> {
    let first = (0..FULL / 2).map(|round| (Kind::Full, round));
    let pairs = (0..PARTIAL / 2).map(|pair| (Kind::Pair, FULL / 2 + 2 * pair));
    let last = FULL / 2 + PARTIAL;
    first
        .chain(pairs)
        .chain([(Kind::Single, last - 1)])
        .chain((last..last + FULL / 2).map(|round| (Kind::Full, round)))
}

/// The kinds of a permutation's rows, with their places.
pub fn kinds() -> impl Iterator<Item = (Kind, usize)> {
    rows().enumerate().map(|(at, (kind, _))| (kind, at))
}

fn state(row: i32) -> [Expr; T] {
    std::array::from_fn(|lane| Expr::cell(row, STATE[lane]))
}

fn round_constant(n: usize) -> Expr {
    Expr::cell(0, CONSTANTS[n])
}

fn mix(state: &[Expr; T]) -> [Expr; T] {
    PARAMETERS.matrix.map(|row| row.iter().zip(state).map(|(m, s)| *s * *m).sum())
}

/// `x^5` of a cell of degree 1, by a helper that holds `x^2`.
fn power(gate: &mut Gate, helper: usize, x: Expr) -> Expr {
    let cell = Expr::cell(0, helper);
    gate.constrain(format!("square{helper}"), cell - x.square());
    cell.square() * x
}

fn next(gate: &mut Gate, lanes: &[Expr; T]) {
    for (lane, (cell, value)) in state(1).into_iter().zip(mix(lanes)).enumerate() {
        gate.constrain(format!("lane{lane}"), cell - value);
    }
}

/// A full round.
pub fn full_gate() -> Gate {
    let mut gate = Gate::new(Kind::Full);
    let mut lanes = state(0);
    for (lane, x) in lanes.iter_mut().enumerate() {
        *x = power(&mut gate, lane, *x + round_constant(lane));
    }
    next(&mut gate, &lanes);
    gate
}

/// Two partial rounds: lane 0 between them has a cell.
pub fn pair_gate() -> Gate {
    let mut gate = Gate::new(Kind::Pair);
    let mut lanes = state(0);
    lanes[0] = power(&mut gate, 0, lanes[0] + round_constant(0));
    let mut lanes = mix(&lanes);
    let middle = Expr::cell(0, 2);
    gate.constrain("middle", middle - lanes[0]);
    lanes[0] = power(&mut gate, 1, middle + round_constant(1));
    next(&mut gate, &lanes);
    gate
}

/// One partial round.
pub fn single_gate() -> Gate {
    let mut gate = Gate::new(Kind::Single);
    let mut lanes = state(0);
    lanes[0] = power(&mut gate, 0, lanes[0] + round_constant(0));
    next(&mut gate, &lanes);
    gate
}

/// The word of input lane `lane`, relative to a permutation's first row.
pub fn input(lane: usize) -> (usize, usize) {
    (WORD_STEP * lane, IO)
}

/// The word of output lane `lane`, relative to a permutation's first row.
pub fn output(lane: usize) -> (usize, usize) {
    (ROWS - 1 + WORD_STEP * lane, IO)
}

/// The state is in words: the first state is the input, the last one is the output.
pub fn load_gate() -> Gate {
    let mut gate = Gate::new(Kind::Load);
    for (lane, cell) in state(0).into_iter().enumerate() {
        let (row, column) = input(lane);
        gate.constrain(format!("word{lane}"), cell - Expr::cell(row as i32, column));
    }
    gate
}

/// Writes the round constants of the permutation at `row`.
pub fn constants(grid: &mut Grid, row: usize) {
    for (at, (kind, round)) in rows().enumerate() {
        let constants = &PARAMETERS.constants;
        let values = match kind {
            Kind::Full => constants[round],
            Kind::Pair => [constants[round][0], constants[round + 1][0], Fr::zero()],
            _ => [constants[round][0], Fr::zero(), Fr::zero()],
        };
        for (column, value) in CONSTANTS.into_iter().zip(values) {
            grid.set(row + at, column, value);
        }
    }
}

/// Assigns the permutation of `input` at `row`.
pub fn assign(grid: &mut Grid, row: usize, input_lanes: &[Fr; T]) {
    let mix = |lanes: &[Fr; T]| -> [Fr; T] {
        PARAMETERS.matrix.map(|row| row.iter().zip(lanes).map(|(m, s)| *m * s).sum())
    };
    let power = |grid: &mut Grid, row: usize, helper: usize, x: Fr| {
        let square = x.square();
        grid.set(row, helper, square);
        square.square() * x
    };
    let mut lanes = *input_lanes;
    for (at, (kind, round)) in rows().enumerate() {
        let (row, constants) = (row + at, &PARAMETERS.constants);
        for (lane, value) in lanes.iter().enumerate() {
            grid.set(row, STATE[lane], *value);
        }
        if kind == Kind::Full {
            for lane in 0..T {
                lanes[lane] = power(grid, row, lane, lanes[lane] + constants[round][lane]);
            }
        } else {
            lanes[0] = power(grid, row, 0, lanes[0] + constants[round][0]);
        }
        lanes = mix(&lanes);
        if kind == Kind::Pair {
            grid.set(row, 2, lanes[0]);
            lanes[0] = power(grid, row, 1, lanes[0] + constants[round + 1][0]);
            lanes = mix(&lanes);
        }
    }
    for (lane, value) in lanes.iter().enumerate() {
        grid.set(row + ROWS - 1, STATE[lane], *value);
        let (at, column) = input(lane);
        grid.set(row + at, column, input_lanes[lane]);
        let (at, column) = output(lane);
        grid.set(row + at, column, *value);
    }
}

/// The permutation itself.
pub fn permute(lanes: &[Fr; T]) -> [Fr; T] {
    let mut state = *lanes;
    for (round, constants) in PARAMETERS.constants.iter().enumerate() {
        let partial = (FULL / 2..FULL / 2 + PARTIAL).contains(&round);
        for lane in 0..T {
            if lane == 0 || !partial {
                let x = state[lane] + constants[lane];
                state[lane] = x.square().square() * x;
            }
        }
        state = PARAMETERS.matrix.map(|row| row.iter().zip(&state).map(|(m, s)| *m * s).sum());
    }
    state
}
