//! The sequencer's key and the receipts that it signs.

use alloy_primitives::{Address, B256};
use bastion_client::receipt::{address_of, SIGNATURE_LEN};
pub use bastion_client::SignedReceipt;
use bastion_client::{SignedBlind, SignedClosing};
use bastion_protocol::blind::{BlindReceipt, Closing, Entry, Terms};
use bastion_protocol::receipt::hash;
use bastion_protocol::{field, Address as L2Address, Fr, Receipt};
use k256::ecdsa::SigningKey;
use serde::{Deserialize, Serialize};

use crate::error::NodeError;

/// Signs receipts for one rollup. The key is wiped when it is dropped, and never printed.
pub struct ReceiptSigner {
    key: SigningKey,
    address: Address,
    chain_id: u64,
    contract: L2Address,
}

impl std::fmt::Debug for ReceiptSigner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ReceiptSigner({})", self.address)
    }
}

impl ReceiptSigner {
    /// A signer with a secret of 32 bytes.
    ///
    /// # Errors
    /// [`NodeError::SequencerKey`] if the bytes are no key.
    pub fn new(secret: &B256, chain_id: u64, contract: L2Address) -> Result<Self, NodeError> {
        let key = SigningKey::from_slice(secret.as_slice()).map_err(|_| NodeError::SequencerKey)?;
        let address = Address::from(address_of(key.verifying_key()).0);
        Ok(Self { key, address, chain_id, contract })
    }

    /// The address that its receipts recover to.
    pub fn address(&self) -> Address {
        self.address
    }

    /// The chain whose receipts it signs.
    pub fn chain_id(&self) -> u64 {
        self.chain_id
    }

    /// The rollup whose receipts it signs.
    pub fn contract(&self) -> L2Address {
        self.contract
    }

    /// Signs a receipt. The signature follows from key and receipt alone (RFC 6979).
    ///
    /// # Errors
    /// [`NodeError::SequencerKey`], which no valid key gives.
    pub fn sign(&self, receipt: Receipt) -> Result<SignedReceipt, NodeError> {
        let signature = self.sign_digest(&receipt.digest(self.chain_id, self.contract))?;
        Ok(SignedReceipt { receipt, signature })
    }

    /// Signs a blind receipt, and tells its digest.
    ///
    /// # Errors
    /// As [`ReceiptSigner::sign`].
    pub fn sign_blind(
        &self,
        blind: BlindReceipt,
        terms: Terms,
    ) -> Result<(SignedBlind, [u8; 32]), NodeError> {
        let digest = blind.digest(self.chain_id, self.contract);
        Ok((SignedBlind { blind, terms, signature: self.sign_digest(&digest)? }, digest))
    }

    /// Signs the closing of a batch.
    ///
    /// # Errors
    /// As [`ReceiptSigner::sign`].
    pub fn sign_closing(
        &self,
        closing: Closing,
        entries: Vec<Entry>,
    ) -> Result<SignedClosing, NodeError> {
        let signature = self.sign_digest(&closing.digest(self.chain_id, self.contract))?;
        Ok(SignedClosing { closing, entries, signature })
    }

    fn sign_digest(&self, digest: &[u8; 32]) -> Result<String, NodeError> {
        let (signature, id) =
            self.key.sign_prehash_recoverable(digest).map_err(|_| NodeError::SequencerKey)?;
        let mut bytes = [0; SIGNATURE_LEN];
        bytes[..64].copy_from_slice(&signature.to_bytes());
        bytes[64] = 27 + id.to_byte();
        Ok(format!("0x{}", hex::encode(bytes)))
    }
}

/// A signed receipt in the log: field for field, because formats that do not describe themselves
/// cannot read flattened ones.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct StoredReceipt {
    epoch: u32,
    block: u64,
    batch: u32,
    position: u32,
    #[serde(with = "hash")]
    operation: [u8; 32],
    #[serde(with = "field::serde_fr")]
    leaf: Fr,
    time: u64,
    signature: String,
}

