use proptest::prelude::*;

use super::*;

const T: u64 = 1_700_000_000_000;
const HOUR: u64 = 3_600_000;

const BOOKS: &str = r#"
[[playbook]]
name = "drain"
when = { detector = "rule.drain*", score = 900, on = "account" }
do = [{ quarantine = 1800 }, { freeze = 3600 }, { alert = "oncall" }]

[[playbook]]
name = "wave"
when = { family = "rule", score = 800, count = 3, within = 10, on = "token" }
do = [{ tighten = { percent = 50 } }, { alert = "chat" }]

[[playbook]]
name = "broken"
when = { family = "invariant", score = 1000, on = "network" }
do = [{ pause-commits = true }, { alert = "oncall" }]

[[playbook]]
name = "try"
when = { detector = "model.try", score = 0, on = "network" }
do = [{ pause-commits = true }, { quarantine = 5 }, { alert = "oncall" }]
dry-run = true

[[playbook]]
name = "ask"
when = { detector = "model.ask", score = 0, on = "account" }
do = [{ freeze = 60 }, { quarantine = 5 }, { alert = "oncall" }]
needs-person = true
"#;

fn engine(budget: Budget) -> Engine {
    Engine::new(Playbooks::parse(BOOKS).unwrap(), budget).unwrap()
}

fn finding(detector: &str, score: u16, account: u32, token: u16) -> Finding {
    Finding {
        detector: detector.into(),
        score,
        account: Some(account),
        token: Some(token),
        operation: Some([9; 32]),
        evidence: vec![],
    }
}

fn outcomes(decided: &[Decided]) -> Vec<(&str, Action, Outcome)> {
    decided.iter().map(|d| (d.playbook.as_str(), d.action.clone(), d.outcome)).collect()
}

fn freeze(account: u32) -> Action {
    Action::Freeze { account, seconds: 3600 }
}

fn of_freeze(decided: &[Decided]) -> Outcome {
    decided.iter().find(|d| matches!(d.action, Action::Freeze { .. })).unwrap().outcome
}

#[test]
fn a_finding_is_answered_in_the_order_of_the_steps() {
    let mut engine = engine(Budget::default());
    let decided = engine.on_finding(&finding("rule.drain-x", 900, 7, 1), T);
    let oncall = Action::Alert { channel: "oncall".into() };
    assert_eq!(
        outcomes(&decided),
        [
            ("drain", Action::Quarantine { seconds: 1800 }, Outcome::Do),
            ("drain", freeze(7), Outcome::Do),
            ("drain", oncall, Outcome::Do),
        ]
    );
    assert_eq!((decided[1].subject, decided[1].at_ms), (Subject::Account(7), T));
    assert!(engine.on_finding(&finding("rule.other", 700, 7, 1), T).is_empty());
}

#[test]
fn what_the_finding_lacks_is_left_out() {
    let mut engine = engine(Budget::default());
    let mut without = finding("rule.drain", 950, 7, 1);
    without.operation = None;
    let decided = engine.on_finding(&without, T);
    assert!(decided.iter().all(|d| !matches!(d.action, Action::Quarantine { .. })));
    without.account = None;
    assert!(engine.on_finding(&without, T).is_empty());
}

#[test]
fn findings_are_counted_within_their_time() {
    let mut engine = engine(Budget::default());
    let rule = finding("rule.x", 800, 1, 4);
    assert!(engine.on_finding(&rule, T).is_empty());
    assert!(engine.on_finding(&rule, T + 5000).is_empty());
    // Another token, and one too late.
    assert!(engine.on_finding(&finding("rule.x", 800, 1, 5), T + 6000).is_empty());
    assert!(engine.on_finding(&rule, T + 10_000).is_empty());
    let decided = engine.on_finding(&rule, T + 14_999);
    assert_eq!(decided[0].action, Action::Tighten { token: 4, percent: 50 });
    // Counting begins anew.
    assert!(engine.on_finding(&rule, T + 14_999).is_empty());
}

#[test]
fn freezes_beyond_the_budget_ask_a_person() {
    let budget = Budget { freezes_per_hour: 3, cooldown: 0, ..Budget::default() };
    let mut engine = engine(budget);
    let mut at = |account, ms| {
        of_freeze(&engine.on_finding(&finding("rule.drain", 900, account, account as u16), ms))
    };
    for account in 0..3 {
        assert_eq!(at(account, T + u64::from(account)), Outcome::Do);
    }
    assert_eq!(at(3, T + 100), Outcome::OverBudget);
    assert!(Outcome::OverBudget.asks_person());
    assert_eq!(at(4, T + HOUR - 1), Outcome::OverBudget);
    // The first one is an hour ago; what was refused cost nothing.
    assert_eq!(at(5, T + HOUR), Outcome::Do);
    assert_eq!(at(6, T + HOUR), Outcome::OverBudget);
}

