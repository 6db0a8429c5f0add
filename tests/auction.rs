//! `bastion demo auction` with real proofs, on the smallest shape.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use support::{bastion, code, stderr};

#[test]
fn a_market_is_proved_settled_and_a_lie_costs_the_bond() {
    let dir = tempfile::tempdir().unwrap();
    let cache = concat!(env!("CARGO_TARGET_TMPDIR"), "/bastion-cache");
    let line = format!("demo auction --shape tiny --reorder 10 --json --cache-dir {cache}");
    let output = bastion(dir.path(), &line);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    // Nothing but the report stands on standard output.
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&report["orders"], &report["classes"]["filled"]), (&2.into(), &2.into()));
    assert_eq!(report["tokens"].as_array().unwrap().len(), 2);
    for token in report["tokens"].as_array().unwrap() {
        let units = |name: &str| token[name].as_str().unwrap().parse::<u128>().unwrap();
        assert!(units("price") > 0, "{token}");
        assert_eq!(units("sold") - units("paid"), units("surplus"), "{token}");
    }
    assert_eq!(report["reordered"], serde_json::json!({ "tried": 10, "same": 10 }));
    // Four deposits and two orders.
    assert_eq!(report["receipts"], serde_json::json!({ "receipts": 6, "kept": 6 }));
    assert_eq!(report["new_root"], report["finalized_root"]);
    assert_eq!(report["audit"]["clean"], true);
    assert_eq!(report["cost"]["posted_bytes_per_order"], 30);
    let dispute = &report["dispute"];
    let wei = |name: &str| dispute[name].as_str().unwrap().parse::<u128>().unwrap();
    assert_eq!(dispute["fault"], "other_leaf");
    assert_eq!((wei("bond_after"), wei("reward")), (0, wei("bond") / 4));
}

#[test]
fn a_market_that_does_not_fit_is_refused_before_any_work() {
    let dir = tempfile::tempdir().unwrap();
    for line in ["--shape tiny --orders 3", "--shape tiny --orders 1"] {
        let output = bastion(dir.path(), &format!("demo auction {line}"));
        assert_eq!(code(&output), 2, "{line}: {}", stderr(&output));
        assert!(stderr(&output).contains("takes 2 to 2"), "{line}: {}", stderr(&output));
        assert!(!dir.path().join(".bastion").exists(), "{line}");
    }
    for (line, why) in [
        ("--shape tiny --blind 5", "--blind 0, or --shape market"),
        ("--orders 20 --blind 21", "at most"),
        ("--orders 60 --blind 60", "at most"),
        ("--blind 5000", "at most"),
    ] {
        let output = bastion(dir.path(), &format!("demo auction {line}"));
        assert_eq!(code(&output), 2, "{line}: {}", stderr(&output));
        assert!(stderr(&output).contains(why), "{line}: {}", stderr(&output));
        assert!(!dir.path().join(".bastion").exists(), "{line}");
    }
    // Flags of the main story are no flags of this one.
    assert_eq!(code(&bastion(dir.path(), "demo --shape tiny auction")), 2);
    let help = bastion(dir.path(), "demo auction --help");
    assert!(String::from_utf8_lossy(&help.stdout).contains("Examples:"));
}
