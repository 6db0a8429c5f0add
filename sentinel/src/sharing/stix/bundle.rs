//! Several objects: a bundle of STIX, or an envelope of TAXII. Each object is judged on its own.

use serde_json::{json, Map, Value};

use super::id::Id;
use super::json as strict;
use crate::sharing::error::SharingError;

/// Objects of a bundle or an envelope at most.
pub const MOST_OBJECTS: usize = 1_000;

/// The objects of a bundle.
///
/// # Errors
/// [`SharingError::Malformed`] for what is no bundle; [`SharingError::TooLarge`] for too many objects.
pub fn read(bytes: &[u8]) -> Result<Vec<Value>, SharingError> {
    let mut bundle = whole(strict::read(bytes)?, "a bundle")?;
    let id = bundle.get("id").and_then(Value::as_str).unwrap_or_default().parse::<Id>()?;
    if id.kind() != "bundle" || bundle.get("type").and_then(Value::as_str) != Some("bundle") {
        return Err(SharingError::malformed(id, "its type must be bundle"));
    }
    objects(&mut bundle, id.as_str())
}

/// The objects of an envelope, and the rest of it.
///
/// # Errors
/// As [`read`].
pub fn envelope(bytes: &[u8]) -> Result<(Vec<Value>, Map<String, Value>), SharingError> {
    let mut envelope = whole(strict::read(bytes)?, "the envelope")?;
    let objects = objects(&mut envelope, "the envelope")?;
    Ok((objects, envelope))
}

/// A bundle of objects.
///
/// # Errors
/// None today: the type's name is a good one.
pub fn write(objects: Vec<Value>) -> Result<Value, SharingError> {
    let id = Id::random("bundle")?;
    Ok(if objects.is_empty() {
        json!({ "type": "bundle", "id": id })
    } else {
        json!({ "type": "bundle", "id": id, "objects": objects })
    })
}

fn whole(value: Value, what: &str) -> Result<Map<String, Value>, SharingError> {
    match value {
        Value::Object(map) => Ok(map),
        _ => Err(SharingError::malformed(what, "it is no JSON object")),
    }
}

fn objects(map: &mut Map<String, Value>, what: &str) -> Result<Vec<Value>, SharingError> {
    match map.remove("objects") {
        None => Ok(Vec::new()),
        Some(Value::Array(objects)) if objects.len() > MOST_OBJECTS => {
            let (what, found) = (format!("{what} in objects"), objects.len());
            Err(SharingError::TooLarge { what, found, most: MOST_OBJECTS })
        }
        Some(Value::Array(objects)) => Ok(objects),
        Some(_) => Err(SharingError::malformed(what, "its objects must be a list")),
    }
}