#[test]
fn an_account_is_not_frozen_again_so_soon() {
    let mut engine = engine(Budget { cooldown: 100, ..Budget::default() });
    let mut at =
        |account, ms| of_freeze(&engine.on_finding(&finding("rule.drain", 900, account, 1), ms));
    assert_eq!(at(7, T), Outcome::Do);
    assert_eq!(at(7, T + 99_999), Outcome::CoolingDown);
    assert_eq!(at(8, T + 99_999), Outcome::Do);
    assert_eq!(at(7, T + 100_000), Outcome::Do);
}

#[test]
fn tightenings_and_pauses_have_their_own_budget() {
    let budget =
        Budget { tightenings_per_day: 2, pauses_per_day: 1, cooldown: 60, ..Budget::default() };
    let mut engine = engine(budget);
    let mut tighten = |token, ms| {
        let all: Vec<_> =
            (0..3).flat_map(|_| engine.on_finding(&finding("rule.x", 800, 1, token), ms)).collect();
        all[0].outcome
    };
    assert_eq!(tighten(1, T), Outcome::Do);
    assert_eq!(tighten(1, T + 1), Outcome::CoolingDown);
    assert_eq!(tighten(2, T + 2), Outcome::Do);
    assert_eq!(tighten(3, T + 3), Outcome::OverBudget);
    assert_eq!(tighten(3, T + 24 * HOUR), Outcome::Do);
    let mut pause = |ms| engine.on_finding(&finding("invariant.x", 1000, 1, 1), ms)[0].outcome;
    assert_eq!(pause(T), Outcome::Do);
    assert_eq!(pause(T + 24 * HOUR - 1), Outcome::OverBudget);
    assert_eq!(pause(T + 24 * HOUR), Outcome::Do);
}

#[test]
fn a_dry_run_and_a_person_cost_nothing() {
    let mut engine = engine(Budget::default());
    for _ in 0..50 {
        let dry = engine.on_finding(&finding("model.try", 1, 1, 1), T);
        assert_eq!(dry.len(), 3);
        assert!(dry.iter().all(|d| d.outcome == Outcome::DryRun));
        let ask = engine.on_finding(&finding("model.ask", 1, 1, 1), T);
        let outcomes: Vec<_> = ask.iter().map(|d| d.outcome).collect();
        assert_eq!(outcomes, [Outcome::NeedsPerson, Outcome::NeedsPerson, Outcome::Do]);
    }
    assert_eq!(engine.spent.size(), 0);
}

#[test]
fn a_clock_that_goes_back_gives_nothing_back_and_locks_nothing() {
    let budget = Budget { freezes_per_hour: 1, cooldown: 60, ..Budget::default() };
    let mut engine = engine(budget);
    let mut at = |account, ms| {
        of_freeze(&engine.on_finding(&finding("rule.drain", 900, account, account as u16), ms))
    };
    assert_eq!(at(1, T + 1000 * HOUR), Outcome::Do);
    assert_eq!(at(2, T), Outcome::OverBudget);
    assert_eq!(at(1, T), Outcome::CoolingDown);
    assert_eq!(at(1, T + HOUR), Outcome::Do);
}

#[test]
fn budgets_survive_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state");
    let budget = Budget { freezes_per_hour: 1, ..Budget::default() };
    let open = || Engine::open(&path, Playbooks::parse(BOOKS).unwrap(), budget).unwrap();
    let mut engine = open();
    assert_eq!(of_freeze(&engine.on_finding(&finding("rule.drain", 900, 1, 1), T)), Outcome::Do);
    engine.on_finding(&finding("rule.x", 800, 1, 1), T);
    engine.save(&path).unwrap();
    let mut again = open();
    assert_eq!(again.state(), engine.state());
    let f = finding("rule.drain", 900, 2, 2);
    assert_eq!(of_freeze(&again.on_finding(&f, T + 1)), Outcome::OverBudget);
    // The window of token 1 goes on: one more is the third.
    assert_eq!(again.on_finding(&finding("rule.x", 800, 1, 1), T + 1).len(), 2);

    // A damaged file gives no budget back.
    let bytes = std::fs::read(&path).unwrap();
    for at in [0, 31, 32, bytes.len() - 1] {
        let mut bad = bytes.clone();
        bad[at] ^= 1;
        std::fs::write(&path, bad).unwrap();
        let opened = Engine::open(&path, Playbooks::default(), budget);
        assert!(matches!(opened, Err(ResponseError::Damaged { .. })));
    }
    std::fs::write(&path, []).unwrap();
    assert!(Engine::open(&path, Playbooks::default(), budget).is_err());
}

