//! A folder of proven blocks: proven in three runs of which two are killed, then verified, and every
//! way in which it is not whole refused. One test, since its proofs are made once.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use support::{bastion, code, program, row, stderr, stdout, HEADER};

const PROVE: &str = "prove rows.csv --shape tiny --batches 1 --out out --json";

/// Enough for two blocks.
fn write_rows(dir: &Path) {
    let rows: Vec<String> = (1..=9).map(|n| row(n, n + 1, 1_000)).collect();
    fs::write(dir.join("rows.csv"), format!("{HEADER}\n{}\n", rows.join("\n"))).unwrap();
}

fn start(dir: &Path) -> Child {
    let mut command = program(dir);
    command.args(PROVE.split_whitespace());
    command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

/// Kills a run as soon as `reached`.
fn kill_when(dir: &Path, reached: impl Fn() -> bool) {
    let mut child = start(dir);
    let begun = Instant::now();
    while !reached() {
        assert!(child.try_wait().unwrap().is_none(), "it ended before it was killed");
        assert!(begun.elapsed() < Duration::from_secs(900));
        std::thread::sleep(Duration::from_millis(10));
    }
    child.kill().unwrap();
    child.wait().unwrap();
}

/// The batch proofs that an unfinished run keeps.
fn kept(dir: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(dir.join("out/.proving")).into_iter().flatten();
    let paths = entries.map(|e| e.unwrap().path());
    paths
        .filter(|p| p.extension().is_some_and(|e| e == "json") && !p.ends_with("run.json"))
        .collect()
}

fn json(text: &str) -> serde_json::Value {
    serde_json::from_str(text).unwrap()
}

fn proofs_survive_two_kills(dir: &Path) {
    kill_when(dir, || !kept(dir).is_empty());
    let first = fs::read(&kept(dir)[0]).unwrap();
    kill_when(dir, || dir.join("out/manifest.json").exists());
    // Proofs are blinded: the same bytes are the same proof.
    assert_eq!(fs::read(dir.join("out/0000.batch-0.json")).unwrap(), first);
    let block = fs::read(dir.join("out/0000.proof.json")).unwrap();

    // Another input does not take the folder over.
    let rows = fs::read(dir.join("rows.csv")).unwrap();
    fs::write(dir.join("rows.csv"), format!("{HEADER}\n{}\n", row(7, 8, 9))).unwrap();
    let other = bastion(dir, PROVE);
    assert_eq!(code(&other), 1);
    assert!(stderr(&other).contains("choose another folder"), "{}", stderr(&other));
    fs::write(dir.join("rows.csv"), rows).unwrap();

    // What is kept and does not hold is made again.
    for path in kept(dir) {
        let mut bytes = fs::read(&path).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] = if bytes[middle] == b'0' { b'1' } else { b'0' };
        fs::write(&path, bytes).unwrap();
    }
    let last = bastion(dir, PROVE);
    assert_eq!(code(&last), 0, "{}", stderr(&last));
    let report = json(&stdout(&last));
    assert_eq!(report["blocks"], 2);
    assert_eq!(report["resumed_blocks"], 1);
    assert_eq!(fs::read(dir.join("out/0000.proof.json")).unwrap(), block);
    assert!(!dir.join("out/.proving").exists());

    let again = bastion(dir, PROVE);
    assert_eq!(code(&again), 1);
    assert!(stderr(&again).contains("choose another folder"));
}

/// Both verifiers' codes over a folder.
fn verify(dir: &Path, expected: i32, what: &str) {
    for flag in ["", "--independent"] {
        let output = bastion(dir, &format!("verify v {flag}"));
        assert_eq!(code(&output), expected, "{what} {flag}: {}", stderr(&output));
        // Whoever reads that proofs hold reads that they prove nothing.
        for word in ["verified", "UNSAFE"] {
            let said = stdout(&output).contains(word);
            assert_eq!(expected == 0, said, "{what}: {word}");
        }
    }
}

