//! A set of rules that loaded.

use std::collections::{BTreeMap, BTreeSet};

use bastion_protocol::hash::keccak;
use include_dir::{include_dir, Dir};

use super::expr::Condition;
use super::plan::{Plan, Values};
use super::{Action, Example, Lists, Severity, Spec, Status, MAX_LISTED};
use crate::features::{View, MEANING};
use crate::SentinelError;

/// Most rules of a set.
pub const MAX_RULES: usize = 256;
/// Most bytes of a rule's file.
pub const MAX_FILE: usize = 64 * 1024;
/// Longest window and longest quarantine, in seconds.
const MAX_WINDOW: u64 = 30 * 86_400;
const MAX_QUARANTINE: u64 = 86_400;
/// Most steps of an example, repetitions not unrolled.
const MAX_STEPS: usize = 64;
/// The file of the lists; every other file of a set is a rule.
pub const LISTS_FILE: &str = "lists.yaml";

static BUILTIN: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/rules");

/// A rule that loaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// Its file's content.
    pub spec: Spec,
    /// `rule.` and its id, as in verdicts.
    pub detector: String,
    pub(crate) condition: Condition,
}

/// The rules in force, by id, with the lists that belong to them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleSet {
    /// Version in verdicts: a number, and the first bytes of the hash of the files and of what features mean.
    pub version: String,
    /// Known accounts and addresses.
    pub lists: Lists,
    rules: Vec<Rule>,
    plan: Plan,
}

impl RuleSet {
    /// Loads a set from the content of its files, by name. `version` is that of the bundle.
    ///
    /// # Errors
    /// [`SentinelError::Rule`] for the first file that does not load, [`SentinelError::Costly`] for rules that
    /// together ask for too much.
    pub fn from_files(
        version: u64,
        files: &BTreeMap<String, Vec<u8>>,
    ) -> Result<Self, SentinelError> {
        let mut hashes = Vec::new();
        let mut lists = Lists::default();
        let mut rules: Vec<Rule> = Vec::new();
        for (name, bytes) in files {
            let fail = |why: String| SentinelError::Rule { rule: name.clone(), why };
            hashes.push(keccak(&[name.as_bytes()]));
            hashes.push(keccak(&[bytes]));
            if bytes.len() > MAX_FILE && name != LISTS_FILE {
                return Err(fail(format!("{} bytes, and {MAX_FILE} are allowed", bytes.len())));
            }
            let text = std::str::from_utf8(bytes).map_err(|e| fail(format!("no UTF-8: {e}")))?;
            if name == LISTS_FILE {
                lists = serde_saphyr::from_str(text).map_err(|e| fail(e.to_string()))?;
                let most = lists.flagged_accounts.len().max(lists.flagged_addresses.len());
                if most > MAX_LISTED {
                    return Err(fail(format!("{most} entries, and {MAX_LISTED} are allowed")));
                }
                continue;
            }
            let spec: Spec = serde_saphyr::from_str(text).map_err(|e| fail(e.to_string()))?;
            let stem = name.strip_suffix(".yaml");
            if stem != Some(spec.id.as_str()) {
                return Err(fail(format!("its id is `{}`: name the file after it", spec.id)));
            }
            rules.push(Rule::new(spec)?);
        }
        if rules.len() > MAX_RULES {
            let why = format!("{} rules, and {MAX_RULES} are allowed", rules.len());
            return Err(SentinelError::Rule { rule: "the set".into(), why });
        }
        rules.sort_by(|a, b| a.spec.id.cmp(&b.spec.id));
        let plan = Plan::of(&rules)?;
        let meaning = MEANING.to_be_bytes();
        let mut parts: Vec<&[u8]> = hashes.iter().map(<[u8; 32]>::as_slice).collect();
        parts.push(&meaning);
        let version = format!("{version}:{}", hex::encode(&keccak(&parts)[..8]));
        Ok(Self { version, lists, rules, plan })
    }

    /// The rules that come with this crate, as version 0. They are not signed: they are trusted as the
    /// program is.
    ///
    /// # Errors
    /// None in practice: a test loads them.
    pub fn builtin() -> Result<Self, SentinelError> {
        Self::from_files(0, &Self::builtin_files())
    }

