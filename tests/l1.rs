//! Commands that ask an L1 node, as a user meets them: what can be wrong is told before the node is
//! asked, and no secret of its URL is told at all.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::Path;
use std::process::{Command, Output};

const CONTRACT: &str = "0xe7f1725e7734ce288f8367e1bb143e90bb3f0512";
/// Nobody listens there.
const NOBODY: &str = "http://127.0.0.1:1";

fn bastion(dir: &Path, args: &[&str], variables: &[(&str, &str)]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_bastion"))
        .args(args)
        .current_dir(dir)
        .env_remove("BASTION_CONFIG")
        .env_remove("BASTION_L1")
        .env_remove("RUST_LOG")
        .envs(variables.iter().copied())
        .output()
        .unwrap()
}

fn code(output: &Output) -> i32 {
    output.status.code().unwrap()
}

fn text(output: &Output) -> String {
    let both = [&output.stdout[..], &output.stderr].concat();
    String::from_utf8_lossy(&both).into_owned()
}

fn audit(dir: &Path, more: &[&str]) -> Output {
    let args = ["audit", "--l1", NOBODY, "--contract", CONTRACT];
    bastion(dir, &[&args, more].concat(), &[])
}

#[test]
fn what_is_wrong_with_the_question_is_told_before_the_node_is_asked() {
    let dir = tempfile::tempdir().unwrap();
    for range in [["--from", "0"], ["--to", "0"], ["--at", "soon"]] {
        assert_eq!(code(&audit(dir.path(), &range)), 2, "{range:?}");
    }
    std::fs::create_dir(dir.path().join("store")).unwrap();
    std::fs::write(dir.path().join("store/CURRENT"), "").unwrap();
    std::fs::write(dir.path().join("policy.json"), "{").unwrap();
    for (more, words) in [
        (&["--from", "3", "--to", "2"][..], "--from 3"),
        (&["--store", "store"], "--store store"),
        (&["--policy", "policy.json"], "policy.json"),
        (&["--policy", "nowhere.json"], "nowhere.json"),
        (&["--verifier", "nowhere"], "nowhere"),
    ] {
        let output = audit(dir.path(), more);
        assert_ne!(code(&output), 0);
        let text = text(&output);
        assert!(text.contains(words) && !text.contains(NOBODY), "{text}");
    }
    // An empty folder is as good as none: here the node is asked.
    std::fs::create_dir(dir.path().join("empty")).unwrap();
    for store in ["empty", "new"] {
        let text = text(&audit(dir.path(), &["--store", store]));
        assert!(text.contains(NOBODY), "{text}");
    }
}

#[test]
fn a_folder_without_blocks_is_not_submitted() {
    let dir = tempfile::tempdir().unwrap();
    let output = bastion(dir.path(), &["submit", "nothing", "--l1", NOBODY], &[]);
    assert_eq!(code(&output), 5, "{}", text(&output));
}

#[test]
fn secrets_of_a_url_are_not_told() {
    let dir = tempfile::tempdir().unwrap();
    let secrets = ["hunter2", "0123456789abcdef", "fedcba9876543210"];
    let place = "127.0.0.1:1";
    let url = format!("http://user:{}@{place}/v3/{}?key={}", secrets[0], secrets[1], secrets[2]);
    let odd = format!("htp://user:{}@{place}/{}", secrets[0], secrets[1]);
    let variables = [("BASTION_L1", url.as_str()), ("RUST_LOG", "trace")];
    let args = ["audit", "--contract", CONTRACT];
    let json = ["audit", "--contract", CONTRACT, "--json"];
    for (output, expected) in [
        (bastion(dir.path(), &args, &variables), 1),
        (bastion(dir.path(), &json, &variables), 1),
        (bastion(dir.path(), &args, &[("BASTION_L1", &odd)]), 2),
    ] {
        assert_eq!(code(&output), expected);
        let text = text(&output);
        assert!(secrets.iter().all(|s| !text.contains(s)), "{text}");
    }
    let told = text(&bastion(dir.path(), &args, &variables));
    assert!(told.contains(place), "{told}");
    for command in ["audit", "submit", "demo"] {
        let help = text(&bastion(dir.path(), &[command, "--help"], &variables));
        assert!(help.contains("BASTION_L1"), "{help}");
        assert!(secrets.iter().all(|s| !help.contains(s)), "{help}");
    }
}
