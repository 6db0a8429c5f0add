//! Several nodes of one chain, some of which are dead, slow to follow, or somewhere else.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use alloy::primitives::{Bytes, U256};
use bastion_l1::txmgr::Judge;
use bastion_l1::{
    At, Failover, FailoverOptions, L1Error, ReadL1, ReadLogs, DEV_CHAIN_ID, DEV_OPERATOR,
};
use serde_json::json;

use crate::rig::*;
use crate::server::{Reply, Server};
use crate::TIME;

const DEAD: &str = "http://127.0.0.1:1/0123456789abcdef";

fn connect(urls: &[&str], options: FailoverOptions) -> Result<Failover, L1Error> {
    let urls: Vec<String> = urls.iter().map(|url| url.to_string()).collect();
    Failover::connect(&urls, options)
}

#[test]
fn a_dead_node_is_passed_over() {
    let rig = Rig::held();
    let mut l1 = nodes(&[DEAD, &rig.anvil.url]);
    assert_eq!((l1.chain_id(), l1.serving()), (DEV_CHAIN_ID, rig.anvil.url.as_str()));
    assert!(l1.balance(DEV_OPERATOR).unwrap() > U256::ZERO);
    assert!(!format!("{l1:?}").contains("0123456789abcdef"), "{l1:?}");
    // All of an intent's life goes through it.
    let mut manager = rig.manager_at(&[DEAD, &rig.anvil.url], options(), Judge::default());
    manager.submit(gift("gift"), TIME).unwrap();
    calm(&manager.step(TIME).unwrap());
    rig.mine(3);
    calm(&manager.step(TIME + 1).unwrap());
    assert_eq!(state(&manager, "gift"), "final");
    // With no node at all the error names hosts alone.
    let error = connect(&[DEAD], failover()).unwrap_err().to_string();
    assert!(error.contains("http://127.0.0.1:1"), "{error}");
    assert!(!error.contains("0123456789abcdef"), "{error}");
    assert!(matches!(connect(&[], failover()).unwrap_err(), L1Error::NoNode));
    assert!(matches!(connect(&["x"], failover()).unwrap_err(), L1Error::BadUrl { .. }));
}

#[test]
fn a_node_that_dies_is_replaced_and_comes_back() {
    let rig = Rig::held();
    let down = Arc::new(Mutex::new(false));
    let is_down = down.clone();
    let first = rig.through(move |_| match *is_down.lock().unwrap() {
        true => Reply::Hangup,
        false => Reply::Forward,
    });
    let options = FailoverOptions { rest: Duration::ZERO, ..failover() };
    let mut l1 = connect(&[&first.url, &rig.anvil.url], options).unwrap();
    l1.nonce(DEV_OPERATOR).unwrap();
    assert_eq!(l1.serving(), first.url);
    *down.lock().unwrap() = true;
    assert_eq!(l1.nonce(DEV_OPERATOR).unwrap(), 0);
    assert_eq!(l1.serving(), rig.anvil.url);
    *down.lock().unwrap() = false;
    l1.check();
    let asked = first.count("eth_sendRawTransaction");
    // Transactions go to all that are there.
    let _ = l1.send_raw(&Bytes::from_static(&[1]));
    assert_eq!(first.count("eth_sendRawTransaction"), asked + 1);
}

/// A node that takes connections and says nothing costs no more than the time that it is given.
#[test]
fn a_node_that_says_nothing_is_passed_over() {
    let rig = Rig::held();
    let mute = Arc::new(Mutex::new(false));
    let is_mute = mute.clone();
    let first = rig.through(move |_| {
        if *is_mute.lock().unwrap() {
            std::thread::sleep(Duration::from_secs(5));
        }
        Reply::Forward
    });
    let options = FailoverOptions { respond: Duration::from_millis(500), ..failover() };
    let mut l1 = connect(&[&first.url, &rig.anvil.url], options).unwrap();
    *mute.lock().unwrap() = true;
    assert_eq!(l1.nonce(DEV_OPERATOR).unwrap(), 0);
    assert_eq!(l1.serving(), rig.anvil.url);
    // It is left alone, also with transactions.
    let _ = l1.send_raw(&Bytes::from_static(&[1]));
    assert_eq!(first.count("eth_sendRawTransaction"), 0);
}

#[test]
fn nodes_of_different_chains_are_refused() {
    let rig = Rig::held();
    let other = rig.through(|asked| match asked.method {
        "eth_chainId" => Reply::Result(json!("0x1")),
        _ => Reply::Forward,
    });
    let error = connect(&[&rig.anvil.url, &other.url], failover()).unwrap_err();
    match &error {
        L1Error::OtherChain { host, found: 1, expected: DEV_CHAIN_ID } => {
            assert_eq!(*host, other.url);
        }
        other => panic!("{other}"),
    }
    let expected = FailoverOptions { chain_id: Some(1), ..failover() };
    let error = connect(&[&rig.anvil.url], expected).unwrap_err();
    assert!(matches!(error, L1Error::OtherChain { found: DEV_CHAIN_ID, expected: 1, .. }));
}

