//! Section 1 of the protocol.

use bastion_protocol::hash::{chain, compress, permute, round_constants};
use bastion_protocol::Fr;
use serde_json::{json, Value};

use crate::{element, elements, random};

pub fn vectors() -> Value {
    let mut inputs: Vec<[Fr; 2]> =
        [[0, 0], [0, 1], [0, 77], [1, 2]].map(|pair| pair.map(Fr::from)).to_vec();
    inputs.push([-Fr::from(1u64); 2]);
    inputs.extend((0..5).map(|i| [random(&format!("a{i}")), random(&format!("b{i}"))]));
    let pairs: Vec<Value> = inputs
        .into_iter()
        .map(|[a, b]| {
            let mut state = [a, b];
            permute(&mut state);
            json!({
                "input": elements(&[a, b]),
                "permuted": elements(&state),
                "compressed": element(&compress(a, b)),
            })
        })
        .collect();
    let chains: Vec<Value> = (0..4u64)
        .map(|n| {
            let xs: Vec<Fr> = (0..n).map(|i| random(&format!("x{i}"))).collect();
            json!({ "tag": n + 1, "elements": elements(&xs), "result": element(&chain(n + 1, &xs)) })
        })
        .collect();
    let constants = round_constants();
    json!({
        "external": constants.external.iter().map(|pair| elements(pair)).collect::<Vec<_>>(),
        "internal": elements(&constants.internal),
        "pairs": pairs,
        "chains": chains,
    })
}
