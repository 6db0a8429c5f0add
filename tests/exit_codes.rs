//! Exit codes as the help tells them, for every command and every class of error.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::fs;
use std::path::Path;

use support::{bastion, code, program, row, stderr, stdout, HEADER};

const COMMANDS: [(&str, &str); 26] = [
    ("demo", ""),
    ("setup", "--unsafe-dev-srs"),
    ("prove", "rows.csv --out out"),
    ("verify", "out"),
    ("submit", "out --l1 http://127.0.0.1:1"),
    ("audit", "--l1 http://127.0.0.1:1 --contract 0x1111111111111111111111111111111111111111"),
    (
        "exodus",
        "show --l1 http://127.0.0.1:1 --contract 0x1111111111111111111111111111111111111111",
    ),
    (
        "blobs",
        "--l1 http://127.0.0.1:1 --contract 0x1111111111111111111111111111111111111111 --out blobs",
    ),
    (
        "proof",
        "inclusion 1:0:0 --l1 http://127.0.0.1:1 --contract 0x1111111111111111111111111111111111111111",
    ),
    ("bench", ""),
    ("cost", ""),
    ("shapes", ""),
    ("inspect", "out"),
    ("node", ""),
    ("worker", "--nats nats://127.0.0.1:1"),
    ("l1", "deploy --shape tiny --dev"),
    ("doctor", ""),
    ("status", ""),
    ("job", "list"),
    ("control", "pause"),
    ("sentinel", "status"),
    ("replay", "rows.csv --l1 http://127.0.0.1:1"),
    ("db", "check"),
    ("config", "show"),
    ("wallet", "list"),
    (
        "receipt",
        "check receipt.json --l1 http://127.0.0.1:1 --contract 0x1111111111111111111111111111111111111111",
    ),
];

fn rows(dir: &Path) {
    fs::write(dir.join("rows.csv"), format!("{HEADER}\n{}\n", row(1, 2, 5))).unwrap();
}

#[test]
fn the_help_of_every_command_is_0_and_shows_an_example() {
    let dir = tempfile::tempdir().unwrap();
    let help = stdout(&bastion(dir.path(), "--help"));
    for (command, _) in COMMANDS {
        let output = bastion(dir.path(), &format!("{command} --help"));
        assert_eq!(code(&output), 0, "{command}");
        assert!(stdout(&output).contains("Example"), "{command}");
        assert!(help.contains(&format!("  {command} ")), "{command}");
    }
    // One command more, and it must stand in the table above.
    let listed = help.lines().skip_while(|l| *l != "Commands:").skip(1);
    let listed = listed.take_while(|l| !l.is_empty());
    let names: Vec<&str> = listed.filter_map(|l| l.split_whitespace().next()).collect();
    let known = |name: &&&str| **name != "help";
    assert_eq!(names.iter().filter(known).count(), COMMANDS.len(), "{names:?}");
}

