//! What the operator does by hand, and what others do to his account.

use alloy::primitives::{Bytes, U256};
use bastion_l1::txmgr::{Judge, Notice, Request, State, Verdict};
use bastion_l1::{L1Error, ReadL1, SendL1, DEV_OPERATOR};
use serde_json::json;

use crate::rig::*;
use crate::TIME;

#[test]
fn a_transaction_goes_from_pending_to_final() {
    let rig = Rig::held();
    let mut manager = rig.manager();
    manager.submit(gift("gift"), TIME).unwrap();
    assert_eq!(state(&manager, "gift"), "pending");
    calm(&manager.step(TIME).unwrap());
    assert_eq!(state(&manager, "gift"), "sent");
    rig.mine(1);
    calm(&manager.step(TIME + 1).unwrap());
    let State::Mined(inclusion) = manager.get("gift").unwrap().state.clone() else { panic!() };
    let receipt = rig.ask("eth_getTransactionReceipt", json!([hashes(&manager, "gift")[0]]));
    assert_eq!(receipt["blockHash"], json!(inclusion.block_hash));
    assert_eq!(receipt["gasUsed"], json!(U256::from(inclusion.gas_used)));
    assert_eq!(receipt["effectiveGasPrice"], json!(U256::from(inclusion.gas_price)));
    let gas = U256::from(inclusion.gas_used) * U256::from(inclusion.gas_price);
    assert_eq!(inclusion.cost, gas + U256::from(1));
    assert_eq!(manager.spent_today(TIME), inclusion.cost);
    rig.mine(1);
    calm(&manager.step(TIME + 2).unwrap());
    assert_eq!(state(&manager, "gift"), "mined");
    rig.mine(1);
    calm(&manager.step(TIME + 3).unwrap());
    assert_eq!(manager.get("gift").unwrap().state, State::Final(inclusion));
}

#[test]
fn a_contract_is_created() {
    let rig = Rig::held();
    let mut manager = rig.manager();
    let code = Bytes::from_static(&[0x60, 0x01, 0x60, 0x00, 0xf3]);
    let create = Request { to: None, ..Request::call("deploy", SOMEBODY, code) };
    manager.submit(create, TIME).unwrap();
    calm(&manager.step(TIME).unwrap());
    rig.mine(3);
    calm(&manager.step(TIME + 1).unwrap());
    assert_eq!(state(&manager, "deploy"), "final");
    assert_eq!(rig.read().code(DEV_OPERATOR.create(0)).unwrap().as_ref(), [0x00]);
}

#[test]
fn resend_pays_more_at_once() {
    let rig = Rig::held();
    let mut manager = rig.manager();
    manager.submit(gift("gift"), TIME).unwrap();
    calm(&manager.step(TIME).unwrap());
    calm(&manager.resend("gift", TIME + 1).unwrap());
    assert_eq!(hashes(&manager, "gift").len(), 2);
    rig.mine(1);
    calm(&manager.step(TIME + 2).unwrap());
    assert_eq!(mined_hash(&manager, "gift"), hashes(&manager, "gift")[1]);
    let error = manager.resend("gift", TIME + 3).unwrap_err();
    assert!(matches!(error, L1Error::Settled { state: "mined", .. }), "{error}");
    let error = manager.resend("other", TIME + 3).unwrap_err();
    assert!(matches!(error, L1Error::NoIntent { .. }), "{error}");
}

