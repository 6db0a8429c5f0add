use proptest::prelude::*;

use super::*;
use crate::model::HalfSpaceConfig;
use crate::replay::{replay, Recorded};
use crate::rules::{Stage, Step};

fn steps(text: &str) -> Vec<Step> {
    serde_saphyr::from_str(text).unwrap()
}

fn screener() -> Screener {
    let half_space = HalfSpaceConfig { window: 50, ..HalfSpaceConfig::default() };
    let config = Config { half_space, accounts: 32, targets: 8, ..Config::default() };
    Screener::empty(config, RuleSet::builtin().unwrap()).unwrap()
}

/// A stream of all kinds over few accounts, from numbers.
fn stream(numbers: &[u16]) -> Vec<Input> {
    let mut stage = Stage::new();
    let names: Vec<String> = (0..6).map(|i| format!("n{i}")).collect();
    let mut inputs = Vec::new();
    for name in &names {
        let to = name.clone();
        let step = Step::Deposit { to, amount: 1_000_000, token: 0, exit: None };
        inputs.extend(stage.run(&[step]).unwrap());
    }
    for (i, n) in numbers.iter().enumerate() {
        let n = usize::from(*n);
        let account = names[n % 6].clone();
        let (from, other) = (account.clone(), names[(n + 1 + n / 6 % 5) % 6].clone());
        let amount = 1 + (n as u128 * 37) % 5000;
        let step = match n / 30 % 12 {
            0..=4 => Step::Transfer { from, to: other, amount, fee: 2 },
            5 => Step::TransferNew { from, to: format!("new{i}"), amount, fee: 1, exit: None },
            6 => Step::Withdraw { from, to: "own".into(), amount, fee: 1 },
            7 => Step::Withdraw { from, to: format!("l1-{}", n % 9), amount, fee: 1 },
            8 => Step::ChangeKey { account },
            9 => Step::Deposit { to: from, amount, token: 0, exit: None },
            10 => Step::Wait { seconds: n as u64 * 10 },
            _ => Step::ForcedExit { account },
        };
        // Whoever is out of money sits out.
        if let Ok(more) = stage.clone().run(std::slice::from_ref(&step)) {
            let _ = stage.run(&[step]);
            inputs.extend(more);
        }
    }
    inputs
}

/// Judges and learns; what is refused or held is not included.
fn record(screener: &mut Screener, inputs: Vec<Input>) -> Vec<Recorded> {
    let step = |input: Input| {
        let verdict = screener.judge(&input);
        screener.learn(&input);
        Recorded { input, verdict: Some(verdict), included: true }
    };
    inputs.into_iter().map(step).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(6))]

    /// The same operations make the same verdicts, bit for bit, also over a stored and restored memory
    /// and a record that was written and read.
    #[test]
    fn replay_is_exact(numbers in prop::collection::vec(any::<u16>(), 50..150)) {
        let mut first = screener();
        let record = record(&mut first, stream(&numbers));
        let text = serde_json::to_string(&record).unwrap();
        let record: Vec<Recorded> = serde_json::from_str(&text).unwrap();
        let mut second = screener();
        prop_assert_eq!(replay(&mut second, &record), None);
        prop_assert_eq!(&first, &second);

        let (start, end) = record.split_at(record.len() / 2);
        let mut third = screener();
        prop_assert_eq!(replay(&mut third, start), None);
        let stored = postcard::to_allocvec(third.memory()).unwrap();
        let memory: Memory = postcard::from_bytes(&stored).unwrap();
        let mut third = Screener::restore(third.config, third.rules, memory).unwrap();
        prop_assert_eq!(replay(&mut third, end), None);
        prop_assert_eq!(
            postcard::to_allocvec(third.memory()).unwrap(),
            postcard::to_allocvec(first.memory()).unwrap()
        );
    }

    /// No operation of the queue, no exit to the own address is ever held or refused for suspicion, and
    /// judging changes nothing.
    #[test]
    fn the_exit_lane_is_open(numbers in prop::collection::vec(any::<u16>(), 50..150)) {
        let mut screener = screener();
        for input in stream(&numbers) {
            let before = screener.clone();
            let verdict = screener.judge(&input);
            prop_assert_eq!(&screener, &before);
            if input.is_exit_lane() {
                prop_assert_eq!(verdict.decision, Decision::Allow);
            }
            screener.learn(&input);
            let stats = screener.stats();
            prop_assert!(stats.accounts <= 32 && stats.targets <= 8);
        }
    }
}

