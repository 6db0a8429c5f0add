//! Reference strings, compiler and disk as a user meets them: what is missing is told at once, with
//! the remedy, and nothing is made that nobody asked for.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use bastion_prover::progress::Progress;
use bastion_prover::srs::{Srs, SrsDir};

/// The result of a small ceremony, by snarkjs.
fn ceremony() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("prover/tests/data/snarkjs-power6.ptau")
}

fn command(dir: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bastion"));
    command.current_dir(dir).args(["--cache-dir", "cache"]);
    for variable in ["BASTION_CONFIG", "BASTION_CACHE_DIR", "BASTION_MEMORY"] {
        command.env_remove(variable);
    }
    command
}

fn bastion(dir: &Path, args: &[&str]) -> Output {
    command(dir).args(args).output().unwrap()
}

/// Checks the exit code; gives what was said.
fn expect(output: &Output, code: i32) -> String {
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(code), "{text}");
    text
}

fn rows(dir: &Path) {
    let text = "block,tx_index,trace_index,token,from,to,amount\n";
    let address = |digits: &str| format!("0x{}", digits.repeat(20));
    let row = format!("1,0,0,{},{},{},5\n", address("00"), address("11"), address("22"));
    fs::write(dir.join("rows.csv"), format!("{text}{row}")).unwrap();
}

#[test]
fn nobody_gets_an_unsafe_string_who_did_not_ask() {
    let dir = tempfile::tempdir().unwrap();
    rows(dir.path());
    let prove = ["prove", "rows.csv", "--shape", "tiny", "--out", "out"];
    for args in [&prove[..], &["setup", "--shape", "tiny"], &["bench", "--shape", "tiny"]] {
        let text = expect(&bastion(dir.path(), args), 5);
        assert!(text.contains("`bastion setup --shape tiny --unsafe-dev-srs`"), "{text}");
        assert!(text.contains("2^21 powers"), "{text}");
    }
    let names: Vec<_> =
        fs::read_dir(dir.path()).unwrap().flatten().map(|e| e.file_name()).collect();
    assert_eq!(names, ["rows.csv"], "neither a cache nor a folder for blocks");
}

#[test]
fn a_ceremony_that_is_too_small_is_no_reason_for_an_unsafe_string() {
    let dir = tempfile::tempdir().unwrap();
    rows(dir.path());
    let cache = dir.path().join("cache");
    let imported = Srs::import(&ceremony(), 6, None, &Progress::silent()).unwrap();
    SrsDir::new(&cache).adopt(imported.srs, &Progress::silent()).unwrap();
    let before = fs::read_dir(&cache).unwrap().count();
    let prove = ["prove", "rows.csv", "--shape", "standard", "--out", "out"];
    let setup = ["setup", "--shape", "standard", "--unsafe-dev-srs"];
    for args in [&prove[..], &setup[..]] {
        let text = expect(&bastion(dir.path(), args), 5);
        assert!(text.contains("a ceremony's, 2^6 powers"), "{text}");
        assert!(text.contains("`bastion setup --shape standard --srs FILE`"), "{text}");
    }
    assert_eq!(fs::read_dir(&cache).unwrap().count(), before);
    assert!(!dir.path().join("out").exists());
}

/// Blocks are verified by the verifier that their manifest names. If it is missing, nothing is made
/// in its place, whatever reference string the cache holds.
#[test]
fn a_missing_verifier_is_told_and_not_made() {
    let dir = tempfile::tempdir().unwrap();
    let cache = dir.path().join("cache");
    let imported = Srs::import(&ceremony(), 6, None, &Progress::silent()).unwrap();
    let held = SrsDir::new(&cache).adopt(imported.srs, &Progress::silent()).unwrap();
    let folder = dir.path().join("out");
    fs::create_dir(&folder).unwrap();
    for named in ["ab".repeat(32), held.id().to_string()] {
        let manifest = serde_json::json!({
            "format": 1, "shape": "tiny", "batches_per_block": 2,
            "batch_circuit_id": "00".repeat(32), "block_circuit_id": "00".repeat(32),
            "srs": named, "unsafe_dev_srs": false, "chain_id": 31337,
            "contract": format!("0x{}", "11".repeat(20)),
            "policy": bastion_node::devnet::dev_policy(), "tokens": [], "blocks": 1,
        });
        fs::write(folder.join("manifest.json"), manifest.to_string()).unwrap();
        let text = expect(&bastion(dir.path(), &["verify", "out"]), 5);
        assert!(text.contains("--cache-dir") && text.contains("bastion setup"), "{text}");
        assert!(!cache.join("keys").exists());
    }
}

