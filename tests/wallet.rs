//! `bastion wallet` against a real node without proofs.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;
#[path = "../node/tests/api/world.rs"]
mod world;

use std::fs;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use bastion_protocol::field;
use bastion_protocol::ops::{Deposit, Op};
use serde_json::Value;
use support::{bastion, code, program, stderr, stdout};
use world::{deposit_for, generous, World, ETH, USERS};

const EXIT: &str = "0x1111111111111111111111111111111111111111";

fn new(dir: &Path, name: &str) -> Value {
    fs::write(dir.join("password"), "correct horse\n").unwrap();
    let output = bastion(
        dir,
        &format!("wallet new {name} --exit {EXIT} --wallet w --password-file password --json"),
    );
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    serde_json::from_str(&stdout(&output)).unwrap()
}

#[test]
fn keys_are_made_once_and_never_shown() {
    let dir = tempfile::tempdir().unwrap();
    let made = new(dir.path(), "alice");
    let file = dir.path().join("w/keys/alice.json");
    let before = fs::read(&file).unwrap();
    let again = bastion(
        dir.path(),
        &format!("wallet new alice --exit {EXIT} --wallet w --password-file password"),
    );
    assert_eq!(code(&again), 1);
    assert!(stderr(&again).contains("not overwritten"), "{}", stderr(&again));
    assert_eq!(fs::read(&file).unwrap(), before);
    let other = new(dir.path(), "bob");
    assert_ne!(made["keyhash"], other["keyhash"]);
    let listed = bastion(dir.path(), "wallet list --wallet w --json");
    let listed: Value = serde_json::from_str(&stdout(&listed)).unwrap();
    assert_eq!(listed["keys"][0], made);
    assert_eq!(listed["keys"].as_array().unwrap().len(), 2);

    fs::write(dir.path().join("short"), "short\n").unwrap();
    let short = bastion(
        dir.path(),
        &format!("wallet new carol --exit {EXIT} --wallet w --password-file short"),
    );
    assert_eq!(code(&short), 1);
    // Without a terminal nobody can be asked.
    let silent = bastion(dir.path(), &format!("wallet new carol --exit {EXIT} --wallet w"));
    assert_eq!(code(&silent), 1);
    assert!(stderr(&silent).contains("no terminal"), "{}", stderr(&silent));
    assert!(!dir.path().join("w/keys/carol.json").exists());
    let bad = bastion(
        dir.path(),
        &format!("wallet new ../x --exit {EXIT} --wallet w --password-file password"),
    );
    assert_eq!(code(&bad), 2);
    let missing = bastion(dir.path(), "wallet status nobody --wallet w");
    assert_eq!(code(&missing), 5, "{}", stderr(&missing));
    let unreachable =
        bastion(dir.path(), "wallet status alice --wallet w --node http://127.0.0.1:1");
    assert_eq!(code(&unreachable), 1, "{}", stderr(&unreachable));
}

