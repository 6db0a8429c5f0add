//! Signed receipts, and who signed them.

use bastion_protocol::hash::keccak;
use bastion_protocol::receipt::Place;
use bastion_protocol::{Address, Receipt};
use k256::ecdsa::{RecoveryId, Signature, VerifyingKey};
use serde::{Deserialize, Serialize};

use crate::types::text::{Element, Hash};

/// Bytes of a signature: r, s, and 27 or 28.
pub const SIGNATURE_LEN: usize = 65;

/// A receipt with its signature.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Fields", into = "Fields")]
pub struct SignedReceipt {
    /// What is promised.
    pub receipt: Receipt,
    /// secp256k1 over [`Receipt::digest`]: r, s, v as `0x` and hex digits.
    pub signature: String,
}

/// The operator's signed promise that an operation stands at a place (EIP-712, protocol section 13).
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
struct Fields {
    /// Number of times that the contract had reverted commitments when the block was opened.
    epoch: u32,
    /// Number of its block, from 1.
    block: u64,
    /// Batch of the block, from 0.
    batch: u32,
    /// Position in the batch, from 0.
    position: u32,
    /// keccak256 of the operation's bytes.
    operation: Hash,
    /// Its leaf in the order tree, over the words that are posted for it.
    leaf: Element,
    /// Time of its block, in seconds.
    time: u64,
    /// r, s and v, 65 bytes.
    #[cfg_attr(feature = "schema", schema(pattern = "^0x[0-9a-f]{130}$"))]
    signature: String,
}

impl From<Fields> for SignedReceipt {
    fn from(fields: Fields) -> Self {
        let Fields { epoch, block, batch, position, operation, leaf, time, signature } = fields;
        let place = Place { block, batch, position };
        let receipt = Receipt { epoch, place, operation: operation.0, leaf: leaf.0, time };
        Self { receipt, signature }
    }
}

impl From<SignedReceipt> for Fields {
    fn from(signed: SignedReceipt) -> Self {
        let Receipt { epoch, place, operation, leaf, time } = signed.receipt;
        Self {
            epoch,
            block: place.block,
            batch: place.batch,
            position: place.position,
            operation: Hash(operation),
            leaf: Element(leaf),
            time,
            signature: signed.signature,
        }
    }
}

impl SignedReceipt {
    /// Who signed it, for a rollup on a chain; none if the signature is malformed.
    ///
    /// A contract recovers the same address with `ecrecover`. Signatures whose `s` is in the upper half
    /// are refused: each would be a second one of the same receipt.
    #[must_use]
    pub fn signer(&self, chain_id: u64, contract: Address) -> Option<Address> {
        signer_of(&self.receipt.digest(chain_id, contract), &self.signature)
    }
}

/// Who signed a digest, by a signature of 65 bytes as `0x` and hex digits.
pub(crate) fn signer_of(digest: &[u8; 32], signature: &str) -> Option<Address> {
    let digits = signature.strip_prefix("0x")?;
    let bytes: [u8; SIGNATURE_LEN] = hex::decode(digits).ok()?.try_into().ok()?;
    let (rs, v) = bytes.split_last_chunk::<1>()?;
    let signature = Signature::from_slice(rs).ok()?;
    if signature.normalize_s().is_some() {
        return None;
    }
    let id = RecoveryId::from_byte(v[0].checked_sub(27)?)?;
    let key = VerifyingKey::recover_from_prehash(digest, &signature, id).ok()?;
    Some(address_of(&key))
}

/// The L1 address of a key.
#[must_use]
pub fn address_of(key: &VerifyingKey) -> Address {
    let point = key.to_encoded_point(false);
    let hash = keccak(&[point.as_bytes().get(1..).unwrap_or_default()]);
    let mut address = [0; 20];
    address.copy_from_slice(&hash[12..]);
    Address(address)
}

#[cfg(feature = "schema")]
mod schemas {
    use std::borrow::Cow;

    use utoipa::openapi::{RefOr, Schema};
    use utoipa::{PartialSchema, ToSchema};

    use super::{Fields, SignedReceipt};

    impl PartialSchema for SignedReceipt {
        fn schema() -> RefOr<Schema> {
            Fields::schema()
        }
    }

    impl ToSchema for SignedReceipt {
        fn name() -> Cow<'static, str> {
            "SignedReceipt".into()
        }

        fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
            Fields::schemas(schemas);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use k256::ecdsa::SigningKey;

    const CONTRACT: Address = Address([7; 20]);

    fn signed() -> (SignedReceipt, Address) {
        let key = SigningKey::from_slice(&[1; 32]).unwrap();
        let receipt = Receipt {
            epoch: 1,
            place: Place { block: 2, batch: 3, position: 4 },
            operation: [5; 32],
            leaf: 6_u64.into(),
            time: 1_800_000_000,
        };
        let digest = receipt.digest(1, CONTRACT);
        let (signature, id) = key.sign_prehash_recoverable(&digest).unwrap();
        let bytes = [&signature.to_bytes()[..], &[27 + id.to_byte()]].concat();
        let signature = format!("0x{}", hex::encode(bytes));
        (SignedReceipt { receipt, signature }, address_of(key.verifying_key()))
    }

    #[test]
    fn a_receipt_names_its_signer() {
        let (signed, address) = signed();
        assert_eq!(address.to_string(), "0x1a642f0e3c3af545e7acbd38b07251b3990914f1");
        assert_eq!(signed.signer(1, CONTRACT), Some(address));
        assert_ne!(signed.signer(2, CONTRACT), Some(address));
        assert_ne!(signed.signer(1, Address([8; 20])), Some(address));
        let mut other = signed.clone();
        other.receipt.place.position += 1;
        assert_ne!(other.signer(1, CONTRACT), Some(address));
        for text in ["", "0x", "0x00", &signed.signature[..130]] {
            other.signature = text.into();
            assert_eq!(other.signer(1, CONTRACT), None);
        }
    }

    #[test]
    fn the_form_is_flat() {
        let (signed, _) = signed();
        let json = serde_json::to_value(&signed).unwrap();
        assert_eq!(json["block"], 2);
        assert_eq!(json["position"], 4);
        assert_eq!(json["operation"], format!("0x{}", "05".repeat(32)));
        assert_eq!(serde_json::from_value::<SignedReceipt>(json.clone()).unwrap(), signed);
        let mut more = json;
        more["surprise"] = 1.into();
        assert!(serde_json::from_value::<SignedReceipt>(more).is_err());
    }
}
