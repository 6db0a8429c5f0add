//! Every cell is changed; each change must break a rule, or the cell is of a block that is not used, or
//! the sum that an order adds nothing to.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha20Rng;

use super::*;
use crate::core::WIDTH;
use crate::mutate::Mutator;

#[test]
fn every_changed_cell_is_noticed() {
    let case = Case::sample();
    let (grid, pools) = case.grid();
    assert_eq!(case.check(&grid, &pools), set(&[]));
    let blocks: Vec<_> =
        TABLES.into_iter().map(|table| tables::block(table, &Shape::tiny())).collect();
    let used = [case.orders.len(), case.quotes.len()];
    let unused = [0, 1].map(|i| case.row(TABLES[i], used[i]));
    let mutator = Mutator::of_blocks(blocks, case.placements(), &grid);
    let mut rng = ChaCha20Rng::seed_from_u64(7);
    let mut broken = BTreeSet::new();
    let mut tried = 0;
    for (row, col) in mutator.cells() {
        let [(placement, n)] = mutator.readers(row, col)[..] else {
            panic!("({row}, {col}) is read by more than one block");
        };
        assert!(grid.is_assigned(row, col), "{placement:?} cell {n} ({})", WIDTH);
        let honest = grid.get(row, col);
        for value in [honest + Fr::one(), -honest - Fr::one(), Fr::from(rng.gen::<u64>()) + honest]
        {
            let names = mutator.broken_by(row, col, value);
            let order = (0..used[0]).find(|n| case.row(Table::Order, *n) == placement.row);
            let idle = order.is_some_and(|n| {
                let Posted { sold, paid, .. } = case.orders[n].posted;
                let at = |cell: Expr| cell == Expr::cell((row - placement.row) as i32, col);
                let adds_nothing = [(sold, 0), (paid, 1)]
                    .map(|(by, i)| by == Fr::zero() && at(order::tests_flow(i)));
                placement.table == Table::Order && adds_nothing.contains(&true)
            });
            let free = unused.contains(&placement.row) || idle;
            assert!(!names.is_empty() || free, "{placement:?} cell {n} may be {value:?}");
            broken.extend(names);
            tried += 1;
        }
    }
    println!("{tried} changes");
    let missing: BTreeSet<String> = mutator.rules().difference(&broken).cloned().collect();
    assert_eq!(missing, BTreeSet::new());
}