#[tokio::test(flavor = "multi_thread")]
async fn transfers_keep_receipts_that_hold() {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let world = World::start_at("127.0.0.1:0".parse().unwrap(), generous(), now).await;
    let dir = tempfile::tempdir().unwrap();
    let key = new(dir.path(), "alice");
    let keyhash = field::from_hex("key hash", key["keyhash"].as_str().unwrap()).unwrap();
    let op = deposit_for(keyhash, EXIT.parse().unwrap());
    world.parts.service.take_from_queue(USERS.into(), vec![op]).unwrap().await.unwrap().unwrap();
    let run = |args: &str| {
        let args = format!("wallet {args} --wallet w --password-file password --json");
        program(dir.path()).env("BASTION_NODE", world.url()).args(args.split(' ')).output().unwrap()
    };
    let sent = run("transfer alice --to 131072 --amount 20gwei");
    assert_eq!(code(&sent), 0, "{}", stderr(&sent));
    let sent: Value = serde_json::from_str(&stdout(&sent)).unwrap();
    assert_eq!((sent["amount"].as_str(), sent["block"].as_u64()), (Some("20000000000"), Some(1)));
    assert!(dir.path().join(sent["receipt"].as_str().unwrap()).exists());
    let made = run(&format!(
        "transfer alice --to-key 0x{} --to-exit {EXIT} --amount 1gwei",
        "01".repeat(32)
    ));
    assert_eq!(code(&made), 0, "{}", stderr(&made));
    assert_eq!(code(&run("withdraw alice --amount 0.25eth")), 0);
    let much = run("withdraw alice --amount 2eth");
    assert_eq!(code(&much), 1);
    assert!(stderr(&much).contains("insufficient_balance"), "{}", stderr(&much));
    // 36 bits: the wire cannot carry it, and the message says what it can.
    let odd = run("transfer alice --to 131072 --amount 123456789012345");
    assert_eq!(code(&odd), 1);
    assert!(stderr(&odd).contains("round it down"), "{}", stderr(&odd));

    world.seal().await;
    let status = run("status alice");
    assert_eq!(code(&status), 0, "{}", stderr(&status));
    let status: Value = serde_json::from_str(&stdout(&status)).unwrap();
    let account = &status["accounts"][0];
    let balance: u128 = account["proven_balance"].as_str().unwrap().parse().unwrap();
    assert_eq!(balance, ETH - 20_000_000_000 - 1_000_000_000 - ETH / 4);
    assert_eq!(account["pending_nonce"], 3);
    assert_eq!(status["receipts"].as_array().unwrap().len(), 3);
    assert!(status["receipts"].as_array().unwrap().iter().all(|r| r["included"] == true));

    // Another password, an altered file, another sequencer.
    fs::write(dir.path().join("password"), "another one\n").unwrap();
    let locked = run("transfer alice --to 131072 --amount 1gwei");
    assert_eq!(code(&locked), 5);
    assert!(stderr(&locked).contains("password is wrong"), "{}", stderr(&locked));
    fs::write(dir.path().join("password"), "correct horse\n").unwrap();
    let known = dir.path().join("w/rollup.json");
    let text = fs::read_to_string(&known).unwrap();
    let mut json: Value = serde_json::from_str(&text).unwrap();
    json["sequencer"] = EXIT.into();
    fs::write(&known, json.to_string()).unwrap();
    let stranger = run("transfer alice --to 131072 --amount 1gwei");
    assert_eq!(code(&stranger), 4, "{}", stderr(&stranger));
    // The operator has announced a new key: the user's word changes what is known, and earlier receipts stay.
    let sequencer = serde_json::from_str::<Value>(&text).unwrap()["sequencer"].clone();
    let announced = run(&format!("status alice --sequencer {}", sequencer.as_str().unwrap()));
    assert_eq!(code(&announced), 0, "{}", stderr(&announced));
    let json: Value = serde_json::from_str(&fs::read_to_string(&known).unwrap()).unwrap();
    assert_eq!((&json["sequencer"], &json["former_sequencers"][0]), (&sequencer, &EXIT.into()));
    let lied = run(&format!("status alice --sequencer {EXIT}"));
    assert_eq!(code(&lied), 4, "{}", stderr(&lied));
    let mut swapped = json.clone();
    (swapped["sequencer"], swapped["former_sequencers"][0]) = (sequencer.clone(), sequencer);
    fs::write(&known, swapped.to_string()).unwrap();
    assert_eq!(code(&run("status alice")), 0);
    fs::write(&known, text).unwrap();
    let receipt = dir.path().join(sent["receipt"].as_str().unwrap());
    let altered =
        fs::read_to_string(&receipt).unwrap().replace("\"position\": ", "\"position\": 1");
    fs::write(&receipt, altered).unwrap();
    assert_eq!(code(&run("status alice")), 3);
}

