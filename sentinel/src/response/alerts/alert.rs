//! An alert.

use serde::{Deserialize, Serialize};

use crate::response::{Action, Decided, Outcome};

/// Most characters of a title, of a text, and of a field; most fields.
const TITLE: usize = 200;
const TEXT: usize = 4000;
const FIELD: usize = 500;
const FIELDS: usize = 24;
/// Most bytes of a key: what PagerDuty takes.
const KEY: usize = 255;

/// How urgent an alert is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Good to know.
    Info,
    /// Look at it today.
    Warning,
    /// Look at it now.
    Critical,
}

/// Whether something begins or is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// It begins, or goes on.
    Trigger,
    /// It is over.
    Resolve,
}

/// An alert.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Alert {
    /// Alerts of one key are about one thing: repetitions are dropped, and a resolve ends what a trigger of
    /// its key began.
    pub key: String,
    /// Whether it begins or is over.
    pub event: Event,
    /// How urgent it is.
    pub severity: Severity,
    /// One line.
    pub title: String,
    /// Some lines.
    pub text: String,
    /// When, in milliseconds since 1970.
    pub at_ms: u64,
    /// Names and values.
    pub fields: Vec<(String, String)>,
}

/// A text without control characters but line breaks where they are wanted, and not too long.
fn clean(text: &str, most: usize, lines: bool) -> String {
    let plain = |c: char| match c {
        '\n' if lines => c,
        // What turns the direction of writing can make a text look like another one.
        c if c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}') => {
            ' '
        }
        c => c,
    };
    let mut out: String = text.chars().take(most).map(plain).collect();
    if text.chars().nth(most).is_some() {
        out.push('…');
    }
    out
}

impl Alert {
    /// The same, with all texts cut to their bounds and without control characters. What an alert shows comes
    /// in part from whoever attacks.
    #[must_use]
    pub fn bounded(&self) -> Self {
        let field = |(name, value): &(String, String)| {
            (clean(name, FIELD, false), clean(value, FIELD, false))
        };
        let key = clean(&self.key, KEY, false).trim_end_matches('…').to_owned();
        Self {
            key: key[..key.floor_char_boundary(KEY)].to_owned(),
            title: clean(&self.title, TITLE, false),
            text: clean(&self.text, TEXT, true),
            fields: self.fields.iter().take(FIELDS).map(field).collect(),
            ..*self
        }
    }
}

/// The alerts that decisions about a finding ask for, with their channels. Each lists what else its playbook
/// decided. It is critical if something severe is done or asked of a person.
#[must_use]
pub fn alerts_of(decided: &[Decided]) -> Vec<(String, Alert)> {
    let mut out = Vec::new();
    for this in decided {
        let (Action::Alert { channel }, Outcome::Do) = (&this.action, this.outcome) else {
            continue;
        };
        let same =
            decided.iter().filter(|d| d.playbook == this.playbook && d.subject == this.subject);
        let others: Vec<&Decided> =
            same.filter(|d| !matches!(d.action, Action::Alert { .. })).collect();
        let asks = others.iter().any(|d| d.outcome.asks_person());
        let severe = others.iter().any(|d| d.action.is_severe() && d.outcome == Outcome::Do);
        let lines: Vec<String> =
            others.iter().map(|d| format!("{}: {}", d.action, d.outcome.text())).collect();
        let mut fields = vec![
            ("detector".to_owned(), this.finding.detector.clone()),
            ("score".to_owned(), this.finding.score.to_string()),
        ];
        fields
            .extend(this.finding.operation.map(|hash| ("operation".to_owned(), hex::encode(hash))));
        fields.extend(this.finding.evidence.iter().cloned());
        let question = if asks { "a person is needed: " } else { "" };
        let alert = Alert {
            key: format!("{}/{}", this.playbook, this.subject),
            event: Event::Trigger,
            severity: if asks || severe { Severity::Critical } else { Severity::Warning },
            title: format!("{question}{} on {}", this.playbook, this.subject),
            text: lines.join("\n"),
            at_ms: this.at_ms,
            fields,
        };
        out.push((channel.clone(), alert.bounded()));
    }
    out
}
