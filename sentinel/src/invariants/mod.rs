//! What holds for every operation that is executed rightly. A breach is no suspicion but a fault of
//! the executor or of who feeds it: the answer is always a rejection.
//!
//! Each check is a function from the input and the totals to what it found.

mod accounts;
mod money;
mod shape;

#[cfg(test)]
mod tests;

pub(crate) use money::imbalance;

use crate::ledger::Ledger;
use crate::{Input, Reason};

/// Version of the checks, in the verdicts' reasons.
pub const VERSION: &str = "1";

/// What a check found, as names and values.
pub(crate) type Evidence = Vec<(String, String)>;
type Check = fn(&Input, &Ledger) -> Option<Evidence>;

/// All checks, by the name that stands in verdicts.
const CHECKS: [(&str, Check); 12] = [
    ("invariant.kind", shape::kind),
    ("invariant.before", shape::before),
    ("invariant.amount", shape::amount),
    ("invariant.token", shape::token),
    ("invariant.system", shape::system),
    ("invariant.nonce", accounts::nonce),
    ("invariant.owner", accounts::owner),
    ("invariant.frozen", accounts::frozen),
    ("invariant.freeze", accounts::freeze),
    ("invariant.conservation", money::conservation),
    ("invariant.backing", money::backing),
    ("invariant.limiter", money::limiter),
];

/// The names of all checks.
pub fn names() -> impl Iterator<Item = &'static str> {
    CHECKS.iter().map(|(name, _)| *name)
}

/// The breaches, in the order of the checks.
pub(crate) fn check(input: &Input, ledger: &Ledger) -> Vec<Reason> {
    let found = CHECKS.iter().filter_map(|(name, check)| {
        let mut evidence = check(input, ledger)?;
        evidence.push(("action".into(), "reject".into()));
        Some(Reason { detector: (*name).into(), version: VERSION.into(), score: 1000, evidence })
    });
    found.collect()
}

/// One piece of evidence.
pub(crate) fn item(name: &str, value: impl ToString) -> (String, String) {
    (name.into(), value.to_string())
}