#[test]
fn usage_is_2_for_every_command() {
    let dir = tempfile::tempdir().unwrap();
    rows(dir.path());
    fs::write(dir.path().join("typo.toml"), "memroy = \"1GiB\"\n").unwrap();
    fs::write(dir.path().join("unit.toml"), "memory = \"16x\"\n").unwrap();
    fs::write(dir.path().join("no.toml"), "memory = \n").unwrap();
    fs::write(dir.path().join("lanes.toml"), "arithmetic = \"x\"\n").unwrap();
    fs::write(dir.path().join("zero.toml"), "memory = 0\n").unwrap();
    for (command, args) in COMMANDS {
        for bad in [
            "--no-such-flag",
            "--memory 16x",
            "--memory 0",
            "--config typo.toml",
            "--config unit.toml",
            "--config no.toml",
            "--config lanes.toml",
            "--config zero.toml",
            "--arithmetic x",
        ] {
            let output = bastion(dir.path(), &format!("{command} {args} {bad}"));
            assert_eq!(code(&output), 2, "{command} {bad}: {}", stderr(&output));
        }
        let missing = bastion(dir.path(), &format!("{command} {args} --config none.toml"));
        assert_eq!(code(&missing), 5, "{command}: {}", stderr(&missing));
        assert!(stderr(&missing).contains("none.toml"));
    }
    for args in [
        "",
        "no-such-command",
        "prove",
        "demo --shape huge",
        "setup --shape huge --unsafe-dev-srs",
        "setup --batches 0",
        "setup --batches 25",
        "setup --srs-b2sum 00",
        "prove rows.csv --out out --shape huge",
        "prove rows.csv --out out --batches 256",
        "prove rows.csv --out out --format xml",
        "prove rows.csv --out out --limit -1",
        "prove rows.csv --out out --limit 18446744073709551616",
        "prove rows.csv --out out --time 18446744073709551615",
        "prove rows.csv --out out --time 1099511627775",
        "verify out --evm --independent",
        "audit --l1 http://127.0.0.1:1",
        "audit --l1 http://127.0.0.1:1 --contract 0x12",
        "prove rows.csv --out out --limit 0",
        "audit --l1 http://127.0.0.1:1 --contract 0x1111111111111111111111111111111111111111 \
         --from 2 --to 1",
        "audit --l1 127.0.0.1:1 --contract 0x1111111111111111111111111111111111111111",
        "exodus show --l1 ftp://127.0.0.1 --contract 0x1111111111111111111111111111111111111111",
        "exodus leave --l1 http://127.0.0.1:1 --contract 0x1111111111111111111111111111111111111111 \
         --from 0x1111111111111111111111111111111111111111",
        "bench --shape huge",
        "bench --arithmetic fast",
        "bench load --transfers 0",
        "bench load --accounts 1",
        "bench load --seconds 0",
        "bench load --dir none",
        "bench --batches 1 load",
        "bench market --rounds 0",
        "bench market --traders 101",
        "cost --shape huge",
        "shapes --cores 0",
    ] {
        let output = bastion(dir.path(), args);
        assert_eq!(code(&output), 2, "{args}: {}", stderr(&output));
    }
    let output = bastion(dir.path(), "cost --shape huge");
    assert!(stderr(&output).contains("standard"), "{}", stderr(&output));
    assert!(!dir.path().join("out").exists());
}

#[test]
fn a_measured_load_is_pure_json_and_leaves_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let args = "bench load --shape tiny --accounts 2 --transfers 20 --seconds 1 --json";
    let output = bastion(dir.path(), args);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    let report: serde_json::Value = serde_json::from_str(&stdout(&output)).unwrap();
    assert_eq!(report["transfers"], 20);
    assert!(report["receipt_ms"]["p99"].is_f64() && report["receipts_per_second"].is_f64());
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
}

#[test]
fn a_simulated_market_is_pure_json_and_the_same_each_time() {
    let dir = tempfile::tempdir().unwrap();
    let run = || {
        let output = bastion(dir.path(), "bench market --rounds 2 --traders 4 --json");
        assert_eq!(code(&output), 0, "{}", stderr(&output));
        stdout(&output)
    };
    let text = run();
    assert_eq!(text, run());
    let report: serde_json::Value = serde_json::from_str(&text).unwrap();
    let rows = report["rows"].as_array().unwrap();
    let reorders = rows.iter().filter(|row| row["strategy"] == "reorder");
    let extracted = |place: &str| {
        let row = reorders.clone().find(|row| row["place"] == place).unwrap();
        row["extracted"].as_i64().unwrap()
    };
    assert_eq!((extracted("auction"), extracted("blind_auction")), (0, 0));
    assert!(extracted("book") > 0);
}

#[test]
fn a_folder_of_blocks_is_no_verifier() {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("out")).unwrap();
    fs::write(dir.path().join("out/manifest.json"), "{}").unwrap();
    let audit =
        "audit --l1 http://127.0.0.1:1 --contract 0x1111111111111111111111111111111111111111";
    for (folder, expected) in [("out", 2), ("none", 5)] {
        let output = bastion(dir.path(), &format!("{audit} --verifier {folder}"));
        let text = stderr(&output);
        assert_eq!(code(&output), expected, "{folder}: {text}");
        assert!(text.contains(folder) && !text.contains("delete"), "{text}");
    }
}

