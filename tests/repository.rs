//! What the repository says about itself is true: dependencies are used, lists of files are
//! complete, no file is too long to read.
#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Crates of the workspace; the root is one too.
const CRATES: [&str; 13] = [
    "protocol",
    "state",
    "circuits",
    "prover",
    "aggregator",
    "verifier-contract",
    "audit",
    "l1",
    "sentinel",
    "auction",
    "client",
    "node",
    "",
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: impl AsRef<Path>) -> String {
    fs::read_to_string(root().join(path)).unwrap()
}

/// All Rust files below a folder.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(root().join(folder)) else {
        return Vec::new();
    };
    let mut found = Vec::new();
    for entry in entries.flatten() {
        let path = folder.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            let name = entry.file_name();
            let skipped = ["target", "node_modules"].iter().any(|skip| name == *skip);
            if !skipped {
                found.extend(sources(&path));
            }
        } else if path.extension().is_some_and(|e| e == "rs") {
            found.push(path);
        }
    }
    found
}

/// The Rust files of a crate.
fn of_crate(name: &str) -> Vec<PathBuf> {
    let folders = ["src", "tests", "benches", "examples"];
    folders.iter().flat_map(|folder| sources(&Path::new(name).join(folder))).collect()
}

/// A file, with the files of other crates that it takes in by `#[path]`.
fn with_borrowed(path: &Path) -> String {
    let mut text = read(path);
    let borrowed = text.split("#[path = \"").skip(1).filter_map(|rest| rest.split('"').next());
    let folder = path.parent().unwrap();
    let borrowed: String = borrowed.map(|name| read(folder.join(name))).collect();
    text.push_str(&borrowed);
    text
}

/// Names under a heading of a manifest that ends in `dependencies]`.
fn dependencies(manifest: &str, heading: impl Fn(&str) -> bool) -> Vec<String> {
    let mut inside = false;
    let mut names = Vec::new();
    for line in manifest.lines() {
        if line.starts_with('[') {
            inside = heading(line);
        } else if let (true, Some((name, _))) = (inside, line.split_once('=')) {
            let name = name.trim().trim_end_matches(".workspace");
            names.push(name.to_owned());
        }
    }
    names
}

#[test]
fn every_dependency_is_used() {
    let mut unused = Vec::new();
    let mut named = BTreeSet::new();
    for name in CRATES {
        let manifest = read(Path::new(name).join("Cargo.toml"));
        let own = |line: &str| line.ends_with("dependencies]") && !line.contains("workspace");
        let text: String = of_crate(name).iter().map(|path| with_borrowed(path)).collect();
        for dependency in dependencies(&manifest, own) {
            let ident = dependency.replace('-', "_");
            if !text.contains(&format!("{ident}::")) && !text.contains(&format!("use {ident}")) {
                unused.push(format!("{dependency} in {name}/Cargo.toml"));
            }
            named.insert(dependency);
        }
    }
    let workspace = |line: &str| line == "[workspace.dependencies]";
    for dependency in dependencies(&read("Cargo.toml"), workspace) {
        if !named.contains(&dependency) {
            unused.push(format!("{dependency} in [workspace.dependencies]"));
        }
    }
    assert!(unused.is_empty(), "{unused:?}");
}

/// The files in backticks that a section of the how-to lists by number.
fn listed(section: &str) -> BTreeSet<PathBuf> {
    let text = read("docs/repo/how-to.md");
    let (_, rest) = text.split_once(&format!("## {section}\n")).unwrap();
    let section = rest.split("\n## ").next().unwrap();
    let items = section.lines().filter(|line| line.starts_with(|c: char| c.is_ascii_digit()));
    items.filter_map(|line| line.split('`').nth(1)).map(PathBuf::from).collect()
}

#[test]
fn files_that_the_documents_name_exist() {
    let mut missing = Vec::new();
    for document in ["docs/repo/how-to.md", "docs/repo/layout.md", "CONTRIBUTING.md"] {
        let text = read(document);
        for name in text.split('`').skip(1).step_by(2) {
            let is_path = name.contains('/') && !name.contains([' ', '*', '{', '<']);
            if is_path && !root().join(name).exists() {
                missing.push(format!("{name} in {document}"));
            }
        }
    }
    assert!(missing.is_empty(), "{missing:?}");
}

/// A kind that the executor, the circuit and the audit treat like no other stands in these files
/// and, tests aside, in no further ones.
#[test]
fn the_list_of_files_for_a_kind_is_complete() {
    let is_test = |path: &Path| {
        let text = path.to_string_lossy();
        text.contains("tests") || text.contains("benches")
    };
    // They use kinds: the sentinel looks for habits, and a wallet has a command for each thing that users do.
    // Matches are exhaustive, so the compiler names what is to be thought of there.
    let users = ["sentinel", "node/src/sentinel", "src/commands/wallet"];
    let uses = |path: &Path| users.iter().any(|user| path.starts_with(user));
    let found: BTreeSet<PathBuf> = CRATES
        .iter()
        .flat_map(|name| of_crate(name))
        .filter(|path| !is_test(path) && !uses(path))
        .filter(|path| {
            let text = read(path);
            text.contains("ChangeKey") || text.contains("change_key")
        })
        .collect();
    let listed = listed("Add a kind of operation");
    assert_eq!(found, listed);
    assert!(listed.len() <= 8);
}

/// Figures of gas that documents take from the snapshot, which the contract tests compare with what they measure.
#[test]
fn figures_of_gas_are_those_of_the_snapshot() {
    let snapshot: BTreeMap<String, String> =
        serde_json::from_str(&read("verifier-contract/snapshots/Gas.json")).unwrap();
    let told = [
        ("README.md", "request of a forced exit"),
        ("README.md", "claim, one of 64 exits"),
        ("README.md", "exodus, an account leaves"),
        ("README.md", "exodus, a deposit is given back"),
        ("docs/performance.md", "blind order, opening"),
        ("docs/performance.md", "blind order, ignored"),
        ("docs/performance.md", "closing, an operation behind it"),
        ("docs/performance.md", "closing, two of one batch"),
        ("docs/performance.md", "commit in a blob, 8136 transfers"),
        ("docs/performance.md", "commit in a blob, 8136 transfers, second of two"),
        ("docs/performance.md", "commit in 2 blobs, 16272 transfers"),
        ("docs/performance.md", "commit in 2 blobs, 16272 transfers, second of two"),
        ("docs/performance.md", "commit in 6 blobs, 48816 transfers"),
        ("docs/performance.md", "settle in a blob, 8136 transfers, without the verifier"),
        ("docs/performance.md", "settle in 2 blobs, 16272 transfers, without the verifier"),
        ("docs/performance.md", "prove and finalize, without the verifier"),
    ];
    for (document, name) in told {
        let gas = &snapshot[name];
        let (thousands, rest) = gas.split_at(gas.len() - 3);
        let figure = format!("{thousands},{rest}");
        assert!(read(document).contains(&figure), "{document}: {name} is {figure}");
    }
}

/// Longest file that still tells one story.
const LINES: usize = 600;

#[test]
fn no_file_is_too_long() {
    let all = CRATES.iter().flat_map(|name| of_crate(name));
    let long = all.map(|path| (read(&path).lines().count(), path)).filter(|(n, _)| *n > LINES);
    assert_eq!(long.collect::<Vec<_>>(), Vec::new());
}
