//! One object of STIX 2.1: what is acted on in types, and the whole as it came.

use bastion_protocol::hash::keccak;
use serde_json::{Map, Value};

use super::id::Id;
use super::json;
use super::kinds::Kind;
use super::marking::Tlp;
use super::time::Timestamp;
use crate::sharing::error::SharingError;
use crate::sharing::sign::{self, Detached};

/// Bytes of an object in canonical form at most.
pub const MOST_OBJECT: usize = 64 << 10;
/// Markings of an object at most.
const MOST_MARKINGS: usize = 32;

/// An object. It cannot be changed: what was signed is what is passed on.
#[derive(Debug, Clone, PartialEq)]
pub struct Object {
    raw: Map<String, Value>,
    id: Id,
    created: Option<Timestamp>,
    modified: Option<Timestamp>,
    created_by: Option<Id>,
    revoked: bool,
    confidence: Option<u8>,
    markings: Vec<Id>,
    kind: Kind,
    signature: Option<Detached>,
    size: usize,
    digest: [u8; 32],
}

impl Object {
    /// Reads an object from JSON.
    ///
    /// # Errors
    /// [`SharingError::TooLarge`], or [`SharingError::Malformed`] for what STIX 2.1 does not allow.
    pub fn parse(bytes: &[u8]) -> Result<Self, SharingError> {
        if bytes.len() > 2 * MOST_OBJECT {
            return Err(too_large("an object", bytes.len()));
        }
        Self::from_value(json::parse(bytes)?)
    }

    /// Reads an object from a value.
    ///
    /// # Errors
    /// As [`Object::parse`].
    pub fn from_value(value: Value) -> Result<Self, SharingError> {
        json::check(&value)?;
        let Value::Object(raw) = value else {
            return Err(SharingError::malformed("an object", "it is no JSON object"));
        };
        let text = raw.get("id").and_then(Value::as_str);
        let text = text.ok_or_else(|| SharingError::malformed("an object", "it has no id"))?;
        let id: Id = text.parse()?;
        let canonical = sign::canonical(&raw)?;
        if canonical.len() > MOST_OBJECT {
            return Err(too_large(id.as_str(), canonical.len()));
        }
        Self::read(id.clone(), raw, canonical).map_err(|e| match e {
            Fault::Plain(why) => SharingError::malformed(&id, why),
            Fault::Whole(error) => error,
        })
    }

