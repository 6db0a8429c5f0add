use std::path::Path;
use std::time::Duration;

use tokio::runtime::Handle;

use super::*;
use crate::response::ResponseError;

mod forms;
mod http;
mod mail;

const T: u64 = 1_700_000_000_123;
const SECRET: &str = "s3cr3t-of-the-channel";

fn alert(key: &str) -> Alert {
    Alert {
        key: key.into(),
        event: Event::Trigger,
        severity: Severity::Warning,
        title: "drain on account 7".into(),
        text: "freeze account 7 for 60 s: done".into(),
        at_ms: T,
        fields: vec![("detector".into(), "rule.drain".into())],
    }
}

fn patience() -> Patience {
    Patience {
        attempts: 3,
        first: Duration::from_millis(5),
        longest: Duration::from_millis(50),
        timeout: Duration::from_secs(2),
    }
}

/// A file with the secret.
fn secret_file(folder: &Path, text: &str) -> SecretSource {
    let path = folder.join("secret");
    std::fs::write(&path, text).unwrap();
    SecretSource::File(path)
}

fn channel(name: &str, to: Target) -> ChannelConfig {
    ChannelConfig { name: name.into(), to, per_minute: 600, quiet: 300, queue: 16 }
}

fn start(to: Target) -> (Alerts, Deliveries) {
    let config = AlertsConfig { channel: vec![channel("ops", to)] };
    Alerts::start(&config, patience(), &Handle::current()).unwrap()
}

#[tokio::test]
async fn a_feed_reaches_whoever_listens() {
    let (alerts, deliveries) = start(Target::Feed {});
    assert_eq!(alerts.send("ops", &alert("a")).unwrap(), Sent::Queued, "nobody listens yet");
    let (mut one, mut two) = (alerts.subscribe(), alerts.subscribe());
    alerts.send("ops", &alert("b")).unwrap();
    assert_eq!(one.recv().await.unwrap().key, "b");
    assert_eq!(two.recv().await.unwrap().key, "b");
    assert_eq!(alerts.send("ops", &alert("b")).unwrap(), Sent::Repeated);
    assert!(matches!(alerts.send("else", &alert("b")), Err(ResponseError::UnknownChannel { .. })));
    // One who is too slow is told how many are missing.
    for i in 0..400 {
        alerts.send("ops", &Alert { at_ms: T + i, ..alert(&format!("k{i}")) }).unwrap();
    }
    assert!(matches!(one.recv().await, Err(tokio::sync::broadcast::error::RecvError::Lagged(_))));
    assert!(deliveries.finish(Duration::from_secs(5)).await);
}

#[test]
fn secrets_come_from_files_and_are_never_shown() {
    let folder = tempfile::tempdir().unwrap();
    let source = secret_file(folder.path(), &format!("{SECRET}\r\n"));
    let secret = source.read().unwrap();
    assert_eq!(secret.reveal(), SECRET);
    assert_eq!(format!("{secret:?}"), "Secret(..)");
    for (text, expected) in [
        ("", "empty"),
        ("\n\n", "empty"),
        ("one\ntwo", "several lines"),
        ("a\u{1}b", "control"),
        (&"x".repeat(5000), "longer"),
    ] {
        let error = secret_file(folder.path(), text).read().unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
    std::fs::write(folder.path().join("secret"), [0xff, 0xfe]).unwrap();
    assert!(source.read().is_err());
    assert!(SecretSource::File(folder.path().join("none")).read().is_err());
    let none = SecretSource::Env("BASTION_NO_SUCH_VARIABLE".into()).read().unwrap_err().to_string();
    assert!(none.contains("$BASTION_NO_SUCH_VARIABLE"), "{none}");
    assert!(SecretSource::Env("CARGO_MANIFEST_DIR".into()).read().is_ok());
}

const CONFIG: &str = r#"
[[channel]]
name = "oncall"
to = { kind = "pagerduty", key = { env = "KEY" } }
per-minute = 5

[[channel]]
name = "chat"
to = { kind = "slack", url = { file = "/run/secrets/slack" } }

[[channel]]
name = "ops"
to = { kind = "webhook", url = "https://ops.example/hook", secret = { env = "HOOK" } }
quiet = 60
queue = 10

[[channel]]
name = "mail"
to = { kind = "mail", host = "mail.example", port = 587, tls = "starttls", from = "a@example.org", to = ["b@example.org"], user = "u", password = { env = "P" } }

[[channel]]
name = "page"
to = { kind = "feed" }
"#;

#[test]
fn a_configuration_is_read_strictly() {
    let config = AlertsConfig::parse(CONFIG).unwrap();
    assert_eq!(config.names(), ["chat", "mail", "oncall", "ops", "page"].into());
    assert_eq!((config.channel[0].per_minute, config.channel[0].quiet), (5, 300));
    for (from, to, expected) in [
        ("per-minute = 5", "per-minute = 0", "per-minute is 0"),
        ("per-minute = 5", "per-minute = 601", "per-minute is 601"),
        ("quiet = 60", "quiet = 86401", "quiet is 86401"),
        ("queue = 10", "queue = 0", "queue is 0"),
        ("queue = 10", "queue = 10001", "queue is 10001"),
        ("name = \"page\"", "name = \"ops\"", "two channels"),
        ("name = \"page\"", "name = \"The Page\"", "a name has"),
        ("https://ops", "http://ops", "must begin with https://"),
        ("https://ops", "ftp://ops", "must begin with https://"),
        ("https://ops", "https://user:pass@ops", "no user"),
        ("https://ops.example/hook", "nonsense", "does not parse"),
        ("tls = \"starttls\"", "tls = \"none\"", "this machine alone"),
        ("to = [\"b@example.org\"]", "to = []", "0 receivers"),
        (", user = \"u\"", "", "belong together"),
        ("kind = \"feed\"", "kind = \"fax\"", "unknown variant"),
        ("kind = \"feed\"", "kind = \"feed\", x = 1", "unknown field"),
        ("{ env = \"KEY\" }", "\"literal-secret\"", "channels"),
    ] {
        assert!(CONFIG.contains(from), "{from}");
        let error = AlertsConfig::parse(&CONFIG.replace(from, to)).unwrap_err().to_string();
        assert!(error.contains(expected), "{to}: {error}");
    }
    for local in ["http://localhost:9/x", "http://127.0.0.1:9", "http://[::1]:9/"] {
        AlertsConfig::parse(&CONFIG.replace("https://ops.example/hook", local)).unwrap();
    }
}

#[test]
fn the_first_playbooks_fit_such_channels() {
    let config = AlertsConfig::parse(CONFIG).unwrap();
    let playbooks = crate::response::Playbooks::builtin().unwrap();
    assert!(playbooks.channels().is_subset(&config.names()));
}
