//! Merkle paths of the state tree (protocol section 3).

use std::sync::OnceLock;

use ark_ff::AdditiveGroup;

use crate::hash::compress;
use crate::{Fr, Index};

/// Depth of the tree; leaves are level 32, the root is level 0.
pub const DEPTH: usize = 32;

/// The empty subtrees by level: `[DEPTH]` is the empty leaf, `[0]` the root of the empty tree.
pub fn empty_nodes() -> &'static [Fr; DEPTH + 1] {
    static EMPTY: OnceLock<[Fr; DEPTH + 1]> = OnceLock::new();
    EMPTY.get_or_init(|| {
        let mut nodes = [Fr::ZERO; DEPTH + 1];
        for level in (0..DEPTH).rev() {
            nodes[level] = compress(nodes[level + 1], nodes[level + 1]);
        }
        nodes
    })
}

/// The root that a leaf and its siblings (from the leaf up) give.
#[must_use]
pub fn root_from_path(index: Index, leaf: Fr, path: &[Fr; DEPTH]) -> Fr {
    path.iter().enumerate().fold(leaf, |node, (h, sibling)| {
        if index >> h & 1 == 0 {
            compress(node, *sibling)
        } else {
            compress(*sibling, node)
        }
    })
}
