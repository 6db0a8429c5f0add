//! Section 3 of the protocol: leaves and paths.

use ark_ff::Zero;
use bastion_protocol::path::{empty_nodes, root_from_path, DEPTH};
use bastion_protocol::{Account, Fr, TIME_BOUND};
use serde_json::{json, Value};

use crate::{element, elements, random};

pub fn vectors() -> Value {
    let accounts = [
        Account {
            owner: random("owner"),
            token: 3,
            nonce: 7,
            balance: 10u128.pow(18),
            frozen_until: 0,
        },
        Account {
            owner: -Fr::from(1u64),
            token: u16::MAX,
            nonce: u32::MAX,
            balance: u128::MAX,
            frozen_until: TIME_BOUND - 1,
        },
        Account { owner: Fr::zero(), token: 0, nonce: 0, balance: 0, frozen_until: 0 },
    ];
    let leaves: Vec<Value> = accounts
        .iter()
        .map(|account| json!({ "account": account, "leaf": element(&account.leaf()) }))
        .collect();
    let path: [Fr; DEPTH] = std::array::from_fn(|i| random(&format!("sibling {i}")));
    let roots: Vec<Value> = [0, 1, 131_072, 154_202, 1 << 31, u32::MAX]
        .into_iter()
        .map(|index| {
            let leaf = accounts[0].leaf();
            json!({ "index": index, "root": element(&root_from_path(index, leaf, &path)) })
        })
        .collect();
    json!({
        "leaves": leaves,
        "path": elements(&path),
        "roots": roots,
        "empty_root": element(&empty_nodes()[0]),
    })
}
