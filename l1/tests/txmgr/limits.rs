//! What may be spent, and what is said when it is not enough.

use alloy::primitives::{Bytes, U256};
use bastion_l1::txmgr::{Judge, Limits, Notice, Request, State, TxOptions};
use bastion_l1::{L1Error, SendFault};
use serde_json::json;

use crate::rig::*;
use crate::server::Reply;
use crate::TIME;

const DAY: u64 = 86_400;

fn limited(limits: Limits) -> TxOptions {
    TxOptions { limits, ..options() }
}

fn is_capped(notices: &[Notice]) -> bool {
    let capped = |n: &Notice| matches!(n, Notice::Trouble { error: L1Error::Capped { .. }, .. });
    notices.iter().any(capped)
}

/// At the limit for each gas there is no bump; what is on its way goes on.
#[test]
fn a_bump_stops_at_the_limit_and_the_attempt_goes_on() {
    let rig = Rig::held();
    let node = rig.through(|_| Reply::Forward);
    let limits = Limits { fee_per_gas: 3_300_000_000, ..Limits::default() };
    let mut manager = rig.manager_at(&[&node.url], limited(limits), Judge::default());
    manager.submit(gift("gift"), TIME).unwrap();
    let mut capped = 0;
    for bump in 0..8 {
        let notices = manager.step(TIME + 48 * bump).unwrap();
        capped += usize::from(is_capped(&notices));
    }
    let attempts = &manager.get("gift").unwrap().attempts;
    assert!(attempts.len() < 8 && capped == 8 - attempts.len(), "{} {capped}", attempts.len());
    assert!(attempts.iter().all(|a| a.fees.max <= limits.fee_per_gas));
    assert_eq!(node.count("eth_sendRawTransaction"), 8);
    let error = manager.resend("gift", TIME + 400).unwrap_err();
    assert!(error.to_string().contains("3300000000 are allowed"), "{error}");
    rig.mine(1);
    manager.step(TIME + 500).unwrap();
    assert_eq!(state(&manager, "gift"), "mined");
}

/// Gas that is dearer than the limit is waited out before anything is signed.
#[test]
fn nothing_is_begun_while_gas_is_too_dear() {
    let rig = Rig::held();
    let limits = Limits { fee_per_gas: 1_000, ..Limits::default() };
    let mut manager = rig.manager_at(&[&rig.anvil.url], limited(limits), Judge::default());
    manager.submit(gift("gift"), TIME).unwrap();
    assert!(is_capped(&manager.step(TIME).unwrap()));
    let intent = manager.get("gift").unwrap();
    assert!(intent.state == State::Pending && intent.attempts.is_empty());
    rig.ask("anvil_setNextBlockBaseFeePerGas", json!(["0x64"]));
    rig.mine(1);
    calm(&manager.step(TIME + 12).unwrap());
    assert_eq!(state(&manager, "gift"), "sent");
}

/// What a transaction may cost is limited, with what it brings.
#[test]
fn a_transaction_may_not_cost_more_than_its_limit() {
    let rig = Rig::held();
    let limits = Limits { transaction: U256::from(10).pow(U256::from(17)), ..Limits::default() };
    let mut manager = rig.manager_at(&[&rig.anvil.url], limited(limits), Judge::default());
    let dear = Request { value: limits.transaction, ..gift("dear") };
    manager.submit(dear, TIME).unwrap();
    assert!(is_capped(&manager.step(TIME).unwrap()));
    manager.submit(gift("cheap"), TIME).unwrap();
    manager.step(TIME + 1).unwrap();
    assert_eq!((state(&manager, "dear"), state(&manager, "cheap")), ("pending", "sent"));
}

/// The limit of a day counts what was spent and what may still be, and outlives the process.
#[test]
fn a_day_has_a_limit() {
    let rig = Rig::held();
    let tenth = U256::from(10).pow(U256::from(17));
    let limits = Limits {
        transaction: tenth * U256::from(2),
        day: tenth * U256::from(3),
        ..Limits::default()
    };
    let brings = |name: &str| Request { value: tenth, ..gift(name) };
    let mut manager = rig.manager_at(&[&rig.anvil.url], limited(limits), Judge::default());
    for name in ["a", "b", "c"] {
        manager.submit(brings(name), TIME).unwrap();
    }
    // Gas comes on top: of three only two fit.
    let morning = TIME - TIME % DAY;
    assert!(is_capped(&manager.step(morning).unwrap()));
    assert_eq!(["a", "b", "c"].map(|n| state(&manager, n)), ["sent", "sent", "pending"]);
    let committed = manager.spent_today(morning);
    assert!(committed > tenth * U256::from(2));
    rig.mine(1);
    manager.step(morning + 1).unwrap();
    let spent = manager.spent_today(morning + 1);
    assert!(spent > tenth * U256::from(2) && spent < committed, "{spent} {committed}");
    drop(manager);
    let mut manager = rig.manager_at(&[&rig.anvil.url], limited(limits), Judge::default());
    assert_eq!(manager.spent_today(morning + 2), spent);
    assert!(is_capped(&manager.step(morning + DAY - 1).unwrap()));
    assert_eq!(state(&manager, "c"), "pending");
    // The next day is another one.
    assert_eq!(manager.spent_today(morning + DAY), U256::ZERO);
    manager.step(morning + DAY + 20).unwrap();
    assert_eq!(state(&manager, "c"), "sent");
}

