//! Posted data: words, their chain and polynomial, sections, queue and exits (protocol sections 6
//! and 8).

use ark_ff::{AdditiveGroup, Field};
use serde::{Deserialize, Serialize};
use sha3::{Digest, Keccak256};

use crate::executor::OpTrace;
use crate::hash::compress;
use crate::ops::Op;
use crate::{field, Address, Fr, Index, StateError, Token};

/// The four sections of a batch's data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Section {
    /// L1 operations.
    L1,
    /// Signed operations.
    L2,
    /// Exits.
    Exits,
    /// New owners.
    Owners,
}

impl Section {
    /// All sections in their order.
    pub const ALL: [Self; 4] = [Self::L1, Self::L2, Self::Exits, Self::Owners];

    /// Widths in bytes of the words of a record.
    #[must_use]
    pub fn words(self) -> &'static [usize] {
        match self {
            Self::L1 => &[23, 32, 20],
            Self::L2 => &[15],
            Self::Exits => &[27, 20],
            Self::Owners => &[32, 20],
        }
    }

    /// Bytes of a record.
    #[must_use]
    pub fn record_len(self) -> usize {
        self.words().iter().sum()
    }
}

/// Value of the word chain before a block's first batch.
#[must_use]
pub fn chain_start() -> Fr {
    Fr::ZERO
}

/// Value of the word polynomial before a block's first batch. It is not 0, so that every batch of a
/// block counts, leading empty ones too.
#[must_use]
pub fn polynomial_start() -> Fr {
    Fr::ONE
}

/// A posted word: an integer of its width, below `p`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    /// Big-endian bytes.
    pub bytes: Vec<u8>,
}

impl Word {
    /// The word as an element.
    #[must_use]
    pub fn to_fr(&self) -> Fr {
        let mut wide = [0u8; 32];
        wide[32 - self.bytes.len()..].copy_from_slice(&self.bytes);
        field::reduce(&wide)
    }
}

/// keccak256 of the concatenation.
#[must_use]
pub fn keccak(parts: &[&[u8]]) -> [u8; 32] {
    let mut hasher = Keccak256::new();
    for part in parts {
        hasher.update(part);
    }
    hasher.finalize().into()
}

fn uint<const N: usize>(x: u128) -> [u8; N] {
    let bytes = x.to_be_bytes();
    let mut out = [0; N];
    let n = N.min(16);
    out[N - n..].copy_from_slice(&bytes[16 - n..]);
    out
}

/// The L1 record of a deposit or forced exit; `index` is the credited account of a deposit.
#[must_use]
pub fn l1_record(op: &Op, index: Index) -> Option<Vec<u8>> {
    let (kind, token, amount, keyhash, exit) = match op {
        Op::Deposit(d) => (1, d.token, d.amount, d.keyhash, d.exit),
        Op::ForcedExit(f) => (2, f.token, 0, Fr::ZERO, f.exit),
        _ => return None,
    };
    let mut out = vec![kind];
    out.extend(token.to_be_bytes());
    out.extend(index.to_be_bytes());
    out.extend(amount.to_be_bytes());
    out.extend(field::to_bytes(&keyhash));
    out.extend(exit.0);
    Some(out)
}

/// An exit as it is posted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExitRecord {
    /// Who gets it on L1.
    pub to: Address,
    /// Token.
    pub token: Token,
    /// From when on.
    pub release_time: u64,
    /// Amount.
    #[serde(with = "crate::field::serde_decimal")]
    pub amount: u128,
    /// Account it left.
    pub index: Index,
}

impl ExitRecord {
    /// The 47 posted bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = self.to.0.to_vec();
        out.extend(self.token.to_be_bytes());
        out.extend(uint::<5>(u128::from(self.release_time)));
        out.extend(self.amount.to_be_bytes());
        out.extend(self.index.to_be_bytes());
        out
    }
}

impl OpTrace {
    /// The exit record, if the operation leaves.
    #[must_use]
    pub fn exit_record(&self) -> Option<ExitRecord> {
        let limiter = self.limiter?;
        let to = match &self.op {
            Op::ForcedExit(f) => f.exit,
            Op::Signed(s) => match s.body.action {
                crate::ops::Action::Withdraw { to, .. } => to,
                _ => return None,
            },
            _ => return None,
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
        if let Some(record) = l1_record(&self.op, index) {
            out.push((Section::L1, record));
        }
        if let Op::Signed(s) = &self.op {
            let exit = self.opening.map_or(Address([0; 20]), |(_, exit)| exit);
            // The executor encoded it before: an operation that it refused has no trace.
            if let Ok(wire) = s.body.wire(exit) {
                let created = self.accesses[1].map_or(0, |a| a.index);
                let word = wire.l2word_int(index, s.body.posted_to(created));
                out.push((Section::L2, uint::<15>(word).to_vec()));
                if self.kind.writes_owner() {
                    let mut record = field::to_bytes(&wire.x[0]).to_vec();
                    record.extend(&field::to_bytes(&wire.x[1])[12..]);
                    out.push((Section::Owners, record));
                }
            }
        }
        if let Some(exit) = self.exit_record() {
            out.push((Section::Exits, exit.to_bytes()));
        }
        out
    }
}

/// The words of an operation in the order of the word chain.
#[must_use]
pub fn words(trace: &OpTrace) -> Vec<(Section, Word)> {
    trace
        .records()
        .into_iter()
        .flat_map(|(section, record)| {
            split(section, &record)
                .into_iter()
                .map(move |word| (section, word))
        })
        .collect()
}

fn split(section: Section, record: &[u8]) -> Vec<Word> {
    let mut rest = record;
    section
        .words()
        .iter()
        .map(|len| {
            let (word, tail) = rest.split_at((*len).min(rest.len()));
            rest = tail;
            Word {
                bytes: word.to_vec(),
            }
        })
        .collect()
}

/// The data of one batch.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BatchData {
    /// Records of each section.
    pub records: [Vec<Vec<u8>>; 4],
}

