//! Transactions that carry blobs: what they pay, what replaces them, what is sent again.

use alloy::primitives::{Address, Bytes, U256};
use bastion_l1::blob::Sidecar;
use bastion_l1::txmgr::{Attempt, Judge, Notice, Request, State, TxOptions};
use bastion_l1::{DevChain, L1Error, TxManager};
use serde_json::json;

use crate::rig::{calm, options, state, Rig};
use crate::TIME;

const NAME: &str = "commit 1";

fn sidecar(byte: u8) -> Sidecar {
    let mut blob = vec![0; 131_072];
    blob[31] = byte;
    Sidecar::new(&blob).unwrap()
}

/// A contract that reverts when it is called without a blob.
fn taker(rig: &Rig) -> Address {
    rig.create(&[0x60, 0, 0x49, 0x60, 11, 0x57, 0x60, 0, 0x60, 0, 0xfd, 0x5b, 0x00])
}

fn request(rig: &Rig) -> Request {
    Request::call(NAME, taker(rig), Bytes::new()).with_blobs(&[sidecar(7)])
}

fn attempts(manager: &TxManager) -> Vec<Attempt> {
    manager.get(NAME).unwrap().attempts.clone()
}

fn doubled(new: &Attempt, old: &Attempt) -> bool {
    let (new, old) = (new.fees, old.fees);
    new.max > 2 * old.max && new.tip > 2 * old.tip && new.blob > 2 * old.blob
}

#[test]
fn a_blob_arrives_and_is_paid_for() {
    let rig = Rig::new();
    let request = request(&rig);
    let mut manager = rig.manager();
    manager.submit(request.clone(), TIME).unwrap();
    calm(&manager.step(TIME).unwrap());
    calm(&manager.step(TIME + 1).unwrap());
    // anvil may count the nonce a moment before it has the receipt.
    if !matches!(manager.get(NAME).unwrap().state, State::Mined(_)) {
        std::thread::sleep(std::time::Duration::from_millis(500));
        calm(&manager.step(TIME + 1).unwrap());
    }
    let State::Mined(inclusion) = manager.get(NAME).unwrap().state.clone() else {
        panic!("{}", state(&manager, NAME));
    };
    assert!(inclusion.succeeded);
    let gas = U256::from(inclusion.gas_used) * U256::from(inclusion.gas_price);
    assert!(inclusion.cost >= gas + U256::from(131_072), "the blob is paid for");
    let held = rig.read().blob(sidecar(7).versioned_hash()).unwrap().unwrap();
    assert!(*held == *sidecar(7).blob());

    // Asking again is asking for the same, with another blob it is not.
    manager.submit(request.clone(), TIME + 1).unwrap();
    let other = request.clone().with_blobs(&[sidecar(8)]);
    assert!(matches!(manager.submit(other, TIME + 1), Err(L1Error::OtherIntent { .. })));
    rig.mine(2);
    manager.step(TIME + 2).unwrap();
    assert_eq!(state(&manager, NAME), "final");
    let intent = manager.get(NAME).unwrap();
    let kept = &intent.request.blobs[0];
    assert!(kept.bytes.is_empty() && intent.attempts.iter().all(|a| a.raw.is_empty()));
    manager.submit(request, TIME + 3).unwrap();
}

#[test]
fn the_same_bytes_are_sent_again_and_replaced_at_twice_the_price() {
    let rig = Rig::new();
    let request = request(&rig);
    rig.hold();
    let mut manager = rig.manager();
    manager.submit(request, TIME).unwrap();
    calm(&manager.step(TIME).unwrap());
    let first = attempts(&manager);
    assert!(first.len() == 1 && first[0].raw.len() > 131_072 && first[0].raw[0] == 3);

    // The pool forgets it, and the program ends: the stored bytes are sent again.
    drop(manager);
    rig.ask("anvil_dropTransaction", json!([first[0].hash]));
    let mut manager = rig.manager();
    calm(&manager.step(TIME + 12).unwrap());
    assert_eq!(attempts(&manager), first);
    let pending = rig.ask("eth_getTransactionByHash", json!([first[0].hash]));
    assert_eq!(pending["type"], json!("0x3"), "{pending}");

    calm(&manager.step(TIME + 60).unwrap());
    let both = attempts(&manager);
    assert!(both.len() == 2 && doubled(&both[1], &both[0]), "{:?}", both[1].fees);
    assert_eq!(both[1].nonce, both[0].nonce);
    rig.mine(1);
    calm(&manager.step(TIME + 61).unwrap());
    assert_eq!(state(&manager, NAME), "mined");
}