    /// The files of the rules that come with this crate.
    #[must_use]
    pub fn builtin_files() -> BTreeMap<String, Vec<u8>> {
        let yaml = BUILTIN.files().filter_map(|file| {
            let name = file.path().to_str().filter(|n| n.ends_with(".yaml"))?;
            Some((name.to_owned(), file.contents().to_vec()))
        });
        yaml.collect()
    }

    /// No rules.
    #[must_use]
    pub fn empty() -> Self {
        let (lists, plan) = (Lists::default(), Plan::default());
        Self { version: "none".into(), lists, rules: Vec::new(), plan }
    }

    /// A set of one rule, for its examples.
    #[must_use]
    pub fn single(rule: Rule) -> Self {
        let rules = vec![rule];
        let (lists, plan) = (Lists::default(), Plan::unchecked(&rules));
        Self { version: "example".into(), lists, rules, plan }
    }

    /// The values of an operation, for these rules.
    pub(crate) fn values<'a>(&'a self, view: &'a View<'a>) -> Values<'a> {
        Values::new(view, &self.plan)
    }

    /// The rules, by id.
    #[must_use]
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// The ids.
    #[must_use]
    pub fn ids(&self) -> BTreeSet<&str> {
        self.rules.iter().map(|r| r.spec.id.as_str()).collect()
    }
}

impl Rule {
    /// Checks and compiles a rule.
    ///
    /// # Errors
    /// [`SentinelError::Rule`].
    pub fn new(spec: Spec) -> Result<Self, SentinelError> {
        let fail = |why: String| SentinelError::Rule { rule: spec.id.clone(), why };
        let plain = |text: &str| {
            let fits = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
            !text.is_empty() && text.len() <= 64 && text.bytes().all(fits)
        };
        for (name, text) in [("id", &spec.id), ("family", &spec.family)] {
            if !plain(text) {
                return Err(fail(format!(
                    "{name} `{text}` is not 1 to 64 lower-case letters, digits and hyphens"
                )));
            }
        }
        for (name, text) in [("title", &spec.title), ("description", &spec.description)] {
            if text.trim().is_empty() {
                return Err(fail(format!("{name} is empty")));
            }
        }
        if spec.window == 0 || spec.window > MAX_WINDOW {
            return Err(fail(format!("window is {}, not in 1..={MAX_WINDOW}", spec.window)));
        }
        if let Action::Quarantine(seconds) = spec.action {
            if seconds == 0 || seconds > MAX_QUARANTINE {
                return Err(fail(format!("quarantine is {seconds}, not in 1..={MAX_QUARANTINE}")));
            }
        }
        if spec.action == Action::Reject && spec.severity != Severity::Critical {
            return Err(fail("it rejects, and only critical rules may".into()));
        }
        let both = [("fires", &spec.examples.fires), ("quiet", &spec.examples.quiet)];
        for (name, examples) in both {
            if examples.is_empty() {
                return Err(fail(format!("it has no example under `{name}`")));
            }
            let steps = |e: &Example| e.ops.is_empty() || e.ops.len() > MAX_STEPS;
            if let Some(example) = examples.iter().find(|e| steps(e)) {
                return Err(fail(format!(
                    "example `{}` has {} steps, not 1 to {MAX_STEPS}",
                    example.note,
                    example.ops.len()
                )));
            }
        }
        if spec.false_positives.is_empty() {
            return Err(fail("it names no false positives; say when it is wrong".into()));
        }
        let condition = Condition::parse(&spec.condition).map_err(|e| fail(e.to_string()))?;
        let detector = format!("rule.{}", spec.id);
        Ok(Self { detector, condition, spec })
    }

    /// What it asks for, by its status: `None` if it is not evaluated.
    #[must_use]
    pub fn action(&self) -> Option<Action> {
        match self.spec.status {
            Status::Stable => Some(self.spec.action),
            Status::Experimental => Some(Action::Alert),
            Status::Deprecated => None,
        }
    }
}
