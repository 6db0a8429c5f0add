//! The transaction that carries blobs, as nodes take it.

use alloy::consensus::{SignableTransaction, TxEip4844};
use alloy::eips::eip2718::Encodable2718;
use alloy::primitives::{Bytes, Signature, B256};

use super::{to_alloy, Sidecar, SidecarError};

/// A signed transaction with its blobs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PoolForm {
    /// Its hash. Blobs are no part of it: blocks hold the transaction without them.
    pub hash: B256,
    /// `0x03 || rlp([transaction, 1, blobs, commitments, cell proofs])`: what `eth_sendRawTransaction`
    /// takes since Fusaka (EIP-7594).
    pub raw: Bytes,
}

/// The form of a transaction and its blobs that is sent. What is signed is the transaction alone
/// ([`SignableTransaction::signature_hash`]).
///
/// # Errors
/// [`SidecarError::OtherBlobs`] if the transaction names other blobs, or in another order.
pub fn pool_form(
    transaction: TxEip4844,
    signature: Signature,
    blobs: &[Sidecar],
) -> Result<PoolForm, SidecarError> {
    let carried: Vec<B256> = blobs.iter().map(Sidecar::versioned_hash).collect();
    if transaction.blob_versioned_hashes != carried {
        return Err(SidecarError::OtherBlobs { named: transaction.blob_versioned_hashes, carried });
    }
    let signed = transaction.with_sidecar(to_alloy(blobs)).into_signed(signature);
    Ok(PoolForm { hash: *signed.hash(), raw: signed.encoded_2718().into() })
}

#[cfg(test)]
mod tests {
    use alloy::consensus::transaction::SignerRecoverable;
    use alloy::consensus::TxEnvelope;
    use alloy::eips::eip2718::Decodable2718;
    use alloy::primitives::{address, keccak256, U256};

    use super::super::sidecar::tests::powers;
    use super::*;
    use crate::txmgr::Wallet;

    /// The key of the first account of every development chain.
    const KEY: &str = "ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80";

    fn transaction(blobs: &[Sidecar]) -> TxEip4844 {
        TxEip4844 {
            chain_id: 1,
            nonce: 7,
            gas_limit: 1_000_000,
            max_fee_per_gas: 30_000_000_000,
            max_priority_fee_per_gas: 1_000_000_000,
            to: address!("00000000000000000000000000000000000000aa"),
            value: U256::ZERO,
            access_list: Default::default(),
            blob_versioned_hashes: blobs.iter().map(Sidecar::versioned_hash).collect(),
            max_fee_per_blob_gas: 5_000_000_000,
            input: vec![1, 2, 3].into(),
        }
    }

    /// RLP by hand: a string, and a list of what is encoded.
    fn rlp(short: u8, content: &[u8]) -> Vec<u8> {
        let mut out = match content.len() {
            len @ 0..=55 => vec![short + len as u8],
            len => {
                let bytes = len.to_be_bytes();
                let bytes = &bytes[bytes.iter().position(|b| *b != 0).unwrap()..];
                [&[short + 55 + bytes.len() as u8], bytes].concat()
            }
        };
        out.extend(content);
        out
    }

    fn string(bytes: &[u8]) -> Vec<u8> {
        rlp(0x80, bytes)
    }

    fn list(items: &[Vec<u8>]) -> Vec<u8> {
        rlp(0xc0, &items.concat())
    }

    fn sidecars(bases: &[u64]) -> Vec<Sidecar> {
        bases.iter().map(|base| Sidecar::new(&powers(*base)).unwrap()).collect()
    }

    #[test]
    fn the_form_is_that_of_the_eip() {
        of_the_eip(&sidecars(&[3]));
        of_the_eip(&sidecars(&[3, 2]));
    }

