//! The README names every rule, and no rule that does not exist.

use std::collections::BTreeSet;

use crate::chip::gates;

fn documented() -> BTreeSet<&'static str> {
    include_str!("../README.md")
        .lines()
        .filter(|line| line.starts_with("| `"))
        .filter_map(|line| line.split('|').nth(1))
        .flat_map(|cell| cell.split(','))
        .map(|name| name.trim().trim_matches('`'))
        .filter(|name| !name.is_empty() && !name.starts_with('.'))
        .collect()
}

fn rules() -> BTreeSet<String> {
    gates()
        .iter()
        .flat_map(|gate| {
            let constraints = gate.constraints.iter().map(|c| c.name.clone());
            let terms = gate.bus.iter().flatten().map(|t| t.name.clone());
            constraints.chain(terms).collect::<Vec<_>>()
        })
        .collect()
}

/// A name with its numbers as `N`.
fn pattern(name: &str) -> String {
    let digits = name.trim_end_matches(|c: char| c.is_ascii_digit());
    if digits.len() == name.len() {
        name.into()
    } else {
        format!("{digits}N")
    }
}

#[test]
fn the_readme_names_the_rules_and_no_others() {
    let rules: BTreeSet<String> = rules().iter().map(|rule| pattern(rule)).collect();
    let documented: BTreeSet<String> = documented().into_iter().map(String::from).collect();
    assert_eq!(rules, documented);
}
