//! What calldata tell of a block whose blobs hold the rest.
//!
//! Each batch has its four counts, as with all data in calldata, then its L1 records, then its exits.

use super::layout::{decode, groups, BlobRecords};
use super::{blobs_for, BlobError, Scalar, GROUP};
use crate::data::{polynomial_start, read_all, BatchData, DataMode};
use crate::records::Section;
use crate::{Fr, ProtocolError};

/// The calldata of a block with blobs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Posted {
    /// Numbers of records of each batch, those in blobs included.
    pub counts: Vec<[u64; 4]>,
    /// L1 records and exits of each batch.
    batches: Vec<BatchData>,
}

impl Posted {
    /// The calldata of a block's batches.
    #[must_use]
    pub fn to_bytes(batches: &[BatchData]) -> Vec<u8> {
        batches.iter().flat_map(|batch| batch.to_bytes_in(DataMode::Blob)).collect()
    }

    /// Reads the calldata of a block of `batches` batches.
    ///
    /// # Errors
    /// As [`crate::data::read_batches`].
    pub fn read(data: &[u8], batches: u32) -> Result<Self, ProtocolError> {
        let read = read_all(data, batches, |bytes| BatchData::read_in(DataMode::Blob, bytes))?;
        let (counts, batches) = read.into_iter().unzip();
        Ok(Self { counts, batches })
    }

    /// What calldata hold of the batches: L1 records and exits.
    #[must_use]
    pub fn batches(&self) -> &[BatchData] {
        &self.batches
    }

    /// Elements that the batches take in the blobs.
    #[must_use]
    pub fn elements(&self) -> u64 {
        let groups = self.counts.iter().fold(0u64, |sum, c| sum.saturating_add(groups(*c)));
        groups.saturating_mul(GROUP as u64)
    }

    /// Requires as many blobs as the batches take.
    ///
    /// # Errors
    /// [`BlobError::Blobs`].
    pub fn require_blobs(&self, got: usize) -> Result<(), BlobError> {
        let needed = blobs_for(self.elements());
        match needed == got as u64 {
            true => Ok(()),
            false => Err(BlobError::Blobs { needed, got }),
        }
    }

    /// The value of the word polynomial at `r` (section 6.4): calldata give it, no blob is needed.
    #[must_use]
    pub fn polynomial(&self, r: Fr) -> Fr {
        let both = self.batches.iter().zip(&self.counts);
        both.fold(polynomial_start(), |y, (batch, counts)| {
            batch.evaluate_counted(DataMode::Blob, *counts, y, r)
        })
    }

    /// The batches, with what the blobs of these coefficients hold of them.
    ///
    /// # Errors
    /// As [`decode`].
    pub fn complete(self, coefficients: &[Scalar]) -> Result<Vec<BatchData>, BlobError> {
        let found = decode(coefficients, &self.counts)?;
        let both = self.batches.into_iter().zip(found);
        Ok(both
            .map(|(mut batch, BlobRecords { l2, owners })| {
                batch.records[Section::L2 as usize] = l2;
                batch.records[Section::Owners as usize] = owners;
                batch
            })
            .collect())
    }
}

#[cfg(test)]
mod tests {
    use super::super::coefficients;
    use super::*;

    /// Records of each section, of the section's length, which begin with 0 so that key hashes are below `p`.
    fn batch(counts: [usize; 4], fill: u8) -> BatchData {
        let record = |section: Section| [vec![0], vec![fill; section.record_len() - 1]].concat();
        BatchData { records: Section::ALL.map(|s| vec![record(s); counts[s as usize]]) }
    }

    #[test]
    fn calldata_and_blob_make_the_batches() {
        let batches = [batch([2, 40, 1, 3], 7), batch([0; 4], 0), batch([1, 0, 1, 0], 9)];
        let data = Posted::to_bytes(&batches);
        let [l1, _, exit, _] = Section::ALL.map(Section::record_len);
        assert_eq!(data.len(), 3 * 8 + 3 * l1 + 2 * exit);
        assert_eq!(data[..8], [0, 2, 0, 40, 0, 1, 0, 3]);
        assert_eq!(data[8..8 + l1], batches[0].section(Section::L1)[0]);
        let posted = Posted::read(&data, 3).unwrap();
        assert_eq!(posted.counts, batches.clone().map(|b| b.counts()));
        let coefficients = coefficients(&batches).unwrap();
        assert_eq!(posted.elements(), coefficients.len() as u64);
        assert_eq!(posted.clone().complete(&coefficients).unwrap(), batches);
        let r = Fr::from(12_345u64);
        let in_blob = |y, batch: &BatchData| batch.evaluate_in(DataMode::Blob, y, r);
        assert_eq!(posted.polynomial(r), batches.iter().fold(polynomial_start(), in_blob));
        let short = BlobError::Short { needed: 32, got: 31 };
        assert_eq!(posted.complete(&coefficients[..31]), Err(short));
    }

    #[test]
    fn a_block_has_as_many_blobs_as_its_batches_take() {
        for (slots, needed) in [(0, 1), (1, 1), (8_192, 1), (8_193, 2), (16_384, 2), (49_152, 6)] {
            let posted = Posted { counts: vec![[0, slots, 0, 0]], batches: Vec::new() };
            for got in 0..8 {
                let expected = match got as u64 == needed {
                    true => Ok(()),
                    false => Err(BlobError::Blobs { needed, got }),
                };
                assert_eq!(posted.require_blobs(got), expected, "{slots}");
            }
        }
        let huge = Posted { counts: vec![[u64::MAX; 4]; 3], batches: Vec::new() };
        assert!(huge.require_blobs(6).is_err());
    }

    #[test]
    fn calldata_of_another_length_are_refused() {
        let data = Posted::to_bytes(&[batch([2, 40, 1, 3], 7)]);
        for len in 0..data.len() {
            assert!(Posted::read(&data[..len], 1).is_err(), "{len}");
        }
        assert!(Posted::read(&data, 2).is_err());
        let longer = [&data[..], &[0]].concat();
        assert!(matches!(Posted::read(&longer, 1), Err(ProtocolError::Length { .. })));
        // All data in calldata are not taken for it.
        assert!(Posted::read(&batch([2, 40, 1, 3], 7).to_bytes(), 1).is_err());
    }
}
