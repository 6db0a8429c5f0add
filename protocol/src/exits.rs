//! The tree of a block's exits (protocol section 8).

use crate::hash::keccak;

/// Levels of the exit tree over posted records, leaves first.
#[must_use]
pub fn exit_tree(records: &[Vec<u8>]) -> Vec<Vec<[u8; 32]>> {
    let mut level: Vec<[u8; 32]> = records.iter().map(|r| keccak(&[&[0], r])).collect();
    let mut levels = vec![level.clone()];
    while level.len() > 1 {
        level = level
            .chunks(2)
            .map(|pair| match pair {
                [left, right] => keccak(&[&[1], left, right]),
                _ => pair[0],
            })
            .collect();
        levels.push(level.clone());
    }
    levels
}

/// What the contract keeps of a block's exits: `keccak256(0x02 || number of exits || root)`, so that
/// the number, which gives the tree its shape, is nobody's choice; 0 if nothing leaves.
#[must_use]
pub fn exit_root(levels: &[Vec<[u8; 32]>]) -> [u8; 32] {
    let count = levels.first().map_or(0, Vec::len) as u32;
    match levels.last().and_then(|top| top.first()) {
        Some(root) => keccak(&[&[2], &count.to_be_bytes(), root]),
        None => [0; 32],
    }
}

/// Siblings of the leaf at `position`, from the leaf up; levels without a sibling are skipped.
#[must_use]
pub fn exit_path(levels: &[Vec<[u8; 32]>], position: usize) -> Vec<[u8; 32]> {
    levels
        .iter()
        .enumerate()
        .filter_map(|(height, level)| level.get((position >> height) ^ 1))
        .copied()
        .collect()
}