#[test]
fn cancel_takes_the_place_of_the_attempts() {
    let rig = Rig::held();
    let mut manager = rig.manager();
    manager.submit(gift("early"), TIME).unwrap();
    calm(&manager.cancel("early", TIME).unwrap());
    assert_eq!(manager.get("early").unwrap().state, State::Cancelled(None));
    manager.submit(gift("gift"), TIME).unwrap();
    manager.submit(gift("next"), TIME).unwrap();
    calm(&manager.step(TIME).unwrap());
    calm(&manager.cancel("gift", TIME + 1).unwrap());
    // It lasts, and is bumped like any other.
    drop(manager);
    let mut manager = rig.manager();
    calm(&manager.step(TIME + 60).unwrap());
    let intent = manager.get("gift").unwrap();
    let cancels: Vec<_> = intent.attempts.iter().map(|a| a.cancels).collect();
    assert!(intent.cancelling && cancels == [false, true, true], "{cancels:?}");
    rig.mine(3);
    calm(&manager.step(TIME + 61).unwrap());
    let State::Cancelled(Some(inclusion)) = &manager.get("gift").unwrap().state else { panic!() };
    assert_eq!(inclusion.transaction, hashes(&manager, "gift")[2]);
    assert_eq!(state(&manager, "next"), "final");
    assert_eq!(rig.balance(SOMEBODY), U256::from(1));
    let error = manager.cancel("gift", TIME + 62).unwrap_err();
    assert!(matches!(error, L1Error::Settled { state: "cancelled", .. }), "{error}");
}

/// The attempt may still be faster than what should cancel it.
#[test]
fn an_attempt_that_is_faster_than_its_cancellation_counts() {
    let rig = Rig::held();
    let lost = rig.through(|asked| match asked.method {
        "eth_sendRawTransaction" if asked.count == 2 => {
            crate::server::Reply::Result(json!(format!("0x{:064}", 1)))
        }
        _ => crate::server::Reply::Forward,
    });
    let mut manager = rig.manager_at(&[&lost.url], options(), Judge::default());
    manager.submit(gift("gift"), TIME).unwrap();
    calm(&manager.step(TIME).unwrap());
    calm(&manager.cancel("gift", TIME + 1).unwrap());
    rig.mine(3);
    calm(&manager.step(TIME + 2).unwrap());
    assert_eq!((state(&manager, "gift"), rig.balance(SOMEBODY)), ("final", U256::from(1)));
}

/// Somebody else uses the account: that is told, and the intent happens with another nonce, but not before
/// the first one is used for good.
#[test]
fn a_nonce_that_somebody_else_used_is_noticed() {
    let rig = Rig::held();
    // There is a final block from the start, and it does not count.
    rig.mine(5);
    let mut manager = rig.manager();
    manager.submit(gift("gift"), TIME).unwrap();
    calm(&manager.step(TIME).unwrap());
    rig.ask("anvil_dropTransaction", json!([hashes(&manager, "gift")[0]]));
    rig.sends(DEV_OPERATOR, OTHER, 2, Some(0));
    rig.mine(1);
    // A receipt may be late by a moment, so it takes a second look.
    calm(&manager.step(TIME + 1).unwrap());
    let foreign = |n: &Notice| matches!(n, Notice::ForeignNonce { nonce: 0, .. });
    assert!(manager.step(TIME + 2).unwrap().iter().any(foreign));
    // Once is enough, and nothing is sent meanwhile.
    calm(&manager.step(TIME + 20).unwrap());
    assert_eq!((state(&manager, "gift"), hashes(&manager, "gift").len()), ("sent", 1));
    rig.mine(2);
    calm(&manager.step(TIME + 21).unwrap());
    let intent = manager.get("gift").unwrap();
    assert_eq!((intent.nonce, intent.attempts.len()), (Some(1), 2));
    rig.mine(3);
    calm(&manager.step(TIME + 22).unwrap());
    assert_eq!((state(&manager, "gift"), rig.balance(SOMEBODY)), ("final", U256::from(1)));
}

/// The effect may be there when the nonce is gone.
#[test]
fn what_is_done_gets_no_second_nonce() {
    let rig = Rig::held();
    let judge = Judge::default().with_check(|l1, _| Ok(l1.balance(SOMEBODY)? > U256::ZERO));
    let mut manager = rig.manager_at(&[&rig.anvil.url], options(), judge);
    manager.submit(gift("gift"), TIME).unwrap();
    calm(&manager.step(TIME).unwrap());
    rig.ask("anvil_dropTransaction", json!([hashes(&manager, "gift")[0]]));
    rig.sends(DEV_OPERATOR, OTHER, 2, Some(0));
    rig.ask("anvil_setBalance", json!([SOMEBODY, "0x1"]));
    rig.mine(3);
    manager.step(TIME + 1).unwrap();
    let intent = manager.get("gift").unwrap();
    assert!(intent.state == State::Superseded && intent.attempts.len() == 1, "{intent:?}");
}

