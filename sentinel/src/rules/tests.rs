use std::collections::BTreeMap;

use bastion_protocol::hash::keccak;

use super::*;
use crate::SentinelError;

fn builtin() -> RuleSet {
    RuleSet::builtin().unwrap()
}

#[test]
fn the_first_bundle_is_broad_and_every_example_holds() {
    let rules = builtin();
    assert!(rules.rules().len() >= 25, "{}", rules.rules().len());
    let mut wrong = Vec::new();
    for rule in rules.rules() {
        if let Err(error) = check_examples(&RuleSet::single(rule.clone())) {
            wrong.push(error.to_string());
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What each family's examples have in common is that no invariant is broken, mints aside.
#[test]
fn examples_obey_the_invariants() {
    for rule in builtin().rules().iter().filter(|r| r.spec.id != "bridge-mint") {
        for example in rule.spec.examples.fires.iter().chain(&rule.spec.examples.quiet) {
            let config = crate::Config::default();
            let mut screener = crate::Screener::empty(config, RuleSet::empty()).unwrap();
            for input in Stage::new().run(&example.ops).unwrap() {
                let verdict = screener.judge(&input);
                let invariant = |r: &crate::Reason| r.detector.starts_with("invariant.");
                assert!(!verdict.reasons.iter().any(invariant), "{}: {verdict:?}", rule.spec.id);
                screener.learn(&input);
            }
        }
    }
}

fn text() -> String {
    String::from_utf8(RuleSet::builtin_files().remove("fan-in.yaml").unwrap()).unwrap()
}

fn load(text: &str) -> Result<RuleSet, SentinelError> {
    RuleSet::from_files(1, &BTreeMap::from([("fan-in.yaml".into(), text.into())]))
}

/// Each change makes a file that must not load, by the parser and by the schema where it can say so.
fn bad() -> Vec<(&'static str, String, bool)> {
    let text = text();
    let change = |from: &str, to: &str| {
        let changed = text.replacen(from, to, 1);
        assert_ne!(changed, text, "{from}");
        changed
    };
    vec![
        ("unknown key", format!("{text}surprise: 1\n"), true),
        ("unknown key in a step", change("to: pot, amount", "to: pot, surprise: 1, amount"), true),
        ("unknown step", change("- deposit: {to: pot", "- deposlt: {to: pot"), true),
        ("missing key", change("severity: medium\n", ""), true),
        ("unknown status", change("status: stable", "status: stabil"), true),
        ("unknown action", change("action: alert", "action: alarm"), true),
        ("no quarantine", change("action: alert", "action:\n  quarantine: 0"), true),
        ("long quarantine", change("action: alert", "action:\n  quarantine: 86401"), true),
        ("rejects without need", change("action: alert", "action: reject"), false),
        ("no window", change("window: 3600", "window: 0"), true),
        ("bad id", change("id: fan-in", "id: Fan_in"), true),
        ("other id", change("id: fan-in", "id: fan-on"), false),
        ("unknown feature", change("receiver_in_peers", "receiver_in_pears"), false),
        ("empty title", change("title: Many", "title: ''\nx: Many"), true),
        ("twice the same key", format!("{text}window: 60\n"), false),
        ("no list", change("false_positives:\n  -", "false_positives: []\nx:\n  -"), true),
    ]
}

#[test]
fn a_rule_that_does_not_load_is_named_and_never_skipped() {
    load(&text()).unwrap();
    for (what, text, _) in bad() {
        match load(&text) {
            Err(SentinelError::Rule { rule, .. }) => {
                assert!(rule.to_lowercase().starts_with("fan"), "{what}: {rule}");
            }
            other => panic!("{what}: {other:?}"),
        }
    }
    for bytes in [vec![0xff], vec![b'a'; MAX_FILE + 1], b"- 1".to_vec(), Vec::new()] {
        let files = BTreeMap::from([("fan-in.yaml".into(), bytes)]);
        assert!(matches!(RuleSet::from_files(1, &files), Err(SentinelError::Rule { .. })));
    }
    // One bad rule among good ones: nothing loads.
    let mut files = RuleSet::builtin_files();
    files.insert("bad.yaml".into(), b"id: bad".to_vec());
    match RuleSet::from_files(1, &files) {
        Err(SentinelError::Rule { rule, .. }) => assert_eq!(rule, "bad.yaml"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_schema_says_what_the_parser_says() {
    let schema = serde_json::from_str(include_str!("../../rules/rule.schema.json")).unwrap();
    let schema = jsonschema::draft202012::new(&schema).unwrap();
    let value = |text: &str| serde_saphyr::from_str::<serde_json::Value>(text);
    for (name, bytes) in RuleSet::builtin_files() {
        let rule = value(std::str::from_utf8(&bytes).unwrap()).unwrap();
        let errors: Vec<String> = schema.iter_errors(&rule).map(|e| e.to_string()).collect();
        assert!(name == LISTS_FILE || errors.is_empty(), "{name}: {errors:?}");
    }
    for (what, text, by_schema) in bad() {
        if by_schema {
            assert!(!schema.is_valid(&value(&text).unwrap()), "{what}");
        }
    }
}

#[test]
fn lists_are_strict() {
    let load =
        |text: &str| RuleSet::from_files(1, &BTreeMap::from([(LISTS_FILE.into(), text.into())]));
    let set = load("flagged_accounts: [131072]\nflagged_addresses: ['0x0101010101010101010101010101010101010101']\n");
    let lists = set.unwrap().lists;
    let address = bastion_protocol::Address([1; 20]);
    assert!(lists.flags(Some(131_072), None) && lists.flags(None, Some(address)));
    assert!(!lists.flags(Some(131_073), None) && !lists.flags(None, None));
    assert!(load("flagged_accounts: []\n").is_err());
    assert!(load("flagged_accounts: []\nflagged_addresses: []\nmore: []\n").is_err());
}

#[test]
fn wrong_examples_are_found() {
    // Fires one payment too early.
    let early = text().replacen("receiver_in_peers >= 15", "receiver_in_peers >= 16", 1);
    let wrong = check_examples(&load(&early).unwrap());
    assert!(matches!(wrong, Err(SentinelError::ExampleResult { .. })), "{wrong:?}");
    let always = text().replacen("receiver_in_peers >= 15", "receiver_in_peers >= 0", 1);
    assert!(check_examples(&load(&always).unwrap()).is_ok());
    let always = always.replacen("receiver_age < 86_400", "receiver_age >= 0", 1);
    assert!(check_examples(&load(&always).unwrap()).is_err());
    let nobody = text().replacen("from: \"a{i}\", to: pot", "from: \"b{i}\", to: pot", 1);
    let wrong = check_examples(&load(&nobody).unwrap()).unwrap_err();
    assert!(wrong.to_string().contains("there is no account `b0`"), "{wrong}");
}

#[test]
fn what_features_mean_is_part_of_the_version() {
    let (name, bytes) = ("fan-in.yaml", text().into_bytes());
    let hash = |more: &[u8]| {
        let parts = [keccak(&[name.as_bytes()]), keccak(&[&bytes])];
        format!("1:{}", hex::encode(&keccak(&[&parts[0], &parts[1], more])[..8]))
    };
    let version = load(&text()).unwrap().version;
    assert_eq!(version, hash(&crate::features::MEANING.to_be_bytes()));
    assert_ne!(version, hash(&1u32.to_be_bytes()));
}

#[test]
fn versions_tell_contents_apart() {
    let other = text().replacen("window: 3600", "window: 3601", 1);
    let (a, b) = (load(&text()).unwrap(), load(&other).unwrap());
    assert!(a.version.starts_with("1:") && b.version.starts_with("1:") && a.version != b.version);
}
