//! The form of a rule's file.

use serde::Deserialize;

use super::stage::Step;

/// How far a rule is trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// It acts.
    Stable,
    /// It only raises alerts, whatever its action is.
    Experimental,
    /// It is not evaluated; it stays for its history.
    Deprecated,
}

/// How bad it is if the rule is right.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Worth a look.
    Low,
    /// Worth a call.
    Medium,
    /// Money is at risk.
    High,
    /// Money is being taken.
    Critical,
}

impl Severity {
    /// The score of a reason, from 0 to 1000.
    #[must_use]
    pub fn score(self) -> u16 {
        match self {
            Self::Low => 250,
            Self::Medium => 500,
            Self::High => 750,
            Self::Critical => 950,
        }
    }
}

/// What a rule asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Action {
    /// A reason in the verdict, and nothing else.
    Alert,
    /// To hold the operation so many seconds.
    Quarantine(u64),
    /// To refuse it.
    Reject,
}

/// A sequence of operations with what it shows.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Example {
    /// What it is.
    pub note: String,
    /// The operations.
    pub ops: Vec<Step>,
}

/// Sequences on which a rule must fire and must not.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Examples {
    /// It fires on the last operation.
    pub fires: Vec<Example>,
    /// It fires on none.
    pub quiet: Vec<Example>,
}

/// A rule as its file has it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Spec {
    /// Its name in verdicts: lower-case letters, digits and hyphens.
    pub id: String,
    /// One line.
    pub title: String,
    /// How far it is trusted.
    pub status: Status,
    /// How bad it is.
    pub severity: Severity,
    /// Family of attacks.
    pub family: String,
    /// What it looks for, and why.
    pub description: String,
    /// When it fires.
    pub condition: String,
    /// Seconds over which its windowed features look, at most 30 days.
    pub window: u64,
    /// What it asks for.
    pub action: Action,
    /// When it is wrong.
    pub false_positives: Vec<String>,
    /// What shows that it works.
    pub examples: Examples,
}