impl From<&SignedReceipt> for StoredReceipt {
    fn from(signed: &SignedReceipt) -> Self {
        let Receipt { epoch, place, operation, leaf, time } = signed.receipt;
        Self {
            epoch,
            block: place.block,
            batch: place.batch,
            position: place.position,
            operation,
            leaf,
            time,
            signature: signed.signature.clone(),
        }
    }
}

impl From<StoredReceipt> for SignedReceipt {
    fn from(stored: StoredReceipt) -> Self {
        let StoredReceipt { epoch, block, batch, position, operation, leaf, time, signature } =
            stored;
        let place = bastion_protocol::receipt::Place { block, batch, position };
        Self { receipt: Receipt { epoch, place, operation, leaf, time }, signature }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_primitives::U256;
    use alloy_sol_types::{eip712_domain, sol, SolStruct};
    use bastion_protocol::ops::Op;
    use bastion_protocol::receipt::{operation_hash, Place};
    use k256::ecdsa::Signature;

    const CONTRACT: L2Address = L2Address([7; 20]);

    fn receipt() -> Receipt {
        Receipt {
            epoch: 1,
            place: Place { block: 2, batch: 3, position: 4 },
            operation: operation_hash(&Op::Noop),
            leaf: Fr::from(5_u64),
            time: 1_800_000_000,
        }
    }

    /// Another implementation of EIP-712 gives the same digest.
    #[test]
    fn the_digest_is_that_of_typed_data() {
        sol! {
            struct Receipt {
                uint32 epoch;
                uint64 number;
                uint32 batch;
                uint32 position;
                bytes32 operation;
                uint256 leaf;
                uint64 time;
            }
        }
        let ours = receipt();
        let theirs = Receipt {
            epoch: ours.epoch,
            number: ours.place.block,
            batch: ours.place.batch,
            position: ours.place.position,
            operation: ours.operation.into(),
            leaf: U256::from_be_bytes(field::to_bytes(&ours.leaf)),
            time: ours.time,
        };
        let domain = eip712_domain! {
            name: "Bastion",
            version: "1",
            chain_id: 31_337,
            verifying_contract: Address::from(CONTRACT.0),
        };
        assert_eq!(ours.digest(31_337, CONTRACT), theirs.eip712_signing_hash(&domain).0);
    }

    #[test]
    fn a_receipt_names_its_signer() {
        // The first account of anvil and hardhat.
        let secret: B256 =
            "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80".parse().unwrap();
        let signer = ReceiptSigner::new(&secret, 31_337, CONTRACT).unwrap();
        assert_eq!(signer.address(), bastion_l1::DEV_OPERATOR);
        let signed = signer.sign(receipt()).unwrap();
        let address = Some(L2Address(signer.address().into_array()));
        assert_eq!(signed.signer(31_337, CONTRACT), address);
        assert_ne!(signed.signer(1, CONTRACT), address);
        let mut other = signed.clone();
        other.receipt.place.position += 1;
        assert_ne!(other.signer(31_337, CONTRACT), address);
        // The other half of s would be a second signature of the same receipt.
        let bytes = hex::decode(&signed.signature[2..]).unwrap();
        let lower = Signature::from_slice(&bytes[..64]).unwrap();
        let upper = Signature::from_scalars(lower.r(), -lower.s()).unwrap();
        assert_eq!(upper.normalize_s(), Some(lower));
        let flipped = [&upper.to_bytes()[..], &[55 - bytes[64]]].concat();
        other = signed.clone();
        other.signature = format!("0x{}", hex::encode(flipped));
        assert_eq!(other.signer(31_337, CONTRACT), None);
        for text in ["", "0x", "0x00", &signed.signature[..130]] {
            other.signature = text.into();
            assert_eq!(other.signer(31_337, CONTRACT), None);
        }
        assert!(ReceiptSigner::new(&B256::ZERO, 1, CONTRACT).is_err());
        assert!(!format!("{signer:?}").contains("ac09"));
        let stored = StoredReceipt::from(&signed);
        let bytes = postcard::to_stdvec(&stored).unwrap();
        let read: StoredReceipt = postcard::from_bytes(&bytes).unwrap();
        assert_eq!(SignedReceipt::from(read), signed);
    }
}
