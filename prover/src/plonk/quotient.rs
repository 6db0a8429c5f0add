//! The quotient of the gates by the vanishing polynomial, coset by coset.
//!
//! For each coset `g·H` of the domain `H`, with `g = ζ·ω'ᶜ` and `ω'` a root of unity of a larger
//! domain: the columns are transformed to their values there, the program of that coset is run on
//! all rows, and the values divided by `gⁿ - 1`, which is what `Xⁿ - 1` is on all of it. One coset
//! is in memory at a time.
//!
//! The quotient of class `d` is `Σ Xⁿᵠ·h_q(X)` with `d` pieces `h_q` below degree `n`. Interpolation
//! over coset `c` gives `Σ_q (gᶜ)ⁿᵠ·h_q`, as `Xⁿ` is constant there; `d` cosets give a Vandermonde
//! system for the pieces, the same for all coefficients.

use halo2_proofs::halo2curves::ff::{Field, WithSmallOrderMulGroup};
use rayon::prelude::*;

use super::fft::{lift_of, root, Powers, Roots};
use super::program::{compile, Cell, Program, Rules, Step};
use crate::lanes::{self, Arithmetic, Engine, Kernel, Lanes, WIDTH};
use crate::Fr;

/// Rows that one task of the pool takes.
const TASK: usize = 1 << 10;

/// The pieces of the quotient, `degree - 1` of them, in coefficients. `columns` are those of
/// [`super::program::Columns`], in coefficients.
pub(super) fn pieces(rules: &Rules<'_>, k: u32, columns: &[&[Fr]]) -> Vec<Vec<Fr>> {
    let n = 1_usize << k;
    let count = rules.system.degree() - 1;
    let shifts = shifts(k, count);
    let (forward, backward) = (Roots::new(k, root(k)), Roots::backward(k));

    let mut pieces = vec![vec![Fr::zero(); n]; count];
    for (coset, shift) in shifts.iter().enumerate() {
        let program = compile(rules, coset);
        if program.outputs.is_empty() {
            break;
        }
        let values = Values::on_coset(columns, &forward, *shift, &program);
        let numerators = values.run(&program);
        drop(values);
        // A class's values on this coset count towards each of its pieces.
        for ((class, _), numerator) in program.outputs.iter().zip(numerators) {
            let weights = inverse_vandermonde(&shifts[..*class], n);
            let part = interpolated(numerator, &backward, *shift);
            for (q, piece) in pieces[..*class].iter_mut().enumerate() {
                let weight = weights[q][coset];
                piece.par_iter_mut().zip(&part).for_each(|(h, g)| *h += weight * g);
            }
        }
    }
    pieces
}

/// Generators of the cosets.
fn shifts(k: u32, count: usize) -> Vec<Fr> {
    let larger = root(k + count.next_power_of_two().trailing_zeros());
    std::iter::successors(Some(Fr::ZETA), |s| Some(*s * larger)).take(count).collect()
}

/// `[q][c]`: what the values on coset `c` contribute to piece `q`, the division by `gⁿ - 1`
/// included. Row `q` holds the coefficient of `X^q` of the Lagrange polynomials of the points `gⁿ`.
fn inverse_vandermonde(shifts: &[Fr], n: usize) -> Vec<Vec<Fr>> {
    let points: Vec<Fr> = shifts.iter().map(|s| s.pow_vartime([n as u64])).collect();
    let mut rows = vec![vec![Fr::zero(); points.len()]; points.len()];
    for (c, point) in points.iter().enumerate() {
        let mut lagrange = vec![Fr::one()];
        let mut denominator = *point - Fr::one();
        for other in points.iter().filter(|p| *p != point) {
            let mut next = vec![Fr::zero(); lagrange.len() + 1];
            for (i, x) in lagrange.iter().enumerate() {
                next[i + 1] += x;
                next[i] -= *other * x;
            }
            lagrange = next;
            denominator *= *point - other;
        }
        // The points are distinct and no coset meets the domain.
        let scale = denominator.invert().unwrap_or(Fr::zero());
        for (q, x) in lagrange.into_iter().enumerate() {
            rows[q][c] = x * scale;
        }
    }
    rows
}

/// Coefficients `a` with `values[i] = Σ aⱼ·(shift·ωⁱ)ʲ`, from values in lanes' form.
fn interpolated(values: Vec<Fr>, backward: &Roots, shift: Fr) -> Vec<Fr> {
    let n = 1_u64 << backward.k();
    let inverse = |x: Fr| x.invert().unwrap_or(Fr::zero());
    let post = Powers {
        factor: inverse(Fr::from(n) * lift_of(Arithmetic::active())),
        base: inverse(shift),
    };
    let mut output = vec![Fr::zero(); n as usize];
    let mut scratch = vec![Fr::zero(); n as usize];
    backward.transform(&values, &mut output, &mut scratch, None, Some(post));
    output
}

/// Columns on a coset, in lanes' form and loose. Rows at the ends are repeated at the other ends,
/// so that rotations need no wrapping.
pub(super) struct Values {
    columns: Vec<Vec<Fr>>,
    rows: usize,
    before: usize,
}