    fn read(id: Id, raw: Map<String, Value>, canonical: Vec<u8>) -> Result<Self, Fault> {
        let text = |key: &'static str| match raw.get(key) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.as_str())),
            Some(_) => Err(Fault::Plain(format!("its {key} must be text"))),
        };
        if text("type")? != Some(id.kind()) {
            return Err(Fault::Plain("its type must be the one in its id".into()));
        }
        let time = |key: &'static str| -> Result<Option<Timestamp>, Fault> {
            Ok(text(key)?.map(str::parse).transpose()?)
        };
        let (created, modified) = (time("created")?, time("modified")?);
        let version = text("spec_version")?;
        if version.is_some_and(|v| v != "2.1") || (created.is_some() && version.is_none()) {
            return Err(Fault::Plain("its spec_version must be 2.1".into()));
        }
        let kind = Kind::of(&id, &raw)?;
        let marking = id.kind() == "marking-definition";
        match (created, modified) {
            (Some(created), Some(modified)) if modified < created => {
                return Err(Fault::Plain("its modified must not be before its created".into()));
            }
            (Some(_), None) if !marking => {
                return Err(Fault::Plain("it has created and no modified".into()));
            }
            (None, Some(_)) => return Err(Fault::Plain("it has modified and no created".into())),
            (None, None) if kind.has_versions() || marking => {
                return Err(Fault::Plain("it has no created".into()));
            }
            (Some(_), Some(_) | None) | (None, None) => {}
        }
        let revoked = match raw.get("revoked") {
            None => false,
            Some(Value::Bool(revoked)) => *revoked,
            Some(_) => return Err(Fault::Plain("its revoked must be true or false".into())),
        };
        let confidence = match raw.get("confidence") {
            None => None,
            Some(value) => match value.as_u64().and_then(|v| u8::try_from(v).ok()) {
                Some(value @ 0..=100) => Some(value),
                _ => return Err(Fault::Plain("its confidence must be 0 to 100".into())),
            },
        };
        let created_by = text("created_by_ref")?.map(str::parse::<Id>).transpose()?;
        if created_by.as_ref().is_some_and(|id| id.kind() != "identity") {
            return Err(Fault::Plain("its created_by_ref must name an identity".into()));
        }
        if matches!(kind, Kind::Extension(_)) && created_by.is_none() {
            return Err(Fault::Plain("it has no created_by_ref".into()));
        }
        let markings = markings(&raw)?;
        let signature = sign::signature(&id, &raw)?;
        Ok(Self {
            id,
            created,
            modified,
            created_by,
            revoked,
            confidence,
            markings,
            kind,
            signature,
            size: canonical.len(),
            digest: keccak(&[&canonical]),
            raw,
        })
    }

    /// The identifier.
    pub fn id(&self) -> &Id {
        &self.id
    }

    /// When it was made.
    pub fn created(&self) -> Option<Timestamp> {
        self.created
    }

    /// Its version: when it was changed, or made if it never changes. None for observables.
    pub fn version(&self) -> Option<Timestamp> {
        self.modified.or(self.created)
    }

    /// The identity that made it, by its own words.
    pub fn created_by(&self) -> Option<&Id> {
        self.created_by.as_ref()
    }

    /// Whether its maker took it back.
    pub fn revoked(&self) -> bool {
        self.revoked
    }

    /// How sure its maker is, from 0 to 100.
    pub fn confidence(&self) -> Option<u8> {
        self.confidence
    }

    /// What it is.
    pub fn kind(&self) -> &Kind {
        &self.kind
    }

    /// Its signature.
    pub fn signature(&self) -> Option<&Detached> {
        self.signature.as_ref()
    }

    /// The canonical form without the signature: what is signed. It is made anew each time.
    pub fn content(&self) -> Vec<u8> {
        let mut rest = self.raw.clone();
        sign::strip(&mut rest);
        // It had a canonical form when it was read.
        sign::canonical(&rest).unwrap_or_default()
    }

    /// Bytes of the canonical form with everything.
    pub fn size(&self) -> usize {
        self.size
    }

    /// Keccak-256 of the canonical form with everything.
    pub fn digest(&self) -> &[u8; 32] {
        &self.digest
    }

    /// The properties.
    pub fn raw(&self) -> &Map<String, Value> {
        &self.raw
    }

    /// With whom it may be shared: the strictest of its markings, and `unmarked` if none is of TLP. A
    /// marking that `limits_nobody` does not know may mean anything, so nobody gets what bears it.
    pub fn tlp(&self, unmarked: Tlp, limits_nobody: impl Fn(&Id) -> bool) -> Tlp {
        if let Kind::Marking(super::marking::Marking::Tlp(_)) = self.kind {
            return Tlp::Clear;
        }
        let levels = self.markings.iter().filter_map(|marking| match Tlp::of(marking) {
            Some(level) => Some(level),
            None if limits_nobody(marking) => None,
            None => Some(Tlp::Red),
        });
        levels.max().unwrap_or(unmarked)
    }
}

/// Markings of the object and of parts of it: a part is not cut out, so its marking counts for the whole.
fn markings(raw: &Map<String, Value>) -> Result<Vec<Id>, Fault> {
    let list = |key: &'static str| match raw.get(key) {
        None => Ok(&[][..]),
        Some(Value::Array(items)) if !items.is_empty() => Ok(items.as_slice()),
        Some(_) => Err(Fault::Plain(format!("its {key} must be a list with something in it"))),
    };
    let mut found = Vec::new();
    for item in list("object_marking_refs")? {
        found.push(item.as_str().unwrap_or_default().parse::<Id>()?);
    }
    for item in list("granular_markings")? {
        // A part may also be marked with a language.
        if let Some(reference) = item.get("marking_ref") {
            found.push(reference.as_str().unwrap_or_default().parse::<Id>()?);
        }
    }
    if found.len() > MOST_MARKINGS {
        return Err(Fault::Plain(format!("it must have at most {MOST_MARKINGS} markings")));
    }
    if found.iter().any(|id| id.kind() != "marking-definition") {
        return Err(Fault::Plain("its markings must be marking definitions".into()));
    }
    Ok(found)
}

enum Fault {
    Plain(String),
    Whole(SharingError),
}

impl From<SharingError> for Fault {
    fn from(error: SharingError) -> Self {
        match error {
            SharingError::Malformed { what, why } => Self::Plain(format!("{what}: {why}")),
            other => Self::Whole(other),
        }
    }
}

impl From<String> for Fault {
    fn from(why: String) -> Self {
        Self::Plain(why)
    }
}

fn too_large(what: &str, found: usize) -> SharingError {
    SharingError::TooLarge { what: what.into(), found, most: MOST_OBJECT }
}
