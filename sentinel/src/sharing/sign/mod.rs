//! Signatures: a detached JWS (RFC 7515, appendix F) with Ed25519 over the canonical form (RFC 8785) of an
//! object. It travels in a property extension of the object, which is left out of what is signed.

mod jws;

use serde_json::{Map, Value};

pub use jws::{Detached, PublicKey, Signer};

use super::error::SharingError;
use super::stix::Id;

/// The extension that carries a signature.
pub const SIGNATURE_EXTENSION: &str = "extension-definition--6599f7df-8c25-49ba-98d5-4a817a5cde2e";

/// The canonical form (RFC 8785) of properties.
///
/// # Errors
/// [`SharingError::Malformed`] for a number that no double is.
pub fn canonical(properties: &Map<String, Value>) -> Result<Vec<u8>, SharingError> {
    serde_json_canonicalizer::to_vec(properties).map_err(|e| SharingError::malformed("the JSON", e))
}

/// Takes the signature out of an object. What is left is what is signed: `extensions` goes too if nothing
/// else is in it, as the standard allows no empty one.
pub(super) fn strip(raw: &mut Map<String, Value>) -> Option<Value> {
    let Some(Value::Object(extensions)) = raw.get_mut("extensions") else { return None };
    let taken = extensions.remove(SIGNATURE_EXTENSION);
    if taken.is_some() && extensions.is_empty() {
        raw.remove("extensions");
    }
    taken
}

/// The signature of an object, if there is one.
pub(super) fn signature(
    id: &Id,
    raw: &Map<String, Value>,
) -> Result<Option<Detached>, SharingError> {
    match raw.get("extensions") {
        None => Ok(None),
        Some(Value::Object(extensions)) if !extensions.is_empty() => {
            extensions.get(SIGNATURE_EXTENSION).map(|said| Detached::read(id, said)).transpose()
        }
        Some(_) => Err(SharingError::malformed(id, "its extensions must have something in them")),
    }
}

#[cfg(test)]
mod tests;
