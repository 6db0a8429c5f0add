use halo2_proofs::halo2curves::bn256::Fr;

use super::*;
use crate::core::{Challenges, Grid};
use crate::witness::convert::{small, to_halo2, to_state};

fn violated(grid: &Grid) -> Vec<String> {
    let none = Challenges { beta: Fr::zero(), gamma: Fr::zero() };
    compress_block()
        .constraints
        .into_iter()
        .filter(|c| grid.evaluate(&c.poly, 0, &none, &[]) != Fr::zero())
        .map(|c| c.name)
        .collect()
}

fn filled(a: Fr, b: Fr) -> (Grid, Fr) {
    let mut grid = Grid::new(3);
    let out = assign_compress(&mut grid.block(0), a, b);
    (grid, out)
}

#[test]
fn trace_is_the_reference_permutation() {
    for (a, b) in [(0, 0), (1, 2), (u64::MAX, 3)] {
        let (a, b) = (small(a), small(b));
        let (grid, out) = filled(a, b);
        let expected = bastion_protocol::hash::compress(to_state(&a), to_state(&b));
        assert_eq!(out, to_halo2(expected));
        assert_eq!(violated(&grid), Vec::<String>::new());
        assert!(holds(&grid, 0));
        assert!(grid.conflicts().is_empty());
        assert_eq!(grid.assigned_in(0, 3), SPARE);
    }
}

#[test]
fn every_changed_cell_is_noticed() {
    let (honest, _) = filled(small(5), small(7));
    for n in 0..SPARE {
        let mut grid = honest.clone();
        let (row, col) = (n / crate::core::WIDTH, n % crate::core::WIDTH);
        grid.overwrite(row, col, honest.get(row, col) + Fr::one());
        assert!(!violated(&grid).is_empty(), "cell {n}");
        assert!(!holds(&grid, 0), "cell {n}");
    }
}
