//! The command line as a user meets it: what is not about codes, input or folders. The long way,
//! proofs and the EVM, is `make demo` and the tests of the crates.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use support::{bastion, code, stderr};

#[test]
fn an_audit_needs_a_node_and_a_contract() {
    let dir = tempfile::tempdir().unwrap();
    let nobody = "http://127.0.0.1:1";
    let contract = "0xe7f1725e7734ce288f8367e1bb143e90bb3f0512";
    let missing = bastion(dir.path(), &format!("audit --l1 {nobody}"));
    assert_eq!(code(&missing), 2);
    let no_address = bastion(dir.path(), &format!("audit --l1 {nobody} --contract 0x12"));
    assert_eq!(code(&no_address), 2);
    let output = bastion(dir.path(), &format!("audit --l1 {nobody} --contract {contract}"));
    assert_eq!(code(&output), 1);
    assert!(stderr(&output).contains(nobody), "{}", stderr(&output));
}

#[test]
fn bad_operations_are_refused_before_anything_is_proved() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("ops.jsonl"), "{\"op\":\"deposit\"}\n").unwrap();
    let output = bastion(dir.path(), "prove ops.jsonl --shape tiny --out out");
    assert_eq!(code(&output), 1);
    assert!(stderr(&output).contains("line 1"), "{}", stderr(&output));
    std::fs::write(dir.path().join("empty.jsonl"), "").unwrap();
    let output = bastion(dir.path(), "prove empty.jsonl --shape tiny --out out");
    assert_eq!(code(&output), 1);
    assert!(!dir.path().join("out").exists());
}

#[test]
fn cost_is_machine_readable_and_within_its_bounds() {
    let dir = tempfile::tempdir().unwrap();
    let output = bastion(dir.path(), "cost --shape standard --json");
    assert_eq!(code(&output), 0);
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let transfer = &report["operations"]["transfer"];
    assert!(transfer["data_bytes"].as_u64().unwrap() <= 15);
    assert!(transfer["advice_cells"].as_u64().unwrap() <= 6_040);
    let order = &report["operations"]["order"];
    assert_eq!(order["data_bytes"], 30);
    assert!(order["advice_cells"].as_u64().unwrap() <= 8_100);
    let batch = &report["transfer_batch"];
    assert!(batch["advice_cells_per_transfer"].as_u64().unwrap() <= 5_790);
    assert!(batch["transfers"].as_u64().unwrap() >= 1_980);
    assert_eq!(report["commitments"], 55);
}

#[test]
fn rules_are_bundled_signed_and_checked() {
    let dir = tempfile::tempdir().unwrap();
    let run = |line: &str| bastion(dir.path(), &format!("sentinel bundle {line}"));
    let done = |line: &str| {
        let output = run(&format!("{line} --json"));
        assert_eq!(code(&output), 0, "{line}: {}", stderr(&output));
        serde_json::from_slice::<serde_json::Value>(&output.stdout).unwrap()
    };
    let public = |name: &str| {
        let made = done(&format!("key {name}.key"));
        made["public"].as_str().unwrap().to_owned()
    };
    let (a, b, clock) = (public("a"), public("b"), public("clock"));
    let keys = format!("--root {a} --targets {a} --targets {b} --timestamp {clock}");
    done(&format!("root root.json {keys}"));
    std::fs::create_dir(dir.path().join("rules")).unwrap();
    for name in ["fan-in.yaml", "lists.yaml"] {
        let rules = concat!(env!("CARGO_MANIFEST_DIR"), "/sentinel/rules/");
        std::fs::copy(format!("{rules}{name}"), dir.path().join("rules").join(name)).unwrap();
    }
    done("make rules bundle --version 1 --key a.key --key clock.key");
    let check = |why: &str| {
        let output = run("check bundle --root root.json");
        match why.is_empty() {
            true => assert_eq!(code(&output), 0, "{}", stderr(&output)),
            false => {
                assert_ne!(code(&output), 0, "{why}");
                assert!(stderr(&output).contains(why), "{why}: {}", stderr(&output));
            }
        }
    };
    check("signatures");
    done("sign root.json --role root --key a.key");
    check("");
    // A key that the root does not name.
    done("make rules bundle --version 2 --key b.key --key b.key");
    check("signatures");
    done("stamp bundle --key clock.key");
    check("");
    let file = dir.path().join("bundle/rules/fan-in.yaml");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replace("medium", "low")).unwrap();
    check("fan-in.yaml");
    // What does not hold its own examples is not signed, and no secret is shown.
    std::fs::write(dir.path().join("rules/fan-in.yaml"), "id: nothing").unwrap();
    let output = run("make rules bundle --version 3 --key a.key");
    assert_eq!(code(&output), 2, "{}", stderr(&output));
    std::fs::write(dir.path().join("short.key"), "c0ffee").unwrap();
    let output = run("stamp bundle --key short.key");
    assert!(!stderr(&output).contains("c0ffee"), "{}", stderr(&output));
    assert!(stderr(&output).contains("64 hexadecimal digits"), "{}", stderr(&output));
}