#[test]
fn other_playbooks_keep_what_was_spent() {
    let budget = Budget { freezes_per_hour: 1, ..Budget::default() };
    let mut engine = engine(budget);
    engine.on_finding(&finding("rule.drain", 900, 1, 1), T);
    assert_eq!(engine.windows.len(), 1);
    engine.set_playbooks(Playbooks::parse(&BOOKS.replace("\"wave\"", "\"renamed\"")).unwrap());
    assert!(engine.windows.is_empty() && engine.oldest.is_empty());
    let f = finding("rule.drain", 900, 2, 1);
    assert_eq!(of_freeze(&engine.on_finding(&f, T)), Outcome::OverBudget);
}

#[test]
fn memory_is_bounded() {
    let text = BOOKS.replace(
        "on = \"token\" }\ndo = [{ tighten = { percent = 50 } }",
        "on = \"account\" }\ndo = [{ quarantine = 5 }",
    );
    let mut engine = Engine::new(Playbooks::parse(&text).unwrap(), Budget::default()).unwrap();
    for account in 0..MAX_WINDOWS as u32 + 500 {
        engine.on_finding(&finding("rule.x", 800, account, 1), T + u64::from(account));
    }
    assert_eq!((engine.windows.len(), engine.oldest.len()), (MAX_WINDOWS, MAX_WINDOWS));
    assert!(!engine.windows.contains_key(&("wave".into(), Subject::Account(499))));
    assert!(engine.windows.contains_key(&("wave".into(), Subject::Account(500))));
    let state = engine.state();
    let again =
        Engine::restore(engine.playbooks().clone(), Budget::default(), state.clone()).unwrap();
    assert_eq!(again.state(), state);
}

#[test]
fn budgets_are_checked() {
    let good = Budget::default();
    for bad in [
        Budget { freezes_per_hour: 101, ..good },
        Budget { tightenings_per_day: 101, ..good },
        Budget { pauses_per_day: 11, ..good },
        Budget { cooldown: 604_801, ..good },
    ] {
        assert!(matches!(Engine::new(Playbooks::default(), bad), Err(ResponseError::Limit { .. })));
    }
    let mut none = engine(Budget { freezes_per_hour: 0, ..good });
    let f = finding("rule.drain", 900, 1, 1);
    assert_eq!(of_freeze(&none.on_finding(&f, T)), Outcome::OverBudget);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    /// No order of findings makes it do more than the budget, and a restart in between changes nothing.
    #[test]
    fn no_findings_exceed_the_budget(
        steps in proptest::collection::vec((0..4_usize, 0..6_u32, 0..2 * HOUR, any::<bool>()), 1..80),
    ) {
        let budget = Budget { freezes_per_hour: 2, tightenings_per_day: 2, pauses_per_day: 1, cooldown: 600 };
        let mut engine = engine(budget);
        let mut twin = engine.clone();
        let (mut now, mut done) = (T, Vec::new());
        for (kind, who, wait, restart) in steps {
            now += if wait % 3 == 0 { wait } else { wait % 5000 };
            let detector = ["rule.drain", "rule.x", "invariant.y", "model.ask"][kind];
            let f = finding(detector, 1000, who, who as u16);
            let decided = engine.on_finding(&f, now);
            prop_assert_eq!(&decided, &twin.on_finding(&f, now));
            if restart {
                let text = serde_json::to_string(&engine.state()).unwrap();
                let state = serde_json::from_str(&text).unwrap();
                engine = Engine::restore(Playbooks::parse(BOOKS).unwrap(), budget, state).unwrap();
            }
            done.extend(decided.into_iter().filter(|d| d.outcome == Outcome::Do));
        }
        let times = |wanted: fn(&Action) -> bool| -> Vec<u64> {
            done.iter().filter(|d| wanted(&d.action)).map(|d| d.at_ms).collect()
        };
        let most = |times: &[u64], span: u64| {
            times.iter().map(|end| times.iter().filter(|t| **t <= *end && end - **t < span).count()).max().unwrap_or(0)
        };
        let freezes = times(|a| matches!(a, Action::Freeze { .. }));
        prop_assert!(most(&freezes, HOUR) <= 2);
        let tightenings = times(|a| matches!(a, Action::Tighten { .. }));
        prop_assert!(most(&tightenings, 24 * HOUR) <= 2);
        prop_assert!(most(&times(|a| matches!(a, Action::PauseCommits)), 24 * HOUR) <= 1);
        for account in 0..6 {
            let freezes: Vec<u64> = done.iter().filter(|d| d.action == freeze(account)).map(|d| d.at_ms).collect();
            prop_assert!(freezes.windows(2).all(|pair| pair[1] - pair[0] >= 600_000));
        }
    }
}
