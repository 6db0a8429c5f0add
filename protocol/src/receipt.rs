//! Receipts: the operator's signed promise that an operation stands at a place (protocol section 13).
//!
//! A receipt is signed as typed data (EIP-712), so that a contract can recover the sequencer's
//! address and a wallet can show what is signed.

use serde::{Deserialize, Serialize};

use crate::hash::keccak;
use crate::ops::Op;
use crate::{field, Address, Fr};

/// Name and version of the signing domain.
const NAME: &[u8] = b"Bastion";
const VERSION: &[u8] = b"1";
const DOMAIN_TYPE: &[u8] =
    b"EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)";
pub(crate) const TYPE: &[u8] = b"Receipt(uint32 epoch,uint64 number,uint32 batch,uint32 position,\
bytes32 operation,uint256 leaf,uint64 time)";

/// Where an operation stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Place {
    /// Number of its block; the first block of a rollup is 1.
    pub block: u64,
    /// Batch of the block, from 0.
    pub batch: u32,
    /// Position in the batch, from 0.
    pub position: u32,
}

/// What the operator promises about one operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Receipt {
    /// Number of times that the contract had reverted commitments when the block was opened. A receipt
    /// is void only if a later revert took its block back (protocol section 13.3).
    pub epoch: u32,
    /// Where it stands.
    #[serde(flatten)]
    pub place: Place,
    /// [`operation_hash`].
    #[serde(with = "hash")]
    pub operation: [u8; 32],
    /// Its leaf in the order tree ([`crate::order::leaf`]): binds what will be posted for it.
    #[serde(with = "field::serde_fr")]
    pub leaf: Fr,
    /// Time of its block, in seconds.
    pub time: u64,
}

/// Names an operation: keccak256 of its canonical encoding (section 5).
#[must_use]
pub fn operation_hash(op: &Op) -> [u8; 32] {
    keccak(&[&op.to_bytes()])
}

impl Receipt {
    /// The hash that the sequencer signs, for a rollup on a chain.
    #[must_use]
    pub fn digest(&self, chain_id: u64, contract: Address) -> [u8; 32] {
        typed(&self.content(), chain_id, contract)
    }

    /// Its part of typed data.
    pub(crate) fn content(&self) -> [u8; 32] {
        let Place { block, batch, position } = self.place;
        keccak(&[
            &keccak(&[TYPE]),
            &word(self.epoch.into()),
            &word(block),
            &word(batch.into()),
            &word(position.into()),
            &self.operation,
            &field::to_bytes(&self.leaf),
            &word(self.time),
        ])
    }
}

/// The digest of typed data, for a rollup on a chain.
pub(crate) fn typed(content: &[u8; 32], chain_id: u64, contract: Address) -> [u8; 32] {
    let domain = keccak(&[
        &keccak(&[DOMAIN_TYPE]),
        &keccak(&[NAME]),
        &keccak(&[VERSION]),
        &word(chain_id),
        &[0; 12],
        &contract.0,
    ]);
    keccak(&[&[0x19, 0x01], &domain, content])
}

/// A number as the ABI encodes it.
pub(crate) fn word(x: u64) -> [u8; 32] {
    let mut word = [0; 32];
    word[24..].copy_from_slice(&x.to_be_bytes());
    word
}

/// 32 bytes as `0x` and hex digits.
pub mod hash {
    use serde::{Deserializer, Serializer};

    /// Writes the bytes.
    ///
    /// # Errors
    /// Those of the format.
    pub fn serialize<S: Serializer>(hash: &[u8; 32], s: S) -> Result<S::Ok, S::Error> {
        crate::field::serialize_bytes(hash, s)
    }

    /// Reads the bytes.
    ///
    /// # Errors
    /// Those of the format.
    pub fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<[u8; 32], D::Error> {
        crate::field::deserialize_bytes("hash", d)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn receipt() -> Receipt {
        Receipt {
            epoch: 1,
            place: Place { block: 2, batch: 3, position: 4 },
            operation: operation_hash(&Op::Noop),
            leaf: Fr::from(5_u64),
            time: 1_800_000_000,
        }
    }

    #[test]
    fn the_hash_is_keccak_of_the_bytes() {
        // keccak256 of one zero byte.
        assert_eq!(
            hex::encode(receipt().operation),
            "bc36789e7a1e281436464229828f817d6612f7b477d66591ff96a9e064bcc98a"
        );
    }

    #[test]
    fn every_field_is_signed() {
        let contract = Address([7; 20]);
        let digest = |r: &Receipt| r.digest(31_337, contract);
        let base = receipt();
        let changes: [fn(&mut Receipt); 7] = [
            |r| r.epoch += 1,
            |r| r.place.block += 1,
            |r| r.place.batch += 1,
            |r| r.place.position += 1,
            |r| r.operation[0] ^= 1,
            |r| r.leaf += Fr::from(1_u64),
            |r| r.time += 1,
        ];
        for (i, change) in changes.into_iter().enumerate() {
            let mut other = base;
            change(&mut other);
            assert_ne!(digest(&other), digest(&base), "field {i}");
        }
        assert_ne!(base.digest(1, contract), digest(&base));
        assert_ne!(base.digest(31_337, Address([8; 20])), digest(&base));
        let json = serde_json::to_string(&base).unwrap();
        assert_eq!(serde_json::from_str::<Receipt>(&json).unwrap(), base);
    }
}