#[test]
fn a_changed_record_is_found_at_its_place() {
    let numbers: Vec<u16> = (0..200u32).map(|i| (i * 331 % 997) as u16).collect();
    let mut record = record(&mut screener(), stream(&numbers));
    let verdict = record[40].verdict.as_mut().unwrap();
    verdict.decision = Decision::Reject;
    let difference = replay(&mut screener(), &record).unwrap();
    assert_eq!((difference.position, difference.recorded.decision), (40, Decision::Reject));
    assert!(
        difference.to_string().contains("step 40") && difference.to_string().contains("Refused")
    );
    // One that was left out changes the version of the models after it.
    record[40].verdict = None;
    let sent = |r: &Recorded| r.input.kind().by_owner();
    let skipped = (41..record.len()).find(|i| sent(&record[*i])).unwrap();
    record[skipped].included = false;
    let mut other = screener();
    let same = replay(&mut other, &record[..skipped + 1]);
    assert_eq!(same, None);
    let mut all = screener();
    record[skipped].included = true;
    assert_eq!(replay(&mut all, &record[..skipped + 1]), None);
    assert_ne!(all.stats().model_version, other.stats().model_version);
}

/// What an older version learned means something else, and is not taken for what it is not.
#[test]
fn a_memory_of_another_form_is_not_read() {
    let mut screener = screener();
    stream(&[7; 60]).iter().for_each(|input| screener.learn(input));
    let bytes = postcard::to_allocvec(screener.memory()).unwrap();
    let read = |bytes: &[u8]| postcard::from_bytes::<Memory>(bytes).ok();
    assert_eq!(read(&bytes).as_ref(), Some(screener.memory()));
    let mut other = bytes.clone();
    other[0] ^= 1;
    // Five bytes are the form.
    assert!(read(&other).is_none() && read(&bytes[5..]).is_none());
}

#[test]
fn the_severest_wish_decides_and_lanes_stay_open() {
    let mut asked = Asked { decision: Decision::Allow, lane: false, now: 100 };
    assert_eq!(asked.ask(Action::Alert), "alert");
    assert_eq!(asked.decision, Decision::Allow);
    asked.ask(Action::Quarantine(50));
    asked.ask(Action::Quarantine(20));
    assert_eq!(asked.decision, Decision::Quarantine { until: 150 });
    asked.ask(Action::Reject);
    asked.ask(Action::Quarantine(500));
    assert_eq!(asked.decision, Decision::Reject);
    let mut lane = Asked { decision: Decision::Allow, lane: true, now: 100 };
    assert!(lane.ask(Action::Reject).contains("exit lane"));
    lane.ask(Action::Quarantine(50));
    assert_eq!(lane.decision, Decision::Allow);
}

#[test]
fn the_end_of_a_quarantine_is_seconds_of_arrival() {
    let text = "
- deposit: {to: alice, amount: 1000000}
- withdraw: {from: alice, to: thief, amount: 999000}
";
    let mut screener = screener();
    let inputs = Stage::new().run(&steps(text)).unwrap();
    screener.learn(&inputs[0]);
    let verdict = screener.judge(&inputs[1]);
    let until = inputs[1].arrived_ms / 1000 + 3600;
    assert_eq!(verdict.decision, Decision::Quarantine { until });
    let reason = verdict.reasons.iter().find(|r| r.detector == "rule.drain-to-l1").unwrap();
    assert_eq!(reason.version, screener.rules().version);
    let evidence = |name: &str| reason.evidence.iter().find(|(n, _)| n == name).unwrap().1.clone();
    assert_eq!((evidence("kind"), evidence("out_share")), ("withdraw".into(), "999".into()));
    assert_eq!((evidence("window"), evidence("action")), ("3600".into(), "quarantine 3600".into()));
    // A clock that goes back moves nothing back.
    let early = Input { arrived_ms: 5, ..inputs[1].clone() };
    assert_eq!(screener.judge(&early).decision, Decision::Quarantine { until });
}

