//! Receipts and proofs of inclusion as `bastion-protocol` makes them, for the forge tests. `BASTION_BLESS=1` writes
//! them again.
#![allow(clippy::unwrap_used)]

use bastion_protocol::hash::compress;
use bastion_protocol::order::{counts_word, next, InclusionProof, OrderTree};
use bastion_protocol::receipt::Place;
use bastion_protocol::{field, Address, Fr, Receipt};
use std::path::Path;

const FILE: &str = "test/ReceiptVectors.sol";
const CHAIN: u64 = 31_337;
const TIME: u64 = 1_800_000_000;

fn list(elements: &[Fr]) -> String {
    elements.iter().map(field::to_hex).collect::<Vec<_>>().join(", ")
}

/// A block of four batches, and a proof of its last operation.
fn proof() -> InclusionProof {
    let batch = |n: u64| {
        let leaf = |i: u64| compress(Fr::from(n), Fr::from(i));
        let leaves: Vec<Fr> = (0..n).map(leaf).collect();
        (OrderTree::new(&leaves), [1, n.saturating_sub(1), n / 2, 0])
    };
    let batches: Vec<_> = [6, 0, 1, 11].into_iter().map(batch).collect();
    let mut inputs: [Fr; 16] =
        std::array::from_fn(|i| compress(Fr::from(7_u64), Fr::from(i as u64)));
    inputs[3] = batches.iter().fold(Fr::from(0_u64), |c, (tree, counts)| {
        next(c, tree.root(), counts_word(*counts, tree.operations()))
    });
    inputs[8] = Fr::from(TIME);
    InclusionProof::build(9, inputs, &batches, 3, 10).unwrap()
}

fn vectors() -> String {
    let proof = proof();
    let batches: String = proof
        .batches()
        .unwrap()
        .iter()
        .enumerate()
        .map(|(i, batch)| {
            let root = batch.root.map_or_else(|| "0".into(), |root| field::to_hex(&root));
            let counts = field::to_hex(&batch.counts);
            format!("\n        b[{i}] = Inclusion.Batch({root}, {counts});")
        })
        .collect();
    let set = |name: &str, elements: &[Fr]| -> String {
        let one = |(i, x): (usize, &Fr)| format!("\n        {name}[{i}] = {};", field::to_hex(x));
        elements.iter().enumerate().map(one).collect()
    };
    let receipt = Receipt {
        epoch: 3,
        place: Place { block: proof.block, batch: proof.batch, position: proof.position },
        operation: [0xab; 32],
        leaf: proof.leaf,
        time: TIME,
    };
    let digest = hex(&receipt.digest(CHAIN, Address([0x77; 20])));
    format!(
        "// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {{Inclusion}} from \"../contracts/Inclusion.sol\";
import {{Receipts}} from \"../contracts/Receipts.sol\";

/// Known answers, generated from `bastion-protocol`; a test generates them again and compares.
library ReceiptVectors {{
    uint64 internal constant BLOCK = {block};
    uint32 internal constant BATCH = {batch};
    uint32 internal constant POSITION = {position};
    uint256 internal constant LEAF = {leaf};
    /// Of the receipt below, on chain {CHAIN}, for the rollup at `ROLLUP`.
    bytes32 internal constant DIGEST = {digest};
    address internal constant ROLLUP = 0x7777777777777777777777777777777777777777;

    function receipt() internal pure returns (Receipts.Receipt memory) {{
        return Receipts.Receipt({epoch}, BLOCK, BATCH, POSITION, {operation}, LEAF, {TIME});
    }}

    function inputs() internal pure returns (uint256[16] memory) {{
        return [uint256({first}), {rest}];
    }}

    function batches() internal pure returns (Inclusion.Batch[] memory b) {{
        b = new Inclusion.Batch[]({count});{batches}
    }}

    function siblings() internal pure returns (uint256[] memory s) {{
        s = new uint256[]({depth});{siblings}
    }}
}}
",
        block = proof.block,
        batch = proof.batch,
        position = proof.position,
        leaf = field::to_hex(&proof.leaf),
        epoch = receipt.epoch,
        operation = hex(&receipt.operation),
        first = field::to_hex(&proof.inputs[0]),
        rest = list(&proof.inputs[1..]),
        count = proof.batches().unwrap().len(),
        depth = proof.siblings.len(),
        siblings = set("s", &proof.siblings),
    )
}

fn hex(bytes: &[u8; 32]) -> String {
    alloy_primitives::hex::encode_prefixed(bytes)
}

#[test]
fn the_known_answers_are_those_of_the_protocol() {
    let (text, path) = (vectors(), Path::new(env!("CARGO_MANIFEST_DIR")).join(FILE));
    if std::env::var_os("BASTION_BLESS").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(committed == text, "{FILE} is stale: run this test with BASTION_BLESS=1");
}
