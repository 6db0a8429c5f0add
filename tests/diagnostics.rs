//! Diagnostics decide nothing: what cannot be written of them is dropped, and code and result are
//! what they are. A result that cannot be written is a failure.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![cfg(target_os = "linux")]

mod support;

use std::fs::{self, OpenOptions};
use std::process::{Command, Stdio};

use support::{program, row, stderr, stdout, HEADER};

fn full() -> Stdio {
    OpenOptions::new().write(true).open("/dev/full").unwrap().into()
}

/// The writing end of a pipe of which nobody holds the other.
fn closed() -> Stdio {
    let mut reader = Command::new("true").stdin(Stdio::piped()).spawn().unwrap();
    let pipe = reader.stdin.take().unwrap();
    reader.wait().unwrap();
    pipe.into()
}

fn code(args: &str, logs: &str, change: impl FnOnce(&mut Command) -> &mut Command) -> i32 {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("rows.csv"), format!("{HEADER}\n{}\n", row(1, 2, 5))).unwrap();
    let mut command = program(dir.path());
    command.args(args.split_whitespace()).env("RUST_LOG", logs);
    command.stdout(Stdio::null()).stderr(Stdio::null());
    change(&mut command);
    command.status().unwrap().code().unwrap()
}

#[test]
fn standard_error_that_cannot_be_written_changes_no_code() {
    for (args, expected) in [
        ("cost --shape tiny", 0),
        ("cost --shape huge", 2),
        ("cost --shape huge --json", 2),
        ("prove none.csv --shape tiny --out out", 5),
        ("prove none.csv --shape tiny --out out --json", 5),
        ("prove rows.csv --shape tiny --out out --time 5 --memory 1MiB", 6),
        ("verify nothing", 5),
    ] {
        for logs in ["info", "trace"] {
            assert_eq!(code(args, logs, |c| c), expected, "{args}");
            assert_eq!(code(args, logs, |c| c.stderr(full())), expected, "{args}");
            assert_eq!(code(args, logs, |c| c.stderr(closed())), expected, "{args}");
        }
    }
}

#[test]
fn a_result_that_cannot_be_written_is_a_failure_and_a_reader_who_left_is_none() {
    let args = "cost --shape tiny";
    assert_eq!(code(args, "", |c| c.stdout(full())), 6);
    assert_eq!(code(args, "", |c| c.stdout(closed())), 0);
    let json = "cost --shape tiny --json";
    assert_eq!(code(json, "", |c| c.stdout(full())), 6);
}

#[test]
fn with_json_each_stream_holds_json_alone_and_no_colours() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("rows.csv"), format!("{HEADER}\n{}\n", row(1, 2, 5))).unwrap();
    for (args, error) in [
        ("cost --shape tiny --json", None),
        ("cost --shape huge --json", Some(2)),
        ("verify none --json", Some(5)),
        // A time long ago is a warning.
        ("prove rows.csv --shape tiny --out out --time 5 --memory 1MiB --json", Some(6)),
    ] {
        let mut command = program(dir.path());
        command.args(args.split_whitespace()).env("RUST_LOG", "debug");
        let output = command.output().unwrap();
        let lines: Vec<serde_json::Value> = stderr(&output)
            .lines()
            .map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{line}: {e}")))
            .collect();
        match error {
            None => drop(serde_json::from_str::<serde_json::Value>(&stdout(&output)).unwrap()),
            Some(code) => {
                assert_eq!(stdout(&output), "");
                assert_eq!(lines.last().unwrap()["exit_code"], code, "{args}");
                assert!(!lines.last().unwrap()["error"][0].as_str().unwrap().contains('\u{1b}'));
            }
        }
    }
    // Logs beside progress are JSON lines on anything but a terminal.
    let args = "prove rows.csv --shape tiny --out out --time 5 --memory 1MiB";
    let output = program(dir.path()).args(args.split_whitespace()).output().unwrap();
    let text = stderr(&output);
    let warning: serde_json::Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
    assert_eq!(warning["level"], "WARN");
    assert!(!text.contains('\u{1b}'), "{text}");
}
