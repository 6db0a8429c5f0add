//! Operations that must not run, given to `bastion prove` as a user would: each is refused with its
//! line and its reason before anything is proved, and nothing is written.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::Path;
use std::process::{Command, Output};

use bastion_l1::{DEV_CHAIN_ID, DEV_OPERATOR};
use bastion_node::deploy::rollup_address;
use bastion_node::devnet::{dev_exit, dev_key};
use bastion_protocol::account::FIRST_USER;
use bastion_protocol::header::domain;
use bastion_protocol::ops::{Action, Body, Deposit, Op, SignedOp};
use bastion_protocol::{Address, Fr};

const TIME: u64 = 1_800_000_000;
const ALICE: u32 = FIRST_USER;
const BOB: u32 = FIRST_USER + 1;
const CAROL: u32 = FIRST_USER + 2;

fn chain() -> Fr {
    let contract = Address(rollup_address(DEV_OPERATOR, 0).into_array());
    domain(DEV_CHAIN_ID, contract)
}

fn deposit(name: &str, token: u16) -> Op {
    Op::Deposit(Deposit {
        token,
        amount: 1_000,
        keyhash: dev_key(name).public().keyhash(),
        exit: dev_exit(name),
    })
}

fn transfer() -> Body {
    Body {
        account: ALICE,
        token: 0,
        nonce: 0,
        deadline: TIME + 60,
        fee: 1,
        action: Action::Transfer { to: BOB, amount: 10 },
    }
}

fn sign(body: Body, name: &str) -> SignedOp {
    body.sign(&dev_key(name), chain(), dev_exit("alice")).unwrap()
}

fn prove(dir: &Path, last: &[Op]) -> Output {
    let ops = [deposit("alice", 0), deposit("bob", 0), deposit("carol", 1)];
    let lines: Vec<String> =
        ops.iter().chain(last).map(|op| serde_json::to_string(op).unwrap()).collect();
    std::fs::write(dir.join("ops.jsonl"), lines.join("\n")).unwrap();
    let time = TIME.to_string();
    Command::new(env!("CARGO_BIN_EXE_bastion"))
        .args(["prove", "ops.jsonl", "--shape", "tiny", "--out", "out"])
        .args(["--time", &time])
        .current_dir(dir)
        .env_remove("BASTION_CONFIG")
        .output()
        .unwrap()
}

#[test]
fn each_is_refused_by_line_and_reason() {
    let signed = |change: fn(&mut Body)| {
        let mut body = transfer();
        change(&mut body);
        vec![Op::Signed(sign(body, "alice"))]
    };
    let to = |to, amount| Action::Transfer { to, amount };
    let mut forged = sign(transfer(), "alice");
    forged.body.fee = 2;
    let other_chain =
        transfer().sign(&dev_key("alice"), chain() + Fr::from(1u64), dev_exit("alice")).unwrap();
    let freeze =
        Body { fee: 0, action: Action::Freeze { until: TIME + 100, old_until: 0 }, ..transfer() };
    let mut too_large = sign(transfer(), "alice");
    too_large.body.action = to(BOB, u128::MAX);
    let largest = Body { action: to(BOB, 34_028_236_692 * 10u128.pow(28)), ..transfer() };
    let cases: Vec<(&str, Vec<Op>)> = vec![
        ("signature does not verify", vec![Op::Signed(forged)]),
        ("signature does not verify", vec![Op::Signed(other_chain)]),
        ("not the owner of account 131072", vec![Op::Signed(sign(transfer(), "bob"))]),
        ("nonce of account 131072 is 0", signed(|b| b.nonce = 7)),
        (
            "holds 1000, amount and fee are 1001",
            signed(|b| b.action = Action::Transfer { to: BOB, amount: 1_000 }),
        ),
        ("holds token 0, the operation names 1", signed(|b| b.token = 1)),
        (
            "holds token 1, the operation names 0",
            signed(|b| b.action = Action::Transfer { to: CAROL, amount: 1 }),
        ),
        ("has passed", signed(|b| b.deadline = TIME - 1)),
        (
            "frozen until",
            vec![Op::Signed(sign(freeze, "guardian")), Op::Signed(sign(transfer(), "alice"))],
        ),
        ("sends to itself", signed(|b| b.action = Action::Transfer { to: ALICE, amount: 1 })),
        ("amount is 0", signed(|b| b.action = Action::Transfer { to: BOB, amount: 0 })),
        ("round it down", vec![Op::Signed(too_large)]),
        (
            "amount and fee are 340282366920000000000000000000000000001",
            vec![Op::Signed(sign(largest, "alice"))],
        ),
        ("does not exist", signed(|b| b.action = Action::Transfer { to: 7_000_000, amount: 1 })),
    ];
    for (why, ops) in cases {
        let dir = tempfile::tempdir().unwrap();
        let output = prove(dir.path(), &ops);
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{why}: {text}");
        assert!(text.contains(why), "{why}: {text}");
        assert!(text.contains(&format!("line {}", 3 + ops.len())), "{text}");
        assert!(!dir.path().join("out").exists());
    }
}

#[test]
fn a_folder_with_blocks_is_not_written_again() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir(dir.path().join("out")).unwrap();
    std::fs::write(dir.path().join("out/manifest.json"), "{}").unwrap();
    let output = prove(dir.path(), &[]);
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(text.contains("choose another folder"), "{text}");
}
