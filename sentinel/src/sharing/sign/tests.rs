use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use base64::Engine as _;
use serde_json::{json, Value};

use super::*;
use crate::sharing::stix::{draft, Object, Timestamp};

const MAKER: &str = "identity--f431f809-377b-45e0-aa1c-6a4751cae5ff";

fn signer(seed: u8) -> Signer {
    Signer::new(MAKER.parse().unwrap(), &[seed; 32]).unwrap()
}

fn identity() -> Value {
    draft::identity(&MAKER.parse().unwrap(), "A", Timestamp::from_seconds(1_800_000_000))
}

fn holds(object: &Object, key: PublicKey) -> bool {
    object.signature().unwrap().made_by(&object.content(), &[key]) == Some(key)
}

/// The examples of RFC 8785, sections 3.2.2 to 3.2.4, and the numbers of its appendix B.
#[test]
fn canonical_form_is_that_of_rfc_8785() {
    let form = |text: &str| {
        let Value::Object(map) = serde_json::from_str(text).unwrap() else { panic!("{text}") };
        String::from_utf8(canonical(&map).unwrap()).unwrap()
    };
    let input = r#"{"numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
        "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/", "literals": [null, true, false]}"#;
    let hex_of_section_3_2_4 = "7b226c69746572616c73223a5b6e756c6c2c747275652c66616c73655d2c226e756d62657273223a5b3333333333333333332e333333333333332c31652b33302c342e352c302e3030322c31652d32375d2c22737472696e67223a22e282ac245c75303030665c6e4127425c225c5c5c5c5c222f227d";
    assert_eq!(hex::encode(form(input)), hex_of_section_3_2_4);
    let keys = r#"{"\u20ac":1,"\r":2,"\ufb33":3,"1":4,"\ud83d\ude00":5,"\u0080":6,"\u00f6":7}"#;
    assert_eq!(
        form(keys),
        "{\"\\r\":2,\"1\":4,\"\u{80}\":6,\"\u{f6}\":7,\"\u{20ac}\":1,\"\u{1f600}\":5,\"\u{fb33}\":3}"
    );
    for (bits, written) in [
        (0x0000_0000_0000_0000_u64, "0"),
        (0x8000_0000_0000_0000, "0"),
        (0x0000_0000_0000_0001, "5e-324"),
        (0x7fef_ffff_ffff_ffff, "1.7976931348623157e+308"),
        (0x4340_0000_0000_0000, "9007199254740992"),
        (0x4430_0000_0000_0000, "295147905179352830000"),
        (0x44b5_2d02_c7e1_4af5, "9.999999999999997e+22"),
        (0x44b5_2d02_c7e1_4af6, "1e+23"),
        (0x444b_1ae4_d6e2_ef4f, "999999999999999900000"),
        (0x444b_1ae4_d6e2_ef50, "1e+21"),
        (0x3eb0_c6f7_a0b5_ed8d, "0.000001"),
        (0x41b3_de43_5555_5553, "333333333.3333332"),
        (0x41b3_de43_5555_5555, "333333333.3333333"),
        (0xbecb_f647_612f_3696, "-0.0000033333333333333333"),
    ] {
        let mut map = Map::new();
        map.insert("n".into(), json!(f64::from_bits(bits)));
        let form = String::from_utf8(canonical(&map).unwrap()).unwrap();
        assert_eq!(form, format!("{{\"n\":{written}}}"));
    }
}

#[test]
fn a_signature_holds_and_is_left_out_of_what_it_signs() {
    let signer = signer(1);
    let plain = Object::from_value(identity()).unwrap();
    let signed = signer.sign(identity()).unwrap();
    assert_eq!(signed.content(), plain.content());
    assert_eq!(signed.signature().unwrap().signer(), signer.identity());
    assert!(holds(&signed, signer.public()));
    // Other order and other spaces mean the same.
    let text = serde_json::to_string_pretty(signed.raw()).unwrap();
    assert!(holds(&Object::parse(text.as_bytes()).unwrap(), signer.public()));
    // Other extensions are signed, and stay.
    let mut other = identity();
    other["extensions"] = json!({ "x-ext": { "a": 1 } });
    let signed = signer.sign(other.clone()).unwrap();
    assert_eq!(signed.content(), Object::from_value(other).unwrap().content());
    assert!(holds(&signed, signer.public()));
}

