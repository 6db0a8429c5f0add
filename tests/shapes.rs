//! `bastion shapes` as a user meets it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::process::{Command, Output};

use serde_json::Value;

fn shapes(args: &[&str]) -> Output {
    let dir = tempfile::tempdir().unwrap();
    Command::new(env!("CARGO_BIN_EXE_bastion"))
        .arg("shapes")
        .args(args)
        .current_dir(dir.path())
        .env_remove("BASTION_CONFIG")
        .env_remove("BASTION_MEMORY")
        .output()
        .unwrap()
}

fn json(args: &[&str]) -> Value {
    let output = shapes(args);
    assert!(output.status.success(), "{output:?}");
    serde_json::from_slice(&output.stdout).unwrap()
}

fn recommended(report: &Value) -> &Value {
    let shapes = report["shapes"].as_array().unwrap();
    let marked: Vec<&Value> =
        shapes.iter().filter(|s| s["recommended"] == Value::Bool(true)).collect();
    assert_eq!(marked.len(), 1, "{report}");
    marked[0]
}

#[test]
fn the_report_is_machine_readable_and_respects_the_memory() {
    for (memory, bytes) in [("2GiB", 2u64 << 30), ("8GiB", 8 << 30), ("64GiB", 64 << 30)] {
        let report = json(&["--json", "--cores", "4", "--memory", memory]);
        assert_eq!(report["cores"], 4);
        assert_eq!(report["memory_bytes"].as_u64().unwrap(), bytes);
        let names: Vec<&str> = report["shapes"]
            .as_array()
            .unwrap()
            .iter()
            .map(|s| s["shape"].as_str().unwrap())
            .collect();
        assert_eq!(names, ["tiny", "small", "medium", "market", "standard", "large"]);
        let best = recommended(&report);
        assert!(best["memory_bytes"].as_u64().unwrap() <= bytes);
        assert!(best["latency_seconds"].as_f64().unwrap() > 0.0);
        assert!(best["transfers_per_second"].as_f64().unwrap() > 0.0);
    }
}

#[test]
fn the_best_is_printed_as_flags_that_other_commands_take() {
    let output = shapes(&["--recommend", "--cores", "2", "--memory", "2GiB"]);
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).unwrap();
    let words: Vec<&str> = text.split_whitespace().collect();
    let ["--shape", shape, "--batches", batches] = words[..] else {
        panic!("{text}");
    };
    bastion_circuits::Shape::named(shape).unwrap();
    assert!((1..=8).contains(&batches.parse::<usize>().unwrap()));

    let text = String::from_utf8(shapes(&["--memory", "8GiB"]).stdout).unwrap();
    assert!(text.contains("recommended") && text.contains("standard"));
}

#[test]
fn the_matrix_has_a_row_for_each_number_of_cores() {
    let text = String::from_utf8(shapes(&["--matrix"]).stdout).unwrap();
    for start in ["| cores | 8 GiB |", "| 2 | ", "| 16 | ", "| 64 | "] {
        assert!(text.lines().any(|l| l.starts_with(start)), "{text}");
    }
    assert_eq!(json(&["--matrix", "--json"]).as_array().unwrap().len(), 9);
}

#[test]
fn what_cannot_be_is_an_error() {
    for args in [
        ["--cores", "0"],
        ["--cores", "many"],
        ["--batches", "0"],
        ["--batches", "25"],
        ["--shape", "tiny"],
    ] {
        assert_eq!(shapes(&args).status.code(), Some(2), "{args:?}");
    }
    let both = shapes(&["--matrix", "--cores", "2"]);
    assert_eq!(both.status.code(), Some(2));
    let unit = shapes(&["--memory", "5apples"]);
    assert_eq!(unit.status.code(), Some(2));

    // More threads than any memory holds buffers for.
    let cores = u64::MAX.to_string();
    let many = shapes(&["--cores", &cores, "--recommend"]);
    assert_eq!(many.status.code(), Some(6), "{many:?}");

    let little = shapes(&["--memory", "50MiB", "--recommend"]);
    assert_eq!(little.status.code(), Some(6));
    assert!(little.stdout.is_empty());
    let text = String::from_utf8(little.stderr).unwrap();
    assert!(text.contains("50.0 MiB") && text.contains("--memory"), "{text}");
}
