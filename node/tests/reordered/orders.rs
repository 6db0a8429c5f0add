//! Other orders of a block's operations, as a dishonest operator would post them.

use std::collections::HashSet;

use bastion_node::block::Block;
use bastion_protocol::data::{chain_start, BatchData};
use bastion_protocol::order::{counts_word, leaf_of, next, OrderTree};
use bastion_protocol::records::Section;
use bastion_protocol::{Fr, Kind};
use rand::rngs::StdRng;

use crate::changes::Change;

/// An operation as it is posted.
#[derive(Clone, PartialEq, Eq)]
pub struct Posted {
    pub kind: Kind,
    /// Its records, in the order in which the leaf has their words.
    pub records: Vec<(Section, Vec<u8>)>,
    /// Batch and position in the proven block.
    pub place: (usize, usize),
}

impl Posted {
    pub fn is_request(&self) -> bool {
        self.records[0].0 == Section::L1
    }
}

pub type Batches = Vec<Vec<Posted>>;

/// The operations of a block.
pub fn posted(block: &Block) -> Batches {
    let batches = block.batches.iter().enumerate();
    let batch = batches.map(|(batch, trace)| {
        let ops = trace.ops.iter().filter(|op| !op.records().is_empty()).enumerate();
        let place = |(position, op): (usize, &bastion_state::executor::OpTrace)| Posted {
            kind: op.kind,
            records: op.records(),
            place: (batch, position),
        };
        ops.map(place).collect()
    });
    batch.collect()
}

/// What operations in this order post.
pub fn data(batches: &Batches) -> Vec<u8> {
    let bytes = batches.iter().flat_map(|ops| data_of(ops).to_bytes());
    bytes.collect()
}

fn data_of(ops: &[Posted]) -> BatchData {
    let mut data = BatchData::default();
    for (section, record) in ops.iter().flat_map(|op| &op.records) {
        data.records[*section as usize].push(record.clone());
    }
    data
}

/// The order chain over operations in this order: the `c_out` of their block.
pub fn chain(batches: &Batches) -> Fr {
    batches.iter().fold(chain_start(), |c, ops| {
        let records = ops.iter().map(|op| op.records.iter().map(|(_, bytes)| bytes.as_slice()));
        let leaves: Vec<Fr> = records.map(|records| leaf_of(records).unwrap()).collect();
        let counts = counts_word(data_of(ops).counts(), leaves.len() as u64);
        next(c, OrderTree::new(&leaves).root(), counts)
    })
}

/// Draws other orders of a block, each one once.
pub struct Orders {
    pub honest: Batches,
    seen: HashSet<Vec<u8>>,
    rng: StdRng,
    /// Drawn and left out: equal to the block, or to an order that was drawn before.
    pub equal: usize,
}

/// So often a change is drawn alone; a kind of change that is used up is made on a permutation of the block.
const TRIES: usize = 20;

impl Orders {
    pub fn new(block: &Block, rng: StdRng) -> Self {
        let honest = posted(block);
        assert!(data(&honest) == block.data && chain(&honest) == block.header.c_out);
        Self { seen: [data(&honest)].into(), honest, rng, equal: 0 }
    }

    /// An order that was not drawn before, and what it posts.
    pub fn draw(&mut self, change: Change) -> (Batches, Vec<u8>) {
        for attempt in 0..10_000 {
            let mut batches = self.honest.clone();
            for _ in 0..attempt / TRIES {
                Change::Permute.apply(&mut batches, &mut self.rng);
            }
            change.apply(&mut batches, &mut self.rng);
            let bytes = data(&batches);
            if self.seen.insert(bytes.clone()) {
                return (batches, bytes);
            }
            self.equal += 1;
        }
        panic!("no other order by {change:?}")
    }

    /// The positions in the proven block of each batch's operations, if no batch has others than its own.
    pub fn permutation(&self, batches: &Batches) -> Option<Vec<Vec<usize>>> {
        let mut found = Vec::new();
        for (batch, ops) in batches.iter().enumerate() {
            let own = |op: &Posted| {
                let (of, position) = op.place;
                (of == batch && self.honest[of][position] == *op).then_some(position)
            };
            let positions: Vec<usize> = ops.iter().map(own).collect::<Option<_>>()?;
            let different: HashSet<_> = positions.iter().collect();
            if different.len() != self.honest[batch].len() || positions.len() != different.len() {
                return None;
            }
            found.push(positions);
        }
        Some(found)
    }
}
