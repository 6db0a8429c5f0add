//! Runs the examples of rules through the engine.

use super::stage::address_of;
use super::{Example, Rule, RuleSet, Stage, Step};
use crate::screener::{Config, Screener};
use crate::SentinelError;

/// Checks every example of a set: each rule alone must fire on the last operation of what it claims to
/// catch, and on none of what it claims to let pass.
///
/// # Errors
/// [`SentinelError::ExampleResult`] and [`SentinelError::Example`] for the first that is wrong.
pub fn check_examples(rules: &RuleSet) -> Result<(), SentinelError> {
    for rule in rules.rules().iter().filter(|r| r.action().is_some()) {
        for (examples, fires) in
            [(&rule.spec.examples.fires, true), (&rule.spec.examples.quiet, false)]
        {
            examples.iter().try_for_each(|example| check(rule, example, fires))?;
        }
    }
    Ok(())
}

fn check(rule: &Rule, example: &Example, fires: bool) -> Result<(), SentinelError> {
    let wrong = |why: String| SentinelError::ExampleResult {
        rule: rule.spec.id.clone(),
        note: example.note.clone(),
        why,
    };
    let steps = Step::unroll(&example.ops).map_err(|e| wrong(e.to_string()))?;
    let mut set = RuleSet::single(rule.clone());
    for step in &steps {
        if let Step::Flag { name } = step {
            set.lists.flagged_addresses.insert(address_of(name));
        }
    }
    let mut screener = Screener::empty(Config::default(), set)?;
    let inputs = Stage::new().run(&steps).map_err(|e| wrong(e.to_string()))?;
    let mut last = None;
    for (number, input) in inputs.iter().enumerate() {
        let verdict = screener.judge(input);
        if verdict.reasons.iter().any(|r| r.detector == rule.detector) {
            last = Some(number);
            if !fires {
                return Err(wrong(format!("it fires on operation {number}, and must not")));
            }
        }
        screener.learn(input);
    }
    match (fires, last) {
        (true, last) if last != inputs.len().checked_sub(1) => {
            Err(wrong(format!("it must fire on the last operation; the last time was {last:?}")))
        }
        _ => Ok(()),
    }
}