impl BatchData {
    /// The data of executed operations.
    #[must_use]
    pub fn of(ops: &[OpTrace]) -> Self {
        let mut data = Self::default();
        for (section, record) in ops.iter().flat_map(OpTrace::records) {
            data.records[section as usize].push(record);
        }
        data
    }

    /// Records of each section.
    #[must_use]
    pub fn counts(&self) -> [u64; 4] {
        [0, 1, 2, 3].map(|s| self.records[s].len() as u64)
    }

    /// The posted bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::new();
        for count in self.counts() {
            out.extend((count as u16).to_be_bytes());
        }
        for record in self.records.iter().flatten() {
            out.extend(record);
        }
        out
    }

    /// Reads one batch from the front of `bytes` and moves on.
    ///
    /// # Errors
    /// [`StateError::Malformed`] if the bytes end too early, [`StateError::NotCanonical`] for words
    /// of at least `p`.
    pub fn read(bytes: &mut &[u8]) -> Result<Self, StateError> {
        let short = |what| StateError::Malformed {
            what: "posted data",
            why: format!("ends inside {what}"),
        };
        let (head, mut rest) = bytes
            .split_at_checked(8)
            .ok_or_else(|| short("the counts"))?;
        let mut data = Self::default();
        for (section, count) in Section::ALL.into_iter().zip(head.chunks_exact(2)) {
            let count = u16::from_be_bytes([count[0], count[1]]);
            for _ in 0..count {
                let (record, tail) = rest
                    .split_at_checked(section.record_len())
                    .ok_or_else(|| short("a record"))?;
                for word in split(section, record) {
                    if let Ok(wide) = <&[u8; 32]>::try_from(word.bytes.as_slice()) {
                        field::from_bytes("posted word", wide)?;
                    }
                }
                data.records[section as usize].push(record.to_vec());
                rest = tail;
            }
        }
        *bytes = rest;
        Ok(data)
    }

    /// The value of the batch's word polynomials at `r`, on top of `y_in`.
    #[must_use]
    pub fn evaluate(&self, y_in: Fr, r: Fr) -> Fr {
        let sections = Section::ALL.map(|s| {
            self.records[s as usize]
                .iter()
                .flat_map(|record| split(s, record))
                .fold(Fr::ZERO, |y, word| y * r + word.to_fr())
        });
        batch_polynomial(y_in, r, sections, self.counts())
    }
}

/// `y rho^5 + Y_4 rho^4 + .. + Y_1 rho + counts`, `rho = r^65536`.
#[must_use]
pub fn batch_polynomial(y_in: Fr, r: Fr, sections: [Fr; 4], counts: [u64; 4]) -> Fr {
    let rho = r.pow([1 << 16]);
    let folded = sections.iter().rev().fold(y_in, |y, s| y * rho + s);
    folded * rho + packed_counts(counts)
}

/// `n_l1 + n_l2 2^16 + n_exits 2^32 + n_owners 2^48`.
#[must_use]
pub fn packed_counts(counts: [u64; 4]) -> Fr {
    counts
        .iter()
        .enumerate()
        .map(|(i, n)| Fr::from(*n) * field::pow2(16 * i as u64))
        .sum()
}

/// The word chain after the operations of a batch: all their words, then the packed counts.
#[must_use]
pub fn word_chain(c_in: Fr, ops: &[OpTrace]) -> Fr {
    let words = ops
        .iter()
        .flat_map(words)
        .fold(c_in, |c, (_, word)| compress(c, word.to_fr()));
    compress(words, packed_counts(BatchData::of(ops).counts()))
}

/// `keccak256("bastion.domain.v1" || chain id || contract) mod p`.
#[must_use]
pub fn domain(chain_id: u64, contract: Address) -> Fr {
    field::reduce(&keccak(&[
        b"bastion.domain.v1",
        &uint::<32>(u128::from(chain_id)),
        &contract.0,
    ]))
}

/// What the evaluation point of a block binds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Binding {
    /// Chain and contract.
    pub domain: Fr,
    /// State root before.
    pub old_root: Fr,
    /// State root after.
    pub new_root: Fr,
    /// Policy.
    pub policy_root: Fr,
    /// Time.
    pub time: u64,
    /// Word chain after the block.
    pub c_out: Fr,
}

impl Binding {
    /// The evaluation point `r` for posted data.
    #[must_use]
    pub fn challenge(&self, data: &[u8]) -> Fr {
        field::reduce(&keccak(&[
            b"bastion.r.v1",
            &field::to_bytes(&self.domain),
            &field::to_bytes(&self.old_root),
            &field::to_bytes(&self.new_root),
            &field::to_bytes(&self.policy_root),
            &uint::<32>(u128::from(self.time)),
            &field::to_bytes(&self.c_out),
            &keccak(&[data]),
        ]))
    }
}

/// One step of the queue's rolling hash.
#[must_use]
pub fn roll_queue(roll: [u8; 32], op: &Op) -> [u8; 32] {
    let index = match op {
        Op::ForcedExit(f) => f.index,
        _ => 0,
    };
    match l1_record(op, index) {
        Some(record) => keccak(&[&roll, &record]),
        None => roll,
    }
}

/// Levels of the exit tree, leaves first.
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
