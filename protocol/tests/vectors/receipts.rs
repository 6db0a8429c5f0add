//! Section 13 of the protocol: digests, and signatures as the sequencer makes them.

use bastion_protocol::hash::keccak;
use bastion_protocol::receipt::Place;
use bastion_protocol::{Address, Fr, Receipt};
use k256::ecdsa::{Signature, SigningKey};
use serde_json::{json, Value};

use crate::bytes;

const CHAIN_ID: u64 = 31_337;
const CONTRACT: Address = Address([7; 20]);

fn address(key: &SigningKey) -> Address {
    let point = key.verifying_key().to_encoded_point(false);
    Address(keccak(&[&point.as_bytes()[1..]])[12..].try_into().unwrap())
}

/// The signature of the other half of the order, which readers refuse.
fn upper(signature: &Signature, v: u8) -> Vec<u8> {
    let upper = Signature::from_scalars(signature.r(), -signature.s()).unwrap();
    [&upper.to_bytes()[..], &[55 - v]].concat()
}

pub fn vectors() -> Value {
    let receipts = [
        Receipt {
            epoch: 1,
            place: Place { block: 2, batch: 3, position: 4 },
            operation: keccak(&[b"operation"]),
            leaf: Fr::from(7_u64),
            time: 1_800_000_000,
        },
        Receipt {
            epoch: u32::MAX,
            place: Place { block: (1 << 53) - 1, batch: u32::MAX, position: u32::MAX },
            operation: [0xff; 32],
            leaf: -Fr::from(1_u64),
            time: 0,
        },
    ];
    let signed: Vec<Value> = (1u8..)
        .zip(receipts)
        .map(|(i, receipt)| {
            let key = SigningKey::from_slice(&[i; 32]).unwrap();
            let digest = receipt.digest(CHAIN_ID, CONTRACT);
            let (signature, id) = key.sign_prehash_recoverable(&digest).unwrap();
            let v = 27 + id.to_byte();
            let lower = [&signature.to_bytes()[..], &[v]].concat();
            json!({
                "receipt": receipt,
                "digest": bytes(&digest),
                "secret": bytes(&[i; 32]),
                "address": address(&key),
                "signature": bytes(&lower),
                "upper": bytes(&upper(&signature, v)),
            })
        })
        .collect();
    json!({ "chain_id": CHAIN_ID, "contract": CONTRACT, "signed": signed })
}