impl Values {
    /// From coefficients. Columns that the program does not read stay empty.
    pub(super) fn on_coset(
        coefficients: &[&[Fr]],
        roots: &Roots,
        shift: Fr,
        program: &Program,
    ) -> Self {
        let cells = program.steps.iter().filter_map(|step| match step {
            Step::Load(_, cell) => Some(*cell),
            _ => None,
        });
        let cells: Vec<Cell> = cells.collect();
        let rotations = || cells.iter().map(|c| c.rotation);
        let before = rotations().min().unwrap_or(0).min(0).unsigned_abs() as usize;
        let after = rotations().max().unwrap_or(0).max(0) as usize;
        let n = 1_usize << roots.k();
        let pre = Powers { factor: lift_of(Arithmetic::active()).square(), base: shift };
        let pre = pre.table(roots.k());
        let columns = coefficients.par_iter().enumerate().map_init(
            || vec![Fr::zero(); n],
            |scratch, (i, column)| {
                if !cells.iter().any(|c| c.column == i) {
                    return Vec::new();
                }
                let mut values = vec![Fr::zero(); before + n + after];
                roots.transform(column, &mut values[before..before + n], scratch, Some(&pre), None);
                values.copy_within(n..n + before, 0);
                values.copy_within(before..before + after, before + n);
                values
            },
        );
        Self { columns: columns.collect(), rows: n, before }
    }

    /// The numerators of all classes on all rows, canonical in lanes' form.
    pub(super) fn run(&self, program: &Program) -> Vec<Vec<Fr>> {
        let mut outputs = vec![vec![Fr::zero(); self.rows]; program.outputs.len()];
        let mut tasks: Vec<(usize, Vec<&mut [Fr]>)> =
            (0..self.rows.div_ceil(TASK)).map(|i| (i * TASK, Vec::new())).collect();
        for output in &mut outputs {
            for (task, chunk) in tasks.iter_mut().zip(output.chunks_mut(TASK)) {
                task.1.push(chunk);
            }
        }
        tasks.into_par_iter().for_each(|(start, mut outputs)| {
            lanes::run(Evaluation { values: self, program, start, outputs: &mut outputs });
        });
        outputs
    }
}

/// The program on the rows from `start` on, as many as `outputs` hold.
struct Evaluation<'a, 'b> {
    values: &'a Values,
    program: &'a Program,
    start: usize,
    outputs: &'a mut [&'b mut [Fr]],
}

impl Kernel for Evaluation<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn run<E: Engine>(self) {
        match E::Scalars::BLOCK {
            1 => self.evaluate::<E::Scalars, 1>(),
            _ => self.evaluate::<E::Scalars, 2>(),
        }
    }
}

impl Evaluation<'_, '_> {
    // Vectors are named by their number: iterators over slots would borrow them twice.
    #[allow(clippy::needless_range_loop)]
    #[inline(always)]
    fn evaluate<L: Lanes<Field = Fr>, const BLOCK: usize>(self) {
        let Self { values, program, start, outputs } = self;
        let constants: Vec<L::Constant> = program.constants.iter().map(L::constant).collect();
        let zero = L::splat(&L::constant(&Fr::zero()));
        let one = L::constant(&Fr::one());
        let mut slots = vec![[zero; BLOCK]; program.slots];
        let rows = outputs.first().map_or(0, |o| o.len());
        for row in (0..rows).step_by(BLOCK * WIDTH) {
            let (mut products, mut scaled) = (program.products.iter(), program.scaled.iter());
            for step in &program.steps {
                match *step {
                    Step::Load(to, cell) => {
                        let first = start + row + values.before;
                        let first = first.wrapping_add_signed(cell.rotation as isize);
                        let column = &values.columns[cell.column][first..first + BLOCK * WIDTH];
                        for v in 0..BLOCK {
                            slots[to as usize][v] = L::load(&column[v * WIDTH..]);
                        }
                    }
                    Step::Constant(to, c) => {
                        slots[to as usize] = [L::splat(&constants[c as usize]); BLOCK];
                    }
                    Step::Add(to, a, b) => {
                        for v in 0..BLOCK {
                            let sum = slots[a as usize][v].add(slots[b as usize][v]);
                            slots[to as usize][v] = sum;
                        }
                    }
                    Step::Sub(to, a, b, lift) => {
                        for v in 0..BLOCK {
                            let difference = slots[a as usize][v].sub(slots[b as usize][v], lift);
                            slots[to as usize][v] = difference;
                        }
                    }
                    Step::Dot(to, many, of_constants) => {
                        let products = take(&mut products, many);
                        let scaled = take(&mut scaled, of_constants);
                        for v in 0..BLOCK {
                            let mut wide = L::wide();
                            let mut room = L::RELAX;
                            for (a, b) in products {
                                (wide, room) = with_room::<L>(wide, room);
                                wide = match a == b {
                                    true => L::accumulate_square(wide, &slots[*a as usize][v]),
                                    false => {
                                        let (a, b) = (&slots[*a as usize], &slots[*b as usize]);
                                        L::accumulate(wide, &a[v], &b[v])
                                    }
                                };
                            }
                            for (a, c) in scaled {
                                (wide, room) = with_room::<L>(wide, room);
                                let a = &slots[*a as usize];
                                wide = L::accumulate_constant(wide, &a[v], &constants[*c as usize]);
                            }
                            slots[to as usize][v] = L::reduce(wide);
                        }
                    }
                }
            }
            for ((_, slot), output) in program.outputs.iter().zip(outputs.iter_mut()) {
                for (v, x) in slots[*slot as usize].into_iter().enumerate() {
                    x.mul_constant(&one).store_canonical(&mut output[row + v * WIDTH..]);
                }
            }
        }
    }
}

/// A sum that takes a further term, and for how many it has room after that.
#[inline(always)]
fn with_room<L: Lanes>(wide: L::Wide, room: usize) -> (L::Wide, usize) {
    match room {
        0 => (L::relax(wide), L::RELAX - 1),
        _ => (wide, room - 1),
    }
}

/// The next elements of an iterator over a slice.
#[inline(always)]
fn take<'a, T>(iterator: &mut std::slice::Iter<'a, T>, count: u32) -> &'a [T] {
    let (taken, rest) = iterator.as_slice().split_at(count as usize);
    *iterator = rest.iter();
    taken
}

#[cfg(test)]
pub(in crate::plonk) mod tests;
