use super::*;
use bastion_protocol::hash::keccak;
use bastion_protocol::header::domain;
use bastion_protocol::keys::SecretKey;
use bastion_protocol::ops::{Action, Body};
use bastion_protocol::receipt::Place;
use bastion_protocol::{Fr, Limit, Receipt};
use k256::ecdsa::SigningKey;

const TIME: u64 = 1_800_000_000;
const REVEAL_BY: u64 = TIME + 600;
const BURNED: Index = 900;
const CHAIN: u64 = 1;
const CONTRACT: Address = Address([7; 20]);

fn signing_key(byte: u8) -> SigningKey {
    SigningKey::from_slice(&[byte; 32]).unwrap()
}

fn rollup() -> Rollup {
    let sequencer = crate::receipt::address_of(signing_key(1).verifying_key());
    Rollup { chain_id: CHAIN, contract: CONTRACT, sequencer }
}

fn sign(digest: &[u8; 32], byte: u8) -> String {
    let (signature, id) = signing_key(byte).sign_prehash_recoverable(digest).unwrap();
    let bytes = [&signature.to_bytes()[..], &[27 + id.to_byte()]].concat();
    format!("0x{}", hex::encode(bytes))
}

fn hidden(seed: u64) -> Hidden {
    let limit = Limit::new(1 << 63 | seed, 60).unwrap();
    let action = Action::Order { to: 12, buy: 1, amount: 5_000, limit };
    let body = Body { account: 11, token: 0, nonce: 5, deadline: TIME, fee: 70, action };
    let key = SecretKey::from_seed(b"owner");
    Hidden::new(body, vec![12], (BURNED, 1_000), &key, domain(CHAIN, CONTRACT)).unwrap()
}

fn blind_with(hidden: &Hidden, change: impl FnOnce(&mut SignedBlind), byte: u8) -> SignedBlind {
    let message = hidden.request.message;
    let paid = vec![Paid { account: 12, token: 1 }];
    let (account, token, nonce, available, reveal_by) = (11, 0, 5, 9_000, REVEAL_BY);
    let terms = Terms { message, account, token, nonce, available, paid, reveal_by };
    let place = Place { block: 2, batch: 0, position: 1 };
    let leaf = hidden.request.leaf;
    let receipt = Receipt { epoch: 1, place, operation: [0; 32], leaf, time: TIME };
    let forfeit = hidden.request.forfeit_leaf().unwrap();
    let blind = BlindReceipt { receipt, forfeit };
    let mut signed = SignedBlind { blind, terms, signature: String::new() };
    change(&mut signed);
    if signed.blind.receipt.operation == [0; 32] {
        signed.blind.receipt.operation = signed.terms.hash();
    }
    signed.signature = sign(&signed.blind.digest(CHAIN, CONTRACT), byte);
    signed
}

fn blind(hidden: &Hidden) -> SignedBlind {
    blind_with(hidden, |_| (), 1)
}

#[test]
fn a_receipt_that_keeps_all_is_taken() {
    let hidden = hidden(1);
    assert_eq!(receipt(&blind(&hidden), &hidden, &rollup(), REVEAL_BY), Ok(()));
    let json = serde_json::to_string(&blind(&hidden)).unwrap();
    assert_eq!(serde_json::from_str::<SignedBlind>(&json).unwrap(), blind(&hidden));
}

#[test]
fn a_receipt_that_keeps_less_is_not() {
    let order = hidden(1);
    let foreign = blind_with(&order, |_| (), 2);
    let refused = receipt(&foreign, &order, &rollup(), REVEAL_BY);
    assert!(matches!(refused, Err(Distrust::Signer { .. })));
    let other_leaf = hidden(2).request.leaf;
    let changes: [&dyn Fn(&mut SignedBlind); 10] = [
        &|s| s.blind.receipt.leaf = other_leaf,
        &|s| s.terms.message += Fr::from(1_u64),
        &|s| s.blind.forfeit += Fr::from(1_u64),
        &|s| s.terms.reveal_by -= 1,
        &|s| s.terms.paid[0].account += 1,
        &|s| s.terms.paid.push(Paid { account: 13, token: 1 }),
        &|s| s.terms.available = 5_069,
        &|s| s.terms.nonce += 1,
        &|s| s.blind.forfeit += bastion_protocol::field::pow2(104),
        &|s| s.blind.receipt.operation = keccak(&[b"other terms"]),
    ];
    for (i, change) in changes.into_iter().enumerate() {
        let signed = blind_with(&order, change, 1);
        let refused = receipt(&signed, &order, &rollup(), REVEAL_BY);
        assert!(matches!(refused, Err(Distrust::Blind { .. })), "{i}: {refused:?}");
    }
    // A block that comes later than the order lasts.
    let late = blind_with(&order, |s| s.blind.receipt.time += 1, 1);
    assert!(receipt(&late, &order, &rollup(), REVEAL_BY).is_err());
}