/// What is behind a URL may change.
#[test]
fn a_node_that_moves_to_another_chain_is_not_asked_any_more() {
    let rig = Rig::held();
    let moved = Arc::new(Mutex::new(false));
    let has_moved = moved.clone();
    let first = rig.through(move |asked| match asked.method {
        "eth_chainId" if *has_moved.lock().unwrap() => Reply::Result(json!("0x1")),
        _ => Reply::Forward,
    });
    let mut l1 = nodes(&[&first.url, &rig.anvil.url]);
    *moved.lock().unwrap() = true;
    l1.check();
    assert_eq!(l1.serving(), rig.anvil.url);
    let asked = first.count("eth_getBalance");
    l1.balance(DEV_OPERATOR).unwrap();
    let _ = l1.send_raw(&Bytes::from_static(&[1]));
    assert_eq!(first.count("eth_getBalance"), asked);
    assert_eq!(first.count("eth_sendRawTransaction"), 0);
    // And is asked again when it is back.
    *moved.lock().unwrap() = false;
    l1.check();
    let _ = l1.send_raw(&Bytes::from_static(&[1]));
    assert_eq!(first.count("eth_sendRawTransaction"), 1);
}

#[test]
fn a_node_that_lags_is_passed_over() {
    let rig = Rig::held();
    rig.mine(20);
    let behind = rig.through(|asked| match asked.method {
        "eth_blockNumber" => Reply::Result(json!("0xa")),
        _ => Reply::Forward,
    });
    let mut l1 = connect(&[&behind.url, &rig.anvil.url], failover()).unwrap();
    assert_eq!(l1.serving(), rig.anvil.url);
    l1.balance(DEV_OPERATOR).unwrap();
    assert_eq!(behind.count("eth_getBalance"), 0);
    let near = FailoverOptions { lag: 10, ..failover() };
    let mut l1 = connect(&[&behind.url, &rig.anvil.url], near).unwrap();
    l1.balance(DEV_OPERATOR).unwrap();
    assert_eq!(behind.count("eth_getBalance"), 1);
}

/// What one node refuses or does not give another may.
#[test]
fn an_answer_of_one_is_enough() {
    let rig = Rig::held();
    let busy = rig.through(|asked| match asked.method {
        "eth_sendRawTransaction" => Reply::Error(-32000, "txpool is full"),
        "eth_getBalance" => Reply::Error(429, "too many requests"),
        "eth_getCode" => Reply::Raw(502, String::new(), Vec::new()),
        _ => Reply::Forward,
    });
    let urls = [busy.url.as_str(), &rig.anvil.url];
    let mut l1 = nodes(&urls);
    assert!(l1.balance(DEV_OPERATOR).unwrap() > U256::ZERO);
    assert!(l1.code(SOMEBODY).unwrap().is_empty());
    let mut manager = rig.manager_at(&urls, options(), Judge::default());
    manager.submit(gift("gift"), TIME).unwrap();
    calm(&manager.step(TIME).unwrap());
    assert_eq!(busy.count("eth_sendRawTransaction"), 1);
    rig.mine(1);
    calm(&manager.step(TIME + 1).unwrap());
    assert_eq!(state(&manager, "gift"), "mined");
}

/// A refusal that means something is not hidden by asking somebody else.
#[test]
fn a_revert_is_an_answer() {
    let rig = Rig::new();
    let contract = rig.create(&gate());
    let second = rig.through(|_| Reply::Forward);
    let mut l1 = nodes(&[&rig.anvil.url, &second.url]);
    l1.view(contract, Bytes::new()).unwrap_err();
    assert_eq!(second.count("eth_call"), 0);
    let pin = l1.pin().unwrap();
    l1.hold(&pin).unwrap();
    assert_eq!(l1.block(At::Number(pin.number)).unwrap(), Some(pin));
    assert_eq!(l1.logs(0, pin.number, &[contract]).unwrap(), []);
    assert!(l1.view_at(&pin, SOMEBODY, Bytes::new()).unwrap().is_empty());
}

/// A node whose receipts are late does not make the manager send twice.
#[test]
fn a_receipt_that_one_node_lacks_is_found_at_another() {
    let rig = Rig::held();
    let late: Server = rig.through(|asked| match asked.method {
        "eth_getTransactionReceipt" => Reply::Result(serde_json::Value::Null),
        _ => Reply::Forward,
    });
    let mut manager = rig.manager_at(&[&late.url, &rig.anvil.url], options(), Judge::default());
    manager.submit(gift("gift"), TIME).unwrap();
    calm(&manager.step(TIME).unwrap());
    rig.mine(5);
    calm(&manager.step(TIME + 1).unwrap());
    let intent = manager.get("gift").unwrap();
    assert!(intent.state.word() == "final" && intent.attempts.len() == 1, "{intent:?}");
}
