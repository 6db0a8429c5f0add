//! Forms, texts and signatures, without a network.

use proptest::prelude::*;

use super::*;
use crate::response::alerts::form;
use crate::response::{Budget, Engine, Finding, Playbooks};

#[test]
fn times_are_iso_8601() {
    for (ms, text) in [
        (0, "1970-01-01T00:00:00.000Z"),
        (951_782_400_000, "2000-02-29T00:00:00.000Z"),
        (1_700_000_000_123, "2023-11-14T22:13:20.123Z"),
        (4_107_542_399_999, "2100-02-28T23:59:59.999Z"),
        (4_107_542_400_000, "2100-03-01T00:00:00.000Z"),
    ] {
        assert_eq!(form::iso(ms), text);
    }
}

#[test]
fn an_alert_lists_what_its_playbook_decided() {
    let mut engine = Engine::new(Playbooks::builtin().unwrap(), Budget::default()).unwrap();
    let finding = Finding {
        detector: "rule.drain-to-l1".into(),
        score: 950,
        account: Some(7),
        token: Some(1),
        operation: Some([9; 32]),
        evidence: vec![("amount".into(), "100".into())],
    };
    let [(channel, first)] = &alerts_of(&engine.on_finding(&finding, T))[..] else { panic!() };
    assert_eq!((channel.as_str(), first.severity), ("oncall", Severity::Critical));
    assert_eq!(first.key, "drain/account 7");
    assert_eq!(
        first.text,
        "hold the operation for 1800 s: done\nfreeze account 7 for 3600 s: done"
    );
    assert!(first.fields.contains(&("amount".into(), "100".into())));
    let [(_, second)] = &alerts_of(&engine.on_finding(&finding, T + 1))[..] else { panic!() };
    assert!(second.text.contains("not repeated so soon"));
    assert_eq!(second.severity, Severity::Warning);

    let mut none = Engine::new(
        Playbooks::builtin().unwrap(),
        Budget { freezes_per_hour: 0, ..Budget::default() },
    );
    let [(_, asks)] = &alerts_of(&none.as_mut().unwrap().on_finding(&finding, T))[..] else {
        panic!()
    };
    assert!(asks.title.starts_with("a person is needed: drain"), "{}", asks.title);
    assert_eq!(asks.severity, Severity::Critical);
}

#[test]
fn slack_reads_no_commands_in_foreign_text() {
    let mut alert = alert("a");
    alert.title = "<!channel> & <https://evil|click>".into();
    alert.fields = vec![("<b>".into(), "<!here>".into())];
    let text = form::slack(&alert).to_string();
    assert!(!text.contains('<') && !text.contains("!here>"), "{text}");
    assert!(text.contains("&lt;!channel&gt; &amp; &lt;https://evil|click&gt;"));
}

#[test]
fn pagerduty_triggers_and_resolves_by_key() {
    let trigger = form::pagerduty(&alert("a"), "routing");
    assert_eq!(trigger["event_action"], "trigger");
    assert_eq!((&trigger["dedup_key"], &trigger["routing_key"]), (&"a".into(), &"routing".into()));
    assert_eq!(trigger["payload"]["severity"], "warning");
    assert_eq!(trigger["payload"]["timestamp"], "2023-11-14T22:13:20.123Z");
    let resolve = form::pagerduty(&Alert { event: Event::Resolve, ..alert("a") }, "routing");
    assert_eq!(resolve["event_action"], "resolve");
    assert!(resolve.get("payload").is_none());
}

#[test]
fn a_signature_is_of_one_secret_time_and_body() {
    let secret = Secret::new(SECRET);
    let signature = sign(&secret, 1000, b"body").unwrap();
    // Python: hmac.new(b"s3cr3t-of-the-channel", b"1000.body", hashlib.sha256).hexdigest()
    assert_eq!(signature, "v1=f5020b0f019c7c7ae5a75396e5b0e54043a1669e0eb08d5a441ad4b72a8dca63");
    let ok =
        |time: &str, body: &[u8], signature: &str, now| verify(&secret, time, body, signature, now);
    ok("1000", b"body", &signature, 1000).unwrap();
    ok("1000", b"body", &signature, 1300).unwrap();
    ok("1000", b"body", &signature, 700).unwrap();
    assert!(ok("1000", b"body", &signature, 1301).is_err());
    assert!(ok("1000", b"body", &signature, 699).is_err());
    assert!(ok("1001", b"body", &signature, 1000).is_err());
    assert!(ok("01000", b"body", &signature, 1000).is_err());
    assert!(ok("+1000", b"body", &signature, 1000).is_err());
    assert!(ok("now", b"body", &signature, 1000).is_err());
    assert!(ok("1000", b"bodY", &signature, 1000).is_err());
    assert!(ok("1000", b"body", &signature[3..], 1000).is_err());
    assert!(ok("1000", b"body", "v1=", 1000).is_err());
    assert!(ok("1000", b"body", "v1=zz", 1000).is_err());
    assert!(ok("1000", b"body", &signature[..signature.len() - 2], 1000).is_err());
    assert!(verify(&Secret::new("other"), "1000", b"body", &signature, 1000).is_err());
}

proptest! {
    #[test]
    fn texts_are_bounded_and_have_no_control_characters(title in ".{0,400}", text in "(?s).{0,600}", key in ".{0,300}") {
        let long = Alert { title, text, key, fields: vec![("a\r\nb".into(), "x".repeat(9999)); 99], ..alert("") };
        let short = long.bounded();
        prop_assert!(short.title.chars().count() <= 201 && !short.title.contains(char::is_control));
        prop_assert!(!short.text.chars().any(|c| c.is_control() && c != '\n'));
        prop_assert!(short.key.len() <= 255);
        prop_assert!(short.fields.len() == 24 && short.fields[0].0 == "a  b");
        prop_assert!(short.fields[0].1.chars().count() <= 501);
    }
}