#[test]
fn whatever_is_changed_breaks_it() {
    let (signer, other) = (signer(1), self::signer(2));
    let signed = signer.sign(identity()).unwrap();
    assert!(!holds(&signed, other.public()));
    for (key, value) in [
        ("name", json!("B")),
        ("x_more", json!(1)),
        ("modified", json!("2027-01-15T08:00:01.000Z")),
    ] {
        let mut raw = signed.raw().clone();
        raw.insert(key.into(), value);
        let changed = Object::from_value(Value::Object(raw)).unwrap();
        assert!(!holds(&changed, signer.public()), "{key}");
    }
}

/// No byte of a signed object can be another.
#[test]
fn every_byte_is_covered() {
    let signer = signer(1);
    let text = serde_json::to_vec(signer.sign(identity()).unwrap().raw()).unwrap();
    for at in 0..text.len() {
        let mut changed = text.clone();
        changed[at] ^= 1;
        if let Ok(object) = Object::parse(&changed) {
            let holds = object.signature().is_some() && holds(&object, signer.public());
            assert!(!holds, "{at}: {}", String::from_utf8_lossy(&changed));
        }
    }
}

#[test]
fn other_headers_are_refused() {
    let signer = signer(1);
    let signed = signer.sign(identity()).unwrap();
    let jws = signed.raw()["extensions"][SIGNATURE_EXTENSION]["jws"].as_str().unwrap();
    let (_, signature) = jws.split_once("..").unwrap();
    let with =
        |header: Value| format!("{}..{signature}", URL_SAFE_NO_PAD.encode(header.to_string()));
    let full = with(json!({"alg": "EdDSA", "kid": MAKER, "typ": "stix+jws"}));
    for bad in [
        with(json!({"alg": "none", "kid": MAKER, "typ": "stix+jws"})),
        with(json!({"alg": "HS256", "kid": MAKER, "typ": "stix+jws"})),
        with(json!({"alg": "EdDSA", "kid": MAKER, "typ": "JWT"})),
        with(json!({"alg": "EdDSA", "kid": MAKER})),
        with(
            json!({"alg": "EdDSA", "typ": "stix+jws", "kid": "indicator--f431f809-377b-45e0-aa1c-6a4751cae5ff"}),
        ),
        with(
            json!({"alg": "EdDSA", "kid": MAKER, "typ": "stix+jws", "crit": ["b64"], "b64": false}),
        ),
        full.replace("..", ".e30."),
        full.replace("..", "."),
        format!("{full}="),
        full[..full.len() - 2].to_owned(),
        String::new(),
    ] {
        let mut raw = signed.raw().clone();
        raw["extensions"][SIGNATURE_EXTENSION]["jws"] = json!(bad);
        let error = Object::from_value(Value::Object(raw)).unwrap_err();
        assert!(matches!(error, SharingError::Signature { .. }), "{bad}: {error}");
    }
}

#[test]
fn nobody_signs_for_another() {
    let stranger = "identity--00000000-0000-4000-8000-000000000001".parse().unwrap();
    let signer = Signer::new(stranger, &[1; 32]).unwrap();
    assert!(signer.sign(identity()).is_err());
}

#[test]
fn weak_keys_are_refused() {
    assert!(PublicKey::new([0; 32]).is_err());
    let mut one = [0; 32];
    one[0] = 1;
    assert!(PublicKey::new(one).is_err());
    assert!(PublicKey::new(*signer(1).public().bytes()).is_ok());
    assert!(serde_json::from_value::<PublicKey>(json!("00")).is_err());
}

/// RFC 8032, section 7.1, test 1: the key behind a signer is the one that the secret gives.
#[test]
fn keys_are_those_of_rfc_8032() {
    let mut secret = [0; 32];
    let text = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60";
    hex::decode_to_slice(text, &mut secret).unwrap();
    let signer = Signer::new(MAKER.parse().unwrap(), &secret).unwrap();
    let public = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
    assert_eq!(signer.public().to_string(), public);
}
