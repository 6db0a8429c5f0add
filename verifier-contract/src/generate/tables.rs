//! Constants and tables that the contract writes to its memory before it starts.

use super::layout::Layout;
use alloy_primitives::U256;
use std::collections::BTreeMap;

/// Pointers of two bytes, and the field elements that some of them point to.
#[derive(Default)]
pub(super) struct Tables {
    bytes: Vec<u8>,
    constants: BTreeMap<U256, usize>,
}

impl Tables {
    /// Bytes written so far: the offset of the next pointer.
    pub(super) fn position(&self) -> usize {
        self.bytes.len()
    }

    /// Appends a pointer or a count. The layout's end is checked to fit two bytes before any
    /// table is printed.
    pub(super) fn push(&mut self, value: usize) {
        self.bytes.extend_from_slice(&(value as u16).to_be_bytes());
    }

    /// Address of a field element, placed on first use.
    pub(super) fn constant(&mut self, value: U256, layout: &mut Layout) -> usize {
        *self.constants.entry(value).or_insert_with(|| layout.reserve(1))
    }

    /// Address and value of each field element, by address.
    pub(super) fn constants(&self) -> Vec<(usize, U256)> {
        let mut constants: Vec<_> =
            self.constants.iter().map(|(value, address)| (*address, *value)).collect();
        constants.sort_unstable_by_key(|(address, _)| *address);
        constants
    }

    /// The pointers as words, the last padded with zeros.
    pub(super) fn words(&self) -> Vec<U256> {
        self.bytes
            .chunks(32)
            .map(|chunk| {
                let mut word = [0; 32];
                word[..chunk.len()].copy_from_slice(chunk);
                U256::from_be_bytes(word)
            })
            .collect()
    }
}
