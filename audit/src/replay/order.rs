//! The order of operations: leaves, trees and their chain, computed anew from the protocol (6.3).

use bastion_protocol::hash::compress;
use bastion_protocol::records::Section;
use bastion_protocol::{field, Fr};

/// The leaves of a batch's operations, in order, and its record counts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BatchLeaves {
    /// A leaf for each operation.
    pub leaves: Vec<Fr>,
    /// Records of the four sections.
    pub counts: [u64; 4],
}

/// The order of operations in a block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlockOrder {
    /// The chain over its batches: the block's `c_out`.
    pub chain: Fr,
    /// Its batches.
    pub batches: Vec<BatchLeaves>,
}

/// The order so far.
#[derive(Debug, Clone)]
pub(super) struct Order {
    block: BlockOrder,
    /// Leaves of the batch that is being applied.
    leaves: Vec<Fr>,
    /// Words of the operation that is being applied, hashed.
    words: Option<Fr>,
}

impl Default for Order {
    fn default() -> Self {
        let block = BlockOrder { chain: Fr::from(0u64), batches: Vec::new() };
        Self { block, leaves: Vec::new(), words: None }
    }
}

impl Order {
    /// Takes the words of a record into the leaf of the operation.
    pub(super) fn absorb(&mut self, section: Section, record: &[u8]) {
        let mut rest = record;
        for len in section.words() {
            let (word, tail) = rest.split_at((*len).min(rest.len()));
            let mut wide = [0; 32];
            for (to, from) in wide.iter_mut().rev().zip(word.iter().rev()) {
                *to = *from;
            }
            let word = field::reduce(&wide);
            self.words = Some(match self.words {
                None => word,
                Some(leaf) => compress(leaf, word),
            });
            rest = tail;
        }
    }

    /// The operation has no more words.
    pub(super) fn end_operation(&mut self) {
        self.leaves.extend(self.words.take());
    }

    /// The batch has no more operations.
    pub(super) fn end_batch(&mut self, counts: [u64; 4]) {
        let leaves = std::mem::take(&mut self.leaves);
        if !leaves.is_empty() {
            self.block.chain = compress(self.block.chain, subtree(&leaves, 1));
        }
        // Counts of two bytes each, the first one lowest, and above them the number of operations.
        let mut word = [0; 32];
        for (i, n) in counts.into_iter().enumerate() {
            let [.., high, low] = n.to_be_bytes();
            (word[30 - 2 * i], word[31 - 2 * i]) = (high, low);
        }
        word[16..24].copy_from_slice(&(leaves.len() as u64).to_be_bytes());
        self.block.chain = compress(self.block.chain, field::reduce(&word));
        self.block.batches.push(BatchLeaves { leaves, counts });
    }

    /// The block has no more batches: the next one starts anew.
    pub(super) fn end_block(&mut self) -> BlockOrder {
        std::mem::take(self).block
    }
}

/// The node with this number: leaves are the nodes from their number on.
fn subtree(leaves: &[Fr], number: usize) -> Fr {
    match number.checked_sub(leaves.len()).and_then(|place| leaves.get(place)) {
        Some(leaf) => *leaf,
        None => compress(subtree(leaves, 2 * number), subtree(leaves, 2 * number + 1)),
    }
}