/// L1 looks at all accounts that may be paid: with thousands of them no opening fits one transaction, and the operator
/// could choose which orders it executes.
#[test]
fn a_receipt_whose_opening_l1_cannot_take_is_refused() {
    let mut order = hidden(1);
    let padded = |s: &mut SignedBlind| {
        s.terms.paid = (12..3_012).map(|account| Paid { account, token: 1 }).collect();
    };
    let signed = blind_with(&order, padded, 1);
    let refused = receipt(&signed, &order, &rollup(), REVEAL_BY);
    assert!(matches!(refused, Err(Distrust::Blind { .. })), "{refused:?}");
    // Nor is it if the owner asked for as many.
    order.request.paid = (12..3_012).collect();
    let refused = receipt(&signed, &order, &rollup(), REVEAL_BY);
    assert!(matches!(refused, Err(Distrust::Blind { .. })), "{refused:?}");
}

fn known(n: u64) -> Entry {
    Entry { leaf: Fr::from(n), forfeit: None }
}

fn closing_of(entries: Vec<Entry>, byte: u8) -> SignedClosing {
    let closing = Closing::of(&entries, 1, 2, 0, TIME);
    let signature = sign(&closing.digest(CHAIN, CONTRACT), byte);
    SignedClosing { closing, entries, signature }
}

fn check(signed: &SignedClosing, own: &SignedBlind) -> Result<(), Distrust> {
    let least = |account| (account == 11).then_some(1_000);
    closing(signed, own, &rollup(), TIME + 300, |account| account == BURNED, least)
}

#[test]
fn a_closing_that_keeps_the_receipt_is_taken() {
    let own = blind(&hidden(1));
    let signed = closing_of(vec![known(1), own.blind.entry(), known(2)], 1);
    assert_eq!(check(&signed, &own), Ok(()));
    let json = serde_json::to_string(&signed).unwrap();
    assert_eq!(serde_json::from_str::<SignedClosing>(&json).unwrap(), signed);
}

#[test]
fn nothing_is_revealed_after_another_closing() {
    let own = blind(&hidden(1));
    let entry = own.blind.entry();
    let foreign = check(&closing_of(vec![known(1), entry], 2), &own);
    assert!(matches!(foreign, Err(Distrust::Signer { .. })));
    let refused = |signed: SignedClosing| {
        let result = check(&signed, &own);
        assert!(matches!(result, Err(Distrust::Closing { .. })), "{result:?}");
    };
    // Another place, another entry, a list that was not signed.
    refused(closing_of(vec![entry, known(1)], 1));
    refused(closing_of(vec![known(1)], 1));
    refused(closing_of(vec![known(1), known(2)], 1));
    let other = Entry { forfeit: Some(own.blind.forfeit + Fr::from(1_u64)), ..entry };
    refused(closing_of(vec![known(1), other], 1));
    let mut listed = closing_of(vec![known(1), entry], 1);
    listed.entries.push(known(3));
    refused(listed);
    // Another batch.
    let changes: [fn(&mut Closing); 4] =
        [|c| c.epoch += 1, |c| c.block += 1, |c| c.batch += 1, |c| c.time += 1];
    for change in changes {
        let mut signed = closing_of(vec![known(1), entry], 1);
        change(&mut signed.closing);
        signed.signature = sign(&signed.closing.digest(CHAIN, CONTRACT), 1);
        refused(signed);
    }
    // It comes so late that L1 might not take an opening any more.
    let least = |_| Some(0);
    let late = closing(
        &closing_of(vec![known(1), entry], 1),
        &own,
        &rollup(),
        REVEAL_BY - 299,
        |account| account == BURNED,
        least,
    );
    assert!(matches!(late, Err(Distrust::Closing { .. })), "{late:?}");
    // Somebody withholds his order at little cost: too small a forfeit, one to an account that is spent from, of an
    // account that nobody knows, and none at all.
    let with = |account: Index, (burned, bond): (Index, u128)| {
        let limit = Limit::new(1 << 63, 60).unwrap();
        let action = Action::Order { to: 12, buy: 1, amount: 5_000, limit };
        let body = Body { account, token: 0, nonce: 5, deadline: TIME, fee: 70, action };
        let key = SecretKey::from_seed(b"operator");
        let domain = domain(CHAIN, CONTRACT);
        let hidden = Hidden::new(body, vec![12], (burned, bond), &key, domain).unwrap();
        let forfeit = Some(hidden.request.forfeit_leaf().unwrap());
        closing_of(vec![known(1), entry, Entry { leaf: hidden.request.leaf, forfeit }], 1)
    };
    refused(with(11, (BURNED, 999)));
    refused(with(11, (BURNED + 1, 1_000)));
    refused(with(12, (BURNED, 1_000)));
    let none = Entry { leaf: Fr::from(5_u64), forfeit: Some(Fr::from(6_u64)) };
    refused(closing_of(vec![known(1), entry, none], 1));
    assert_eq!(check(&with(11, (BURNED, 1_000)), &own), Ok(()));
}
