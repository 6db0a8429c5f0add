//! Blocks of each table: what a shape has room for, what a batch uses.

use serde::{Deserialize, Serialize};

use crate::blob::BlobSlots;

/// Number of blocks of each table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Slots {
    /// Operations.
    pub ops: usize,
    /// Touched accounts.
    pub accounts: usize,
    /// Changed Merkle nodes.
    pub nodes: usize,
    /// Signatures.
    pub signatures: usize,
    /// Compressions outside of nodes and accounts.
    pub hashes: usize,
    /// Distinct 128-bit values.
    pub ranges128: usize,
    /// Distinct 40-bit values.
    pub ranges40: usize,
    /// Uses of the bridge limiter.
    pub limiters: usize,
    /// Distinct tokens that use the limiter.
    pub policies: usize,
    /// Groups of 16 elements of a blob.
    pub groups: usize,
    /// Range checks of the blob's tables.
    pub limbs: usize,
    /// Owner records in a blob.
    pub owners: usize,
    /// Orders.
    pub orders: usize,
    /// Quotes of tokens and pairs.
    pub quotes: usize,
}

impl Slots {
    /// In the order of the fields.
    fn counts(&self) -> [usize; 14] {
        let Self { ops, accounts, nodes, signatures, hashes, .. } = *self;
        let Self { ranges128, ranges40, limiters, policies, orders, quotes, .. } = *self;
        let BlobSlots { groups, limbs, owners } = self.blob();
        [
            ops, accounts, nodes, signatures, hashes, ranges128, ranges40, limiters, policies,
            groups, limbs, owners, orders, quotes,
        ]
    }

    /// Those of the tables for data in blobs.
    pub fn blob(&self) -> BlobSlots {
        let Self { groups, limbs, owners, .. } = *self;
        BlobSlots { groups, limbs, owners }
    }

    /// With the room in a blob that `l2` L2 records and `owners` owner records take at most.
    #[must_use]
    pub fn with_blob(self, l2: usize, owners: usize) -> Self {
        let BlobSlots { groups, limbs, owners } = BlobSlots::for_records(l2, owners);
        Self { groups, limbs, owners, ..self }
    }

    /// Whether there is room for these blocks.
    pub fn fits(&self, room: &Self) -> bool {
        self.counts().iter().zip(room.counts()).all(|(used, room)| *used <= room)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_table_must_fit() {
        let room = Slots {
            ops: 1,
            accounts: 2,
            nodes: 3,
            signatures: 4,
            hashes: 5,
            ranges128: 6,
            ranges40: 7,
            limiters: 8,
            policies: 9,
            groups: 10,
            limbs: 11,
            owners: 12,
            orders: 13,
            quotes: 14,
        };
        assert_eq!(room.counts(), [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14]);
        assert!(room.fits(&room) && Slots::default().fits(&room));
        let json = serde_json::to_value(room).unwrap();
        for name in json.as_object().unwrap().keys() {
            let mut more = json.clone();
            more[name] = (more[name].as_u64().unwrap() + 1).into();
            let more: Slots = serde_json::from_value(more).unwrap();
            assert!(!more.fits(&room), "{name}");
        }
    }
}
