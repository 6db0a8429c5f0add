//! The detached JWS.

use std::fmt;

use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use base64::Engine as _;
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use rand::rngs::OsRng;
use rand::RngCore as _;
use serde::{de, Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{json, Value};
use zeroize::Zeroizing;

use super::SIGNATURE_EXTENSION;
use crate::sharing::error::SharingError;
use crate::sharing::stix::{Id, Object};

/// The one algorithm (RFC 8037).
const ALGORITHM: &str = "EdDSA";
/// What is signed, so that no other use of the key can be taken for this one (RFC 8725, section 3.11).
const TYPE: &str = "stix+jws";
/// Letters of a header at most.
const MOST_HEADER: usize = 512;

/// A public key of Ed25519.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PublicKey([u8; 32]);

impl PublicKey {
    /// A key from its bytes.
    ///
    /// # Errors
    /// [`SharingError::Setting`] for bytes that are no point of the curve, or one of small order.
    pub fn new(bytes: [u8; 32]) -> Result<Self, SharingError> {
        match VerifyingKey::from_bytes(&bytes) {
            Ok(key) if !key.is_weak() => Ok(Self(bytes)),
            Ok(_) | Err(_) => Err(SharingError::setting("key", "it is no key of Ed25519")),
        }
    }

    /// The bytes.
    pub fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({self})")
    }
}

impl Serialize for PublicKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for PublicKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let mut bytes = [0; 32];
        hex::decode_to_slice(&text, &mut bytes).map_err(de::Error::custom)?;
        Self::new(bytes).map_err(de::Error::custom)
    }
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    alg: String,
    kid: Id,
    typ: String,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Extension {
    extension_type: String,
    jws: String,
}

/// A signature without what it signs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Detached {
    signer: Id,
    header: String,
    signature: [u8; 64],
}

impl Detached {
    /// Who signed, by the signature's words.
    pub fn signer(&self) -> &Id {
        &self.signer
    }

    pub(super) fn read(id: &Id, extension: &Value) -> Result<Self, SharingError> {
        let bad = |why: &dyn fmt::Display| SharingError::Signature {
            id: id.to_string(),
            why: crate::sharing::error::tame(&why.to_string()),
        };
        let extension = Extension::deserialize(extension).map_err(|e| bad(&e))?;
        if extension.extension_type != "property-extension" {
            return Err(bad(&"its extension_type must be property-extension"));
        }
        let (header, signature) = extension
            .jws
            .split_once("..")
            .filter(|(header, _)| header.len() <= MOST_HEADER)
            .ok_or_else(|| bad(&"it must be a header, two dots, and a signature"))?;
        let decoded = URL_SAFE_NO_PAD.decode(header).map_err(|e| bad(&e))?;
        let Header { alg, kid, typ } = serde_json::from_slice(&decoded).map_err(|e| bad(&e))?;
        if alg != ALGORITHM || typ != TYPE || kid.kind() != "identity" {
            return Err(bad(&"its header must say EdDSA, stix+jws and an identity"));
        }
        let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|e| bad(&e))?;
        let signature = signature.try_into().map_err(|_| bad(&"it must have 64 bytes"))?;
        Ok(Self { signer: kid, header: header.into(), signature })
    }

    /// The one of some keys that made it; none if it does not hold under any.
    pub fn made_by(&self, content: &[u8], keys: &[PublicKey]) -> Option<PublicKey> {
        let input = input(&self.header, content);
        let signature = Signature::from_bytes(&self.signature);
        keys.iter().copied().find(|key| {
            let key = VerifyingKey::from_bytes(&key.0);
            key.is_ok_and(|key| key.verify_strict(&input, &signature).is_ok())
        })
    }
}

/// What Ed25519 signs: the header and the content, each in base64, with a dot between.
fn input(header: &str, content: &[u8]) -> Vec<u8> {
    format!("{header}.{}", URL_SAFE_NO_PAD.encode(content)).into_bytes()
}

/// An identity that signs.
pub struct Signer {
    identity: Id,
    key: SigningKey,
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signer({})", self.identity)
    }
}

impl Signer {
    /// An identity with the secret key of 32 bytes (RFC 8032).
    ///
    /// # Errors
    /// [`SharingError::Setting`] if the identifier is not that of an identity.
    pub fn new(identity: Id, secret: &[u8; 32]) -> Result<Self, SharingError> {
        if identity.kind() != "identity" {
            return Err(SharingError::setting("signer", format!("{identity} is no identity")));
        }
        Ok(Self { identity, key: SigningKey::from_bytes(secret) })
    }

    /// An identity with a new key, and the key.
    ///
    /// # Errors
    /// As [`Signer::new`].
    pub fn generate(identity: Id) -> Result<(Self, Zeroizing<[u8; 32]>), SharingError> {
        let mut secret = Zeroizing::new([0; 32]);
        OsRng.fill_bytes(secret.as_mut());
        Ok((Self::new(identity, &secret)?, secret))
    }

    /// Who signs.
    pub fn identity(&self) -> &Id {
        &self.identity
    }

    /// The key to check with.
    pub fn public(&self) -> PublicKey {
        PublicKey(self.key.verifying_key().to_bytes())
    }

    /// Signs an object. A signature that it has is replaced.
    ///
    /// # Errors
    /// [`SharingError::Malformed`] for what is no object of STIX 2.1, or has another maker.
    pub fn sign(&self, object: Value) -> Result<Object, SharingError> {
        let object = Object::from_value(object)?;
        if object.created_by().is_some_and(|maker| *maker != self.identity) {
            let why = format!("its maker is not {}, who signs", self.identity);
            return Err(SharingError::malformed(object.id(), why));
        }
        let header = Header { alg: ALGORITHM.into(), kid: self.identity.clone(), typ: TYPE.into() };
        let header =
            serde_json::to_vec(&header).map_err(|e| SharingError::malformed("the header", e))?;
        let header = URL_SAFE_NO_PAD.encode(header);
        let signature = self.key.sign(&input(&header, &object.content())).to_bytes();
        let jws = format!("{header}..{}", URL_SAFE_NO_PAD.encode(signature));
        let mut raw = object.raw().clone();
        let extensions = raw.entry("extensions").or_insert_with(|| json!({}));
        extensions[SIGNATURE_EXTENSION] =
            json!({ "extension_type": "property-extension", "jws": jws });
        Object::from_value(Value::Object(raw))
    }
}
