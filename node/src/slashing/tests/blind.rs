//! Evidence about blind receipts and closings, judged by the contract.

use super::*;

use bastion_client::{SignedBlind, SignedClosing};
use bastion_protocol::blind::{BlindReceipt, Closing, Entry, Hidden, Paid, Terms};
use bastion_protocol::data::BatchData;
use bastion_protocol::header::domain;
use bastion_protocol::keys::SecretKey;
use bastion_protocol::ops::{Action, Body};
use bastion_protocol::records::{value_record, L2Record, Section};
use bastion_protocol::{Kind, Limit};

use crate::blind::l1::{reveal, revealed_at};

/// The place that the block has: its third batch has the leaves 300, 301 and 302.
const PLACE: Place = Place { block: 7, batch: 2, position: 1 };

impl World {
    fn hidden(&self) -> Hidden {
        let limit = Limit::new(1 << 63, 60).unwrap();
        let action = Action::Order { to: 12, buy: 1, amount: 5_000, limit };
        let deadline = TIME_OF_BLOCK;
        let body = Body { account: 11, token: 0, nonce: 5, deadline, fee: 0, action };
        let rollup = domain(self.l1.chain_id(), L2Address(self.rollup.into_array()));
        Hidden::new(body, vec![12], (900, 1_000), &SecretKey::from_seed(b"owner"), rollup).unwrap()
    }

    fn digest_of(&self, blind: &BlindReceipt) -> [u8; 32] {
        blind.digest(self.l1.chain_id(), L2Address(self.rollup.into_array()))
    }

    /// A blind receipt for a place, of the order or of another leaf.
    fn blind(&self, place: Place, leaf: Option<Fr>, forfeit: Fr) -> SignedBlind {
        let request = self.hidden().request;
        let paid = vec![Paid { account: 12, token: 1 }];
        let message = request.message;
        let reveal_by = TIME_OF_BLOCK + 10_000;
        let (account, token, nonce, available) = (11, 0, 5, 9_000);
        let terms = Terms { message, account, token, nonce, available, paid, reveal_by };
        let leaf = leaf.unwrap_or(request.leaf);
        let (epoch, operation, time) = (0, terms.hash(), TIME_OF_BLOCK);
        let receipt = Receipt { epoch, place, operation, leaf, time };
        self.seal(BlindReceipt { receipt, forfeit }, terms)
    }

    fn seal(&self, blind: BlindReceipt, terms: Terms) -> SignedBlind {
        let signature = self.signature(&self.digest_of(&blind));
        SignedBlind { blind, terms, signature }
    }

    fn signature(&self, digest: &[u8; 32]) -> String {
        let (signature, id) = self.key.sign_prehash_recoverable(digest).unwrap();
        let bytes: Bytes = [&signature.to_bytes()[..], &[27 + id.to_byte()]].concat().into();
        bytes.to_string()
    }

    fn closing(&self, batch: u32, entries: Vec<Entry>, time: u64) -> SignedClosing {
        let closing = Closing::of(&entries, 0, 7, batch, time);
        let digest = closing.digest(self.l1.chain_id(), L2Address(self.rollup.into_array()));
        SignedClosing { closing, entries, signature: self.signature(&digest) }
    }

    fn against_blind(
        &mut self,
        signed: &SignedBlind,
        proof: &InclusionProof,
    ) -> Result<Option<Evidence>, NodeError> {
        let digest = self.digest_of(&signed.blind);
        let revealed = revealed_at(&mut self.l1, self.slashing, digest)?.is_some();
        Evidence::against_blind(signed, proof, revealed, self.l1.chain_id(), self.rollup)
    }

    fn against_closing(
        &self,
        signed: &SignedClosing,
        proof: &InclusionProof,
        words: Option<&[Fr]>,
    ) -> Result<Option<Evidence>, NodeError> {
        Evidence::against_closing(signed, proof, words, self.l1.chain_id(), self.rollup)
    }
}

fn known(leaf: u64) -> Entry {
    Entry { leaf: Fr::from(leaf), forfeit: None }
}

fn refused(result: Result<Option<Evidence>, NodeError>, why: &str) {
    let error = result.unwrap_err().to_string();
    assert!(error.contains(why), "{error}");
}

