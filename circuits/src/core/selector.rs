//! Selectors: which fixed column says that a table's block begins on a row, or that a row is of a kind.
//!
//! A column with one selector is 1 on its rows. Selectors whose rules are of low degree share columns:
//! such a column holds, on the rows of its member number `v`, the number `v` (from 1 on). Of `m`
//! members, number `v` has the factor `f (f - 1) .. (f - m)` without `f - v`: of degree `m`, not 0 on its
//! own rows, and 0 on all others. Each column less is a commitment less that the aggregation sums.

use crate::core::{RowKind, Table};

/// What a selector is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Selector {
    /// The first row of a table's blocks.
    Table(Table),
    /// Rows of a kind.
    Kind(RowKind),
}

/// Where a selector is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SelectorPlace {
    /// The column, among those of selectors.
    pub column: usize,
    /// What the column holds on the selector's rows.
    pub value: u64,
    /// Selectors of the column: the degree of the factor.
    pub members: u64,
}

/// Selectors that share columns. No two of a column are ever on the same row.
const SHARED: [&[Selector]; 8] = [
    &[
        Selector::Table(Table::Half),
        Selector::Table(Table::Hash),
        Selector::Table(Table::Unpack),
        Selector::Table(Table::Range40),
    ],
    &[Selector::Table(Table::Range128), Selector::Table(Table::Powers)],
    &[Selector::Table(Table::Slots), Selector::Table(Table::Limbs)],
    &[Selector::Table(Table::Account), Selector::Table(Table::Bits10)],
    &[Selector::Table(Table::Node), Selector::Kind(RowKind::Digits)],
    &[Selector::Table(Table::Limiter), Selector::Table(Table::Quote)],
    &[Selector::Table(Table::Policy), Selector::Table(Table::Order)],
    &[Selector::Table(Table::Split), Selector::Kind(RowKind::Limbs)],
];

impl Selector {
    /// All selectors, tables first.
    pub fn all() -> impl Iterator<Item = Self> {
        let tables = Table::ALL.into_iter().map(Self::Table);
        tables.chain(RowKind::ALL.into_iter().map(Self::Kind))
    }

    /// The selectors of each column.
    pub fn columns() -> Vec<Vec<Self>> {
        let shared = SHARED.iter().map(|members| members.to_vec());
        let alone = Self::all().filter(|s| !SHARED.iter().any(|members| members.contains(s)));
        shared.chain(alone.map(|s| vec![s])).collect()
    }

    /// Where it is.
    ///
    /// # Panics
    /// Never: every selector has a column, as a test holds.
    pub fn place(self) -> SelectorPlace {
        let columns = Self::columns();
        let found = columns.iter().enumerate().find_map(|(column, members)| {
            let member = members.iter().position(|s| *s == self)?;
            Some(SelectorPlace { column, value: member as u64 + 1, members: members.len() as u64 })
        });
        found.unwrap_or_else(|| unreachable!("{self:?} has no column"))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::core::Layout;
    use crate::{tables, Shape};

    #[test]
    fn every_selector_has_one_place() {
        let places: Vec<SelectorPlace> = Selector::all().map(Selector::place).collect();
        for (n, place) in places.iter().enumerate() {
            assert!((1..=place.members).contains(&place.value));
            assert!(places[..n].iter().all(|other| other != place));
        }
        let columns = Selector::columns();
        assert_eq!(columns.iter().map(Vec::len).sum::<usize>(), places.len());
    }

    #[test]
    fn selectors_of_a_column_are_never_on_one_row() {
        for shape in [Shape::tiny(), Shape::small()] {
            let blocks = tables::blocks(&shape);
            let mut held: BTreeMap<(usize, usize), Selector> = BTreeMap::new();
            for placement in Layout::new(&shape).blocks {
                let kinds = &blocks[placement.table as usize].kinds;
                let of_rows = kinds.iter().map(|(row, kind)| (Selector::Kind(*kind), *row));
                let own = (Selector::Table(placement.table), 0);
                for (selector, row) in of_rows.chain([own]) {
                    let cell = (selector.place().column, placement.row + row);
                    let before = held.insert(cell, selector);
                    assert_eq!(before, None, "{selector:?} at {cell:?}");
                }
            }
        }
    }
}
