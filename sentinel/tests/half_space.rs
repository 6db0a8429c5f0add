//! The half-space trees give the scores of river's, on the same trees and the same stream.

#![allow(clippy::unwrap_used)]

use bastion_sentinel::model::{HalfSpace, HalfSpaceConfig, Split};
use serde::Deserialize;

/// What `tests/river/make_fixture.py` writes.
#[derive(Deserialize)]
struct Fixture {
    trees: usize,
    height: usize,
    window: u32,
    splits: Vec<(u8, i32)>,
    stream: Vec<Vec<i32>>,
    masses: Vec<Option<u64>>,
}

#[test]
fn the_masses_are_those_of_river() {
    let fixture: Fixture = serde_json::from_str(include_str!("river/fixture.json")).unwrap();
    let Fixture { trees, height, window, .. } = fixture;
    let config = HalfSpaceConfig { trees, height, window, seed: 0 };
    let split =
        |(feature, threshold): &(u8, i32)| Split { feature: *feature, threshold: *threshold };
    let splits = fixture.splits.iter().map(split).collect();
    let mut model = HalfSpace::with_splits(config, splits).unwrap();
    for (i, (x, mass)) in fixture.stream.iter().zip(&fixture.masses).enumerate() {
        assert_eq!(model.mass(x), *mass, "vector {i}");
        model.learn(x);
    }
    assert_eq!(fixture.stream.len(), 700);
}