#[test]
fn each_fault_of_a_blind_receipt_costs_the_bond() {
    let mut world = World::new();
    let proof = world.block.proof(7, 2, 1);
    let forfeit = Fr::from(77_u64);

    let blind = world.blind(PLACE, None, forfeit);
    let (evidence, found) = fault(world.against_blind(&blind, &proof));
    assert_eq!((found, evidence.block()), (Fault::OtherLeaf, Some(7)));
    world.slash(&evidence);

    let mut world = world.bonded();
    for (place, expected) in [((0, 5), Fault::NoPosition), ((3, 0), Fault::NoBatch)] {
        let place = Place { block: 7, batch: place.0, position: place.1 };
        let blind = world.blind(place, None, forfeit);
        let (evidence, found) = fault(world.against_blind(&blind, &proof));
        assert_eq!(found, expected);
        world.slash(&evidence);
        world = world.bonded();
    }

    let SignedBlind { mut blind, terms, .. } = world.blind(PLACE, None, forfeit);
    blind.receipt.time += 1;
    let late = world.seal(blind, terms.clone());
    let (evidence, found) = fault(world.against_blind(&late, &proof));
    assert_eq!(found, Fault::OtherTime);
    world.slash(&evidence);

    let mut world = world.bonded();
    blind.receipt.time -= 2;
    blind.receipt.place.block = 9;
    let early = world.seal(blind, terms);
    let (evidence, found) = fault(world.against_blind(&early, &proof));
    assert_eq!((found, evidence.block()), (Fault::Overtaken, Some(7)));
    world.slash(&evidence);
}

#[test]
fn an_order_that_was_revealed_and_ignored_costs_the_bond() {
    let mut world = World::new();
    let proof = world.block.proof(7, 2, 1);
    // The forfeit stands at the place; it is a word with the order's fee, which is 0.
    let blind = world.blind(PLACE, None, proof.leaf);
    assert_eq!(world.against_blind(&blind, &proof).unwrap(), None, "nobody revealed it");
    let call = reveal(&blind, &world.hidden().opening).unwrap();
    world.l1.send(REPORTER, world.slashing, U256::ZERO, call).unwrap();
    let (evidence, found) = fault(world.against_blind(&blind, &proof));
    assert_eq!(found, Fault::Ignored);
    world.slash(&evidence);
    // What the contract took says which order it was.
    let shown = crate::blind::l1::openings(&mut world.l1, world.slashing).unwrap();
    let digest = world.digest_of(&blind.blind);
    assert_eq!(shown.openings, [(digest, world.hidden().opening)]);
    // The order itself is what was promised.
    let mut world = world.bonded();
    let kept = world.blind(PLACE, Some(proof.leaf), Fr::from(77_u64));
    assert_eq!(world.against_blind(&kept, &proof).unwrap(), None);
}

#[test]
fn two_promises_that_do_not_agree_cost_the_bond() {
    let mut world = World::new();
    let (chain, rollup) = (world.l1.chain_id(), world.rollup);
    let blind = |world: &World, forfeit: u64| world.blind(PLACE, None, Fr::from(forfeit));
    let (one, other) = (blind(&world, 1), blind(&world, 2));
    let evidence = Evidence::two_blind(&one, &other, chain, rollup).unwrap();
    assert_eq!((evidence.fault, evidence.block()), (Fault::TwoForOnePlace, None));
    world.slash(&evidence);
    let same = Evidence::two_blind(&one, &one, chain, rollup).map(Some);
    refused(same, "the same");

    let mut world = world.bonded();
    let receipt = world.receipt((7, 2, 1), Fr::from(5_u64));
    let (evidence, _) = fault(Evidence::blind_and_other(&one, &receipt, chain, rollup));
    world.slash(&evidence);
    // What its owner gets for revealing it agrees.
    let mut agreed = one.blind.receipt;
    agreed.operation = [9; 32];
    let agreed = world.sign(agreed);
    assert_eq!(Evidence::blind_and_other(&one, &agreed, chain, rollup).unwrap(), None);
    let elsewhere = world.receipt((7, 2, 2), Fr::from(5_u64));
    refused(Evidence::blind_and_other(&one, &elsewhere, chain, rollup), "places");

    let mut world = world.bonded();
    let closings = [3, 4].map(|leaf| world.closing(2, vec![known(leaf)], TIME_OF_BLOCK));
    let evidence = Evidence::two_closings(&closings[0], &closings[1], chain, rollup).unwrap();
    assert_eq!(evidence.fault, Fault::TwoClosings);
    world.slash(&evidence);
    let apart = world.closing(0, vec![known(3)], TIME_OF_BLOCK);
    let none = Evidence::two_closings(&closings[0], &apart, chain, rollup).map(Some);
    refused(none, "places");
}

#[test]
fn each_fault_of_a_closing_costs_the_bond() {
    let mut world = World::new();
    let proof = world.block.proof(7, 2, 1);
    let hidden = Entry { leaf: Fr::from(9_u64), forfeit: Some(Fr::from(8_u64)) };
    for entry in [known(9), hidden] {
        let replaced = world.closing(2, vec![known(300), entry], TIME_OF_BLOCK);
        let (evidence, found) = fault(world.against_closing(&replaced, &proof, None));
        assert_eq!((found, evidence.block()), (Fault::OtherLeaf, Some(7)));
        world.slash(&evidence);
        world = world.bonded();
    }
    // A batch that is shorter, or not there: nothing stands at the last entries.
    let all = (300..304).map(known).collect::<Vec<_>>();
    for (batch, entries, time, expected) in [
        (2, all.clone(), TIME_OF_BLOCK, Fault::NoPosition),
        (3, all.clone(), TIME_OF_BLOCK, Fault::NoBatch),
        (2, all, TIME_OF_BLOCK + 1, Fault::OtherTime),
    ] {
        let closing = world.closing(batch, entries, time);
        let (evidence, found) = fault(world.against_closing(&closing, &proof, None));
        assert_eq!(found, expected);
        world.slash(&evidence);
        world = world.bonded();
    }
    // Its leaf is its only word, and is none of a quote.
    let short = world.closing(2, vec![known(300)], TIME_OF_BLOCK);
    let (evidence, found) = fault(world.against_closing(&short, &proof, Some(&[proof.leaf])));
    assert_eq!(found, Fault::Reopened);
    world.slash(&evidence);
}

