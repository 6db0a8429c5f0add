//! Posted data of batches: sections of records, and the polynomial over their words (protocol
//! section 6).

use ark_ff::{AdditiveGroup, Field};
use serde::{Deserialize, Serialize};

use crate::records::Section;
use crate::{field, Fr, ProtocolError};

/// Most bytes of a block's calldata that the contract takes (section 10.4).
pub const MAX_DATA: usize = 262_144;
/// Bytes of a batch's counts (section 6.2).
pub const COUNTS_LEN: usize = 8;

/// Value of the order chain before a block's first batch.
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

/// Where the L2 and owner records of a block are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DataMode {
    /// In calldata, as all others: the word polynomial is over all four sections.
    Calldata,
    /// In a blob ([`crate::blob`]): the word polynomial is over L1 records and exits alone.
    Blob,
}

impl std::fmt::Display for DataMode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Calldata => "calldata",
            Self::Blob => "blob",
        })
    }
}

impl std::str::FromStr for DataMode {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let modes = [Self::Calldata, Self::Blob];
        let found = modes.into_iter().find(|mode| mode.to_string() == text);
        found.ok_or_else(|| format!("{text:?} is no data mode: blob or calldata"))
    }
}

impl DataMode {
    /// The public input that says so.
    #[must_use]
    pub fn flag(self) -> u64 {
        match self {
            Self::Calldata => 0,
            Self::Blob => 1,
        }
    }

    /// Whether calldata hold the records of a section.
    #[must_use]
    pub fn has_in_calldata(self, section: Section) -> bool {
        self == Self::Calldata || matches!(section, Section::L1 | Section::Exits)
    }

    /// The values of the sections, by what is in calldata; 0 for what is not.
    #[must_use]
    pub fn in_calldata(self, sections: [Fr; 4]) -> [Fr; 4] {
        let [l1, l2, exits, owners] = sections;
        match self {
            Self::Calldata => [l1, l2, exits, owners],
            Self::Blob => [l1, Fr::ZERO, exits, Fr::ZERO],
        }
    }
}

/// The data of one batch.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BatchData {
    /// Records of each section.
    pub records: [Vec<Vec<u8>>; 4],
}

impl BatchData {
    /// Records of a section.
    #[must_use]
    pub fn section(&self, section: Section) -> &[Vec<u8>] {
        &self.records[section as usize]
    }

    /// Number of records of each section.
    #[must_use]
    pub fn counts(&self) -> [u64; 4] {
        [0, 1, 2, 3].map(|s| self.records[s].len() as u64)
    }

    /// The posted bytes, if all is in calldata.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        self.to_bytes_in(DataMode::Calldata)
    }

    /// The bytes in calldata: the counts of all sections, and the records of those that are there.
    #[must_use]
    pub fn to_bytes_in(&self, mode: DataMode) -> Vec<u8> {
        let mut out = Vec::new();
        for count in self.counts() {
            out.extend((count as u16).to_be_bytes());
        }
        for section in Section::ALL.into_iter().filter(|s| mode.has_in_calldata(*s)) {
            self.section(section).iter().for_each(|record| out.extend(record));
        }
        out
    }

    /// Reads one batch, all in calldata, from the front of `bytes` and moves on.
    ///
    /// # Errors
    /// [`ProtocolError::Malformed`] if the bytes end too early, [`ProtocolError::NotCanonical`] for
    /// words of at least `p`.
    pub fn read(bytes: &mut &[u8]) -> Result<Self, ProtocolError> {
        Ok(Self::read_in(DataMode::Calldata, bytes)?.1)
    }

    /// The same for a mode: all counts, and the records that are in calldata.
    pub(crate) fn read_in(
        mode: DataMode,
        bytes: &mut &[u8],
    ) -> Result<([u64; 4], Self), ProtocolError> {
        let short = |what| ProtocolError::Malformed {
            what: "posted data",
            why: format!("ends inside {what}"),
        };
        let (head, mut rest) = bytes.split_at_checked(8).ok_or_else(|| short("the counts"))?;
        let mut data = Self::default();
        let mut counts = [0; 4];
        for (section, count) in Section::ALL.into_iter().zip(head.chunks_exact(2)) {
            let count = u16::from_be_bytes([count[0], count[1]]);
            counts[section as usize] = u64::from(count);
            if !mode.has_in_calldata(section) {
                continue;
            }
            for _ in 0..count {
                let (record, tail) =
                    rest.split_at_checked(section.record_len()).ok_or_else(|| short("a record"))?;
                for word in section.split(record) {
                    if let Ok(wide) = <&[u8; 32]>::try_from(word.bytes.as_slice()) {
                        field::from_bytes("posted word", wide)?;
                    }
                }
                data.records[section as usize].push(record.to_vec());
                rest = tail;
            }
        }
        *bytes = rest;
        Ok((counts, data))
    }

    /// The value of the batch's word polynomials at `r`, on top of `y_in`, if all is in calldata.
    #[must_use]
    pub fn evaluate(&self, y_in: Fr, r: Fr) -> Fr {
        self.evaluate_in(DataMode::Calldata, y_in, r)
    }

    /// The value of the batch's word polynomials at `r`, on top of `y_in`.
    #[must_use]
    pub fn evaluate_in(&self, mode: DataMode, y_in: Fr, r: Fr) -> Fr {
        self.evaluate_counted(mode, self.counts(), y_in, r)
    }

    /// The same with the counts of the whole batch, of which this may be the part in calldata alone.
    pub(crate) fn evaluate_counted(&self, mode: DataMode, counts: [u64; 4], y_in: Fr, r: Fr) -> Fr {
        let sections = Section::ALL.map(|s| {
            let words = self.section(s).iter().flat_map(|record| s.split(record));
            words.fold(Fr::ZERO, |y, word| y * r + word.to_fr())
        });
        batch_polynomial(y_in, r, mode.in_calldata(sections), counts)
    }
}

/// Reads the data of all `count` batches of a block.
///
/// # Errors
/// Those of [`BatchData::read`], and [`ProtocolError::Length`] for bytes after the last batch.
pub fn read_batches(data: &[u8], count: u32) -> Result<Vec<BatchData>, ProtocolError> {
    read_all(data, count, BatchData::read)
}

/// Reads the data of all `count` batches of a block, each by `read`.
pub(crate) fn read_all<T>(
    data: &[u8],
    count: u32,
    read: impl Fn(&mut &[u8]) -> Result<T, ProtocolError>,
) -> Result<Vec<T>, ProtocolError> {
    let mut rest = data;
    let batches = (0..count).map(|_| read(&mut rest)).collect();
    match rest.len() {
        0 => batches,
        _ if batches.is_err() => batches,
        left => Err(ProtocolError::Length {
            what: "posted data",
            expected: data.len() - left,
            got: data.len(),
        }),
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
    counts.iter().enumerate().map(|(i, n)| Fr::from(*n) * field::pow2(16 * i as u64)).sum()
}
