//! Receipts and proofs of inclusion as `bastion-protocol` makes them, for the forge tests. `BASTION_BLESS=1` writes
//! them again.
#![allow(clippy::unwrap_used)]

use bastion_protocol::blind::terms::{Opening, Paid, Terms};
use bastion_protocol::blind::{conceal, paid_word, BlindReceipt, Closing, Entry, Hidden};
use bastion_protocol::hash::{compress, keccak};
use bastion_protocol::header::domain;
use bastion_protocol::keys::SecretKey;
use bastion_protocol::ops::{Action, Body};
use bastion_protocol::order::{counts_word, next, InclusionProof, OrderTree};
use bastion_protocol::receipt::Place;
use bastion_protocol::{field, Address, Fr, Limit, Receipt};
use std::path::Path;

const FILE: &str = "test/ReceiptVectors.sol";
const CHAIN: u64 = 31_337;
const TIME: u64 = 1_800_000_000;
const ROLLUP: Address = Address([0x77; 20]);

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

/// A hidden order, what was agreed on about it, and its blind receipt at the proof's place.
fn hidden(proof: &InclusionProof) -> (Hidden, Terms, BlindReceipt) {
    let rollup = domain(CHAIN, ROLLUP);
    let limit = Limit::of(3_000_000_000, 1_000_000_000_000_000_000).unwrap();
    let amount = 1_500_000_000_000_000_000;
    let action = Action::Order { to: 131_090, buy: 1, amount, limit };
    let body = Body { account: 131_072, token: 3, nonce: 9, deadline: TIME + 5, fee: 70, action };
    let body = conceal(body, [0x0123_4567_89ab_cdef, 999_999]).unwrap();
    let paid = [(131_080, 2), (131_090, 1)].map(|(account, token)| Paid { account, token });
    let accounts = paid.iter().map(|paid| paid.account).collect();
    let key = SecretKey::from_seed(b"owner");
    let hidden = Hidden::new(body, accounts, (131_200, 50_000), &key, rollup).unwrap();
    let terms = Terms {
        message: hidden.request.message,
        account: body.account,
        token: body.token,
        nonce: body.nonce,
        available: 1_500_000_000_000_000_070,
        paid: paid.to_vec(),
        reveal_by: TIME + 600,
    };
    let place = Place { block: proof.block, batch: proof.batch, position: proof.position };
    let leaf = hidden.request.leaf;
    let receipt = Receipt { epoch: 3, place, operation: terms.hash(), leaf, time: TIME };
    let forfeit = hidden.request.forfeit_leaf().unwrap();
    let blind = BlindReceipt { receipt, forfeit };
    terms.check_opening(&blind, &hidden.opening, rollup).unwrap();
    (hidden, terms, blind)
}

/// The functions of the library about blind orders.
fn blind_vectors(proof: &InclusionProof) -> String {
    let (hidden, terms, blind) = hidden(proof);
    let Opening { to, buy, limit, deadline, .. } = hidden.opening;
    let (amount, fee) = hidden.opening.encoded().unwrap();
    let Terms { account, token, nonce, available, reveal_by, .. } = terms;
    let packed: Vec<u8> = terms
        .paid
        .iter()
        .flat_map(|p| paid_word(p.account, p.token).to_be_bytes().into_iter().skip(2))
        .collect();
    let paid: String = (0..)
        .zip(&terms.paid)
        .map(|(i, p)| format!("\n        p[{i}] = {};", paid_word(p.account, p.token)))
        .collect();
    let entries = [Entry { leaf: proof.leaf, forfeit: None }, blind.entry()];
    let closing = Closing::of(&entries, 3, proof.block, proof.batch, TIME);
    format!(
        "
    /// Of the blind receipt and of the closing below.
    bytes32 internal constant BLIND_DIGEST = {blind_digest};
    bytes32 internal constant CLOSING_DIGEST = {closing_digest};

    function blind() internal pure returns (Blind.Receipt memory) {{
        return Blind.Receipt(Receipts.Receipt(3, BLOCK, BATCH, POSITION, {operation}, {leaf}, {TIME}), {forfeit});
    }}

    function terms() internal pure returns (Blind.Terms memory) {{
        return Blind.Terms({message}, {account}, {token}, {nonce}, {available}, {packed}, {reveal_by});
    }}

    function opening() internal pure returns (Blind.Opening memory) {{
        return Blind.Opening({to}, {buy}, {amount}, {fee}, {limit}, {deadline});
    }}

    function paid() internal pure returns (uint48[] memory p) {{
        p = new uint48[]({count});{paid}
    }}

    function closing() internal pure returns (Blind.Closing memory) {{
        return Blind.Closing(3, BLOCK, BATCH, {entries}, {root}, {TIME});
    }}
",
        blind_digest = hex(&blind.digest(CHAIN, ROLLUP)),
        closing_digest = hex(&closing.digest(CHAIN, ROLLUP)),
        operation = hex(&blind.receipt.operation),
        leaf = field::to_hex(&blind.receipt.leaf),
        forfeit = field::to_hex(&blind.forfeit),
        message = field::to_hex(&terms.message),
        packed = hex(&keccak(&[&packed])),
        limit = limit.word(),
        count = terms.paid.len(),
        entries = closing.count,
        root = field::to_hex(&closing.root),
    )
}

fn vectors() -> String {
    let proof = proof();
    let about_blind = blind_vectors(&proof);
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
    let digest = hex(&receipt.digest(CHAIN, ROLLUP));
    format!(
        "// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {{Blind}} from \"../contracts/Blind.sol\";
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
{about_blind}}}
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
