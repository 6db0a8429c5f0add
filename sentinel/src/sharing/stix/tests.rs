use serde_json::{json, Value};

use super::{bundle, draft, Kind, Object, Subject, Timestamp, Tlp, MOST_OBJECT};
use crate::sharing::error::SharingError;

const ID: &str = "indicator--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f";
const MAKER: &str = "identity--f431f809-377b-45e0-aa1c-6a4751cae5ff";

fn indicator() -> Value {
    json!({
        "type": "indicator", "spec_version": "2.1", "id": ID, "created_by_ref": MAKER,
        "created": "2026-01-01T00:00:00.000Z", "modified": "2026-01-02T00:00:00.000Z",
        "pattern": "[cryptocurrency-wallet:value = 'bc1q']", "pattern_type": "stix",
        "valid_from": "2026-01-01T00:00:00Z", "x_unknown": { "kept": [1, 2.5] },
    })
}

fn with(key: &str, value: Value) -> Value {
    let mut object = indicator();
    object[key] = value;
    object
}

fn without(key: &str) -> Value {
    let mut object = indicator();
    object.as_object_mut().unwrap().remove(key);
    object
}

#[test]
fn an_indicator_is_read_and_kept_whole() {
    let object = Object::from_value(indicator()).unwrap();
    assert_eq!(Value::Object(object.raw().clone()), indicator());
    assert_eq!(object.version().unwrap().to_string(), "2026-01-02T00:00:00.000Z");
    let Kind::Indicator(read) = object.kind() else { panic!("{:?}", object.kind()) };
    assert_eq!(read.subjects, [Subject::Wallet("bc1q".into())]);
    assert!(!object.revoked() && object.signature().is_none());
}

#[test]
fn an_unknown_kind_is_kept() {
    let malware = json!({
        "type": "malware", "spec_version": "2.1", "id": "malware--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f",
        "created": "2026-01-01T00:00:00Z", "modified": "2026-01-01T00:00:00Z", "is_family": false,
    });
    let object = Object::from_value(malware.clone()).unwrap();
    assert_eq!(object.kind(), &Kind::Other);
    assert_eq!(Value::Object(object.raw().clone()), malware);
}

#[test]
fn what_the_standard_does_not_allow_is_refused() {
    for bad in [
        json!([]),
        json!({}),
        without("type"),
        without("spec_version"),
        without("created"),
        without("modified"),
        without("pattern"),
        without("pattern_type"),
        without("valid_from"),
        with("type", json!("sighting")),
        with("id", json!("indicator--1")),
        with("id", json!(7)),
        with("spec_version", json!("2.0")),
        with("created", json!("2026-01-03T00:00:00Z")),
        with("created", json!("yesterday")),
        with("modified", json!("2026-01-02 00:00:00Z")),
        with("valid_until", json!("2026-01-01T00:00:00Z")),
        with("confidence", json!(101)),
        with("confidence", json!(-1)),
        with("confidence", json!(1.5)),
        with("revoked", json!("true")),
        with("created_by_ref", json!(ID)),
        with("object_marking_refs", json!([])),
        with("object_marking_refs", json!([MAKER])),
        with("object_marking_refs", json!([1])),
        with("extensions", json!({})),
        with("extensions", json!([1])),
        with("pattern", json!("")),
        with("pattern", json!("x".repeat(9_000))),
        with("x_big", json!(1_u64 << 60)),
    ] {
        let error = Object::from_value(bad.clone()).unwrap_err();
        assert!(matches!(error, SharingError::Malformed { .. }), "{bad}: {error}");
    }
}

#[test]
fn size_is_bounded() {
    let error = Object::from_value(with("x", json!("x".repeat(MOST_OBJECT)))).unwrap_err();
    assert!(matches!(error, SharingError::TooLarge { .. }), "{error}");
    let error = Object::parse(&vec![b' '; 4 * MOST_OBJECT]).unwrap_err();
    assert!(matches!(error, SharingError::TooLarge { .. }), "{error}");
}

#[test]
fn sightings_are_checked() {
    let now = Timestamp::from_seconds(1_800_000_000);
    let maker = MAKER.parse().unwrap();
    let good = draft::sighting(&maker, &ID.parse().unwrap(), 2, 80, Tlp::Green, now).unwrap();
    assert!(matches!(Object::from_value(good.clone()).unwrap().kind(), Kind::Sighting(_)));
    for (key, value) in [
        ("count", json!(1_000_000_000)),
        ("count", json!(-1)),
        ("sighting_of_ref", json!("x")),
        ("last_seen", json!("x")),
        ("where_sighted_refs", json!(vec![MAKER; 65])),
    ] {
        let mut bad = good.clone();
        bad[key] = value;
        assert!(Object::from_value(bad).is_err(), "{key}");
    }
}

#[test]
fn the_strictest_marking_counts() {
    let amber = Tlp::Amber.marking();
    let red = Tlp::Red.marking();
    let own = "marking-definition--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f";
    let tlp = |object: Value| Object::from_value(object).unwrap().tlp(Tlp::Green, |_| false);
    assert_eq!(tlp(indicator()), Tlp::Green);
    assert_eq!(tlp(with("object_marking_refs", json!([amber]))), Tlp::Amber);
    assert_eq!(tlp(with("object_marking_refs", json!([amber, red]))), Tlp::Red);
    let part = json!([{ "marking_ref": red, "selectors": ["pattern"] }]);
    assert_eq!(tlp(with("granular_markings", part)), Tlp::Red);
    let unknown = with("object_marking_refs", json!([own]));
    assert_eq!(tlp(unknown.clone()), Tlp::Red);
    assert_eq!(Object::from_value(unknown).unwrap().tlp(Tlp::Green, |_| true), Tlp::Green);
}

#[test]
fn what_is_said_to_be_harmless_is_not_acted_on() {
    for harmless in
        [with("indicator_types", json!(["benign"])), with("pattern_type", json!("snort"))]
    {
        let object = Object::from_value(harmless).unwrap();
        assert!(matches!(object.kind(), Kind::Indicator(i) if i.subjects.is_empty()));
    }
}

#[test]
fn own_objects_are_valid() {
    let now = Timestamp::from_seconds(1_800_000_000);
    let maker = MAKER.parse().unwrap();
    let subject = Subject::Evm { chain: Some(1), address: [7; 20] };
    for definition in draft::extensions(&maker, now) {
        assert!(matches!(Object::from_value(definition).unwrap().kind(), Kind::Extension(_)));
    }
    let account = draft::account(&subject).unwrap();
    assert_eq!(account["id"], draft::account(&subject).unwrap()["id"]);
    assert!(matches!(Object::from_value(account).unwrap().kind(), Kind::Account(_)));
    assert!(draft::account(&Subject::Wallet("x".into())).is_err());
    assert!(Object::from_value(draft::identity(&maker, "A", now)).is_ok());
    let first = Object::from_value(indicator()).unwrap();
    let last = Object::from_value(draft::revocation(&first, Timestamp::ZERO)).unwrap();
    assert!(last.revoked() && last.version() > first.version());
}

#[test]
fn bundles_are_read_and_written() {
    let bundle = bundle::write(vec![indicator()]).unwrap();
    let bytes = serde_json::to_vec(&bundle).unwrap();
    assert_eq!(bundle::read(&bytes).unwrap(), [indicator()]);
    assert!(bundle::read(br#"{"type":"bundle","objects":[]}"#).is_err());
    let many = json!({ "objects": vec![0; 1_001] }).to_string();
    let error = bundle::envelope(many.as_bytes()).unwrap_err();
    assert!(matches!(error, SharingError::TooLarge { .. }), "{error}");
}
