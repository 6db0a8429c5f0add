//! What executed operations post (protocol section 6).

use bastion_protocol::data::{packed_counts, BatchData};
use bastion_protocol::hash::compress;
use bastion_protocol::ops::Op;
use bastion_protocol::records::{owner_record, value_record, ExitRecord, L1Record, Section, Word};
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
            Op::Deposit(_) | Op::Quote(_) | Op::Noop => return None,
        };
        Some(ExitRecord {
            to,
            token: limiter.token,
            release_time: limiter.release_time,
            amount: self.amount,
            index: self.accesses[0].map_or(0, |a| a.index),
        })
    }

    /// The records by section, in the order in which their words are chained.
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
                let value = s.body.value_word().map(value_record);
                out.extend(value.map(|record| (Section::L2, record)));
                if let Some(opening) = s.body.new_owner(exit) {
                    out.push((Section::Owners, owner_record(&opening)));
                }
            }
        }
        if let Op::Quote(quote) = &self.op {
            out.push((Section::L2, quote.record().to_bytes()));
            out.push((Section::L2, value_record(quote.value)));
        }
        if let Some(exit) = self.exit_record() {
            out.push((Section::Exits, exit.to_bytes()));
        }
        out
    }

    /// The posted words, in the order of the word chain.
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

/// The word chain after the operations of a batch: all their words, then the packed counts.
#[must_use]
pub fn word_chain(c_in: Fr, ops: &[OpTrace]) -> Fr {
    let words = ops.iter().flat_map(OpTrace::words);
    let chain = words.fold(c_in, |c, (_, word)| compress(c, word.to_fr()));
    compress(chain, packed_counts(posted_data(ops).counts()))
}
