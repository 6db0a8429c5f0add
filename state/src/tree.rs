//! The state tree: depth 32, sparse, in memory (protocol §3).
//!
//! Nodes live in pages of 256; what no page holds is an empty subtree. Updates are batched: every
//! ancestor of a changed leaf is hashed once, in parallel within a level.

use std::collections::HashMap;

use ark_ff::AdditiveGroup;
use bastion_protocol::hash::compress;
use bastion_protocol::path::{empty_nodes, DEPTH};
use bastion_protocol::{Fr, Index};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

const PAGE: usize = 256;
/// Levels shorter than this are not worth a thread.
const PARALLEL: usize = 64;

/// A node before and after an update.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// Value before.
    #[serde(with = "bastion_protocol::field::serde_fr")]
    pub old: Fr,
    /// Value after.
    #[serde(with = "bastion_protocol::field::serde_fr")]
    pub new: Fr,
}

/// An inner node above a touched leaf: its children before and after.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeTouch {
    /// Level of the node itself, 0 (root) to 31.
    pub level: u8,
    /// Index of the node in its level.
    pub index: Index,
    /// Left child.
    pub left: Change,
    /// Right child.
    pub right: Change,
    /// Whether a touched leaf is below the left child; if not, `left.old == left.new`.
    pub left_touched: bool,
    /// Whether a touched leaf is below the right child.
    pub right_touched: bool,
    /// The node itself.
    pub node: Change,
}

type Pages = HashMap<Index, Box<[Fr; PAGE]>>;

/// A sparse Merkle tree.
#[derive(Debug, Clone)]
pub struct Tree {
    levels: Vec<Pages>,
}

impl Default for Tree {
    fn default() -> Self {
        Self::new()
    }
}

impl Tree {
    /// The empty tree.
    #[must_use]
    pub fn new() -> Self {
        Self { levels: vec![Pages::new(); DEPTH + 1] }
    }

    /// The node at a level and index; an empty subtree where the level or the index is not of the
    /// tree.
    #[must_use]
    pub fn node(&self, level: usize, index: Index) -> Fr {
        let page = self.levels.get(level).and_then(|p| p.get(&(index >> 8)));
        match page {
            Some(page) => page[index as usize % PAGE],
            None => empty_nodes().get(level).copied().unwrap_or(Fr::ZERO),
        }
    }

    fn put(&mut self, level: usize, index: Index, value: Fr) {
        let page = self.levels[level]
            .entry(index >> 8)
            .or_insert_with(|| Box::new([empty_nodes()[level]; PAGE]));
        page[index as usize % PAGE] = value;
    }

    /// The root.
    #[must_use]
    pub fn root(&self) -> Fr {
        self.node(0, 0)
    }

    /// The leaf at an index, 0 if empty.
    #[must_use]
    pub fn leaf(&self, index: Index) -> Fr {
        self.node(DEPTH, index)
    }

    /// The siblings of a leaf, from the leaf up.
    #[must_use]
    pub fn path(&self, index: Index) -> [Fr; DEPTH] {
        std::array::from_fn(|h| self.node(DEPTH - h, (index >> h) ^ 1))
    }

    /// Sets one leaf.
    pub fn set(&mut self, index: Index, leaf: Fr) {
        self.update(&[(index, leaf)]);
    }

    /// Sets leaves and rehashes what is above them. Of leaves listed twice the last counts.
    pub fn update(&mut self, leaves: &[(Index, Fr)]) {
        self.run(leaves, None);
    }

    /// [`Tree::update`] that returns all ancestors of the listed leaves, whether their value
    /// changed or not: from level 31 up to the root, by index within a level.
    pub fn update_traced(&mut self, leaves: &[(Index, Fr)]) -> Vec<NodeTouch> {
        let mut trace = Vec::new();
        self.run(leaves, Some(&mut trace));
        trace
    }

