//! Fills the grid of a program.

use std::collections::HashMap;

use halo2_proofs::halo2curves::bn256::{Fr, G1Affine};

use super::add::{Addend, Multiple};
use super::columns::{CHUNKS, COUNT};
use super::grid::Grid;
use super::layout::{Layout, RANGE};
use super::program::{offset, offset_end, Base, Program, Step, Sums};
use super::scalar::{digits, WINDOWS};
use super::{add, double, entry, output, permutation, point, scalar};

/// Values of the points that the prover gives, and of the terms' scalars.
#[derive(Clone, Debug, Default)]
pub struct Inputs {
    /// Points, none of them the identity.
    pub points: Vec<G1Affine>,
    /// Scalars.
    pub scalars: Vec<Fr>,
    /// Inputs of permutations.
    pub permutations: Vec<[Fr; permutation::T]>,
}

struct Digit {
    magnitude: u64,
    negative: bool,
    sum: Fr,
}

/// The digits of all terms, with the sum before each.
fn all_digits(scalars: &[Fr]) -> Vec<Vec<Digit>> {
    let of = |scalar: &Fr| {
        let mut sum = Fr::zero();
        digits(scalar)
            .into_iter()
            .map(|(magnitude, negative)| {
                let digit = Digit { magnitude, negative, sum };
                let value = Fr::from(magnitude);
                sum = sum * Fr::from(32) + if negative { -value } else { value };
                digit
            })
            .collect()
    };
    scalars.iter().map(of).collect()
}

/// How often each multiple is used.
fn uses(program: &Program, digits: &[Vec<Digit>]) -> HashMap<(usize, u64), u64> {
    let mut uses = HashMap::new();
    for (step, _) in &program.blocks {
        let key = match step {
            Step::AddMultiple { base, digit, .. } => (*base, *digit),
            Step::AddWindow { base, term, window } => (*base, digits[*term][*window].magnitude),
            _ => continue,
        };
        *uses.entry(key).or_insert(0) += 1;
    }
    uses
}

/// The whole witness. Points, scalars and permutations must be as many as the layout says.
pub fn fill(sums: &Sums, layout: &Layout, inputs: &Inputs) -> Grid {
    let mut grid = layout.fixed();
    let program = &layout.program;
    let digits = all_digits(&inputs.scalars);
    let uses = uses(program, &digits);
    // Over the digit, which the offer multiplies it with.
    let used = |base: usize, digit: u64| {
        let uses = uses.get(&(base, digit)).copied().unwrap_or(0);
        Fr::from(uses) * Fr::from(digit).invert().unwrap_or(Fr::zero())
    };
    let mut bases: Vec<G1Affine> = sums
        .bases
        .iter()
        .map(|base| match base {
            Base::Witness(n) => inputs.points[*n],
            Base::Constant(point) => *point,
        })
        .collect();
    bases.extend([offset(), offset_end()]);

    let mut multiples: HashMap<(usize, u64), Multiple> = HashMap::new();
    for (n, base) in bases.iter().enumerate() {
        multiples.insert((n, 1), Multiple::explicit(*base));
    }
    let mut running = G1Affine::default();
    for (step, row) in &program.blocks {
        let writer = &mut grid.block(*row);
        match step {
            Step::Scalar(term) => scalar::assign(writer, inputs.scalars[*term]),
            Step::Point(base) => {
                running = bases[*base];
                point::assign_point(writer, &running, used(*base, 1));
            }
            Step::Curve => point::assign_curve(writer, &running),
            Step::Constant { base, point, .. } => {
                running = *point;
                point::assign_constant(writer, &running, used(*base, 1));
            }
            Step::Double(offered) => {
                let count = offered.map_or(Fr::zero(), |base| used(base, 2));
                running = double::assign(writer, &running, count);
                if let Some(base) = offered {
                    multiples.insert((*base, 2), Multiple::left(writer, running));
                }
            }
            Step::Entry => entry::assign(writer, &running),
            Step::AddMultiple { base, digit, offered } => {
                let addend = Addend {
                    multiple: multiples[&(*base, *digit)],
                    digit: *digit,
                    negative: false,
                    sum: Fr::zero(),
                    uses: used(*base, *offered),
                };
                running = add::assign(writer, &running, &addend);
                multiples.insert((*base, *offered), Multiple::left(writer, running));
            }
            Step::AddWindow { base, term, window } => {
                debug_assert!(*window < WINDOWS);
                let digit = &digits[*term][*window];
                let addend = Addend {
                    multiple: multiples[&(*base, digit.magnitude)],
                    digit: digit.magnitude,
                    negative: digit.negative,
                    sum: digit.sum,
                    uses: Fr::zero(),
                };
                running = add::assign(writer, &running, &addend);
            }
            Step::Output(_) => output::assign(writer, &running),
        }
    }
    for (n, lanes) in inputs.permutations.iter().enumerate() {
        permutation::assign(&mut grid, layout.permutation(n), lanes);
    }
    count(&mut grid, layout.bus_rows());
    grid
}

/// Counts the uses of every entry of the range table. Chunks out of range are not counted: the
/// sum of the bus then does not end at 0.
pub fn count(grid: &mut Grid, rows: usize) {
    let mut counts = vec![0u64; RANGE];
    for column in 0..CHUNKS {
        for value in &grid.column(column)[..rows] {
            let bytes = value.to_bytes();
            if bytes[2..].iter().all(|b| *b == 0) {
                counts[usize::from(u16::from_le_bytes([bytes[0], bytes[1]]))] += 1;
            }
        }
    }
    for (row, count) in counts.into_iter().enumerate() {
        grid.set(row, COUNT, Fr::from(count));
    }
}
