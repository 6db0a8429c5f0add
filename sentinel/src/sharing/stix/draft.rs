//! Objects of one's own, before they are signed.

use serde_json::{json, Map, Value};

use super::id::Id;
use super::kinds::ACCOUNT;
use super::marking::Tlp;
use super::object::Object;
use super::pattern;
use super::subject::Subject;
use super::time::Timestamp;
use crate::sharing::error::SharingError;
use crate::sharing::sign::{self, SIGNATURE_EXTENSION};

/// The extension that defines the account on a chain.
pub const ACCOUNT_EXTENSION: &str = "extension-definition--ed019e04-886a-4718-be31-5816c355f94b";

/// An indicator to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    /// Its name.
    pub name: String,
    /// Whom it is about.
    pub subjects: Vec<Subject>,
    /// How sure its maker is, from 0 to 100.
    pub confidence: u8,
    /// With whom it may be shared.
    pub tlp: Tlp,
    /// From when on it holds.
    pub valid_from: Timestamp,
    /// Until when it holds.
    pub valid_until: Option<Timestamp>,
}

/// An indicator.
///
/// # Errors
/// [`SharingError::Malformed`] for no subjects, or too many.
pub fn indicator(maker: &Id, draft: &Draft, now: Timestamp) -> Result<Value, SharingError> {
    let pattern = pattern::write(&draft.subjects);
    let pattern = pattern
        .ok_or_else(|| SharingError::malformed("an indicator", "it needs 1 to 64 subjects"))?;
    let mut object = json!({
        "type": "indicator", "spec_version": "2.1", "id": Id::random("indicator")?,
        "created_by_ref": maker, "created": now, "modified": now,
        "name": draft.name, "indicator_types": ["malicious-activity"],
        "pattern": pattern, "pattern_type": "stix", "pattern_version": "2.1",
        "valid_from": draft.valid_from, "confidence": draft.confidence,
        "object_marking_refs": [draft.tlp.marking()],
    });
    if let Some(until) = draft.valid_until {
        object["valid_until"] = json!(until);
    }
    Ok(object)
}

/// A sighting of an indicator.
///
/// # Errors
/// None today: the type's name is a good one.
pub fn sighting(
    maker: &Id,
    of: &Id,
    count: u32,
    confidence: u8,
    tlp: Tlp,
    now: Timestamp,
) -> Result<Value, SharingError> {
    Ok(json!({
        "type": "sighting", "spec_version": "2.1", "id": Id::random("sighting")?,
        "created_by_ref": maker, "created": now, "modified": now,
        "sighting_of_ref": of, "where_sighted_refs": [maker], "count": count,
        "confidence": confidence, "object_marking_refs": [tlp.marking()],
    }))
}

/// The identity of a chain's operator.
pub fn identity(id: &Id, name: &str, now: Timestamp) -> Value {
    json!({
        "type": "identity", "spec_version": "2.1", "id": id, "created_by_ref": id,
        "created": now, "modified": now, "name": name, "identity_class": "organization",
        "object_marking_refs": [Tlp::Clear.marking()],
    })
}

/// The next version of an object, without a signature. It is later than the one before in any case.
pub fn next_version(object: &Object, now: Timestamp) -> Map<String, Value> {
    let mut raw = object.raw().clone();
    sign::strip(&mut raw);
    let least = object.version().map_or(0, |version| version.micros() + 1_000);
    let modified = now.max(Timestamp::from_micros(least));
    raw.insert("modified".into(), json!(modified));
    raw
}

/// The version of an object that takes it back.
pub fn revocation(object: &Object, now: Timestamp) -> Value {
    let mut raw = next_version(object, now);
    raw.insert("revoked".into(), Value::Bool(true));
    Value::Object(raw)
}

/// An account on a chain, as an observable. Its identifier follows from address and chain.
///
/// # Errors
/// [`SharingError::Malformed`] for a subject that is no address.
pub fn account(subject: &Subject) -> Result<Value, SharingError> {
    let Subject::Evm { chain, address } = subject else {
        return Err(SharingError::malformed(subject, "it is no address of 20 bytes"));
    };
    let mut content = Map::new();
    content.insert("address".into(), json!(format!("0x{}", hex::encode(address))));
    if let Some(chain) = chain {
        content.insert("chain_id".into(), json!(chain));
    }
    let id = Id::of_content(ACCOUNT, &sign::canonical(&content)?)?;
    let mut object = json!({
        "type": ACCOUNT, "spec_version": "2.1", "id": id,
        "extensions": { ACCOUNT_EXTENSION: { "extension_type": "new-sco" } },
    });
    if let Value::Object(map) = &mut object {
        map.append(&mut content);
    }
    Ok(object)
}

/// The definitions of both extensions: the account on a chain, and the signature.
pub fn extensions(maker: &Id, now: Timestamp) -> [Value; 2] {
    let definition = |id: &str, name: &str, description: &str, schema: &str, kind: &str| {
        json!({
            "type": "extension-definition", "spec_version": "2.1", "id": id,
            "created_by_ref": maker, "created": now, "modified": now,
            "name": name, "description": description, "schema": schema, "version": "1.0.0",
            "extension_types": [kind], "object_marking_refs": [Tlp::Clear.marking()],
        })
    };
    let account = r#"{"type":"object","required":["type","id","address"],"properties":{"address":{"type":"string","pattern":"^0x[0-9a-fA-F]{40}$"},"chain_id":{"type":"integer","minimum":0}}}"#;
    let signature = r#"{"type":"object","required":["extension_type","jws"],"properties":{"extension_type":{"const":"property-extension"},"jws":{"type":"string","pattern":"^[A-Za-z0-9_-]+\\.\\.[A-Za-z0-9_-]{86}$"}},"additionalProperties":false}"#;
    [
        definition(
            ACCOUNT_EXTENSION,
            ACCOUNT,
            "An account on a chain with addresses of 20 bytes. Without chain_id it means the address on every such chain. Both properties make up the identifier.",
            account,
            "new-sco",
        ),
        definition(
            SIGNATURE_EXTENSION,
            "detached-signature",
            "A detached JWS (RFC 7515, appendix F; EdDSA with Ed25519) over the canonical form (RFC 8785) of the object without this extension.",
            signature,
            "property-extension",
        ),
    ]
}
