//! The process ends at the worst moment.

use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};

use alloy::primitives::{Bytes, U256};
use bastion_l1::txmgr::{Judge, Request, Wallet};
use bastion_l1::{L1Error, ReadL1, TxManager, DEV_OPERATOR};
use serde_json::json;

use crate::anvil::Anvil;
use crate::rig::*;
use crate::server::Reply;
use crate::TIME;

/// Names the node and the folder of [`the_process_that_is_killed`].
const PLACE: &str = "BASTION_TEST_PLACE";

/// Between "stored" and "sent" the manager is dropped.
#[test]
fn what_was_stored_and_not_sent_is_sent_as_it_is() {
    let rig = Rig::held();
    let node = rig.through(|asked| match asked.method {
        "eth_sendRawTransaction" => Reply::Hangup,
        _ => Reply::Forward,
    });
    let mut manager = rig.manager_at(&[&node.url], options(), Judge::default());
    manager.submit(gift("gift"), TIME).unwrap();
    manager.step(TIME).unwrap();
    let stored = manager.get("gift").unwrap().clone();
    assert_eq!((stored.state.word(), stored.attempts.len()), ("sent", 1));
    drop(manager);
    let mut manager = rig.manager();
    assert_eq!(manager.get("gift"), Some(&stored));
    // Asking again is no second transaction.
    manager.submit(gift("gift"), TIME + 1).unwrap();
    calm(&manager.step(TIME + 1).unwrap());
    let known = rig.ask("eth_getTransactionByHash", json!([stored.attempts[0].hash]));
    assert!(known["blockHash"].is_null() && !known.is_null());
    rig.mine(3);
    calm(&manager.step(TIME + 2).unwrap());
    assert_eq!(mined_hash(&manager, "gift"), stored.attempts[0].hash);
    assert_eq!(manager.intents().len(), 1);
    assert_eq!(
        (rig.balance(SOMEBODY), rig.read().nonce(DEV_OPERATOR).unwrap()),
        (U256::from(1), 1)
    );
}

/// The node has taken it, and the answer is lost with the process: it is not sent with another nonce.
#[test]
fn what_was_sent_and_not_heard_of_is_found() {
    let rig = Rig::held();
    let node = rig.through(|asked| match asked.method {
        "eth_sendRawTransaction" => Reply::Changed(|answer| *answer = json!("lost")),
        _ => Reply::Forward,
    });
    let mut manager = rig.manager_at(&[&node.url], options(), Judge::default());
    manager.submit(gift("gift"), TIME).unwrap();
    manager.step(TIME).unwrap();
    drop(manager);
    rig.mine(1);
    let mut manager = rig.manager();
    calm(&manager.step(TIME + 1).unwrap());
    assert_eq!((state(&manager, "gift"), hashes(&manager, "gift").len()), ("mined", 1));
    rig.mine(2);
    calm(&manager.step(TIME + 2).unwrap());
    assert_eq!((state(&manager, "gift"), rig.balance(SOMEBODY)), ("final", U256::from(1)));
}

/// Not a test of its own: what the next test runs in a process of its own, and kills.
#[test]
fn the_process_that_is_killed() {
    let Ok(place) = std::env::var(PLACE) else { return };
    let (url, folder) = place.split_once(' ').unwrap();
    let wallet = Wallet::hex(KEY).unwrap();
    let folder = std::path::Path::new(folder);
    let mut manager =
        TxManager::open(folder, nodes(&[url]), wallet, options(), Judge::default()).unwrap();
    for i in 0..1_000_u64 {
        manager.submit(gift(&format!("gift {i}")), TIME + i).unwrap();
        manager.step(TIME + i).unwrap();
    }
}

