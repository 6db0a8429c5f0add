//! Remedies that messages, help and documents name must exist: each `bastion ...` in backticks is
//! parsed by the command line itself, and each flag and variable in a message must be one.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use clap::error::ErrorKind;
use clap::{CommandFactory, Parser};

use crate::Cli;

const CRATES: [&str; 10] = [
    "src",
    "state/src",
    "circuits/src",
    "prover/src",
    "aggregator/src",
    "verifier-contract/src",
    "audit/src",
    "l1/src",
    "client/src",
    "node/src",
];
const DOCUMENTS: [&str; 2] = ["README.md", "docs"];
/// Flags in messages and comments that are other programs'.
const OTHERS_FLAGS: [&str; 2] = ["--standard-json", "--tag"];
/// Variables that no flag stands for.
const VARIABLES: [&str; 14] = [
    "BASTION_L1_BLOB_KEY",
    "BASTION_L1_BLOB_PASSWORD",
    "BASTION_L1_KEY",
    "BASTION_L1_PASSWORD",
    "BASTION_SEQUENCER_KEY",
    "BASTION_GUARDIAN_KEY",
    "BASTION_REWARDS_KEY",
    "BASTION_NO_PYTHON",
    "BASTION_SOLC_DIR",
    "BASTION_SOUNDNESS_REPORT",
    "BASTION_TEST_KILLED",
    "BASTION_TEST_SEED",
    "BASTION_TEST_SMALL",
    "BASTION_WALLET_PASSWORD",
];

fn files(under: &str, extension: &str) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let mut waiting = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join(under)];
    while let Some(path) = waiting.pop() {
        if path.is_dir() {
            waiting.extend(fs::read_dir(&path).unwrap().map(|e| e.unwrap().path()));
        } else if path.extension().is_some_and(|e| e == extension) {
            let text = fs::read_to_string(&path).unwrap();
            found.push((path, text));
        }
    }
    found
}

/// Sources without their comments and tests, with the lines of a string joined.
fn sources() -> Vec<(PathBuf, String)> {
    let all = CRATES.iter().flat_map(|under| files(under, "rs"));
    let is_test = |path: &Path| {
        let path = path.to_string_lossy();
        path.contains("tests") || path.ends_with("remedies.rs")
    };
    all.filter(|(path, _)| !is_test(path))
        .map(|(path, text)| {
            let text = text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
            let mut joined = String::new();
            for line in text.lines() {
                let line = line.trim_start();
                // Comments to flags and commands are their help.
                if line.starts_with("//") && !line.starts_with("///") {
                    continue;
                }
                match line.strip_suffix('\\') {
                    Some(begun) => joined += begun,
                    None => joined += &format!("{line}\n"),
                }
            }
            (path, joined)
        })
        .collect()
}

/// What stands in backticks and begins with the program's name.
fn commands(text: &str) -> Vec<String> {
    let spans = text.lines().flat_map(|l| l.split('`').skip(1).step_by(2));
    let commands = spans.filter(|span| span.starts_with("bastion "));
    commands.map(str::to_owned).collect()
}

/// Words of a command with values for its placeholders.
fn words(command: &str) -> Vec<String> {
    let word = |word: &str| match word {
        "{shape}" | "S" => "tiny".to_owned(),
        "N" | "{batches}" => "2".to_owned(),
        "URL" => "http://127.0.0.1:8545".to_owned(),
        "A" | "ADDRESS" => format!("0x{}", "11".repeat(20)),
        "OPERATION" => format!("0x{}", "11".repeat(32)),
        "ACCOUNT" => "131072".to_owned(),
        word if word.starts_with('{') => "20".to_owned(),
        word => word.to_owned(),
    };
    command.split_whitespace().map(word).collect()
}

/// The fault of a command, if the command line refuses it for more than what it leaves out.
fn fault(command: &str) -> Option<String> {
    let error = Cli::try_parse_from(words(command)).err()?;
    match error.kind() {
        ErrorKind::MissingRequiredArgument
        // With a setting in the environment, a command without a subcommand has something given.
        | ErrorKind::MissingSubcommand
        | ErrorKind::DisplayHelp
        | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
        | ErrorKind::DisplayVersion => None,
        _ => Some(error.to_string()),
    }
}

#[test]
fn every_command_that_a_message_or_a_document_names_exists() {
    let documents = DOCUMENTS.iter().flat_map(|under| files(under, "md"));
    let (mut found, mut faults) = (0, String::new());
    for (path, text) in sources().into_iter().chain(documents) {
        for command in commands(&text) {
            found += 1;
            if let Some(fault) = fault(&command) {
                faults += &format!("{}: `{command}`: {fault}\n", path.display());
            }
        }
    }
    assert!(faults.is_empty(), "{faults}");
    assert!(found > 20, "only {found} commands were found");
}

#[test]
fn every_flag_and_variable_that_a_message_names_exists() {
    let mut flags: BTreeSet<String> = OTHERS_FLAGS.map(String::from).into();
    let mut variables: BTreeSet<String> = VARIABLES.map(String::from).into();
    let mut root = Cli::command();
    root.build();
    let mut commands = vec![&root];
    while let Some(command) = commands.pop() {
        commands.extend(command.get_subcommands());
        for argument in command.get_arguments() {
            flags.extend(argument.get_long().map(|long| format!("--{long}")));
            let variable = argument.get_env().and_then(|name| name.to_str());
            variables.extend(variable.map(String::from));
        }
    }
    assert!(flags.contains("--skip-invalid") && variables.contains("BASTION_L1"));
    for (path, text) in sources() {
        let is_word = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        for word in text.split(|c| !is_word(c)) {
            let name = word.trim_end_matches('-');
            let flag = name.strip_prefix("--");
            if flag.is_some_and(|f| f.starts_with(|c: char| c.is_ascii_lowercase())) {
                assert!(flags.contains(name), "{}: no flag {name}", path.display());
            }
            if name.starts_with("BASTION_") && name.len() > "BASTION_".len() {
                // BASTION_SECTION__KEY sets a key of the configuration file.
                let known = variables.contains(name) || name.contains("__");
                assert!(known, "{}: no variable {name}", path.display());
            }
        }
    }
}

/// The net is no good if it lets these through.
#[test]
fn what_does_not_exist_is_noticed() {
    assert!(fault("bastion setup --k 18").is_some());
    assert!(fault("bastion make").is_some());
    assert!(fault("bastion prove --out").is_some());
    assert!(fault("bastion prove").is_none());
    assert!(fault("bastion setup --shape {shape} --unsafe-dev-srs").is_none());
    let text = "run `bastion setup --k {k}`, or `make`\nor `bastion verify`\n";
    assert_eq!(commands(text), ["bastion setup --k {k}", "bastion verify"]);
}
