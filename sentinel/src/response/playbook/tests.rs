use bastion_protocol::{Address, Fr, TokenLimits};
use proptest::prelude::*;

use super::*;
use crate::rules::{Rule, RuleSet};

const GOOD: &str = r#"
[[playbook]]
name = "drain"
when = { detector = "rule.drain-*", score = 900, on = "account" }
do = [{ quarantine = 1800 }, { freeze = 3600 }, { tighten = { token = 3, percent = 50 } }, { pause-commits = true }, { alert = "oncall" }]
dry-run = true
needs-person = true
"#;

fn policy(max_freeze: u64) -> Policy {
    Policy {
        guardian_keyhash: Fr::from(5_u64),
        max_freeze,
        cooldown: max_freeze.max(1),
        fee_keyhash: Fr::from(6_u64),
        fee_exit: Address([7; 20]),
        default_limits: TokenLimits { rate: 10, burst_seconds: 60, max_delay: 3600 },
        limits: [].into(),
    }
}

#[test]
fn all_that_can_be_said_is_read() {
    let playbooks = Playbooks::parse(GOOD).unwrap();
    let when = When {
        source: Source::Detector(Glob::new("rule.drain-*")),
        score: 900,
        count: 1,
        within: 1,
        on: On::Account,
    };
    let steps = vec![
        Step::Quarantine(1800),
        Step::Freeze(3600),
        Step::Tighten { token: Some(3), percent: 50 },
        Step::PauseCommits,
        Step::Alert("oncall".into()),
    ];
    let expected =
        Playbook { name: "drain".into(), when, steps, dry_run: true, needs_person: true };
    assert_eq!(playbooks.list(), [expected]);
    assert_eq!(Playbooks::parse("").unwrap(), Playbooks::default());
}

#[test]
fn each_mistake_is_refused() {
    let changes = [
        ("dry-run = true", "dry-rum = true", "unknown field"),
        ("dry-run = true", "dry-run = 1", "invalid type"),
        ("name = \"drain\"", "name = \"\"", "a name has"),
        ("name = \"drain\"", "name = \"Drain it\"", "a name has"),
        ("name = \"drain\"", "", "missing field"),
        ("score = 900", "score = 1001", "score is 1001"),
        ("score = 900", "score = -1", "invalid value"),
        ("score = 900, ", "", "missing field"),
        ("score = 900", "score = 900, count = 0, within = 5", "count is 0"),
        ("score = 900", "score = 900, count = 101, within = 5", "count is 101"),
        ("score = 900", "score = 900, count = 2", "need `within`"),
        ("score = 900", "score = 900, count = 2, within = 0", "within is 0"),
        ("score = 900", "score = 900, count = 2, within = 86401", "within is 86401"),
        ("score = 900", "score = 900, family = \"rule\"", "either"),
        ("detector = \"rule.drain-*\", ", "", "either"),
        ("rule.drain-*", "rule drain", "can match no detector"),
        ("rule.drain-*", "", "can match no detector"),
        ("detector = \"rule.drain-*\"", "family = \"rule.x\"", "can match no detector"),
        ("on = \"account\"", "on = \"everybody\"", "unknown variant"),
        (", on = \"account\"", "", "missing field"),
        ("on = \"account\"", "on = \"token\"", "a freeze needs"),
        ("on = \"account\"", "on = \"network\"", "a freeze needs"),
        ("quarantine = 1800", "quarantine = 0", "quarantine is 0"),
        ("quarantine = 1800", "quarantine = 86401", "quarantine is 86401"),
        ("freeze = 3600", "freeze = 0", "freeze is 0"),
        ("freeze = 3600", "freeze = 2592001", "freeze is 2592001"),
        ("percent = 50", "percent = 0", "percent is 0"),
        ("percent = 50", "percent = 100", "percent is 100"),
        ("token = 3, ", "", "needs `token`"),
        ("token = 3", "token = 65536", "invalid value"),
        ("pause-commits = true", "pause-commits = false", "does nothing"),
        ("{ pause-commits = true }", "{}", "a step is empty"),
        ("{ pause-commits = true }", "{ freeze = 3600 }", "twice"),
        ("freeze = 3600", "freeze = 3600, quarantine = 5", "one thing"),
        ("freeze = 3600", "seize = 3600", "unknown field"),
        ("alert = \"oncall\"", "alert = \"On Call\"", "no name of a channel"),
        (", { alert = \"oncall\" }", "", "nobody would be told"),
    ];
    for (from, to, expected) in changes {
        assert!(GOOD.contains(from), "{from}");
        let error = Playbooks::parse(&GOOD.replace(from, to)).unwrap_err().to_string();
        assert!(error.contains(expected), "{to}: {error}");
    }
    let none = "[[playbook]]\nname = \"a\"\nwhen = { family = \"rule\", score = 1, on = \"token\" }\ndo = []";
    assert!(Playbooks::parse(none).unwrap_err().to_string().contains("0 steps"));
    let twice = Playbooks::parse(&GOOD.repeat(2)).unwrap_err().to_string();
    assert!(twice.contains("two playbooks"), "{twice}");
    let many: String =
        (0..=MAX_PLAYBOOKS).map(|i| GOOD.replace("drain\"", &format!("p{i}\""))).collect();
    assert!(Playbooks::parse(&many).is_err());
    assert!(Playbooks::parse(&" ".repeat(1 << 21)).is_err());
}

