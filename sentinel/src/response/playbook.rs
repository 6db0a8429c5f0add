//! Playbooks: which findings ask for which response.
//!
//! Reading is strict. An unknown key, a value out of range or a playbook that makes no sense refuses the
//! whole file: a playbook is never skipped in silence.

use std::collections::BTreeSet;

use bastion_protocol::{Policy, Token};

use super::{Finding, ResponseError, Subject, HARD_LIMIT_MS};

mod glob;
mod read;
#[cfg(test)]
mod tests;

pub use glob::Glob;

/// Most playbooks of a file.
pub const MAX_PLAYBOOKS: usize = 256;
/// Most findings that a playbook waits for.
pub const MAX_COUNT: u32 = 100;
/// Longest time within which findings are counted: a day, in seconds.
pub const MAX_WITHIN: u64 = 86_400;
/// Longest freeze that a playbook may ask for: 30 days, in seconds.
pub const MAX_FREEZE: u64 = 30 * 86_400;
/// Longest quarantine that a playbook may ask for, in seconds.
pub const MAX_QUARANTINE: u64 = HARD_LIMIT_MS / 1000;

/// Which detectors a playbook listens to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// Those whose name matches.
    Detector(Glob),
    /// Those of a family: what stands before the first dot.
    Family(String),
}

/// Whom findings are counted for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum On {
    /// Each account that acted.
    Account,
    /// Each token.
    Token,
    /// All together.
    Network,
}

/// When a playbook acts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct When {
    /// Whose findings count.
    pub source: Source,
    /// The lowest score that counts, from 0 to 1000.
    pub score: u16,
    /// How many findings it waits for, from 1 to [`MAX_COUNT`].
    pub count: u32,
    /// Within how many seconds.
    pub within: u64,
    /// Whom they are counted for.
    pub on: On,
}

/// A step of a response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Hold the operation, for seconds.
    Quarantine(u64),
    /// Freeze the account, for seconds.
    Freeze(u64),
    /// Tighten the limits of a token.
    Tighten {
        /// Which; none stands for the token that the findings are about.
        token: Option<Token>,
        /// By how many percent, from 1 to 99.
        percent: u8,
    },
    /// Pause commits to L1.
    PauseCommits,
    /// Tell people, by a channel.
    Alert(String),
}

/// A playbook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Playbook {
    /// Its name.
    pub name: String,
    /// When it acts.
    pub when: When,
    /// What it does, in order.
    pub steps: Vec<Step>,
    /// It only says what it would have done.
    pub dry_run: bool,
    /// It tells people, and a person decides about the rest.
    pub needs_person: bool,
}

impl Playbook {
    /// Whom a finding counts for, if it counts.
    #[must_use]
    pub fn matches(&self, finding: &Finding) -> Option<Subject> {
        let source = match &self.when.source {
            Source::Detector(glob) => glob.matches(&finding.detector),
            Source::Family(family) => finding.family() == family,
        };
        if !source || finding.score < self.when.score {
            return None;
        }
        match self.when.on {
            On::Account => finding.account.map(Subject::Account),
            On::Token => finding.token.map(Subject::Token),
            On::Network => Some(Subject::Network),
        }
    }
}

/// The playbooks of a file, in its order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Playbooks {
    list: Vec<Playbook>,
}

impl Playbooks {
    /// Reads a file's text.
    ///
    /// # Errors
    /// [`ResponseError::Toml`] and [`ResponseError::Playbook`].
    pub fn parse(text: &str) -> Result<Self, ResponseError> {
        read::parse(text).map(|list| Self { list })
    }

    /// The first set, which this program carries.
    ///
    /// # Errors
    /// None: a test reads it.
    pub fn builtin() -> Result<Self, ResponseError> {
        Self::parse(include_str!("../../playbooks.toml"))
    }

    /// The playbooks.
    #[must_use]
    pub fn list(&self) -> &[Playbook] {
        &self.list
    }

    /// The channels that they name.
    #[must_use]
    pub fn channels(&self) -> BTreeSet<&str> {
        let steps = self.list.iter().flat_map(|playbook| &playbook.steps);
        steps
            .filter_map(|step| match step {
                Step::Alert(channel) => Some(channel.as_str()),
                Step::Quarantine(_)
                | Step::Freeze(_)
                | Step::Tighten { .. }
                | Step::PauseCommits => None,
            })
            .collect()
    }

    /// Checks them against where they are used: no freeze is longer than the policy allows, and each
    /// channel exists.
    ///
    /// # Errors
    /// [`ResponseError::Playbook`].
    pub fn check(&self, policy: &Policy, channels: &BTreeSet<&str>) -> Result<(), ResponseError> {
        for playbook in &self.list {
            let wrong = |why| Err(ResponseError::Playbook { playbook: playbook.name.clone(), why });
            for step in &playbook.steps {
                match step {
                    Step::Freeze(seconds) if *seconds > policy.max_freeze => {
                        let most = policy.max_freeze;
                        return wrong(format!(
                            "it freezes for {seconds} s, the policy allows {most} s"
                        ));
                    }
                    Step::Alert(channel) if !channels.contains(channel.as_str()) => {
                        return wrong(format!("no channel is called `{channel}`"));
                    }
                    Step::Quarantine(_)
                    | Step::Freeze(_)
                    | Step::Tighten { .. }
                    | Step::PauseCommits
                    | Step::Alert(_) => {}
                }
            }
        }
        Ok(())
    }
}