#[test]
fn both_models_can_hold_if_they_may() {
    let config = Config {
        model_hold: 990_000,
        model_hold_seconds: 60,
        half_space: HalfSpaceConfig { window: 500, ..HalfSpaceConfig::default() },
        ..Config::default()
    };
    let mut screener = Screener::empty(config, RuleSet::empty()).unwrap();
    let text = "
- deposit: {to: a, amount: 100000000000}
- deposit: {to: b, amount: 1000}
- repeat: {times: 2100, ops: [{transfer: {from: a, to: b, amount: 10, fee: 1}}]}
- wait: {seconds: 4000000}
- withdraw: {from: a, to: fresh, amount: 99000000000, fee: 1000000}
";
    let mut inputs = Stage::new().run(&steps(text)).unwrap();
    let last = inputs.pop().unwrap();
    let mut held = 0;
    for input in &inputs {
        held += usize::from(screener.judge(input).decision != Decision::Allow);
        screener.learn(input);
    }
    let verdict = screener.judge(&last);
    assert!(matches!(verdict.decision, Decision::Quarantine { .. }), "{verdict:?}");
    assert_eq!(verdict.reasons.len(), 2);
    assert!(held < 10, "{held}");
    assert_eq!(screener.stats().learned, 2100);
}

#[test]
fn other_rules_come_into_force_with_the_next_operation() {
    let mut screener = screener();
    let text = "
- deposit: {to: alice, amount: 1000000}
- withdraw: {from: alice, to: thief, amount: 999000}
";
    let inputs = Stage::new().run(&steps(text)).unwrap();
    screener.learn(&inputs[0]);
    let memory = screener.memory().clone();
    screener.set_rules(RuleSet::empty());
    assert_eq!(screener.judge(&inputs[1]).decision, Decision::Allow);
    assert_eq!(screener.memory(), &memory);
}

#[test]
fn settings_are_checked() {
    let rules = RuleSet::empty;
    for config in [
        Config { accounts: 0, ..Config::default() },
        Config { targets: 1_000_001, ..Config::default() },
        Config { model_hold_seconds: 86_401, ..Config::default() },
        Config {
            taint: crate::graph::TaintConfig { decay: 1_000_001, ..Default::default() },
            ..Config::default()
        },
    ] {
        assert!(matches!(Screener::empty(config, rules()), Err(SentinelError::Setting { .. })));
    }
    let text = serde_json::to_string(&Config::default()).unwrap();
    assert_eq!(serde_json::from_str::<Config>(&text).unwrap(), Config::default());
    assert!(serde_json::from_str::<Config>("{\"acounts\":1}").is_err());
}

/// The queue can name accounts that are not there, at no cost for memory.
#[test]
fn accounts_that_are_not_there_take_no_memory() {
    let mut screener = screener();
    let mut input = Stage::new().run(&steps("- deposit: {to: a, amount: 1}")).unwrap().remove(0);
    let exit = bastion_protocol::Address([1; 20]);
    let forced = bastion_protocol::ops::ForcedExit { index: 200_000, token: 0, exit };
    input.trace = OpTrace {
        op: bastion_protocol::ops::Op::ForcedExit(forced),
        kind: Kind::ForcedExitNoop,
        ..OpTrace::noop()
    };
    let access = bastion_state::executor::Access { index: 200_000, before: None, after: None };
    input.trace.accesses[0] = Some(access);
    assert_eq!(screener.judge(&input).reasons, []);
    screener.learn(&input);
    assert_eq!((screener.stats().accounts, screener.stats().observed), (0, 1));
}
