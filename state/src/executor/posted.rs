//! What executed operations post (protocol section 6).

use bastion_protocol::data::BatchData;
use bastion_protocol::ops::Op;
use bastion_protocol::order::{self, counts_word, OrderTree};
use bastion_protocol::records::{owner_record, ExitRecord, L1Record, Section, Word};
use bastion_protocol::{Address, Fr};

use super::OpTrace;

impl OpTrace {
    /// The exit record, if the operation leaves.
    #[must_use]
    pub fn exit_record(&self) -> Option<ExitRecord> {
        let limiter = self.limiter?;
        let to = match &self.op {
            Op::ForcedExit(f) => f.exit,
            Op::Signed(s) => s.body.action.leaves_to()?,
            Op::Deposit(_) | Op::Noop => return None,
        };
        Some(ExitRecord {
            to,
            token: limiter.token,
            release_time: limiter.release_time,
            amount: self.amount,
            index: self.accesses[0].map_or(0, |a| a.index),
        })
    }

    /// The records by section, in the order in which the leaf has their words.
    #[must_use]
    pub fn records(&self) -> Vec<(Section, Vec<u8>)> {
        let index = self.accesses[0].map_or(0, |a| a.index);
        let mut out = Vec::new();
        if let Some(record) = L1Record::of(&self.op, index) {
            out.push((Section::L1, record.to_bytes()));
        }
        if let Op::Signed(s) = &self.op {
            let exit = self.opening.map_or(Address([0; 20]), |(_, exit)| exit);
            // The executor encoded it before: an operation that it refused has no trace.
            if let Ok(wire) = s.body.wire(exit) {
                let created = self.accesses[1].map_or(0, |a| a.index);
                let record = wire.record(index, s.body.posted_to(created));
                out.push((Section::L2, record.to_bytes()));
                if let Some(opening) = s.body.new_owner(exit) {
                    out.push((Section::Owners, owner_record(&opening)));
                }
            }
        }
        if let Some(exit) = self.exit_record() {
            out.push((Section::Exits, exit.to_bytes()));
        }
        out
    }

    /// The leaf of the order tree; a Noop has none.
    #[must_use]
    pub fn leaf(&self) -> Option<Fr> {
        order::leaf(self.words().into_iter().map(|(_, word)| word.to_fr()))
    }

    /// The posted words, in the order of the leaf.
    #[must_use]
    pub fn words(&self) -> Vec<(Section, Word)> {
        let records = self.records().into_iter();
        let words = |(section, record): (Section, Vec<u8>)| {
            let words = section.split(&record).into_iter();
            words.map(move |word| (section, word))
        };
        records.flat_map(words).collect()
    }
}

/// The data of executed operations.
#[must_use]
pub fn posted_data(ops: &[OpTrace]) -> BatchData {
    let mut data = BatchData::default();
    for (section, record) in ops.iter().flat_map(OpTrace::records) {
        data.records[section as usize].push(record);
    }
    data
}

/// The order chain after a batch (protocol section 6.3).
#[must_use]
pub fn order_chain(c_in: Fr, ops: &[OpTrace]) -> Fr {
    let tree = order_tree(ops);
    let counts = counts_word(posted_data(ops).counts(), tree.operations());
    order::next(c_in, tree.root(), counts)
}

/// The tree over the operations of a batch.
#[must_use]
pub fn order_tree(ops: &[OpTrace]) -> OrderTree {
    let leaves: Vec<Fr> = ops.iter().filter_map(OpTrace::leaf).collect();
    OrderTree::new(&leaves)
}
