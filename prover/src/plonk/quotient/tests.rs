//! Shared with the tests of the compiler: programs run on columns as they are.

use super::*;

/// The numerators of all classes, in lanes of each kind that this machine has.
pub(in crate::plonk) fn numerators(program: &Program, columns: &[Vec<Fr>]) -> Vec<Vec<Vec<Fr>>> {
    let mut all = Vec::new();
    let rows = columns[0].len();
    let (before, after) = (rows / 2, rows / 2);
    let values = |lift: Fr| {
        let padded = columns.iter().map(|column| {
            let lifted: Vec<Fr> = column.iter().map(|x| *x * lift).collect();
            [&lifted[rows - before..], &lifted, &lifted[..after]].concat()
        });
        Values { columns: padded.collect(), rows, before }
    };
    for arithmetic in Arithmetic::supported() {
        let lift = lift_of(arithmetic);
        let down = lift.invert().unwrap();
        let mut outputs = vec![vec![Fr::zero(); rows]; program.outputs.len()];
        let mut slices: Vec<&mut [Fr]> = outputs.iter_mut().map(Vec::as_mut_slice).collect();
        let evaluation =
            Evaluation { values: &values(lift), program, start: 0, outputs: &mut slices };
        lanes::run_on(arithmetic, evaluation);
        for x in outputs.iter_mut().flatten() {
            *x *= down;
        }
        all.push(outputs);
    }
    all
}

/// `h·(Xⁿ - 1)` is the numerator, at a random point, for polynomials of every class.
#[test]
fn pieces_interpolate() {
    use crate::testing::rng;
    let k = 6;
    let n = 1_usize << k;
    for count in 1..=5 {
        let shifts = shifts(k, count);
        let inverse = inverse_vandermonde(&shifts, n);
        let mut random = rng(count as u64);
        let pieces: Vec<Fr> = (0..count).map(|_| Fr::random(&mut random)).collect();
        // Values of Σ pieces·Xⁿᵠ times (Xⁿ - 1) on each coset.
        let values: Vec<Fr> = shifts
            .iter()
            .map(|shift| {
                let point = shift.pow_vartime([n as u64]);
                let value = pieces.iter().rev().fold(Fr::zero(), |v, p| v * point + p);
                value * (point - Fr::one())
            })
            .collect();
        for (q, piece) in pieces.iter().enumerate() {
            let sum = values.iter().zip(&inverse[q]).map(|(v, w)| *v * w);
            assert_eq!(sum.sum::<Fr>(), *piece, "{count} cosets");
        }
    }
}