#[test]
fn a_hash_is_read_as_people_paste_it() {
    let dir = tempfile::tempdir().unwrap();
    let file = ceremony();
    let file = file.to_str().unwrap();
    let imported = Srs::import(&ceremony(), 6, None, &Progress::silent()).unwrap();
    let hash = imported.b2sum.to_string();
    let setup = |sum: &str| {
        let args = ["setup", "--shape", "tiny", "--srs", file, "--srs-b2sum", sum];
        bastion(dir.path(), &args)
    };
    let (first, second) = hash.split_at(64);
    for right in [
        format!("{hash}  snarkjs-power6.ptau\n"),
        format!("0x{}", hash.to_uppercase()),
        format!("{first}\n{second}"),
    ] {
        // The hash is right: what is found wrong is the size, with the one that is needed.
        let text = expect(&setup(&right), 5);
        assert!(text.contains("has power 6, needed is 21"), "{text}");
        assert!(!text.contains("--k"), "{text}");
    }
    for none in [first, "", "sha256:00"] {
        let text = expect(&setup(none), 2);
        assert!(text.contains("no BLAKE2b-512"), "{text}");
    }
    let text = expect(&setup(&hash.chars().rev().collect::<String>()), 5);
    assert!(text.contains(&hash) && !text.contains("delete"), "{text}");
    let stored = fs::read_dir(dir.path().join("cache")).into_iter().flatten().flatten();
    assert!(!stored
        .map(|entry| entry.path())
        .any(|path| path.extension().is_some_and(|e| e == "srs")));
}

#[test]
fn a_file_that_is_no_ceremonys_is_not_to_be_deleted() {
    let dir = tempfile::tempdir().unwrap();
    rows(dir.path());
    let text = expect(&bastion(dir.path(), &["setup", "--shape", "tiny", "--srs", "rows.csv"]), 5);
    assert!(text.contains("rows.csv") && !text.contains("delete"), "{text}");
}

#[test]
fn a_missing_compiler_is_told_before_anything_is_made() {
    let dir = tempfile::tempdir().unwrap();
    let output = command(dir.path())
        .args(["setup", "--shape", "tiny", "--unsafe-dev-srs"])
        .env("BASTION_SOLC_DIR", "/no/such/folder")
        .output()
        .unwrap();
    let text = expect(&output, 5);
    assert!(text.contains("/no/such/folder") && text.contains("make setup"), "{text}");
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
}

/// On file systems that are too small at once, and too small for the reference string.
#[test]
#[cfg(target_os = "linux")]
fn setup_on_a_full_disk_has_failed_for_want_of_room() {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("cache")).unwrap();
    let run = |namespace: &[&str], script: &str| {
        Command::new("unshare")
            .args(namespace)
            .args(["sh", "-c", script])
            .env("BASTION", env!("CARGO_BIN_EXE_bastion"))
            .current_dir(dir.path())
            .output()
    };
    let mount = |size: &str| format!("mount -t tmpfs -o size={size} tmpfs cache");
    let namespaces: [&[&str]; 2] = [&["--user", "--map-root-user", "--mount"], &["--mount"]];
    let available = namespaces
        .into_iter()
        .find(|namespace| run(namespace, &mount("64k")).is_ok_and(|o| o.status.success()));
    let Some(namespace) = available else {
        println!("skipped: a small file system cannot be mounted here");
        return;
    };
    for size in ["256k", "4m"] {
        let setup = "\"$BASTION\" setup --shape tiny --unsafe-dev-srs --cache-dir cache; code=$?; \
                     find cache -name '*.srs'; find cache -name '.*'; exit $code";
        let output = run(namespace, &format!("{} && {setup}", mount(size))).unwrap();
        let text = expect(&output, 6);
        assert!(text.contains("free some space"), "{text}");
        assert!(output.stdout.is_empty(), "left over: {output:?}");
    }
}