fn what_is_not_whole_is_refused(dir: &Path) {
    let folder = dir.join("v");
    let copy = || {
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir(&folder).unwrap();
        for entry in fs::read_dir(dir.join("out")).unwrap() {
            let path = entry.unwrap().path();
            fs::copy(&path, folder.join(path.file_name().unwrap())).unwrap();
        }
    };
    let names = |blocks: usize| {
        copy();
        let path = folder.join("manifest.json");
        let text = fs::read_to_string(&path).unwrap();
        fs::write(&path, text.replace("\"blocks\": 2", &format!("\"blocks\": {blocks}"))).unwrap();
    };
    copy();
    verify(dir, 0, "as it was proven");
    names(0);
    verify(dir, 3, "no blocks");
    names(1);
    verify(dir, 3, "fewer blocks than it holds");
    names(3);
    verify(dir, 5, "more blocks than it holds");
    copy();
    fs::copy(folder.join("0000.data"), folder.join("0002.data")).unwrap();
    verify(dir, 3, "a file of a block more");
    copy();
    fs::copy(folder.join("0000.batch-0.json"), folder.join("0000.batch-1.json")).unwrap();
    verify(dir, 3, "a batch more");
    copy();
    fs::remove_file(folder.join("0001.batch-0.json")).unwrap();
    verify(dir, 5, "a batch less");
    copy();
    let data = fs::read(folder.join("0000.data")).unwrap();
    for (changed, what) in
        [(&data[..data.len() - 1], "data cut"), (&[&data[..], b"\0"].concat(), "data and more")]
    {
        fs::write(folder.join("0000.data"), changed).unwrap();
        verify(dir, 3, what);
        let inspect = bastion(dir, "inspect v");
        assert_eq!(code(&inspect), 3, "{what}: {}", stderr(&inspect));
    }
    copy();
    let path = folder.join("manifest.json");
    let text = fs::read_to_string(&path).unwrap();
    let newer = text.replace("\"format\": 1,", "\"format\": 2, \"more\": true,");
    fs::write(&path, newer).unwrap();
    verify(dir, 4, "a newer format");
    let safe = text.replace("\"unsafe_dev_srs\": true", "\"unsafe_dev_srs\": false");
    assert_ne!(safe, text);
    fs::write(&path, safe).unwrap();
    verify(dir, 4, "a reference string that calls itself safe");
    for (from, to, what) in [
        ("\"chain_id\": 31337", "\"chain_id\": 1", "another chain"),
        ("\"contract\": \"0x9f", "\"contract\": \"0x8f", "another contract"),
        ("\"max_freeze\": 6", "\"max_freeze\": 5", "another policy"),
    ] {
        let changed = text.replacen(from, to, 1);
        assert_ne!(changed, text, "{what}");
        fs::write(&path, changed).unwrap();
        verify(dir, 3, what);
    }
    let shape = text.replace("\"shape\": \"tiny\"", "\"shape\": \"huge\"");
    fs::write(&path, shape).unwrap();
    let output = bastion(dir, "verify v");
    assert_eq!(code(&output), 4, "{}", stderr(&output));
}

#[cfg(target_os = "linux")]
fn a_result_does_not_need_standard_error(dir: &Path) {
    let full = || fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let mut command = program(dir);
    command.args(["verify", "out"]).env("RUST_LOG", "info");
    let output = command.stderr(full()).output().unwrap();
    assert_eq!(code(&output), 0);
    assert!(stdout(&output).contains("2 blocks verified"));
    let mut command = program(dir);
    let status = command.args(["verify", "out"]).stdout(full()).status();
    assert_eq!(status.unwrap().code(), Some(6));
}

#[test]
fn a_folder_is_proven_in_parts_and_verified_as_a_whole() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    write_rows(dir);
    let setup = bastion(dir, "setup --shape tiny --batches 1 --unsafe-dev-srs");
    assert_eq!(code(&setup), 0, "{}", stderr(&setup));
    proofs_survive_two_kills(dir);
    what_is_not_whole_is_refused(dir);
    #[cfg(target_os = "linux")]
    a_result_does_not_need_standard_error(dir);
}