/// An account that has too little is told of, and what it cannot pay for waits.
#[test]
fn a_low_balance_is_told() {
    let rig = Rig::held();
    let minimum = U256::from(10).pow(U256::from(18));
    let options = TxOptions { min_balance: minimum, ..options() };
    let mut manager = rig.manager_at(&[&rig.anvil.url], options, Judge::default());
    calm(&manager.step(TIME).unwrap());
    let account = manager.account();
    rig.ask("anvil_setBalance", json!([account, "0x5"]));
    let low = |n: &Notice| matches!(n, Notice::LowBalance { balance, minimum: m } if *m == minimum && *balance == U256::from(5));
    assert!(manager.step(TIME + 12).unwrap().iter().any(low));
    // Not with every step.
    calm(&manager.step(TIME + 24).unwrap());
    assert!(manager.step(TIME + 700).unwrap().iter().any(low));
    rig.ask("anvil_setBalance", json!([account, U256::MAX >> 1]));
    calm(&manager.step(TIME + 1_400).unwrap());
    // Sent, and then not paid for any more.
    manager.submit(gift("gift"), TIME + 1_400).unwrap();
    calm(&manager.step(TIME + 1_400).unwrap());
    rig.ask("anvil_dropTransaction", json!([hashes(&manager, "gift")[0]]));
    rig.ask("anvil_setBalance", json!([account, "0x5"]));
    let notices = manager.step(TIME + 1_412).unwrap();
    let funds = |n: &Notice| matches!(n, Notice::Refused { fault: Some(SendFault::Funds), .. });
    assert!(notices.iter().any(funds), "{notices:?}");
    rig.ask("anvil_setBalance", json!([account, U256::MAX >> 1]));
    calm(&manager.step(TIME + 1_424).unwrap());
    rig.mine(1);
    manager.step(TIME + 1_425).unwrap();
    assert_eq!(state(&manager, "gift"), "mined");
}

/// The limit for gas is above the estimate, at least what was asked for, and never falls.
#[test]
fn the_gas_limit_never_falls() {
    let rig = Rig::held();
    let node = rig.through(|asked| match asked.method {
        "eth_estimateGas" => {
            let gas = ["0x186a0", "0xc350", "0x30d40"].get(asked.count - 1);
            match gas {
                Some(gas) => Reply::Result(json!(gas)),
                None => Reply::Error(3, "execution reverted"),
            }
        }
        _ => Reply::Forward,
    });
    let mut manager = rig.manager_at(&[&node.url], options(), Judge::default());
    manager.submit(gift("gift"), TIME).unwrap();
    for bump in 0..4 {
        calm(&manager.step(TIME + 48 * bump).unwrap());
    }
    let limits: Vec<_> = manager.get("gift").unwrap().attempts.iter().map(|a| a.gas).collect();
    assert_eq!(limits, [120_000, 120_000, 240_000, 240_000]);
    let asked = Request { gas: 500_000, ..Request::call("asked", SOMEBODY, Bytes::new()) };
    let rig = Rig::held();
    let mut manager = rig.manager();
    manager.submit(asked, TIME).unwrap();
    calm(&manager.step(TIME).unwrap());
    assert_eq!(manager.get("asked").unwrap().attempts[0].gas, 500_000);
}

/// On a chain without EIP-1559 nothing is sent, and the reason is said.
#[test]
fn a_chain_without_a_base_fee_is_told() {
    let rig = Rig::held();
    let node = rig.through(|asked| match asked.method {
        "eth_feeHistory" => Reply::Changed(|answer| {
            answer["result"]["baseFeePerGas"] = json!(["0x0", "0x0"]);
        }),
        "eth_getBlockByNumber" => Reply::Changed(|answer| {
            if let Some(block) = answer["result"].as_object_mut() {
                block.remove("baseFeePerGas");
            }
        }),
        _ => Reply::Forward,
    });
    let mut manager = rig.manager_at(&[&node.url], options(), Judge::default());
    manager.submit(gift("gift"), TIME).unwrap();
    let notices = manager.step(TIME).unwrap();
    let told = |n: &Notice| match n {
        Notice::Trouble { error: L1Error::NoBaseFee { host }, .. } => *host == node.url,
        _ => false,
    };
    assert!(notices.iter().any(told), "{notices:?}");
    assert_eq!(state(&manager, "gift"), "pending");
}
