//! `bastion receipt` over a real node: two receipts for one place cost the bond.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../l1/tests/support/anvil.rs"]
mod anvil;
mod support;

use std::fs;
use std::path::Path;

use alloy_primitives::{address, Address, Bytes, B256, U256};
use alloy_sol_types::{SolCall, SolValue};
use anvil::Anvil;
use bastion_contract::rollup::{slashing, test_token};
use bastion_contract::slashing::ISlashing;
use bastion_l1::{DevChain, ReadL1, RpcL1, SendL1, DEV_OPERATOR};
use bastion_node::sequencer::ReceiptSigner;
use bastion_node::service::run::wall_clock;
use bastion_protocol::receipt::Place;
use bastion_protocol::{Address as L2Address, Fr, Receipt};
use serde_json::Value;
use support::{bastion, code, stderr, stdout};

const REPORTER: Address = address!("70997970C51812dc3A010C7d01b50e0d17dc79C8");
const CHAIN: u64 = 31_337;
const SALT: &str = "0x5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a";
const BOND: u64 = 4_000_000;

fn write(dir: &Path, name: &str, signer: &ReceiptSigner, position: u32, leaf: u64) {
    let place = Place { block: 7, batch: 0, position };
    let receipt =
        Receipt { epoch: 0, place, operation: [1; 32], leaf: Fr::from(leaf), time: 1_800_000_000 };
    let signed = signer.sign(receipt).unwrap();
    fs::write(dir.join(name), serde_json::to_vec(&signed).unwrap()).unwrap();
}

fn call(call: &Value) -> Bytes {
    call.as_str().unwrap().parse().unwrap()
}

#[test]
fn two_receipts_for_one_place_cost_the_bond() {
    let anvil = Anvil::start(wall_clock());
    let mut l1 = RpcL1::connect(&anvil.url).unwrap();
    // Two signatures are judged without asking the rollup anything.
    let stub = test_token().unwrap().with_args(&"stub".to_owned().abi_encode());
    let (rollup, _) = l1.deploy(DEV_OPERATOR, stub).unwrap();
    let code_of = slashing().unwrap().with_args(&rollup.abi_encode());
    let (contract, _) = l1.deploy(DEV_OPERATOR, code_of).unwrap();
    let key = B256::repeat_byte(1);
    let sequencer = ReceiptSigner::new(&key, CHAIN, L2Address(rollup.into_array())).unwrap();
    let signer = sequencer.address();
    let bond = ISlashing::bondCall { signer }.abi_encode().into();
    l1.send(DEV_OPERATOR, contract, U256::from(BOND), bond).unwrap();

    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    write(dir, "one.json", &sequencer, 3, 11);
    write(dir, "other.json", &sequencer, 3, 12);
    write(dir, "next.json", &sequencer, 4, 12);
    let l1_flags = format!("--l1 {} --contract {rollup}", anvil.url);
    let judged = format!("{l1_flags} --slashing {contract} --owner {DEV_OPERATOR}");
    let run = |args: String| bastion(dir, &args);

    let one = run(format!("receipt check one.json {l1_flags}"));
    assert_eq!(code(&one), 0, "{}", stderr(&one));
    assert!(stdout(&one).contains(&signer.to_string()) && stdout(&one).contains("--proof"));
    let kept = run(format!("receipt check one.json next.json {l1_flags}"));
    assert_eq!(code(&kept), 2, "{}", stdout(&kept));
    assert!(stderr(&kept).contains("different epochs or places"), "{}", stderr(&kept));
    // What shows nothing is no broken promise.
    let stranger =
        ReceiptSigner::new(&B256::repeat_byte(2), CHAIN, L2Address(rollup.into_array())).unwrap();
    write(dir, "foreign.json", &stranger, 3, 12);
    let text = fs::read_to_string(dir.join("one.json")).unwrap();
    let mut malformed: Value = serde_json::from_str(&text).unwrap();
    malformed["signature"] = "0x1234".into();
    fs::write(dir.join("malformed.json"), malformed.to_string()).unwrap();
    fs::write(dir.join("nothing.json"), "{}").unwrap();
    for (files, why) in [
        ("one.json one.json", "same receipt"),
        ("one.json foreign.json", "different keys"),
        ("malformed.json", "signature"),
        ("none.json", "receipt, blind receipt or closing none.json"),
        ("nothing.json", "receipt, blind receipt or closing nothing.json"),
    ] {
        let output = run(format!("receipt check {files} {l1_flags}"));
        assert_eq!(code(&output), 2, "{files}: {}", stderr(&output));
        assert!(stderr(&output).contains(why), "{files}: {}", stderr(&output));
    }

    let both = run(format!("receipt check one.json other.json {judged} --json"));
    assert_eq!(code(&both), 3, "{}", stderr(&both));
    let said: Value = serde_json::from_str(&stdout(&both)).unwrap();
    assert_eq!(said["fault"], "two_for_one_place");
    assert_eq!(
        (&said["verdict"]["verdict"], &said["bond"]),
        (&"broken".into(), &BOND.to_string().into())
    );

    let from = format!("{judged} --from {REPORTER}");
    let alone = run(format!("receipt slash one.json {from}"));
    assert_eq!(code(&alone), 2, "{}", stderr(&alone));
    let nobody = from.replace(&format!("--owner {DEV_OPERATOR}"), &format!("--owner {REPORTER}"));
    let nothing = run(format!("receipt slash one.json other.json {nobody}"));
    assert_eq!(code(&nothing), 1, "{}", stderr(&nothing));
    assert!(stderr(&nothing).contains("no bond"), "{}", stderr(&nothing));

    // Printed, announced by hand, and made when it is due.
    let printed =
        run(format!("receipt slash one.json other.json {from} --salt {SALT} --dry-run --json"));
    assert_eq!(code(&printed), 0, "{}", stderr(&printed));
    let printed: Value = serde_json::from_str(&stdout(&printed)).unwrap();
    l1.send(REPORTER, contract, U256::ZERO, call(&printed["announce"])).unwrap();
    l1.advance(printed["wait_seconds"].as_u64().unwrap()).unwrap();
    let before = l1.balance(contract).unwrap();
    let made = run(format!("receipt slash one.json other.json {from} --salt {SALT}"));
    assert_eq!(code(&made), 0, "{}", stderr(&made));
    assert_eq!(before - l1.balance(contract).unwrap(), U256::from(BOND));
    let burned = ISlashing::BURNEDCall {}.abi_encode().into();
    let burned = Address::abi_decode(&l1.view(contract, burned).unwrap()).unwrap();
    assert_eq!(l1.balance(burned).unwrap(), U256::from(BOND - BOND / 4));

    let again = run(format!("receipt slash one.json other.json {from}"));
    assert_eq!(code(&again), 1, "{}", stderr(&again));
}