/// The process is killed again and again, without warning: before a node has a transaction, and after.
#[test]
fn a_process_that_is_killed_loses_and_repeats_nothing() {
    let rig = Rig::new();
    let kill = Arc::new(Mutex::new(None));
    let victim = kill.clone();
    // Every few transactions the process dies while it waits for the answer.
    let node = rig.through(move |asked| {
        if asked.method == "eth_sendRawTransaction" && asked.count % 3 == 0 {
            if let Some(id) = victim.lock().unwrap().take() {
                let id: u32 = id;
                let done = Command::new("kill").args(["-KILL", &id.to_string()]).status();
                assert!(done.unwrap().success());
                // Half of the time the node has it all the same.
                return if asked.count % 6 == 0 { Reply::Forward } else { Reply::Hangup };
            }
        }
        Reply::Forward
    });
    for _ in 0..4 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "crash::the_process_that_is_killed"])
            .env(PLACE, format!("{} {}", node.url, rig.folder.path().display()))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        *kill.lock().unwrap() = Some(child.id());
        let status = child.wait().unwrap();
        assert!(!status.success(), "it was not killed");
    }
    let mut manager = rig.manager();
    let asked = manager.intents().len();
    assert!(asked >= 8, "{asked}");
    for seconds in 0..6 {
        manager.step(TIME + 10_000 + 12 * seconds).unwrap();
        rig.mine(3);
    }
    manager.step(TIME + 20_000).unwrap();
    assert!(manager.intents().iter().all(|i| i.state.word() == "final" && i.attempts.len() == 1));
    assert_eq!(rig.balance(SOMEBODY), U256::from(asked));
    assert_eq!(rig.read().nonce(DEV_OPERATOR).unwrap(), asked as u64);
}

/// A database belongs to one account on one chain, and to one process.
#[test]
fn a_database_is_that_of_one_account_on_one_chain() {
    let rig = Rig::new();
    let mut manager = rig.manager();
    manager.submit(gift("gift"), TIME).unwrap();
    let open = |url: &str, key: &str| {
        let wallet = Wallet::hex(key).unwrap();
        TxManager::open(rig.folder.path(), nodes(&[url]), wallet, options(), Judge::default())
    };
    let error = open(&rig.anvil.url, KEY).unwrap_err();
    assert!(matches!(error, L1Error::Storage { .. }), "{error}");
    drop(manager);
    // Another account.
    let error = open(&rig.anvil.url, &"1".repeat(64)).unwrap_err().to_string();
    assert!(error.contains("use another folder"), "{error}");
    // Another chain with the same id.
    let other = Anvil::start(TIME + 1);
    let error = open(&other.url, KEY).unwrap_err().to_string();
    assert!(error.contains("use another folder"), "{error}");
    let manager = open(&rig.anvil.url, KEY).unwrap();
    assert_eq!(manager.intents().len(), 1);
}

/// A name is that of one transaction for good.
#[test]
fn a_name_is_given_once() {
    let rig = Rig::held();
    let mut manager = rig.manager();
    manager.submit(gift("gift"), TIME).unwrap();
    manager.submit(gift("gift"), TIME + 1).unwrap();
    let other = Request::call("gift", SOMEBODY, Bytes::from_static(&[1]));
    let error = manager.submit(other, TIME).unwrap_err();
    assert!(matches!(&error, L1Error::OtherIntent { name } if name == "gift"), "{error}");
    assert_eq!(manager.intents().len(), 1);
    calm(&manager.step(TIME).unwrap());
    rig.mine(3);
    calm(&manager.step(TIME + 1).unwrap());
    // Also when it is over.
    let intent = manager.submit(gift("gift"), TIME + 2).unwrap();
    assert_eq!(intent.state.word(), "final");
    // What is long is not kept, and the name is not free all the same.
    assert!(intent.attempts[0].raw.is_empty());
    for other in [
        Request::call("gift", SOMEBODY, Bytes::from_static(&[1])),
        Request::call("gift", OTHER, Bytes::new()),
        Request { to: None, ..gift("gift") },
        Request { value: U256::from(2), ..gift("gift") },
    ] {
        manager.submit(other, TIME + 2).unwrap_err();
    }
    calm(&manager.step(TIME + 2).unwrap());
    assert_eq!(rig.read().nonce(DEV_OPERATOR).unwrap(), 1);
}
