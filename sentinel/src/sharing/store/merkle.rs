//! A root over the indicators that hold, to be posted on L1, and proofs under it.
//!
//! ```text
//! leaf = keccak256("bastion.intel.leaf.v1" || keccak256(id) || version || added || keccak256(object))
//! node = keccak256("bastion.intel.node.v1" || left || right)
//! root = keccak256("bastion.intel.root.v1" || at || count || top)
//! ```
//!
//! Times and the count are of 8 bytes, big endian; times are in microseconds since 1970. The object is in
//! canonical form with its signature, so a leaf binds its origin as well. Leaves are sorted by
//! `keccak256(id)`, then by themselves. A last node without a partner goes up as it is; nothing is
//! doubled. Without leaves the top is 32 zero bytes.

use bastion_protocol::hash::keccak;
use serde::{Deserialize, Serialize};

use super::state::{Entry, Key, State};
use crate::sharing::stix::{Kind, Object, Timestamp};

type Hash = [u8; 32];

/// Nodes on the way up at most: more than there can ever be.
const MOST_STEPS: usize = 64;

/// What was known at a time, in one hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Root {
    /// The time, in microseconds since 1970.
    pub at: u64,
    /// How many indicators.
    pub count: u64,
    /// The hash to post.
    pub root: Hash,
}

/// A proof that an indicator was among them: known since when, and neither taken back nor expired.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inclusion {
    /// The time of the root, in microseconds since 1970.
    pub at: u64,
    /// How many indicators the root is over.
    pub count: u64,
    /// The place of this one.
    pub index: u64,
    /// When it was added, in microseconds since 1970.
    pub added: u64,
    /// The hashes beside the way up.
    pub path: Vec<Hash>,
}

impl Inclusion {
    /// Whether an object was among the indicators of a posted root. The object's signature is another
    /// matter: check it with the key of its maker.
    pub fn holds(&self, object: &Object, root: &Hash) -> bool {
        let mut path = self.path.iter();
        let (mut index, mut width) = (self.index, self.count);
        if index >= width || self.path.len() > MOST_STEPS {
            return false;
        }
        let mut hash = leaf(object, Timestamp::from_micros(self.added));
        while width > 1 {
            let is_alone = index + 1 == width && index % 2 == 0;
            if !is_alone {
                let Some(sibling) = path.next() else { return false };
                let (left, right) =
                    if index % 2 == 0 { (&hash, sibling) } else { (sibling, &hash) };
                hash = node(left, right);
            }
            (index, width) = (index / 2, width.div_ceil(2));
        }
        path.next().is_none() && top(self.at, self.count, &hash) == *root
    }
}

fn leaf(object: &Object, added: Timestamp) -> Hash {
    let version = object.version().unwrap_or(added).micros().to_be_bytes();
    keccak(&[
        b"bastion.intel.leaf.v1",
        &keccak(&[object.id().as_str().as_bytes()]),
        &version,
        &added.micros().to_be_bytes(),
        object.digest(),
    ])
}

fn node(left: &Hash, right: &Hash) -> Hash {
    keccak(&[b"bastion.intel.node.v1", left, right])
}

fn top(at: u64, count: u64, hash: &Hash) -> Hash {
    keccak(&[b"bastion.intel.root.v1", &at.to_be_bytes(), &count.to_be_bytes(), hash])
}

/// The tree, level by level from the leaves.
struct Tree {
    at: u64,
    levels: Vec<Vec<Hash>>,
    /// What the leaves are sorted by.
    order: Vec<(Hash, Hash)>,
}

impl Tree {
    fn new(state: &State, at: Timestamp) -> Self {
        let mut order = Vec::new();
        let mut seen = std::collections::HashSet::new();
        for entry in state.entries() {
            let key = entry.of();
            let newest = state.newest_at(&key, at).filter(|newest| is_live(newest, at));
            if let Some(newest) = newest.filter(|_| seen.insert(key)) {
                order.push(place(newest));
            }
        }
        order.sort_unstable();
        let mut levels = vec![order.iter().map(|(_, leaf)| *leaf).collect::<Vec<_>>()];
        while let Some(below) = levels.last().filter(|level| level.len() > 1) {
            let pair = |pair: &[Hash]| match pair {
                [left, right] => node(left, right),
                alone => alone.first().copied().unwrap_or_default(),
            };
            let above = below.chunks(2).map(pair).collect();
            levels.push(above);
        }
        Self { at: at.micros(), levels, order }
    }

    fn root(&self) -> Root {
        let count = self.order.len() as u64;
        let hash = self.levels.last().and_then(|top| top.first()).copied().unwrap_or_default();
        Root { at: self.at, count, root: top(self.at, count, &hash) }
    }

    fn prove(&self, of: &Entry) -> Option<Inclusion> {
        let index = self.order.binary_search(&place(of)).ok()?;
        let mut path = Vec::new();
        let mut beside = index;
        for level in &self.levels {
            path.extend(level.get(beside ^ 1).filter(|_| level.len() > 1));
            beside /= 2;
        }
        let (count, index) = (self.order.len() as u64, index as u64);
        Some(Inclusion { at: self.at, count, index, added: of.added.micros(), path })
    }
}

/// What leaves are sorted by: the hash of the identifier, and the leaf.
fn place(entry: &Entry) -> (Hash, Hash) {
    (keccak(&[entry.object.id().as_str().as_bytes()]), leaf(&entry.object, entry.added))
}

/// Whether an entry is a signed indicator that holds.
fn is_live(entry: &Entry, at: Timestamp) -> bool {
    let Kind::Indicator(indicator) = entry.object.kind() else { return false };
    entry.key.is_some() && !entry.object.revoked() && indicator.holds(at)
}

pub(in crate::sharing) fn root(state: &State, at: Timestamp) -> Root {
    Tree::new(state, at).root()
}

pub(in crate::sharing) fn prove(state: &State, key: &Key, at: Timestamp) -> Option<Inclusion> {
    Tree::new(state, at).prove(state.newest_at(key, at)?)
}
