//! Look-ups that operations make into shared tables, with their multiplicities.

use std::collections::HashMap;

use halo2_proofs::halo2curves::bn256::Fr;

use crate::witness::convert::{halves, to_halo2, to_state};

/// A table of distinct entries and how often each was looked up.
#[derive(Clone, Debug)]
pub struct Pool<K> {
    index: HashMap<K, usize>,
    /// Entries in the order of their first use.
    pub entries: Vec<(K, u64)>,
}

impl<K> Default for Pool<K> {
    fn default() -> Self {
        Self { index: HashMap::new(), entries: Vec::new() }
    }
}

impl<K: Clone + Eq + std::hash::Hash> Pool<K> {
    /// Notes one more look-up of `key`.
    pub fn add(&mut self, key: K) {
        *self.count(key) += 1;
    }

    /// Adds the look-ups of `other`, which come after these.
    pub fn absorb(&mut self, other: Self) {
        for (key, count) in other.entries {
            *self.count(key) += count;
        }
    }

    fn count(&mut self, key: K) -> &mut u64 {
        let next = self.entries.len();
        let place = *self.index.entry(key.clone()).or_insert(next);
        if place == next {
            self.entries.push((key, 0));
        }
        &mut self.entries[place].1
    }

    /// Number of distinct entries.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether nothing was looked up.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

/// All shared look-ups of a batch.
#[derive(Clone, Debug, Default)]
pub struct LookupCounts {
    /// Inputs of compressions.
    pub hashes: Pool<[[u8; 32]; 2]>,
    /// 40-bit values.
    pub ranges40: Pool<u128>,
    /// 128-bit values.
    pub ranges128: Pool<u128>,
    /// Values that do not fit their range: no honest batch has any, and the bus does not balance.
    pub out_of_range: Vec<(u32, Fr)>,
}

impl LookupCounts {
    /// Adds the look-ups of `other`, which come after these.
    pub fn absorb(&mut self, other: Self) {
        self.hashes.absorb(other.hashes);
        self.ranges40.absorb(other.ranges40);
        self.ranges128.absorb(other.ranges128);
        self.out_of_range.extend(other.out_of_range);
    }

    /// `compress(a, b)`, noted.
    pub fn compress(&mut self, a: Fr, b: Fr) -> Fr {
        self.hashes.add([a.to_bytes(), b.to_bytes()]);
        to_halo2(bastion_protocol::hash::compress(to_state(&a), to_state(&b)))
    }

    /// Notes that `value` must be below `2^40`.
    pub fn range40(&mut self, value: Fr) {
        match halves(&value) {
            (v, 0) if v >> 40 == 0 => self.ranges40.add(v),
            _ => self.out_of_range.push((40, value)),
        }
    }

    /// Notes that `value` must be below `2^128`.
    pub fn range128(&mut self, value: Fr) {
        match halves(&value) {
            (v, 0) => self.ranges128.add(v),
            _ => self.out_of_range.push((128, value)),
        }
    }
}
