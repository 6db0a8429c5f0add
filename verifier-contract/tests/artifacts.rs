//! The committed contract artifacts are what the pinned compiler makes of the committed sources.
#![allow(clippy::unwrap_used)]

use std::path::Path;
use std::process::Command;

#[test]
fn committed_artifacts_are_regenerated_equal() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let target = tempfile::tempdir().unwrap();
    let output = Command::new("node")
        .arg("compile.mjs")
        .arg(target.path())
        .current_dir(root)
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "run `make setup`: {errors}");
    for name in ["Governance.json", "Rollup.json", "Slashing.json", "TestToken.json"] {
        let committed = std::fs::read(root.join("artifacts").join(name)).unwrap();
        let made = std::fs::read(target.path().join(name)).unwrap();
        assert!(committed == made, "{name} is stale: run `make artifacts`");
    }
}