/// An order is sold to another one of the same batch, and the status tells what it got.
#[tokio::test(flavor = "multi_thread")]
async fn orders_are_sent_and_their_fills_are_shown() {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let world = World::start_at("127.0.0.1:0".parse().unwrap(), generous(), now).await;
    let dir = tempfile::tempdir().unwrap();
    let mut queue = u64::from(USERS);
    for name in ["alice", "bob"] {
        let key = new(dir.path(), name);
        let keyhash = field::from_hex("key hash", key["keyhash"].as_str().unwrap()).unwrap();
        let Op::Deposit(ether) = deposit_for(keyhash, EXIT.parse().unwrap()) else { panic!() };
        let ops: Vec<Op> =
            [0, 2].map(|token| Op::Deposit(Deposit { token, ..ether })).into_iter().collect();
        let taken = world.parts.service.take_from_queue(queue, ops).unwrap();
        taken.await.unwrap().unwrap();
        queue += 2;
    }
    let run = |args: &str| {
        let args = format!("wallet {args} --wallet w --password-file password");
        program(dir.path()).env("BASTION_NODE", world.url()).args(args.split(' ')).output().unwrap()
    };
    let json = |output: &std::process::Output| -> Value {
        assert_eq!(code(output), 0, "{}", stderr(output));
        serde_json::from_str(&stdout(output)).unwrap()
    };
    // Before a batch is sealed, nobody knows which account is in which token.
    let early = run("order alice --amount 1gwei --buy 2 --limit 1");
    assert_eq!(code(&early), 2, "{}", stderr(&early));
    world.seal().await;
    for (args, said) in [
        ("--amount 1gwei --buy 0 --limit 1", "is sold and bought"),
        ("--amount 1gwei --buy 3 --limit 1", "no account in token 3"),
        ("--amount 1gwei --buy 2 --limit 1 --to 131072", "no account 131072 in token 2"),
        ("--amount 1gwei --buy 2 --limit 1e30", "2^64"),
    ] {
        let output = run(&format!("order alice {args}"));
        assert_eq!(code(&output), 2, "{args}: {}", stderr(&output));
        assert!(stderr(&output).contains(said), "{args}: {}", stderr(&output));
    }
    let sold = json(&run("order alice --amount 0.5eth --buy 2 --at-least 0.45eth --json"));
    assert_eq!(sold["amount"], "500000000000000000");
    assert_eq!(
        (&sold["token"], &sold["buy"], &sold["filled"]),
        (&0.into(), &2.into(), &Value::Null)
    );
    assert!(dir.path().join(sold["receipt"].as_str().unwrap()).exists());
    let much = run("order alice --amount 0.75eth --buy 2 --limit 0.9");
    assert_eq!(code(&much), 1);
    assert!(stderr(&much).contains("insufficient_balance"), "{}", stderr(&much));
    let bought = run("order bob --token 2 --amount 0.25eth --buy 0 --limit 9e-1 --fee 0");
    assert_eq!(code(&bought), 0, "{}", stderr(&bought));
    assert!(stdout(&bought).contains("held back"), "{}", stdout(&bought));

    world.seal().await;
    let status = json(&run("status alice --json"));
    let receipts = status["receipts"].as_array().unwrap();
    assert_eq!(receipts.len(), 2);
    let alice = receipts.iter().find(|r| r["operation"] == sold["operation"]).unwrap();
    let amount = |value: &Value| value.as_str().unwrap().parse::<u128>().unwrap();
    let (got, paid) = (amount(&alice["filled"]["sold"]), amount(&alice["filled"]["paid"]));
    assert!(got > ETH / 5 && paid >= got * 9 / 10, "{alice}");
    assert_eq!(alice["included"], true);
    let in_token = |token: u64| {
        let accounts = status["accounts"].as_array().unwrap();
        let account = accounts.iter().find(|a| a["token"] == token).unwrap();
        amount(&account["proven_balance"])
    };
    assert_eq!(in_token(2), ETH + paid);
    assert!(in_token(0) <= ETH - got);
    let text = stdout(&run("status bob"));
    assert!(text.contains("the order was filled: ") && text.contains(" paid"), "{text}");
}