#[test]
fn a_quiet_playbook_may_be_without_an_alert() {
    let quiet = "[[playbook]]\nname = \"a\"\nwhen = { family = \"rule\", score = 1, on = \"token\" }\ndo = [{ quarantine = 5 }]";
    assert!(Playbooks::parse(quiet).is_ok());
    assert!(Playbooks::parse(&format!("{quiet}\nneeds-person = true")).is_err());
}

#[test]
fn they_are_checked_against_policy_and_channels() {
    let playbooks = Playbooks::parse(GOOD).unwrap();
    assert_eq!(playbooks.channels(), ["oncall"].into());
    playbooks.check(&policy(3600), &["oncall", "more"].into()).unwrap();
    let error = playbooks.check(&policy(3599), &["oncall"].into()).unwrap_err().to_string();
    assert!(error.contains("3600") && error.contains("3599"), "{error}");
    assert!(playbooks.check(&policy(3600), &["chat"].into()).is_err());
}

#[test]
fn the_first_set_is_good() {
    let playbooks = Playbooks::builtin().unwrap();
    assert!(playbooks.list().len() >= 8);
    playbooks.check(&policy(3600), &["oncall", "chat"].into()).unwrap();
    // Nothing but a broken invariant pauses the rollup by itself.
    for playbook in playbooks.list() {
        if playbook.steps.contains(&Step::PauseCommits) && !playbook.dry_run {
            assert_eq!(playbook.when.source, Source::Family("invariant".into()));
            assert_eq!(playbook.when.score, 1000);
        }
        // What learns may delay, and not freeze by itself.
        if playbook.when.source == Source::Family("model".into()) {
            let freezes = playbook.steps.iter().any(|s| matches!(s, Step::Freeze(_)));
            assert!(!freezes || playbook.needs_person, "{}", playbook.name);
        }
    }
}

/// A playbook that waits for what no rule says would never act, and nobody would notice.
#[test]
fn each_playbook_of_the_first_set_can_act() {
    let (playbooks, rules) = (Playbooks::builtin().unwrap(), RuleSet::builtin().unwrap());
    let finding = |rule: &Rule| Finding {
        detector: rule.detector.clone(),
        score: rule.spec.severity.score(),
        account: Some(7),
        token: Some(1),
        operation: None,
        evidence: vec![],
    };
    let findings: Vec<Finding> = rules.rules().iter().map(finding).collect();
    for playbook in playbooks.list() {
        let about_rules = match &playbook.when.source {
            Source::Detector(glob) => findings.iter().any(|f| glob.matches(&f.detector)),
            Source::Family(family) => family == "rule",
        };
        let acts = findings.iter().any(|f| playbook.matches(f).is_some());
        assert_eq!(acts, about_rules, "{}", playbook.name);
    }
    // Each rule about drains and stolen keys has one for an account.
    for finding in findings.iter().filter(|f| {
        ["rule.drain-", "rule.key-change-then-"].iter().any(|start| f.detector.starts_with(start))
    }) {
        let acts = |p: &&Playbook| p.matches(finding) == Some(Subject::Account(7));
        assert!(playbooks.list().iter().any(|p| acts(&p)), "{}", finding.detector);
    }
}

#[test]
fn findings_match_by_name_score_and_subject() {
    let finding = Finding {
        detector: "rule.drain-new-receiver".into(),
        score: 900,
        account: Some(7),
        token: Some(1),
        operation: None,
        evidence: vec![],
    };
    let mut playbook = Playbooks::parse(GOOD).unwrap().list()[0].clone();
    assert_eq!(playbook.matches(&finding), Some(Subject::Account(7)));
    assert_eq!(playbook.matches(&Finding { score: 899, ..finding.clone() }), None);
    assert_eq!(playbook.matches(&Finding { account: None, ..finding.clone() }), None);
    assert_eq!(
        playbook.matches(&Finding { detector: "rule.drai".into(), ..finding.clone() }),
        None
    );
    playbook.when.on = On::Token;
    assert_eq!(playbook.matches(&finding), Some(Subject::Token(1)));
    playbook.when.on = On::Network;
    playbook.when.source = Source::Family("rule".into());
    assert_eq!(playbook.matches(&finding), Some(Subject::Network));
    for other in ["rules.x", "rul", "", ".rule", "model.rule"] {
        assert_eq!(
            playbook.matches(&Finding { detector: other.into(), ..finding.clone() }),
            None,
            "{other}"
        );
    }
}

/// The plain definition.
fn slow(pattern: &[u8], name: &[u8]) -> bool {
    match (pattern.split_first(), name.split_first()) {
        (None, None) => true,
        (Some((b'*', rest)), _) => (0..=name.len()).any(|i| slow(rest, &name[i..])),
        (Some((c, rest)), Some((d, after))) => c == d && slow(rest, after),
        (Some(_), None) | (None, Some(_)) => false,
    }
}

proptest! {
    #[test]
    fn globs_are_the_plain_definition(pattern in "[ab*]{0,7}", name in "[ab]{0,7}") {
        prop_assert_eq!(Glob::new(&pattern).matches(&name), slow(pattern.as_bytes(), name.as_bytes()));
    }

    #[test]
    fn no_text_makes_it_panic(text in "\\PC{0,200}") {
        let _ = Playbooks::parse(&text);
    }
}

#[test]
fn many_stars_take_no_long_time() {
    let glob = Glob::new(&"*a".repeat(32));
    assert!(!glob.matches(&format!("{}b", "a".repeat(10_000))));
}
