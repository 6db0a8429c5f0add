//! The order of operations: a tree over those of each batch, chained over batches, and proofs that an
//! operation has its place (protocol section 6.3).

use ark_ff::{AdditiveGroup, PrimeField};
use serde::{Deserialize, Serialize};

use crate::data::{chain_start, packed_counts};
use crate::hash::compress;
use crate::inputs::COUNT;
use crate::records::Section;
use crate::{field, Fr, PublicInputs};

/// Where the number of operations stands in the word of the counts.
const OPERATIONS: u64 = 64;

/// The leaf of an operation: its posted words, hashed one after the other. One word is its own leaf;
/// an operation without words (a Noop) has none.
#[must_use]
pub fn leaf(words: impl IntoIterator<Item = Fr>) -> Option<Fr> {
    words.into_iter().reduce(compress)
}

/// The leaf of an operation from its posted records, in the order L1 or L2, owner, exit; `None` if there
/// is none, or something is no record. Their lengths tell the sections.
#[must_use]
pub fn leaf_of<'a>(records: impl IntoIterator<Item = &'a [u8]>) -> Option<Fr> {
    let mut words = Vec::new();
    for record in records {
        let section = Section::ALL.into_iter().find(|s| s.record_len() == record.len())?;
        for word in section.split(record) {
            if let Ok(wide) = <&[u8; 32]>::try_from(word.bytes.as_slice()) {
                field::from_bytes("posted word", wide).ok()?;
            }
            words.push(word.to_fr());
        }
    }
    leaf(words)
}

/// The tree over the operations of a batch, in heap numbering: the leaf of position `i` of `n` is node
/// `n + i`, the parent of node `j` is node `j / 2`, the root is node 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderTree {
    /// Number of leaves.
    leaves: usize,
    /// Nodes by their numbers; node 0 does not exist.
    nodes: Vec<Fr>,
}

impl OrderTree {
    /// The tree over these leaves.
    #[must_use]
    pub fn new(leaves: &[Fr]) -> Self {
        let n = leaves.len();
        let mut nodes = vec![Fr::ZERO; n];
        nodes.extend(leaves);
        for j in (1..n).rev() {
            nodes[j] = compress(nodes[2 * j], nodes[2 * j + 1]);
        }
        Self { leaves: n, nodes }
    }

    /// Number of operations.
    #[must_use]
    pub fn operations(&self) -> u64 {
        self.leaves as u64
    }

    /// The root, if there is an operation.
    #[must_use]
    pub fn root(&self) -> Option<Fr> {
        self.nodes.get(1).copied()
    }

    /// The leaf at a position.
    #[must_use]
    pub fn leaf(&self, position: usize) -> Option<Fr> {
        self.nodes[self.leaves..].get(position).copied()
    }

    /// The siblings on the way from a position to the root, the lowest first.
    #[must_use]
    pub fn siblings(&self, position: usize) -> Option<Vec<Fr>> {
        self.leaf(position)?;
        let way = std::iter::successors(Some(self.leaves + position), |j| Some(j / 2));
        Some(way.take_while(|j| *j > 1).map(|j| self.nodes[j ^ 1]).collect())
    }
}

/// The last word of a batch in the chain: record counts of the four sections and number of operations.
#[must_use]
pub fn counts_word(counts: [u64; 4], operations: u64) -> Fr {
    packed_counts(counts) + Fr::from(operations) * field::pow2(OPERATIONS)
}

/// The number of operations in a word of counts; `None` if it is none.
#[must_use]
pub fn operations_of(counts: &Fr) -> Option<u64> {
    match counts.into_bigint().0 {
        [_, n, 0, 0] if n < 1 << 16 => Some(n),
        _ => None,
    }
}

/// Takes the chain over a batch: its root, if it has an operation, then its word of counts.
#[must_use]
pub fn next(c: Fr, root: Option<Fr>, counts: Fr) -> Fr {
    compress(root.map_or(c, |root| compress(c, root)), counts)
}

/// What the chain absorbs of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BatchOrder {
    /// Root of its tree; absent if it has no operation.
    #[serde(with = "field::serde_option_fr", default)]
    pub root: Option<Fr>,
    /// Its word of counts ([`counts_word`]).
    #[serde(with = "field::serde_fr")]
    pub counts: Fr,
}

/// A proof that an operation has its place in a proven block. What L1 holds of a block is a hash of its
/// sixteen public inputs, among them the chain's end `c_out`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InclusionProof {
    /// Number of the block.
    pub block: u64,
    /// The block's public inputs (section 7.3).
    #[serde(with = "field::serde_frs")]
    pub inputs: [Fr; COUNT],
    /// The batches before its own, in order: a value of the chain does not tell how many came before it.
    pub earlier: Vec<BatchOrder>,
    /// Batch of the block, from 0.
    pub batch: u32,
    /// The batch's word of counts ([`counts_word`]).
    #[serde(with = "field::serde_fr")]
    pub counts: Fr,
    /// Position in the batch, from 0.
    pub position: u32,
    /// The operation's leaf ([`leaf`]).
    #[serde(with = "field::serde_fr")]
    pub leaf: Fr,
    /// Siblings on the way to the batch's root, the lowest first.
    #[serde(with = "field::serde_frs")]
    pub siblings: Vec<Fr>,
    /// The batches behind it, in order.
    pub later: Vec<BatchOrder>,
}