#[test]
fn what_takes_its_place_carries_the_blob_too() {
    let rig = Rig::new();
    let request = request(&rig);
    rig.hold();
    let mut manager = rig.manager();
    manager.submit(request, TIME).unwrap();
    calm(&manager.step(TIME).unwrap());
    calm(&manager.cancel(NAME, TIME + 1).unwrap());
    let both = attempts(&manager);
    assert!(both[1].cancels && doubled(&both[1], &both[0]) && both[1].raw[0] == 3);
    rig.mine(1);
    manager.step(TIME + 2).unwrap();
    rig.mine(2);
    manager.step(TIME + 3).unwrap();
    assert_eq!(state(&manager, NAME), "cancelled");
}

#[test]
fn no_more_is_paid_for_a_blob_than_is_allowed() {
    let rig = Rig::new();
    let request = request(&rig);
    rig.hold();
    let mut few = options();
    // Gas of the transaction fits, that of the blob does not.
    few.limits.transaction = U256::from(100_000);
    let mut manager = rig.manager_at(&[&rig.anvil.url], few, Judge::default());
    manager.submit(request, TIME).unwrap();
    let notices = manager.step(TIME).unwrap();
    let capped =
        |notice: &Notice| matches!(notice, Notice::Trouble { error: L1Error::Capped { .. }, .. });
    assert!(notices.iter().any(capped), "{notices:?}");
    drop(manager);

    // The first attempt is within the limit, its replacement is not: it goes on as it is.
    let mut manager = rig.manager_at(&[&rig.anvil.url], options(), Judge::default());
    calm(&manager.step(TIME + 12).unwrap());
    let first = attempts(&manager);
    drop(manager);
    let mut limits = options().limits;
    limits.fee_per_gas = first[0].fees.max;
    let tight = TxOptions { limits, ..options() };
    let mut manager = rig.manager_at(&[&rig.anvil.url], tight, Judge::default());
    let notices = manager.step(TIME + 100).unwrap();
    assert!(notices.iter().any(capped), "{notices:?}");
    assert_eq!(attempts(&manager), first);
    rig.mine(1);
    manager.step(TIME + 101).unwrap();
    assert_eq!(state(&manager, NAME), "mined");
}

/// Two blobs are paid for as two, held against the limits as two, and replaced together.
#[test]
fn two_blobs_go_together() {
    let rig = Rig::new();
    let blobs = [sidecar(7), sidecar(8)];
    let request = Request::call(NAME, taker(&rig), Bytes::new()).with_blobs(&blobs);
    rig.hold();
    let mut manager = rig.manager();
    manager.submit(request.clone(), TIME).unwrap();
    calm(&manager.step(TIME).unwrap());
    let first = attempts(&manager);
    assert!(first.len() == 1 && first[0].raw.len() > 2 * 131_072);
    let Attempt { fees, gas, value, .. } = first[0].clone();
    drop(manager);

    // What the transaction with one blob may cost is not enough for a replacement with two.
    let least = fees.replacement().unwrap();
    let mut few = options();
    few.limits.transaction = least.total(gas, 1, value);
    let mut manager = rig.manager_at(&[&rig.anvil.url], few, Judge::default());
    let notices = manager.step(TIME + 60).unwrap();
    let capped =
        |notice: &Notice| matches!(notice, Notice::Trouble { error: L1Error::Capped { .. }, .. });
    assert!(notices.iter().any(capped), "{notices:?}");
    assert_eq!(attempts(&manager), first);
    drop(manager);

    let mut manager = rig.manager();
    calm(&manager.step(TIME + 120).unwrap());
    let both = attempts(&manager);
    assert!(both.len() == 2 && doubled(&both[1], &both[0]), "{:?}", both[1].fees);
    rig.mine(1);
    calm(&manager.step(TIME + 121).unwrap());
    let State::Mined(inclusion) = manager.get(NAME).unwrap().state.clone() else {
        panic!("{}", state(&manager, NAME));
    };
    assert!(inclusion.succeeded);
    let gas = U256::from(inclusion.gas_used) * U256::from(inclusion.gas_price);
    assert!(inclusion.cost >= gas + U256::from(2 * 131_072), "both blobs are paid for");
    for blob in &blobs {
        let held = rig.read().blob(blob.versioned_hash()).unwrap().unwrap();
        assert!(*held == *blob.blob());
    }
    // In another order they are another request.
    let swapped = request.with_blobs(&[sidecar(8), sidecar(7)]);
    assert!(matches!(manager.submit(swapped, TIME + 122), Err(L1Error::OtherIntent { .. })));
}
