//! The command line as a user meets it: usage, bad input, exit codes. The long way, proofs and the
//! EVM, is `make demo` and the tests of the crates.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::Path;
use std::process::{Command, Output};

fn bastion(dir: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_bastion"))
        .args(args)
        .current_dir(dir)
        .env_remove("BASTION_CONFIG")
        .output()
        .unwrap()
}

fn code(output: &Output) -> i32 {
    output.status.code().unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn usage_errors_are_2() {
    let dir = tempfile::tempdir().unwrap();
    assert_eq!(code(&bastion(dir.path(), &["no-such-command"])), 2);
    assert_eq!(code(&bastion(dir.path(), &["prove"])), 2);
    assert_eq!(code(&bastion(dir.path(), &["--help"])), 0);
    for command in [
        "demo", "setup", "prove", "verify", "submit", "audit", "cost", "inspect", "shapes",
    ] {
        let help = bastion(dir.path(), &[command, "--help"]);
        assert_eq!(code(&help), 0);
        let text = String::from_utf8_lossy(&help.stdout).into_owned();
        assert!(text.contains("Example"), "{command}");
    }
}

#[test]
fn missing_things_are_5_and_name_the_remedy() {
    let dir = tempfile::tempdir().unwrap();
    let output = bastion(dir.path(), &["verify", "nothing"]);
    assert_eq!(code(&output), 5);
    assert!(
        stderr(&output).contains("bastion prove"),
        "{}",
        stderr(&output)
    );
    let output = bastion(dir.path(), &["setup", "--shape", "tiny"]);
    assert_eq!(code(&output), 5);
    assert!(
        stderr(&output).contains("--unsafe-dev-srs"),
        "{}",
        stderr(&output)
    );
}

#[test]
fn an_audit_needs_a_node_and_a_contract() {
    let dir = tempfile::tempdir().unwrap();
    let nobody = "http://127.0.0.1:1";
    let contract = "0xe7f1725e7734ce288f8367e1bb143e90bb3f0512";
    let missing = bastion(dir.path(), &["audit", "--l1", nobody]);
    assert_eq!(code(&missing), 2);
    let no_address = bastion(dir.path(), &["audit", "--l1", nobody, "--contract", "0x12"]);
    assert_eq!(code(&no_address), 2);
    let output = bastion(
        dir.path(),
        &["audit", "--l1", nobody, "--contract", contract],
    );
    assert_eq!(code(&output), 1);
    assert!(stderr(&output).contains(nobody), "{}", stderr(&output));
}

#[test]
fn bad_rows_name_their_line_and_nothing_is_written() {
    let dir = tempfile::tempdir().unwrap();
    let header = "block,tx_index,trace_index,token,from,to,amount\n";
    let zero = format!("0x{}", "00".repeat(20));
    let one = format!("0x{}", "11".repeat(20));
    for (row, why) in [
        (format!("1,0,0,{zero},{one},{one},5"), "itself"),
        (format!("1,0,0,{zero},{one},{zero},0"), "amount is 0"),
        (format!("1,0,0,{zero},{one},0x12,5"), "0x12"),
        (
            format!("1,0,0,{zero},{one},{zero},{}", "9".repeat(40)),
            "2^128",
        ),
        ("1,0,0".to_string(), "line 2"),
    ] {
        std::fs::write(dir.path().join("bad.csv"), format!("{header}{row}\n")).unwrap();
        let output = bastion(
            dir.path(),
            &["prove", "bad.csv", "--shape", "tiny", "--out", "out"],
        );
        assert_eq!(code(&output), 1, "{row}");
        assert!(stderr(&output).contains(why), "{row}: {}", stderr(&output));
        assert!(stderr(&output).contains("line 2"), "{}", stderr(&output));
        assert!(!dir.path().join("out").exists());
    }
}

#[test]
fn bad_operations_are_refused_before_anything_is_proved() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("ops.jsonl"), "{\"op\":\"deposit\"}\n").unwrap();
    let output = bastion(
        dir.path(),
        &["prove", "ops.jsonl", "--shape", "tiny", "--out", "out"],
    );
    assert_eq!(code(&output), 1);
    assert!(stderr(&output).contains("line 1"), "{}", stderr(&output));
    std::fs::write(dir.path().join("empty.jsonl"), "").unwrap();
    let output = bastion(
        dir.path(),
        &["prove", "empty.jsonl", "--shape", "tiny", "--out", "out"],
    );
    assert_eq!(code(&output), 1);
    assert!(!dir.path().join("out").exists());
}

#[test]
fn unknown_settings_and_shapes_are_errors() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("bastion.toml"), "memroy = \"1GiB\"\n").unwrap();
    let output = bastion(dir.path(), &["cost", "--shape", "tiny"]);
    assert_eq!(code(&output), 1);
    assert!(stderr(&output).contains("memroy"), "{}", stderr(&output));
    std::fs::remove_file(dir.path().join("bastion.toml")).unwrap();
    let output = bastion(dir.path(), &["cost", "--shape", "huge"]);
    assert_eq!(code(&output), 1);
    assert!(stderr(&output).contains("standard"), "{}", stderr(&output));
}

#[test]
fn cost_is_machine_readable_and_within_its_bounds() {
    let dir = tempfile::tempdir().unwrap();
    let output = bastion(dir.path(), &["cost", "--shape", "standard", "--json"]);
    assert_eq!(code(&output), 0);
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let transfer = &report["operations"]["transfer"];
    assert!(transfer["data_bytes"].as_u64().unwrap() <= 15);
    assert!(transfer["advice_cells"].as_u64().unwrap() <= 6_000);
    let batch = &report["transfer_batch"];
    assert!(batch["advice_cells_per_transfer"].as_u64().unwrap() <= 5_740);
    assert!(batch["transfers"].as_u64().unwrap() >= 2_000);
    assert_eq!(report["commitments"], 49);
}