    fn of_the_eip(blobs: &[Sidecar]) {
        let wallet = Wallet::hex(KEY).unwrap();
        let tx = transaction(blobs);
        let signature = wallet.sign(&tx.signature_hash()).unwrap();
        let form = pool_form(tx, signature, blobs).unwrap();
        let each = |of: fn(&Sidecar) -> Vec<u8>| -> Vec<Vec<u8>> {
            blobs.iter().map(|sidecar| string(&of(sidecar))).collect()
        };

        let number = |n: u64| {
            let bytes = n.to_be_bytes();
            bytes[bytes.iter().position(|b| *b != 0).unwrap_or(8)..].to_vec()
        };
        let small = |n: u8| if n == 0 { vec![0x80] } else { vec![n] };
        let wide = |n: U256| string(&n.to_be_bytes_trimmed_vec());
        let mut to = [0; 20];
        to[19] = 0xaa;
        let mut fields = vec![
            small(1),
            small(7),
            string(&number(1_000_000_000)),
            string(&number(30_000_000_000)),
            string(&number(1_000_000)),
            string(&to),
            small(0),
            string(&[1, 2, 3]),
            list(&[]),
            string(&number(5_000_000_000)),
            list(&each(|s| s.versioned_hash().to_vec())),
        ];
        let unsigned = [vec![3], list(&fields)].concat();
        fields.extend([small(signature.v().into()), wide(signature.r()), wide(signature.s())]);
        let body = list(&fields);
        assert_eq!(form.hash, keccak256([&[3], &body[..]].concat()));
        let proofs = blobs.iter().flat_map(|sidecar| sidecar.cell_proofs());
        let proofs: Vec<_> = proofs.map(|p| string(p.as_slice())).collect();
        let pool = list(&[
            body,
            small(1),
            list(&each(|s| s.blob().to_vec())),
            list(&each(|s| s.commitment().to_vec())),
            list(&proofs),
        ]);
        assert!(form.raw == [vec![3], pool].concat());

        let signer = signature.recover_address_from_prehash(&keccak256(unsigned));
        assert_eq!(signer.unwrap(), wallet.address());
    }

    /// With the blobs that alloy reads, as nodes in Rust do.
    #[test]
    fn alloy_reads_the_form() {
        type Pooled = alloy::consensus::EthereumTxEnvelope<
            alloy::consensus::TxEip4844WithSidecar<
                alloy::eips::eip7594::BlobTransactionSidecarVariant,
            >,
        >;
        let blobs = sidecars(&[5, 3]);
        let wallet = Wallet::hex(KEY).unwrap();
        let tx = transaction(&blobs);
        let signature = wallet.sign(&tx.signature_hash()).unwrap();
        let form = pool_form(tx.clone(), signature, &blobs).unwrap();
        let read = Pooled::decode_2718_exact(&form.raw).unwrap();
        assert_eq!(*read.hash(), form.hash);
        assert_eq!(read.recover_signer().unwrap(), wallet.address());
        let Pooled::Eip4844(signed) = read else { panic!("another type") };
        assert_eq!(signed.tx().tx(), &tx);
        let found = signed.tx().sidecar().as_eip7594().unwrap();
        assert!(*found == to_alloy(&blobs));
        // As a block holds it.
        let bare = TxEnvelope::from(tx.into_signed(signature));
        assert_eq!(*bare.tx_hash(), form.hash);
    }

    #[test]
    fn a_transaction_names_its_blobs_in_order_and_no_others() {
        let blobs = sidecars(&[2, 3]);
        let carried: Vec<B256> = blobs.iter().map(Sidecar::versioned_hash).collect();
        let [one, two] = [carried[0], carried[1]];
        for named in [vec![], vec![one], vec![two, one], vec![one, B256::ZERO], vec![one, two, two]]
        {
            let tx = TxEip4844 { blob_versioned_hashes: named.clone(), ..transaction(&blobs) };
            let form = pool_form(tx, Signature::test_signature(), &blobs);
            let carried = carried.clone();
            assert_eq!(form, Err(SidecarError::OtherBlobs { named, carried }));
        }
    }
}
