//! Measures how long screening and observing an operation take, over a synthetic stream.
//!
//! `cargo run --release -p bastion-sentinel --example latency [operations]`

use std::time::Instant;

use bastion_sentinel::fixed::SplitMix;
use bastion_sentinel::rules::{RuleSet, Stage, Step};
use bastion_sentinel::{Config, Decision, Input, Screener, SentinelError};

/// Accounts of the stream.
const ACCOUNTS: u64 = 20_000;

fn account(rng: &mut SplitMix) -> String {
    // A few are much busier than most.
    let most = 1 + rng.below(ACCOUNTS);
    format!("a{}", rng.below(most))
}

fn step(rng: &mut SplitMix, number: u64) -> Step {
    let (from, to) = (account(rng), account(rng));
    let bits = 4 + rng.below(12);
    let amount = u128::from(1 + rng.below(1 << bits));
    let fee = u128::from(1 + rng.below(4));
    match rng.below(100) {
        0..=79 if from != to => Step::Transfer { from, to, amount, fee },
        80..=83 => Step::TransferNew { from, to: format!("n{number}"), amount, fee, exit: None },
        84..=89 => Step::Withdraw { from, to: "own".into(), amount, fee },
        90..=92 => Step::Withdraw { from, to: format!("l1-{}", rng.below(5000)), amount, fee },
        93 => Step::ChangeKey { account: from },
        _ => Step::Deposit { to, amount, token: 0, exit: None },
    }
}

fn stream(operations: u64) -> Result<Vec<Input>, SentinelError> {
    let mut stage = Stage::new();
    let mut rng = SplitMix(1);
    let mut inputs = Vec::new();
    for i in 0..ACCOUNTS {
        let amount = u128::from(1_000_000 + rng.below(1 << 30));
        let step = Step::Deposit { to: format!("a{i}"), amount, token: 0, exit: None };
        inputs.extend(stage.run(&[step])?);
    }
    for number in 0..operations {
        // Who is out of money sits out.
        if let Ok(more) = stage.run(&[step(&mut rng, number)]) {
            inputs.extend(more);
        }
    }
    Ok(inputs)
}

fn show(what: &str, mut nanos: Vec<u128>) {
    nanos.sort_unstable();
    let at = |permille: usize| nanos[(nanos.len() - 1) * permille / 1000] as f64 / 1000.0;
    println!(
        "{what:<20} median {:>6.1} us   p99 {:>6.1} us   p99.9 {:>7.1} us   max {:>8.1} us",
        at(500),
        at(990),
        at(999),
        at(1000)
    );
}

fn main() -> Result<(), SentinelError> {
    let operations = std::env::args().nth(1).and_then(|a| a.parse().ok()).unwrap_or(100_000);
    let inputs = stream(operations)?;
    let mut screener = Screener::empty(Config::default(), RuleSet::builtin()?)?;
    let (mut judging, mut learning, mut both) = (Vec::new(), Vec::new(), Vec::new());
    let (mut alerts, mut held, mut refused) = (0, 0, 0);
    let mut by_detector = std::collections::BTreeMap::new();
    for input in &inputs {
        let start = Instant::now();
        let verdict = screener.judge(input);
        let judged = start.elapsed().as_nanos();
        screener.learn(input);
        let all = start.elapsed().as_nanos();
        judging.push(judged);
        learning.push(all - judged);
        both.push(all);
        match verdict.decision {
            Decision::Allow if verdict.reasons.is_empty() => {}
            Decision::Allow => alerts += 1,
            Decision::Quarantine { .. } => held += 1,
            Decision::Reject => refused += 1,
        }
        for reason in verdict.reasons {
            *by_detector.entry(reason.detector).or_insert(0) += 1;
        }
    }
    println!("{} operations, {} rules", inputs.len(), screener.rules().rules().len());
    show("screen", judging);
    show("observe", learning);
    show("screen and observe", both);
    println!("alerts {alerts}, held {held}, refused {refused}: {by_detector:?}");
    println!("{:?}", screener.stats());
    Ok(())
}