#[test]
fn what_a_closing_promised_is_no_fault() {
    let world = World::new();
    let proof = world.block.proof(7, 2, 1);
    let hidden =
        |leaf: u64, forfeit: u64| Entry { leaf: Fr::from(leaf), forfeit: Some(Fr::from(forfeit)) };
    for entry in [known(301), hidden(301, 5), hidden(5, 301)] {
        let kept = world.closing(2, vec![known(300), entry], TIME_OF_BLOCK);
        assert_eq!(world.against_closing(&kept, &proof, None).unwrap(), None);
    }
    let quote = Fr::from(8_u128 << 116);
    let short = world.closing(2, vec![known(300)], TIME_OF_BLOCK);
    assert_eq!(world.against_closing(&short, &proof, Some(&[quote])).unwrap(), None);
    assert_eq!(world.against_closing(&short, &proof, None).unwrap(), None);
    // Entries that were not signed, another block, another batch.
    let mut listed = world.closing(2, vec![known(300), known(301)], TIME_OF_BLOCK);
    listed.entries[0] = known(5);
    refused(world.against_closing(&listed, &proof, None), "not those of the closing");
    let elsewhere = world.block.proof(8, 2, 1);
    refused(world.against_closing(&short, &elsewhere, None), "about block 8");
    let other = world.block.proof(7, 0, 1);
    refused(world.against_closing(&short, &other, None), "batch 0");
}

#[test]
fn a_forged_proof_decides_nothing_about_blind_receipts_and_closings() {
    let mut world = World::new();
    let mut forged = world.block.proof(7, 2, 1);
    forged.leaf = Fr::from(77_u64);
    let blind = world.blind(PLACE, None, forged.leaf);
    refused(world.against_blind(&blind, &forged), "proof of inclusion does not hold");
    for entry in [known(77), known(301)] {
        let closing = world.closing(2, vec![known(300), entry], TIME_OF_BLOCK);
        refused(world.against_closing(&closing, &forged, None), "proof of inclusion does not hold");
    }
}

#[test]
fn terms_that_were_not_signed_are_refused() {
    let mut world = World::new();
    let proof = world.block.proof(7, 2, 1);
    let mut blind = world.blind(PLACE, None, Fr::from(77_u64));
    blind.terms.available += 1;
    refused(world.against_blind(&blind, &proof), "terms");
    let later = world.block.proof(8, 2, 1);
    let blind = world.blind(PLACE, None, Fr::from(77_u64));
    refused(world.against_blind(&blind, &later), "later");
    let beside = world.block.proof(7, 2, 2);
    refused(world.against_blind(&blind, &beside), "position 2");
}

/// Words are found for every kind that posts more than one section.
#[test]
fn the_words_of_an_operation_are_those_of_its_leaf() {
    let of = |kind: Kind, from: u32| {
        let (kind, fee12, to, amount40) = (kind.description().number, 0, 0, 0);
        L2Record { kind, fee12, from, to, amount40 }.to_bytes()
    };
    let owner = vec![3_u8; 52];
    let exit = |n: u8| vec![n; 47];
    let l2 = vec![
        of(Kind::Transfer, 1),
        of(Kind::Order, 2),
        value_record(99),
        of(Kind::ChangeKey, 3),
        of(Kind::Withdraw, 4),
    ];
    // Of two L1 operations one pays an exit.
    let records = [vec![vec![1; 75], vec![2; 75]], l2, vec![exit(8), exit(9)], vec![owner.clone()]];
    let batch = BatchData { records };
    let leaf = |records: &[&[u8]]| bastion_protocol::order::leaf_of(records.iter().copied());
    let found = |position| words_at(&batch, position).and_then(bastion_protocol::order::leaf);
    let l2 = batch.section(Section::L2);
    assert_eq!(found(2), leaf(&[&l2[0]]));
    assert_eq!(found(3), leaf(&[&l2[1], &l2[2]]));
    assert_eq!(found(4), leaf(&[&l2[3], &owner]));
    assert_eq!(found(5), leaf(&[&l2[4], &exit(9)]));
    assert!([2, 3, 4, 5].iter().all(|position| found(*position).is_some()));
    assert_eq!([0, 1, 6].map(|position| words_at(&batch, position)), [None, None, None]);
}