#[test]
fn an_input_of_which_nothing_can_run_tells_what_was_left_out() {
    let dir = tempfile::tempdir().unwrap();
    let bad = row(1, 2, 5).replace(",5", ",five");
    fs::write(dir.path().join("rows.csv"), format!("{HEADER}\n{bad}\n")).unwrap();
    let output = bastion(dir.path(), "prove rows.csv --skip-invalid --out out");
    let text = stderr(&output);
    assert_eq!(code(&output), 1, "{text}");
    assert!(text.contains("line 2") && text.contains("five"), "{text}");
}

#[test]
fn what_is_missing_is_5() {
    let dir = tempfile::tempdir().unwrap();
    rows(dir.path());
    for (args, remedy) in [
        ("verify none", "bastion prove"),
        ("verify none --independent", "bastion prove"),
        ("inspect none", "bastion prove"),
        ("submit none --l1 http://127.0.0.1:1", "bastion prove"),
        ("prove none.csv --out out", "none.csv"),
        ("bench --check none.json", "none.json"),
        ("bench --shape tiny", "bastion setup"),
        ("setup --shape tiny", "--unsafe-dev-srs"),
        ("setup --shape tiny --srs none.ptau", "none.ptau"),
    ] {
        let output = bastion(dir.path(), args);
        assert_eq!(code(&output), 5, "{args}: {}", stderr(&output));
        assert!(stderr(&output).contains(remedy), "{args}: {}", stderr(&output));
    }
}

#[test]
fn too_little_memory_is_6_before_any_work_and_says_what_is_needed() {
    let dir = tempfile::tempdir().unwrap();
    rows(dir.path());
    for args in [
        "prove rows.csv --shape tiny --out out",
        "setup --shape tiny --unsafe-dev-srs",
        "demo --shape tiny",
        "demo auction --shape tiny",
        "shapes --recommend",
    ] {
        let output = bastion(dir.path(), &format!("{args} --memory 100MiB"));
        assert_eq!(code(&output), 6, "{args}: {}", stderr(&output));
        let text = stderr(&output);
        assert!(text.contains("100.0 MiB") && text.contains("--memory"), "{text}");
        // Nothing was begun: no stage, no folder, no reference string.
        assert!(!text.contains("\"stage\""), "{args}: {text}");
        assert!(!dir.path().join("out").exists(), "{args}");
        assert!(!dir.path().join(".bastion").exists(), "{args}");
    }
}

#[test]
fn a_folder_of_another_release_is_4_and_one_that_is_none_is_3() {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("out")).unwrap();
    for (manifest, expected) in
        [(r#"{"format": 99, "new": {"fields": []}}"#, 4), ("{}", 3), ("", 3), ("[1]", 3)]
    {
        fs::write(dir.path().join("out/manifest.json"), manifest).unwrap();
        for command in [
            "verify out",
            "verify out --independent",
            "inspect out",
            "submit out --l1 http://127.0.0.1:1",
        ] {
            let output = bastion(dir.path(), command);
            assert_eq!(code(&output), expected, "{command}: {}", stderr(&output));
        }
    }
}

#[test]
fn an_empty_variable_is_none() {
    let dir = tempfile::tempdir().unwrap();
    rows(dir.path());
    let with = |name: &str, value: &str, args: &str| {
        let mut command = program(dir.path());
        command.env(name, value).args(args.split_whitespace());
        command.output().unwrap()
    };
    for name in
        ["BASTION_CONFIG", "BASTION_MEMORY", "BASTION_CACHE_DIR", "BASTION_ARITHMETIC", "RUST_LOG"]
    {
        let output = with(name, "", "cost --shape tiny");
        assert_eq!(code(&output), 0, "{name}: {}", stderr(&output));
    }
    // Not a URL that is empty, but none: the flag is missing.
    let output = with("BASTION_L1", "", "submit out");
    assert_eq!(code(&output), 2);
    assert!(stderr(&output).contains("--l1"), "{}", stderr(&output));
    // One that is set counts.
    let output = with("BASTION_MEMORY", "16x", "cost --shape tiny");
    assert_eq!(code(&output), 2);
    let args = "prove rows.csv --shape tiny --out out";
    assert_eq!(code(&with("BASTION_MEMORY", "1MiB", args)), 6);
}
