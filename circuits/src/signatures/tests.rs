use bastion_protocol::keys::SecretKey;
use halo2_proofs::halo2curves::bn256::Fr;

use super::*;
use crate::core::{Challenges, Grid, RowBlock, Table, SIGNATURE_ROWS, WINDOWS};
use crate::witness::LookupCounts;

/// Rows of a signature that stands at row 1, with their tables.
fn placements() -> Vec<(RowBlock, usize)> {
    let mut out = vec![(header_block(), 1)];
    let mut row = 1 + Table::Signature.rows();
    for _ in 0..2 {
        for _ in 0..WINDOWS {
            out.push((window_block(), row));
            row += 1;
        }
        out.push((half_block(), row));
        row += 1;
    }
    assert_eq!(row, 1 + SIGNATURE_ROWS);
    out
}

fn violated(grid: &Grid) -> Vec<String> {
    let none = Challenges { beta: Fr::zero(), gamma: Fr::zero() };
    let mut names: Vec<String> = placements()
        .into_iter()
        .flat_map(|(block, row)| {
            block
                .constraints
                .into_iter()
                .filter(|c| grid.evaluate(&c.poly, row, &none, &[]) != Fr::zero())
                .map(|c| c.name)
                .collect::<Vec<_>>()
        })
        .collect();
    names.dedup();
    names
}

fn fill(check: Option<&Check>) -> (Grid, LookupCounts) {
    let mut grid = Grid::new(1 + SIGNATURE_ROWS);
    let mut pools = LookupCounts::default();
    assign(&mut grid.block(1), 1, check, &mut pools);
    assert!(grid.conflicts().is_empty(), "{:?}", grid.conflicts());
    (grid, pools)
}

fn honest() -> Check {
    let key = SecretKey::from_seed(b"signer");
    let message = bastion_protocol::Fr::from(42u64);
    Check::new(key.public(), message, &key.sign(message))
}

#[test]
fn honest_and_unused_blocks_hold() {
    for check in [Some(honest()), None] {
        let (grid, pools) = fill(check.as_ref());
        assert_eq!(violated(&grid), Vec::<String>::new());
        assert!(pools.out_of_range.is_empty());
    }
}

#[test]
fn another_message_fails_the_equation() {
    let mut check = honest();
    check.message += bastion_protocol::Fr::from(1u64);
    let (grid, _) = fill(Some(&check));
    assert_eq!(violated(&grid), ["equation.x", "equation.y"]);
}

#[test]
fn response_plus_order_is_out_of_range() {
    use ark_ff::{BigInteger, PrimeField};

    let mut check = honest();
    check.s.add_with_carry(&ark_ed_on_bn254::Fr::MODULUS);
    let (grid, pools) = fill(Some(&check));
    assert_eq!(violated(&grid), Vec::<String>::new(), "S + l solves the equation");
    assert!(!pools.out_of_range.is_empty(), "only the range refuses it");
}
