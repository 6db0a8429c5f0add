//! Alerts in the forms that channels take.

use serde_json::{json, Map, Value};

use super::{Alert, Event, Severity};

/// A time in milliseconds since 1970, as ISO 8601 in UTC.
pub(super) fn iso(at_ms: u64) -> String {
    let (seconds, ms) = (at_ms / 1000, at_ms % 1000);
    let (hour, minute, second) = (seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
    // Days since 0000-03-01, in eras of 400 years; a year begins in March, so that leap days stand at its end.
    let days = seconds / 86_400 + 719_468;
    let (era, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let shifted = (5 * day + 2) / 153;
    let day = day - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = era * 400 + year + u64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{ms:03}Z")
}

fn severity(alert: &Alert) -> &'static str {
    match alert.severity {
        Severity::Info => "info",
        Severity::Warning => "warning",
        Severity::Critical => "critical",
    }
}

/// The title, with what it is about before it.
pub(super) fn headline(alert: &Alert) -> String {
    match alert.event {
        Event::Trigger => format!("[{}] {}", severity(alert), alert.title),
        Event::Resolve => format!("[resolved] {}", alert.title),
    }
}

/// What a webhook carries.
pub(super) fn webhook(alert: &Alert) -> Value {
    let fields: Vec<Value> =
        alert.fields.iter().map(|(name, value)| json!({ "name": name, "value": value })).collect();
    json!({
        "version": 1,
        "key": alert.key,
        "event": alert.event,
        "severity": alert.severity,
        "title": alert.title,
        "text": alert.text,
        "at_ms": alert.at_ms,
        "at": iso(alert.at_ms),
        "fields": fields,
    })
}

/// Slack reads `<!channel>` and links in what it shows.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// What Slack takes.
pub(super) fn slack(alert: &Alert) -> Value {
    let color = match (alert.event, alert.severity) {
        (Event::Resolve, _) => "#2e7d32",
        (Event::Trigger, Severity::Info) => "#607d8b",
        (Event::Trigger, Severity::Warning) => "#f9a825",
        (Event::Trigger, Severity::Critical) => "#c62828",
    };
    let field = |(name, value): &(String, String)| json!({ "title": escaped(name), "value": escaped(value), "short": value.len() < 40 });
    let fields: Vec<Value> = alert.fields.iter().map(field).collect();
    json!({
        "text": escaped(&headline(alert)),
        "attachments": [{
            "color": color,
            "fallback": escaped(&alert.title),
            "text": escaped(&alert.text),
            "fields": fields,
            "ts": alert.at_ms / 1000,
        }],
    })
}

/// What PagerDuty takes.
pub(super) fn pagerduty(alert: &Alert, key: &str) -> Value {
    let mut details = Map::new();
    details.insert("text".into(), alert.text.clone().into());
    details.extend(alert.fields.iter().map(|(name, value)| (name.clone(), value.clone().into())));
    let mut event = json!({ "routing_key": key, "dedup_key": alert.key });
    match alert.event {
        Event::Resolve => event["event_action"] = "resolve".into(),
        Event::Trigger => {
            event["event_action"] = "trigger".into();
            event["payload"] = json!({
                "summary": alert.title,
                "source": "bastion-sentinel",
                "severity": severity(alert),
                "timestamp": iso(alert.at_ms),
                "custom_details": details,
            });
        }
    }
    event
}

/// The body of a mail.
pub(super) fn mail(alert: &Alert) -> String {
    let mut out = format!("{}\n\n", headline(alert));
    if !alert.text.is_empty() {
        out.push_str(&format!("{}\n\n", alert.text));
    }
    for (name, value) in &alert.fields {
        out.push_str(&format!("{name}: {value}\n"));
    }
    out.push_str(&format!("time: {}\nkey: {}\n", iso(alert.at_ms), alert.key));
    out
}