/// Why a proof of inclusion shows nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OrderError {
    /// The proof names a place that the block does not have.
    #[error("there is no position {position} in batch {batch}: name one that is in the data")]
    NoPlace {
        /// The batch.
        batch: usize,
        /// The position.
        position: usize,
    },
    /// A word that is not that of counts.
    #[error("batch {batch}: {} is no word of counts, which is below 2^80", field::to_hex(counts))]
    Counts {
        /// The batch.
        batch: u64,
        /// The word.
        counts: Fr,
    },
    /// A position that the batch does not have.
    #[error("position {position}: batch {batch} has {operations} operations")]
    Position {
        /// The position.
        position: u32,
        /// The batch.
        batch: u32,
        /// Operations of the batch.
        operations: u64,
    },
    /// More or fewer siblings than the position's depth.
    #[error("{got} siblings, but the leaf is at depth {depth}")]
    Siblings {
        /// Siblings of the proof.
        got: usize,
        /// Depth of the leaf.
        depth: u32,
    },
    /// Another batch with operations and without a root, or the other way round.
    #[error(
        "batch {batch} has {operations} operations: it has a root if and only if there is one"
    )]
    Root {
        /// The batch.
        batch: u64,
        /// Operations of the batch.
        operations: u64,
    },
    /// Not all batches before its own are shown, or more.
    #[error("{got} batches are shown before batch {batch}, and there are {batch}")]
    Earlier {
        /// The batch.
        batch: u32,
        /// Batches of the proof before it.
        got: usize,
    },
    /// The chain ends elsewhere.
    #[error(
        "leads to {} and not to the block's c_out, {}: the operation is not at this place",
        field::to_hex(found),
        field::to_hex(c_out)
    )]
    Chain {
        /// Where it ends.
        found: Fr,
        /// What the block has.
        c_out: Fr,
    },
}

impl InclusionProof {
    /// The proof for an operation of a block, from the leaves and record counts of all its batches.
    ///
    /// # Errors
    /// [`OrderError::NoPlace`] for a place that does not exist, and those of [`Self::verify`] if the
    /// block's public inputs are of other data.
    pub fn build(
        block: u64,
        inputs: [Fr; COUNT],
        batches: &[(OrderTree, [u64; 4])],
        batch: usize,
        position: usize,
    ) -> Result<Self, OrderError> {
        let no_place = OrderError::NoPlace { batch, position };
        let order = |(tree, counts): &(OrderTree, [u64; 4])| BatchOrder {
            root: tree.root(),
            counts: counts_word(*counts, tree.operations()),
        };
        let found = batches
            .get(batch)
            .and_then(|(tree, _)| Some((tree.leaf(position)?, tree.siblings(position)?)));
        let (Some((leaf, siblings)), Ok(number), Ok(place)) =
            (found, u32::try_from(batch), u32::try_from(position))
        else {
            return Err(no_place);
        };
        let orders: Vec<BatchOrder> = batches.iter().map(order).collect();
        let (earlier, rest) = orders.split_at(batch);
        let Some((own, later)) = rest.split_first() else {
            return Err(no_place);
        };
        let proof = Self {
            block,
            inputs,
            earlier: earlier.to_vec(),
            batch: number,
            counts: own.counts,
            position: place,
            leaf,
            siblings,
            later: later.to_vec(),
        };
        proof.verify()?;
        Ok(proof)
    }

    /// Checks that the leaf is at its place under the `c_out` of the public inputs.
    ///
    /// It remains to check, with what L1 holds, that these are the block's public inputs.
    ///
    /// # Errors
    /// [`OrderError`] says what does not fit.
    pub fn verify(&self) -> Result<(), OrderError> {
        let Self { batch, position, .. } = *self;
        let operations_in = |batch: u64, counts: Fr| {
            operations_of(&counts).ok_or(OrderError::Counts { batch, counts })
        };
        let operations = operations_in(batch.into(), self.counts)?;
        if u64::from(position) >= operations {
            return Err(OrderError::Position { position, batch, operations });
        }
        if self.earlier.len() as u64 != u64::from(batch) {
            return Err(OrderError::Earlier { batch, got: self.earlier.len() });
        }
        let place = operations + u64::from(position);
        let depth = place.ilog2();
        if self.siblings.len() as u64 != u64::from(depth) {
            return Err(OrderError::Siblings { got: self.siblings.len(), depth });
        }
        let root = self.root(operations);
        let own = BatchOrder { root: Some(root), counts: self.counts };
        let mut found = chain_start();
        let all = self.earlier.iter().chain([&own]).chain(&self.later);
        for (batch, order) in (0_u64..).zip(all) {
            let operations = operations_in(batch, order.counts)?;
            if (operations == 0) != order.root.is_none() {
                return Err(OrderError::Root { batch, operations });
            }
            found = next(found, order.root, order.counts);
        }
        let c_out = PublicInputs::from_array(self.inputs).c_out;
        if found != c_out {
            return Err(OrderError::Chain { found, c_out });
        }
        Ok(())
    }

    /// Where leaf and siblings lead in a tree of so many operations.
    fn root(&self, operations: u64) -> Fr {
        let place = operations + u64::from(self.position);
        let levels = self.siblings.iter().enumerate();
        levels.fold(self.leaf, |node, (level, sibling)| match (place >> level.min(63)) & 1 {
            0 => compress(node, *sibling),
            _ => compress(*sibling, node),
        })
    }

    /// All batches of the block, in order; its own with the root to which leaf and siblings lead.
    ///
    /// # Errors
    /// [`OrderError::Counts`] if its own word of counts is none.
    pub fn batches(&self) -> Result<Vec<BatchOrder>, OrderError> {
        let counts = self.counts;
        let operations = operations_of(&counts)
            .ok_or(OrderError::Counts { batch: self.batch.into(), counts })?;
        let own = BatchOrder { root: Some(self.root(operations)), counts };
        Ok(self.earlier.iter().chain([&own]).chain(&self.later).copied().collect())
    }
}

#[cfg(test)]
mod tests;
