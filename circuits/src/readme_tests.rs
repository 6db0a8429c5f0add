//! The READMEs of the tables name every rule, and no rule that does not exist.

use std::collections::BTreeSet;

use crate::core::{RowBlock, Table};
use crate::{tables, Shape};

fn readme(table: Table) -> &'static str {
    match table {
        Table::Head => include_str!("head/README.md"),
        Table::Op => include_str!("ops/README.md"),
        Table::Account | Table::Unpack => include_str!("accounts/README.md"),
        Table::Node => include_str!("nodes/README.md"),
        Table::Signature | Table::Window | Table::Half => include_str!("signatures/README.md"),
        Table::Compress | Table::Hash => include_str!("hash/README.md"),
        Table::Range40 | Table::Range128 => include_str!("ranges/README.md"),
        Table::Limiter => include_str!("limiter/README.md"),
        Table::Policy => include_str!("policy/README.md"),
        Table::Blob | Table::Powers | Table::Slots | Table::Horner => {
            include_str!("blob/README.md")
        }
        Table::Limbs | Table::Bits10 | Table::Split => include_str!("blob/README.md"),
        Table::Order | Table::Quote => include_str!("auction/README.md"),
    }
}

/// Names in the first column of the README's tables.
fn documented(text: &str) -> BTreeSet<&str> {
    text.lines()
        .filter_map(|line| line.strip_prefix("| `"))
        .filter_map(|rest| rest.split_once("` |"))
        .map(|(name, _)| name)
        .collect()
}

fn rules(block: &RowBlock) -> Vec<String> {
    let constraints = block.constraints.iter().map(|c| c.name.clone());
    let terms = block.bus.iter().flatten().map(|t| t.name.clone());
    constraints.chain(terms).collect()
}

/// Whether `pattern` is `name`, where an `N` of the pattern stands for a number.
fn matches(pattern: &str, name: &str) -> bool {
    let mut pattern = pattern.chars();
    let mut name = name.chars().peekable();
    loop {
        match pattern.next() {
            None => return name.next().is_none(),
            Some('N') => {
                if !name.peek().is_some_and(char::is_ascii_digit) {
                    return false;
                }
                while name.peek().is_some_and(char::is_ascii_digit) {
                    name.next();
                }
            }
            Some(c) => {
                if name.next() != Some(c) {
                    return false;
                }
            }
        }
    }
}

#[test]
fn patterns_match_numbers_only() {
    assert!(matches("partialN.lane1", "partial27.lane1"));
    assert!(!matches("partialN.lane1", "partial27.lane2"));
    assert!(!matches("bitN", "bit"));
    assert!(!matches("bitN", "bit1x"));
    assert!(!matches("bit", "bits"));
}

#[test]
fn every_rule_stands_in_its_readme() {
    for block in tables::blocks(&Shape::tiny()) {
        let names = documented(readme(block.table));
        for rule in rules(&block) {
            assert!(
                names.iter().any(|pattern| matches(pattern, &rule)),
                "{}.{rule} is not in its README",
                block.table.name()
            );
        }
    }
}

#[test]
fn readmes_name_no_rule_that_is_gone() {
    let blocks = tables::blocks(&Shape::tiny());
    for block in &blocks {
        let text = readme(block.table);
        let same_folder: Vec<String> =
            blocks.iter().filter(|other| readme(other.table) == text).flat_map(rules).collect();
        for pattern in documented(text) {
            assert!(
                same_folder.iter().any(|rule| matches(pattern, rule)),
                "`{pattern}` in the README of {} is no rule",
                block.table.name()
            );
        }
    }
}
