//! A transaction with a blob, taken by a real node and read back from it.

use std::time::Duration;

use alloy::consensus::{SignableTransaction, TxEip4844};
use alloy::primitives::{hex, Address, Bytes, B256, U256};
use alloy::signers::local::PrivateKeySigner;
use alloy::signers::SignerSync;
use bastion_l1::blob::{pool_form, Sidecar, BLOB_BYTES};
use bastion_l1::{Receipt, RpcL1, SendFault, Web, DEV_CHAIN_ID};
use serde_json::Value;

use crate::anvil::Anvil;
use crate::TIME;

/// The key of the first account of every development chain.
const KEY: &str = "ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80";

fn transaction(blobs: &[Sidecar], nonce: u64) -> TxEip4844 {
    TxEip4844 {
        chain_id: DEV_CHAIN_ID,
        nonce,
        gas_limit: 100_000,
        max_fee_per_gas: 30_000_000_000,
        max_priority_fee_per_gas: 1_000_000_000,
        to: Address::repeat_byte(7),
        value: U256::ZERO,
        access_list: Default::default(),
        blob_versioned_hashes: blobs.iter().map(Sidecar::versioned_hash).collect(),
        max_fee_per_blob_gas: 30_000_000_000,
        input: Bytes::from_static(&[1, 2, 3]),
    }
}

/// The node makes its block a little later.
fn mined(l1: &mut RpcL1, transaction: B256) -> Receipt {
    for _ in 0..200 {
        if let Some(receipt) = l1.receipt(transaction).unwrap() {
            return receipt;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    panic!("{transaction} is in no block");
}

#[test]
fn a_node_takes_blobs_and_gives_them_back() {
    let anvil = Anvil::start(TIME);
    let mut l1 = RpcL1::connect(&anvil.url).unwrap();
    let signer: PrivateKeySigner = KEY.parse().unwrap();
    let mut bytes = vec![0; BLOB_BYTES];
    (bytes[31], bytes[131_000]) = (9, 7);
    let blobs = [Sidecar::new(&bytes).unwrap(), Sidecar::new(&[3; BLOB_BYTES]).unwrap()];
    let tx = transaction(&blobs, 0);
    let signature = signer.sign_hash_sync(&tx.signature_hash()).unwrap();
    let form = pool_form(tx, signature, &blobs).unwrap();
    l1.send_raw(&form.raw).unwrap();
    let receipt = mined(&mut l1, form.hash);
    assert!(receipt.succeeded);

    let web = Web::new(&anvil.url).unwrap();
    let path = format!("/eth/v1/beacon/blobs/{}", receipt.block);
    for blob in &blobs {
        let hash = blob.versioned_hash().to_string();
        let answer: Value = web.json(&path, &[("versioned_hashes", &hash)]).unwrap().unwrap();
        assert_eq!(answer["data"], serde_json::json!([hex::encode_prefixed(blob.blob())]));
    }
    assert!(web.get("/nothing/is/here", &[]).unwrap().is_none());

    // The same with another blob than the proofs are of.
    let other = [Sidecar::new(&[1; BLOB_BYTES]).unwrap()];
    let tx = transaction(&other, 1);
    let signature = signer.sign_hash_sync(&tx.signature_hash()).unwrap();
    let form = pool_form(tx, signature, &other).unwrap();
    let mut raw = form.raw.to_vec();
    let at = raw.windows(32).position(|w| w == [1; 32]).unwrap();
    raw[at + 5_000] = 2;
    let refused = l1.send_raw(&raw.into()).unwrap_err();
    assert!(
        SendFault::of_error(&refused).is_none_or(|fault| fault != SendFault::Known),
        "{refused}"
    );
    assert!(l1.receipt(form.hash).unwrap().is_none());
}
