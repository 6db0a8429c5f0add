#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use alloy_primitives::{keccak256, B256};
use bastion_client::SignedReceipt;
use bastion_l1::{EmbeddedL1, DEV_CHAIN_ID};
use bastion_node::sequencer::ReceiptSigner;
use bastion_node::settle::block_hash;
use bastion_node::slashing::Fault;
use bastion_protocol::blind::{BlindReceipt, Terms};
use bastion_protocol::header::Header;
use bastion_protocol::order::{counts_word, next, OrderTree};
use bastion_protocol::receipt::Place;
use bastion_protocol::{Fr, PublicInputs, Receipt};

use super::*;
use crate::exit;

const TIME: u64 = 1_800_000_000;
const CONTRACT: Address = Address::repeat_byte(7);
const AT: (u64, Address) = (DEV_CHAIN_ID, CONTRACT);

/// The proof of the second of three operations, in block 7.
fn proof() -> InclusionProof {
    let leaves: Vec<Fr> = (300..303_u64).map(Fr::from).collect();
    let (tree, counts) = (OrderTree::new(&leaves), [0, 3, 0, 0]);
    let word = counts_word(counts, tree.operations());
    let mut inputs = PublicInputs::from_array([Fr::from(5_u64); 16]);
    inputs.c_out = next(Fr::from(0_u64), tree.root(), word);
    inputs.time = Fr::from(TIME);
    InclusionProof::build(7, inputs.into_array(), &[(tree, counts)], 0, 1).unwrap()
}

/// What L1 holds of it.
fn block() -> Block {
    let inputs = PublicInputs::from_array(proof().inputs);
    let zero = Fr::from(0_u64);
    let header = Header {
        old_root: zero,
        new_root: zero,
        policy_root: zero,
        domain: zero,
        time: TIME,
        c_out: inputs.c_out,
        batches: 1,
    };
    Block {
        header,
        data: Vec::new(),
        blobs: Vec::new(),
        memo: None,
        committed_at: TIME,
        exit_root: [0; 32],
        inputs_hash: block_hash(&inputs).0,
        processed: 0,
        proving: None,
        finalized: Some(zero),
        finalized_at: Some(TIME + 60),
    }
}

fn signer() -> ReceiptSigner {
    let contract = bastion_protocol::Address(CONTRACT.into_array());
    ReceiptSigner::new(&B256::repeat_byte(1), DEV_CHAIN_ID, contract).unwrap()
}

fn promised(block: u64, position: u32, leaf: Fr) -> Receipt {
    let place = Place { block, batch: 0, position };
    Receipt { epoch: 0, place, operation: [1; 32], leaf, time: TIME }
}

fn receipt(block: u64, position: u32, leaf: Fr) -> SignedReceipt {
    signer().sign(promised(block, position, leaf)).unwrap()
}

fn blind(leaf: Fr, forfeit: Fr) -> Paper {
    let (message, paid, reveal_by) = (Fr::from(1_u64), Vec::new(), TIME + 600);
    let terms =
        Terms { message, account: 11, token: 0, nonce: 5, available: 9_000, paid, reveal_by };
    let receipt = Receipt { operation: terms.hash(), ..promised(7, 1, leaf) };
    Paper::Blind(signer().sign_blind(BlindReceipt { receipt, forfeit }, terms).unwrap().0)
}

fn look(
    paper: &Paper,
    proof: &InclusionProof,
    block: &Block,
) -> Result<(Option<Fault>, Known), (u8, String)> {
    let mut l1 = EmbeddedL1::new(TIME);
    let found = paper.against(proof, block, (&mut l1, None), AT);
    let found = found.map_err(|error| (exit::code(&error), error.to_string()))?;
    Ok((found.0.map(|evidence| evidence.fault), found.1))
}

