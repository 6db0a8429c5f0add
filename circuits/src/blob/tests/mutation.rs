//! Every cell is changed; each change must break a rule, or the cell is free by design and stands
//! below with its reason.

use super::*;
use crate::core::WIDTH;
use crate::mutate::Mutator;

const LOW_DIGIT: usize = 7 * WIDTH;
const HIGH_DIGIT: usize = 7 * WIDTH + 1;

/// The sample, with one block more of each table than it needs.
fn sample() -> Case {
    let mut case = Case::sample();
    case.room.groups += 1;
    case.room.limbs += 1;
    case.room.owners += 1;
    case
}

/// Whether a prover may choose the cell with number `n` of a block, and why.
fn free(grid: &Grid, placement: &Placement, n: usize) -> Option<&'static str> {
    let zero = |n: usize| {
        let (row, col) = (n / WIDTH, n % WIDTH);
        grid.get(placement.row + row, col) == Fr::zero()
    };
    match placement.table {
        Table::Horner | Table::Split if zero(0) => match n {
            0 => None,
            _ => Some("a block that is not active puts nothing on the bus"),
        },
        Table::Slots => slots_free(zero(0), zero(2 * WIDTH), n),
        Table::Limbs if zero(7 * WIDTH + 2) && matches!(n, LOW_DIGIT | HIGH_DIGIT) => {
            Some("digits are no part of a quotient or its carry")
        }
        _ => None,
    }
}

/// Of two runs of slots, of which some may not be used.
fn slots_free(first_unused: bool, second_unused: bool, n: usize) -> Option<&'static str> {
    let (row, col) = (n / WIDTH, n % WIDTH);
    let of_first = row < 2 && col < 6 || row == 4 && matches!(col, 1 | 2);
    let of_second = matches!(row, 2 | 3) && col < 6 || row == 4 && matches!(col, 3 | 4);
    let unused = match (of_first, of_second) {
        (true, _) => first_unused,
        (_, true) => second_unused,
        (false, false) => first_unused && second_unused,
    };
    (unused && (row == 4 || col > 0)).then_some("a run that is not used puts nothing on the bus")
}

#[test]
fn every_changed_cell_is_noticed() {
    let case = sample();
    let grid = case.grid(&mut |_| {});
    assert_eq!(case.check(&grid), set(&[]));
    let mutator = Mutator::of_blocks(blocks(), case.room.placements(), &grid);
    let mut rng = ChaCha20Rng::seed_from_u64(7);
    let mut broken = BTreeSet::new();
    let mut tried = 0;
    for (row, col) in mutator.cells() {
        let [(placement, n)] = mutator.readers(row, col)[..] else {
            panic!("({row}, {col}) is read by more than one block");
        };
        let honest = grid.get(row, col);
        // The place beside the reduction of a group is empty.
        let empty = placement.table == Table::Horner && (7..13).contains(&n);
        assert!(grid.is_assigned(row, col) || empty, "{placement:?} cell {n}");
        for value in [honest + Fr::one(), -honest - Fr::one(), Fr::from(rng.gen::<u64>()) + honest]
        {
            let names = mutator.broken_by(row, col, value);
            if names.is_empty() {
                let reason = free(&grid, &placement, n as usize);
                assert!(reason.is_some(), "{placement:?} cell {n} may be {value:?}");
            }
            broken.extend(names);
            tried += 1;
        }
    }
    println!("{tried} changes");
    // Each rule notices some change, padding behind the last group aside, of which there is none.
    let missing: BTreeSet<String> = mutator.rules().difference(&broken).cloned().collect();
    assert_eq!(missing, BTreeSet::new());
}
