//! The memo of a block: what the operator claims beside the data (protocol section 14).
//!
//! It follows the arguments of `commit` in the calldata, where the contract ignores it. No rule of the
//! proof depends on it. It fixes, at a time that L1 knows, what the operator had found by then, so that
//! nobody can claim later to have known more, or less.

/// Ends a memo, as the last bytes of the calldata.
const MAGIC: [u8; 8] = *b"bastion\x01";

/// Claims of the operator as of a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Memo {
    /// Head of the log of findings: a chain of hashes.
    pub findings: [u8; 32],
    /// Entries of that log.
    pub count: u64,
    /// Root of the tree of indicators that this rollup has published.
    pub indicators: [u8; 32],
}

impl Memo {
    /// Bytes of a memo.
    pub const LEN: usize = 80;

    /// Its bytes: head (32), count (8, big-endian), root (32), `bastion` and version 1 (8).
    #[must_use]
    pub fn to_bytes(&self) -> [u8; Self::LEN] {
        let mut bytes = [0; Self::LEN];
        bytes[..32].copy_from_slice(&self.findings);
        bytes[32..40].copy_from_slice(&self.count.to_be_bytes());
        bytes[40..72].copy_from_slice(&self.indicators);
        bytes[72..].copy_from_slice(&MAGIC);
        bytes
    }

    /// The memo at the end of calldata, if there is one.
    #[must_use]
    pub fn at_end_of(calldata: &[u8]) -> Option<Self> {
        let bytes: &[u8; Self::LEN] = calldata.last_chunk()?;
        let (findings, rest) = bytes.split_first_chunk::<32>()?;
        let (count, rest) = rest.split_first_chunk::<8>()?;
        let (indicators, magic) = rest.split_first_chunk::<32>()?;
        let count = u64::from_be_bytes(*count);
        let memo = Self { findings: *findings, count, indicators: *indicators };
        (magic == MAGIC).then_some(memo)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_memo_is_found_at_the_end_and_nowhere_else() {
        let memo = Memo { findings: [1; 32], count: 7, indicators: [2; 32] };
        let calldata = [&[9; 100][..], &memo.to_bytes()].concat();
        assert_eq!(Memo::at_end_of(&calldata), Some(memo));
        assert_eq!(Memo::at_end_of(&calldata[..calldata.len() - 1]), None);
        assert_eq!(Memo::at_end_of(&[&calldata[..], &[0]].concat()), None);
        assert_eq!(Memo::at_end_of(&memo.to_bytes()[1..]), None);
    }
}
