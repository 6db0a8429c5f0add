//! The known answers of the other implementations of the protocol: `clients/ts/test/vectors.json` is
//! written from this crate. `BASTION_BLESS=1` writes it again.
#![allow(clippy::unwrap_used, missing_docs)]

mod vectors {
    pub mod hash;
    pub mod keys;
    pub mod operations;
    pub mod order;
    pub mod receipts;
    pub mod state;
}

use std::path::Path;

use bastion_protocol::{field, Address, Fr};
use serde_json::{json, Value};

const FILE: &str = "../clients/ts/test/vectors.json";
const EXIT: Address = Address([0xe1; 20]);

fn bytes(bytes: &[u8]) -> Value {
    format!("0x{}", hex::encode(bytes)).into()
}

fn element(x: &Fr) -> Value {
    field::to_hex(x).into()
}

fn elements(xs: &[Fr]) -> Value {
    xs.iter().map(element).collect()
}

/// An element without structure, the same in every run.
fn random(label: &str) -> Fr {
    field::reduce(&bastion_protocol::hash::keccak(&[label.as_bytes()]))
}

#[test]
fn the_known_answers_of_the_client_are_those_of_this_crate() {
    let all = json!({
        "hash": vectors::hash::vectors(),
        "keys": vectors::keys::vectors(),
        "floats": vectors::operations::floats(),
        "operations": vectors::operations::vectors(),
        "state": vectors::state::vectors(),
        "receipts": vectors::receipts::vectors(),
        "order": vectors::order::vectors(),
    });
    let text = serde_json::to_string_pretty(&all).unwrap() + "\n";
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(FILE);
    if std::env::var_os("BASTION_BLESS").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        committed == text,
        "{FILE} is not what `bastion-protocol` gives: run this test with BASTION_BLESS=1"
    );
}