#[test]
fn what_is_known_is_what_was_shown() {
    let (proof, block) = (proof(), block());
    let other = Fr::from(12_345_u64);
    let of = |paper: Paper| look(&paper, &proof, &block).unwrap();
    assert_eq!(of(Paper::Receipt(receipt(7, 1, proof.leaf))), (None, Known::AsPromised));
    let broken = (Some(Fault::OtherLeaf), Known::Broken);
    assert_eq!(of(Paper::Receipt(receipt(7, 1, other))), broken);
    let later = Known::NotOvertaken { block: 7, own: 9 };
    assert_eq!(of(Paper::Receipt(receipt(9, 1, other))), (None, later));
    assert_eq!(of(blind(proof.leaf, other)), (None, Known::AsPromised));
    assert_eq!(of(blind(other, proof.leaf)), (None, Known::ForfeitNotAsked));
    assert_eq!(of(blind(other, other)), broken);
}

#[test]
fn a_proof_that_does_not_hold_is_3_and_decides_nothing() {
    let (proof, block) = (proof(), block());
    let mut forged = proof.clone();
    forged.leaf = Fr::from(12_345_u64);
    let mut late = proof.clone();
    late.inputs[8] += Fr::from(1_u64);
    for proof in [forged, late] {
        for paper in [
            Paper::Receipt(receipt(7, 1, proof.leaf)),
            Paper::Receipt(receipt(7, 1, Fr::from(300_u64))),
            Paper::Receipt(receipt(9, 1, proof.leaf)),
            blind(Fr::from(5_u64), proof.leaf),
        ] {
            let (code, why) = look(&paper, &proof, &block).unwrap_err();
            assert_eq!(code, 3, "{why}");
            assert!(why.contains("proof of inclusion does not hold"), "{why}");
        }
    }
    // Another block of L1 has other inputs.
    let of_other = Block { inputs_hash: keccak256("other").0, ..block.clone() };
    let paper = Paper::Receipt(receipt(7, 1, proof.leaf));
    assert_eq!(look(&paper, &proof, &of_other).unwrap_err().0, 3);
    // What may be taken back decides nothing either.
    let open = Block { finalized_at: None, ..block };
    let (code, why) = look(&paper, &proof, &open).unwrap_err();
    assert!(code == 1 && why.contains("not final"), "{code}: {why}");
}

#[test]
fn a_proof_of_something_else_is_2() {
    let (proof, block) = (proof(), block());
    let mut malformed = receipt(7, 1, proof.leaf);
    malformed.signature = "0x1234".into();
    for (signed, part) in [
        (receipt(6, 1, proof.leaf), "about block 7"),
        (receipt(7, 2, proof.leaf), "position 2"),
        (malformed, "signature"),
    ] {
        let (code, why) = look(&Paper::Receipt(signed), &proof, &block).unwrap_err();
        assert_eq!(code, 2, "{why}");
        assert!(why.contains(part), "{why}");
    }
}

#[test]
fn a_file_that_is_none_of_the_three_is_told_so() {
    let dir = tempfile::tempdir().unwrap();
    for text in ["{}", "[]", "7", "no json", "{\"body\": {}}"] {
        let path = dir.path().join("file.json");
        std::fs::write(&path, text).unwrap();
        let error = Paper::read(&path).err().unwrap();
        assert!(error.to_string().starts_with("receipt, blind receipt or closing"), "{error}");
        assert_eq!(exit::code(&error.into()), 2, "{text}");
    }
    let path = dir.path().join("receipt.json");
    let signed = serde_json::to_vec(&receipt(7, 1, Fr::from(1_u64))).unwrap();
    std::fs::write(&path, signed).unwrap();
    assert!(matches!(Paper::read(&path).unwrap(), Paper::Receipt(_)));
}

#[test]
fn a_kept_promise_has_one_code_when_it_is_reported() {
    let code = |error: CliError| exit::code(&error.into());
    for known in [Known::AsPromised, Known::of(1, 9), Known::Forfeited, Known::Agree] {
        assert_eq!(code(super::super::nothing(known)), 1, "{known}");
    }
    // The contract says so.
    assert_eq!(code(CliError::NoFault { why: "the promise was kept".into() }), 1);
    assert_eq!(code(super::super::nothing(Known::NotCompared)), 2);
}
