//! The list of all tables.

use crate::core::{RowBlock, Table};
use crate::{
    accounts, auction, blob, hash, head, limiter, nodes, ops, policy, ranges, signatures, Shape,
};

/// The description of every table, in the order of [`Table::ALL`].
pub fn blocks(shape: &Shape) -> Vec<RowBlock> {
    Table::ALL.into_iter().map(|table| block(table, shape)).collect()
}

/// The description of a table.
pub fn block(table: Table, shape: &Shape) -> RowBlock {
    match table {
        Table::Head => head::head_block(shape.slots.ops),
        Table::Op => ops::op_block(),
        Table::Account => accounts::account_block(),
        Table::Node => nodes::node_block(),
        Table::Signature => signatures::header_block(),
        Table::Window => signatures::window_block(),
        Table::Half => signatures::half_block(),
        Table::Compress => hash::compress_block(),
        Table::Hash => hash::hash_block(),
        Table::Unpack => accounts::unpack_block(),
        Table::Range40 => ranges::range_block(ranges::Width::Bits40),
        Table::Range128 => ranges::range_block(ranges::Width::Bits128),
        Table::Limiter => limiter::limiter_block(),
        Table::Policy => policy::policy_block(),
        Table::Blob => blob::edge::block(),
        Table::Powers => blob::powers::block(),
        Table::Slots => blob::runs::block(),
        Table::Horner => blob::horner::block(),
        Table::Limbs => blob::limbs::block(),
        Table::Bits10 => blob::bits10::block(),
        Table::Split => blob::split::block(),
        Table::Order => auction::order::block(),
        Table::Quote => auction::quote::block(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::core::{Selector, WIDTH};

    #[test]
    fn blocks_keep_to_their_rows_and_degree() {
        for block in blocks(&Shape::tiny()) {
            let table = block.table.name();
            let mut names = BTreeSet::new();
            for c in block.polynomials() {
                let selector = match c.of_row {
                    Some(row) => Selector::Kind(block.kinds[&row]),
                    None => Selector::Table(block.table),
                };
                let factor = selector.place().members as usize;
                assert!(
                    c.poly.degree() + factor <= crate::circuit::DEGREE,
                    "{table}.{}: degree {} and {factor} of the selector",
                    c.name,
                    c.poly.degree()
                );
                assert!(names.insert(c.name.clone()), "{table}.{} twice", c.name);
                c.poly.visit_cells(&mut |row, col| {
                    assert!(
                        (-1..block.rows as i32).contains(&row) && col < WIDTH,
                        "{table}.{} reads ({row}, {col})",
                        c.name
                    );
                });
            }
            let mut terms = BTreeSet::new();
            for term in block.bus.iter().flatten() {
                assert!(terms.insert(term.name.clone()), "{table}.{}", term.name);
            }
            assert!(block.bus.len() <= block.rows);
        }
    }

    #[test]
    fn tables_are_in_the_order_of_their_selectors() {
        for (i, block) in blocks(&Shape::tiny()).iter().enumerate() {
            assert_eq!(block.table as usize, i);
            assert_eq!(block.table, Table::ALL[i]);
        }
    }
}
