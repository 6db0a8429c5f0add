//! The state tree (protocol section 3), of the audit's own: what it keeps is what differs from the
//! empty tree.

use std::collections::{BTreeMap, HashMap};

use bastion_protocol::hash::compress;
use bastion_protocol::path::{empty_nodes, DEPTH};
use bastion_protocol::{Fr, Index};
use rayon::prelude::*;

/// Levels with fewer changes are not worth a thread.
const PARALLEL: usize = 64;

/// A sparse Merkle tree of depth 32.
#[derive(Debug, Clone)]
pub(crate) struct Tree {
    /// Nodes of each level by index, the root's level first.
    levels: Vec<HashMap<Index, Fr>>,
}

impl Tree {
    /// The empty tree.
    pub(crate) fn new() -> Self {
        Self { levels: vec![HashMap::new(); DEPTH + 1] }
    }

    fn node(&self, level: usize, index: Index) -> Fr {
        let known = self.levels[level].get(&index);
        known.copied().unwrap_or(empty_nodes()[level])
    }

    /// The root.
    pub(crate) fn root(&self) -> Fr {
        self.node(0, 0)
    }

    /// Sets leaves and hashes every node above them once.
    pub(crate) fn update(&mut self, leaves: impl IntoIterator<Item = (Index, Fr)>) {
        let mut changed: BTreeMap<Index, Fr> = leaves.into_iter().collect();
        for level in (0..DEPTH).rev() {
            self.levels[level + 1].extend(&changed);
            let mut parents: Vec<Index> = changed.keys().map(|index| index >> 1).collect();
            parents.dedup();
            let hashed = |parent: &Index| {
                let child = |side| self.node(level + 1, parent << 1 | side);
                (*parent, compress(child(0), child(1)))
            };
            changed = match parents.len() {
                0..PARALLEL => parents.iter().map(hashed).collect(),
                _ => parents.par_iter().map(hashed).collect(),
            };
        }
        self.levels[0].extend(changed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The executor's tree, which is another's code, has the same roots.
    #[test]
    fn roots_are_those_of_the_executors_tree() {
        let (mut own, mut other) = (Tree::new(), bastion_state::tree::Tree::new());
        assert_eq!(own.root(), other.root());
        let leaf = |n: u64| Fr::from(n * n + 1);
        for leaves in [
            vec![(0, leaf(1))],
            vec![(1, leaf(2)), (131_072, leaf(3)), (131_073, leaf(4))],
            vec![(Index::MAX, leaf(5)), (0, Fr::from(0u64)), (7, leaf(6))],
            (0..300).map(|n| (n * 77, leaf(u64::from(n)))).collect(),
        ] {
            own.update(leaves.iter().copied());
            other.update(&leaves);
            assert_eq!(own.root(), other.root());
        }
    }
}
