//! Reading playbooks from TOML.

use std::collections::BTreeSet;

use bastion_protocol::Token;
use serde::Deserialize;

use super::{
    Glob, On, Playbook, Source, Step, When, MAX_COUNT, MAX_FREEZE, MAX_PLAYBOOKS, MAX_QUARANTINE,
    MAX_WITHIN,
};
use crate::response::ResponseError;

/// Most bytes of a file.
const MAX_TEXT: usize = 1 << 20;
/// Most steps of a playbook.
const MAX_STEPS: usize = 16;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileText {
    #[serde(default)]
    playbook: Vec<PlaybookText>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct PlaybookText {
    name: String,
    when: WhenText,
    r#do: Vec<StepText>,
    #[serde(default)]
    dry_run: bool,
    #[serde(default)]
    needs_person: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct WhenText {
    detector: Option<String>,
    family: Option<String>,
    score: u16,
    count: Option<u32>,
    within: Option<u64>,
    on: On,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct StepText {
    quarantine: Option<u64>,
    freeze: Option<u64>,
    tighten: Option<TightenText>,
    pause_commits: Option<bool>,
    alert: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TightenText {
    token: Option<Token>,
    percent: u8,
}

/// Whether a text is a name of ours: short, of lower-case letters, digits, dots and dashes.
fn is_name(text: &str, more: &str) -> bool {
    let good = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || more.contains(c);
    !text.is_empty() && text.len() <= 64 && text.chars().all(good)
}

pub(super) fn parse(text: &str) -> Result<Vec<Playbook>, ResponseError> {
    let fail = |why: String| ResponseError::Toml { why };
    if text.len() > MAX_TEXT {
        return Err(fail(format!("it has {} bytes, of {MAX_TEXT} at most", text.len())));
    }
    let file: FileText = toml::from_str(text).map_err(|e| fail(e.to_string()))?;
    if file.playbook.len() > MAX_PLAYBOOKS {
        return Err(fail(format!("{} playbooks, of {MAX_PLAYBOOKS} at most", file.playbook.len())));
    }
    let mut names = BTreeSet::new();
    let mut list = Vec::new();
    for raw in file.playbook {
        let name = raw.name.clone();
        let wrong = |why: String| ResponseError::Playbook { playbook: name.clone(), why };
        if !is_name(&name, "-") {
            return Err(wrong("a name has 1 to 64 lower-case letters, digits and dashes".into()));
        }
        if !names.insert(name.clone()) {
            return Err(wrong("two playbooks have this name".into()));
        }
        list.push(playbook(raw).map_err(wrong)?);
    }
    Ok(list)
}

fn playbook(raw: PlaybookText) -> Result<Playbook, String> {
    let when = when(raw.when)?;
    if raw.r#do.is_empty() || raw.r#do.len() > MAX_STEPS {
        return Err(format!("`do` has {} steps, but must have 1 to {MAX_STEPS}", raw.r#do.len()));
    }
    let steps = raw.r#do.into_iter().map(|s| step(s, when.on)).collect::<Result<Vec<_>, _>>()?;
    if (1..steps.len()).any(|i| steps[..i].contains(&steps[i])) {
        return Err("`do` has a step twice".into());
    }
    let alerts = steps.iter().any(|s| matches!(s, Step::Alert(_)));
    let severe =
        |s: &Step| matches!(s, Step::Freeze(_) | Step::Tighten { .. } | Step::PauseCommits);
    if !alerts && (raw.needs_person || steps.iter().any(severe)) {
        return Err("nobody would be told: add a step { alert = \"channel\" }".into());
    }
    let (dry_run, needs_person) = (raw.dry_run, raw.needs_person);
    Ok(Playbook { name: raw.name, when, steps, dry_run, needs_person })
}

fn within<T: PartialOrd + std::fmt::Display>(
    what: &str,
    value: T,
    least: T,
    most: T,
) -> Result<T, String> {
    match value >= least && value <= most {
        true => Ok(value),
        false => Err(format!("{what} is {value}, but must be from {least} to {most}")),
    }
}

fn when(raw: WhenText) -> Result<When, String> {
    let source = match (raw.detector, raw.family) {
        (Some(glob), None) if is_name(&glob, ".-_*") => Source::Detector(Glob::new(&glob)),
        (None, Some(family)) if is_name(&family, "-_") => Source::Family(family),
        (Some(_), Some(_)) | (None, None) => {
            return Err("`when` needs either `detector` or `family`".into())
        }
        (Some(name), None) | (None, Some(name)) => {
            return Err(format!(
                "`{name}` can match no detector: names have lower-case letters, digits, - _ ."
            ))
        }
    };
    let count = within("count", raw.count.unwrap_or(1), 1, MAX_COUNT)?;
    let seconds = match (count, raw.within) {
        (1, None) => 1,
        (_, Some(seconds)) => within("within", seconds, 1, MAX_WITHIN)?,
        (_, None) => return Err(format!("{count} findings need `within`, in seconds")),
    };
    let score = within("score", raw.score, 0, 1000)?;
    Ok(When { source, score, count, within: seconds, on: raw.on })
}

fn step(raw: StepText, on: On) -> Result<Step, String> {
    let StepText { quarantine, freeze, tighten, pause_commits, alert } = raw;
    let mut found = Vec::new();
    if let Some(seconds) = quarantine {
        found.push(Step::Quarantine(within("quarantine", seconds, 1, MAX_QUARANTINE)?));
    }
    if let Some(seconds) = freeze {
        if on != On::Account {
            return Err("a freeze needs on = \"account\"".into());
        }
        found.push(Step::Freeze(within("freeze", seconds, 1, MAX_FREEZE)?));
    }
    if let Some(TightenText { token, percent }) = tighten {
        if token.is_none() && on != On::Token {
            return Err("tighten needs `token`, or on = \"token\"".into());
        }
        found.push(Step::Tighten { token, percent: within("percent", percent, 1, 99)? });
    }
    match pause_commits {
        Some(true) => found.push(Step::PauseCommits),
        Some(false) => return Err("pause-commits = false does nothing: leave it out".into()),
        None => {}
    }
    if let Some(channel) = alert {
        if !is_name(&channel, "-") {
            return Err(format!(
                "`{channel}` is no name of a channel: use lower-case letters, digits and dashes"
            ));
        }
        found.push(Step::Alert(channel));
    }
    match (found.pop(), found.is_empty()) {
        (Some(step), true) => Ok(step),
        (Some(_), false) => Err("a step does one thing: write { .. }, { .. }".into()),
        (None, _) => Err("a step is empty".into()),
    }
}
