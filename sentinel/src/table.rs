//! Tables of bounded size: the entry that was used least recently makes room.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

/// A map of at most `capacity` entries. Which entry goes depends on nothing but the calls before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Table<K: Ord, V> {
    capacity: usize,
    tick: u64,
    entries: BTreeMap<K, (u64, V)>,
    order: BTreeSet<(u64, K)>,
}

impl<K: Ord + Copy, V> Table<K, V> {
    /// An empty table; it holds at least one entry.
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        Self {
            capacity: capacity.max(1),
            tick: 0,
            entries: BTreeMap::new(),
            order: BTreeSet::new(),
        }
    }

    /// An entry, whose place in the order stays.
    #[must_use]
    pub fn get(&self, key: &K) -> Option<&V> {
        self.entries.get(key).map(|(_, value)| value)
    }

    /// An entry to change, which becomes the most recently used one; it is made if it is not there.
    pub fn touch(&mut self, key: K, make: impl FnOnce() -> V) -> &mut V {
        self.tick += 1;
        let tick = self.tick;
        match self.entries.get(&key) {
            Some((old, _)) => {
                self.order.remove(&(*old, key));
            }
            None if self.entries.len() >= self.capacity => {
                if let Some((_, oldest)) = self.order.pop_first() {
                    self.entries.remove(&oldest);
                }
            }
            None => {}
        }
        self.order.insert((tick, key));
        let entry = self.entries.entry(key).or_insert_with(|| (tick, make()));
        entry.0 = tick;
        &mut entry.1
    }

    /// Number of entries.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether it has no entry.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_least_recently_used_goes() {
        let mut table = Table::new(2);
        *table.touch(1, || 10) += 1;
        table.touch(2, || 20);
        table.touch(1, || 0);
        table.touch(3, || 30);
        assert_eq!((table.get(&1), table.get(&2), table.get(&3)), (Some(&11), None, Some(&30)));
    }

    proptest! {
        #[test]
        fn the_bound_holds(keys in prop::collection::vec(0u8..20, 0..200), capacity in 0usize..8) {
            let mut table = Table::new(capacity);
            for key in keys {
                table.touch(key, || key);
                prop_assert!(table.len() <= capacity.max(1));
                prop_assert_eq!(table.order.len(), table.len());
                prop_assert_eq!(table.get(&key), Some(&key));
            }
        }
    }
}