/// A revert may mean "later", or "never".
#[test]
fn what_reverts_waits_or_fails() {
    let rig = Rig::new();
    let contract = rig.create(&gate());
    let wait = || Judge::new(|_, _| Verdict::Wait);
    let mut manager = rig.manager_at(&[&rig.anvil.url], options(), wait());
    manager.submit(Request::call("prove 1", contract, Bytes::new()), TIME).unwrap();
    let notices = manager.step(TIME).unwrap();
    assert!(notices.iter().any(|n| matches!(n, Notice::Waiting { .. })), "{notices:?}");
    assert!(manager.get("prove 1").unwrap().attempts.is_empty());
    rig.read().send(OTHER, contract, U256::ZERO, Bytes::from_static(&[1])).unwrap();
    rig.mine(1);
    manager.step(TIME + 12).unwrap();
    rig.mine(3);
    calm(&manager.step(TIME + 24).unwrap());
    assert_eq!(state(&manager, "prove 1"), "final");
    drop(manager);
    // To somebody else it is for good, until he says otherwise.
    let closed = rig.create(&gate());
    let mut manager = rig.manager();
    manager.submit(Request::call("prove 2", closed, Bytes::new()), TIME + 30).unwrap();
    calm(&manager.step(TIME + 30).unwrap());
    assert_eq!(state(&manager, "prove 2"), "failed");
    rig.read().send(OTHER, closed, U256::ZERO, Bytes::from_static(&[1])).unwrap();
    calm(&manager.step(TIME + 60).unwrap());
    assert_eq!(state(&manager, "prove 2"), "failed");
    manager.resend("prove 2", TIME + 61).unwrap();
    calm(&manager.step(TIME + 61).unwrap());
    rig.mine(3);
    calm(&manager.step(TIME + 62).unwrap());
    assert_eq!(state(&manager, "prove 2"), "final");
}

/// One that was mined without effect happens later with another nonce, once its block is final.
#[test]
fn what_was_mined_without_effect_is_tried_again() {
    let rig = Rig::new();
    let contract = rig.create(&gate());
    rig.hold();
    let opens = Request::call("open", contract, Bytes::from_static(&[1]));
    let node = rig.through(|asked| match asked.method {
        // The simulations say that it would succeed.
        "eth_call" => crate::server::Reply::Result(json!("0x")),
        "eth_estimateGas" => crate::server::Reply::Result(json!("0x186a0")),
        _ => crate::server::Reply::Forward,
    });
    let mut manager = rig.manager_at(&[&node.url], options(), Judge::default());
    manager.submit(Request::call("pass", contract, Bytes::new()), TIME).unwrap();
    calm(&manager.step(TIME).unwrap());
    rig.mine(1);
    calm(&manager.step(TIME + 1).unwrap());
    manager.submit(opens, TIME + 1).unwrap();
    calm(&manager.step(TIME + 1).unwrap());
    assert_eq!(hashes(&manager, "pass").len(), 1);
    rig.mine(3);
    calm(&manager.step(TIME + 20).unwrap());
    rig.mine(3);
    calm(&manager.step(TIME + 21).unwrap());
    let intent = manager.get("pass").unwrap();
    assert!(intent.state.word() == "final" && intent.attempts.len() == 2, "{intent:?}");
    assert_eq!(intent.reverted.len(), 1);
    // One that never has an effect is given up.
    let closed = rig_contract(&rig);
    manager.submit(Request::call("never", closed, Bytes::new()), TIME + 30).unwrap();
    for round in 0..4 {
        manager.step(TIME + 30 + 20 * round).unwrap();
        rig.mine(3);
    }
    let State::Failed { cause } = &manager.get("never").unwrap().state else { panic!() };
    assert!(cause.contains("3 times"), "{cause}");
}

/// A second contract that nobody opens.
fn rig_contract(rig: &Rig) -> alloy::primitives::Address {
    rig.ask("evm_setAutomine", json!([true]));
    let contract = rig.create(&gate());
    rig.hold();
    contract
}
