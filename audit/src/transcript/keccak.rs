//! The Keccak-256 transcript of block proofs.

use sha3::{Digest, Keccak256};

/// Everything since the last squeeze, which starts with that squeeze's hash.
#[derive(Default)]
pub(super) struct Keccak {
    buffer: Vec<u8>,
}

impl Keccak {
    pub(super) fn absorb(&mut self, word: &[u8; 32]) {
        self.buffer.extend_from_slice(word);
    }

    /// A challenge that follows another one hashes a one byte behind the hash, so that the two
    /// differ.
    pub(super) fn squeeze(&mut self) -> [u8; 32] {
        if self.buffer.len() == 32 {
            self.buffer.push(1);
        }
        let hash: [u8; 32] = Keccak256::digest(&self.buffer).into();
        self.buffer.clear();
        self.buffer.extend_from_slice(&hash);
        hash
    }
}