    fn run(&mut self, leaves: &[(Index, Fr)], mut trace: Option<&mut Vec<NodeTouch>>) {
        let mut sorted = leaves.to_vec();
        sorted.sort_by_key(|(index, _)| *index); // stable
        let mut level: Vec<(Index, Change)> = Vec::with_capacity(sorted.len());
        for (index, new) in sorted {
            match level.last_mut() {
                Some((last, change)) if *last == index => change.new = new,
                _ => {
                    let old = self.leaf(index);
                    level.push((index, Change { old, new }));
                }
            }
        }
        for parent_level in (0..DEPTH).rev() {
            let touches = self.parents(parent_level, &level);
            for (index, change) in &level {
                self.put(parent_level + 1, *index, change.new);
            }
            level.clear();
            level.extend(touches.iter().map(|t| (t.index, t.node)));
            if let Some(trace) = trace.as_deref_mut() {
                trace.extend(touches);
            }
        }
        for (index, change) in &level {
            self.put(0, *index, change.new);
        }
    }

    /// The parents of the changed nodes, which are sorted and not stored yet.
    fn parents(&self, level: usize, children: &[(Index, Change)]) -> Vec<NodeTouch> {
        let siblings: Vec<&[(Index, Change)]> =
            children.chunk_by(|a, b| a.0 >> 1 == b.0 >> 1).collect();
        let parent = |group: &&[(Index, Change)]| {
            let index = group[0].0 >> 1;
            let child = |side: Index| {
                let child_index = index << 1 | side;
                let touched = group.iter().find(|(i, _)| *i == child_index);
                let unchanged = || {
                    let value = self.node(level + 1, child_index);
                    Change { old: value, new: value }
                };
                (touched.map_or_else(unchanged, |(_, c)| *c), touched.is_some())
            };
            let (left, left_touched) = child(0);
            let (right, right_touched) = child(1);
            NodeTouch {
                level: level as u8,
                index,
                left,
                right,
                left_touched,
                right_touched,
                node: Change { old: self.node(level, index), new: compress(left.new, right.new) },
            }
        };
        if siblings.len() < PARALLEL {
            siblings.iter().map(parent).collect()
        } else {
            siblings.par_iter().map(parent).collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bastion_protocol::path::root_from_path;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    /// Recursive definition over the set of leaves.
    fn naive(level: usize, index: u64, leaves: &BTreeMap<Index, Fr>) -> Fr {
        let shift = DEPTH - level;
        let low = index << shift;
        let high = low + (1 << shift) - 1;
        if leaves.range(low as Index..=high as Index).next().is_none() {
            return empty_nodes()[level];
        }
        if level == DEPTH {
            return leaves[&(index as Index)];
        }
        compress(naive(level + 1, 2 * index, leaves), naive(level + 1, 2 * index + 1, leaves))
    }

    fn index() -> impl Strategy<Value = Index> {
        prop_oneof![any::<Index>(), 0..20_u32, 131_072..131_400_u32, Just(Index::MAX)]
    }

    proptest! {
        #![proptest_config(crate::seed::config(24))]
        #[test]
        fn batched_updates_give_the_naive_root(
            batches in prop::collection::vec(
                prop::collection::vec((index(), any::<u64>()), 0..100), 1..4)
        ) {
            let mut tree = Tree::new();
            let mut leaves = BTreeMap::new();
            for batch in batches {
                let batch: Vec<_> = batch.into_iter().map(|(i, x)| (i, Fr::from(x))).collect();
                let before = tree.clone();
                let trace = tree.update_traced(&batch);
                leaves.extend(batch.iter().copied());
                prop_assert_eq!(tree.root(), naive(0, 0, &leaves));
                for t in &trace {
                    prop_assert_eq!(t.node.old, compress(t.left.old, t.right.old));
                    prop_assert_eq!(t.node.new, compress(t.left.new, t.right.new));
                    prop_assert_eq!(t.node.old, before.node(t.level.into(), t.index));
                    prop_assert!(t.left_touched || t.left.old == t.left.new);
                    prop_assert!(t.right_touched || t.right.old == t.right.new);
                    prop_assert!(t.left_touched || t.right_touched);
                }
                for (i, _) in &batch {
                    prop_assert_eq!(tree.leaf(*i), leaves[i]);
                    prop_assert_eq!(root_from_path(*i, leaves[i], &tree.path(*i)), tree.root());
                }
            }
        }
    }

    #[test]
    fn unchanged_leaves_are_traced_too() {
        let mut tree = Tree::new();
        let trace = tree.update_traced(&[(5, Fr::ZERO)]);
        assert_eq!(trace.len(), DEPTH);
        assert_eq!(tree.root(), empty_nodes()[0]);
        assert!(trace.iter().all(|t| t.node.old == t.node.new));
    }
}
