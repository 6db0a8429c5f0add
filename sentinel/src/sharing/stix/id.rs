//! Identifiers: a type, two hyphens, a UUID.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{de, Deserialize, Deserializer, Serialize, Serializer};
use uuid::Uuid;

use crate::sharing::error::SharingError;

/// Letters of a type's name.
const TYPE: std::ops::RangeInclusive<usize> = 3..=250;

/// The namespace of identifiers that follow from an object's content (STIX 2.1, section 2.9).
const OBSERVABLES: Uuid = Uuid::from_u128(0x00abedb4_aa42_466c_9c01_fed23315a9b7);

/// An object's identifier, such as `indicator--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Id(Arc<str>);

impl Id {
    /// A new identifier of a type by chance.
    ///
    /// # Errors
    /// [`SharingError::Malformed`] for a name that no type may have.
    pub fn random(kind: &str) -> Result<Self, SharingError> {
        format!("{kind}--{}", Uuid::new_v4()).parse()
    }

    /// The identifier that follows from the content: canonical JSON of the properties that make it up.
    ///
    /// # Errors
    /// [`SharingError::Malformed`] for a name that no type may have.
    pub fn of_content(kind: &str, canonical: &[u8]) -> Result<Self, SharingError> {
        format!("{kind}--{}", Uuid::new_v5(&OBSERVABLES, canonical)).parse()
    }

    /// The type.
    pub fn kind(&self) -> &str {
        self.0.split_once("--").map_or("", |(kind, _)| kind)
    }

    /// The identifier as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Whether a type may have this name.
pub(super) fn is_type(name: &str) -> bool {
    TYPE.contains(&name.len())
        && name.bytes().all(|c| matches!(c, b'a'..=b'z' | b'0'..=b'9' | b'-'))
        && !name.contains("--")
        && !name.starts_with('-')
        && !name.ends_with('-')
}

/// Whether a text is a UUID as identifiers have it: 36 letters, none of them a capital.
pub(in crate::sharing) fn is_uuid(text: &str) -> bool {
    let plain = |c: u8| matches!(c, b'0'..=b'9' | b'a'..=b'f' | b'-');
    text.len() == 36 && text.bytes().all(plain) && Uuid::try_parse(text).is_ok()
}

impl FromStr for Id {
    type Err = SharingError;

    fn from_str(text: &str) -> Result<Self, SharingError> {
        match text.split_once("--") {
            Some((kind, uuid)) if is_type(kind) && is_uuid(uuid) => Ok(Self(text.into())),
            _ => {
                let why = "it must be a type, two hyphens, and a UUID in small letters";
                Err(SharingError::malformed(format!("the identifier {text:?}"), why))
            }
        }
    }
}

impl Serialize for Id {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Id {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_are_read() {
        let id: Id = "x-evm-account--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f".parse().unwrap();
        assert_eq!(id.kind(), "x-evm-account");
        assert_eq!(Id::random("indicator").unwrap().kind(), "indicator");
    }

    #[test]
    fn other_texts_are_refused() {
        for bad in [
            "",
            "indicator",
            "indicator--",
            "indicator-8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f",
            "Indicator--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f",
            "in--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f",
            "indicator--8E2E2D2B-17D4-4CBF-938F-98EE46B3CD3F",
            "indicator--8e2e2d2b17d44cbf938f98ee46b3cd3f",
            "indicator--{8e2e2d2b-17d4-4cbf-938f-98ee46b3cd}",
            "indicator--../../etc/passwd",
            "indicator--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f\n",
        ] {
            assert!(bad.parse::<Id>().is_err(), "{bad}");
        }
    }
}
