//! Kinds of rows: rows of different tables that have the same rules.
//!
//! The prover evaluates every constraint on every row, so what it pays for a table is the number of
//! its constraints, however few blocks there are. Rows of one kind are under one selector, and their
//! rules are in the circuit once, whichever block and row they stand in. Tables describe such rows
//! like all others, so rules keep the names of their tables.

use std::collections::BTreeMap;

use crate::core::{Constraint, RowBlock};

/// The kinds. Each has one selector ([`crate::core::Selector`]).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum RowKind {
    /// Base-4 digits.
    Digits,
    /// Four slots of a batch in the blob, one after the other.
    Words,
    /// Range checks of two reductions.
    Reductions,
    /// Four 10-bit numbers that are looked up.
    Chunks,
    /// Four entries of the table of 10-bit numbers, one after the other.
    Entries,
    /// Four slots of padding, one after the other.
    Padding,
    /// Three 40-bit limbs that are looked up.
    Limbs,
}

impl RowKind {
    /// All kinds.
    pub const ALL: [Self; 7] = [
        Self::Digits,
        Self::Words,
        Self::Reductions,
        Self::Chunks,
        Self::Entries,
        Self::Padding,
        Self::Limbs,
    ];

    /// Name of the gate.
    pub fn name(self) -> &'static str {
        match self {
            Self::Digits => "digits_row",
            Self::Words => "words_row",
            Self::Reductions => "reductions_row",
            Self::Chunks => "chunks_row",
            Self::Entries => "entries_row",
            Self::Padding => "padding_row",
            Self::Limbs => "limbs_row",
        }
    }

    /// Whether its rows put tuples on the bus. Where they do not, blocks may put their own there.
    pub fn has_terms(self) -> bool {
        match self {
            Self::Digits => false,
            Self::Words
            | Self::Reductions
            | Self::Chunks
            | Self::Entries
            | Self::Padding
            | Self::Limbs => true,
        }
    }

    /// The rules of each kind: those of the first row that is of it. A test holds that all its rows
    /// have the same.
    pub fn rules(blocks: &[RowBlock]) -> BTreeMap<Self, Vec<Constraint>> {
        let mut rules = BTreeMap::new();
        for block in blocks {
            for (row, kind) in &block.kinds {
                rules.entry(*kind).or_insert_with(|| block.row_rules(*row));
            }
        }
        rules
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{tables, Shape};

    #[test]
    fn rows_of_a_kind_have_the_same_rules() {
        let blocks = tables::blocks(&Shape::tiny());
        let rules = RowKind::rules(&blocks);
        assert_eq!(rules.keys().copied().collect::<Vec<_>>(), RowKind::ALL);
        let polys = |rules: &[Constraint]| rules.iter().map(|c| c.poly).collect::<Vec<_>>();
        for block in &blocks {
            let table = block.table.name();
            for (row, kind) in &block.kinds {
                let own = block.row_rules(*row);
                assert!(!own.is_empty(), "{table}, row {row}");
                assert_eq!(polys(&own), polys(&rules[kind]), "{table}, row {row}: {kind:?}");
            }
            for rule in block.polynomials().iter().filter_map(|c| c.of_row) {
                assert!(block.kinds.contains_key(&rule), "{table}, row {rule} is of no kind");
            }
        }
    }
}
