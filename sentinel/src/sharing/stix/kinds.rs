//! What the objects say that this module acts on. Everything else in them is kept as it came.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::id::Id;
use super::marking::Marking;
use super::pattern;
use super::subject::{hex_address, Subject};
use super::time::Timestamp;

/// Places of a sighting at most.
const MOST_PLACES: usize = 64;
/// Sightings that a sighting counts at most (STIX 2.1, section 5.2).
const MOST_COUNT: u32 = 999_999_999;
/// Letters of a name at most.
const MOST_NAME: usize = 256;

/// The custom object for an account on a chain.
pub const ACCOUNT: &str = "x-evm-account";

/// What an object is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// Something that points to an attack.
    Indicator(Indicator),
    /// Somebody has seen what an indicator points to.
    Sighting(Sighting),
    /// Who makes objects.
    Identity(Identity),
    /// With whom objects may be shared.
    Marking(Marking),
    /// What an extension is.
    Extension(Extension),
    /// An account on a chain.
    Account(Account),
    /// Anything else: it is kept and passed on, and not acted on.
    Other,
}

/// An indicator.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Indicator {
    /// The pattern.
    pub pattern: String,
    /// Its language.
    pub pattern_type: String,
    /// From when on it holds.
    pub valid_from: Timestamp,
    /// Until when it holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_until: Option<Timestamp>,
    /// What it points to.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub indicator_types: Vec<String>,
    /// Whom the pattern matches, as far as it is understood.
    #[serde(skip)]
    pub subjects: Vec<Subject>,
}

impl Indicator {
    /// Whether it holds at a time.
    pub fn holds(&self, at: Timestamp) -> bool {
        self.valid_from <= at && self.valid_until.is_none_or(|end| at < end)
    }

    fn check(&mut self) -> Result<(), String> {
        if self.pattern.is_empty() || self.pattern.len() > pattern::MOST_BYTES {
            return Err(format!("its pattern must have 1 to {} bytes", pattern::MOST_BYTES));
        }
        if self.valid_until.is_some_and(|until| until <= self.valid_from) {
            return Err("its valid_until must be after its valid_from".into());
        }
        // An indicator may also say that something is harmless.
        let harmless = self.indicator_types.iter().any(|kind| kind == "benign");
        if self.pattern_type == "stix" && !harmless {
            self.subjects = pattern::subjects(&self.pattern);
        }
        Ok(())
    }
}

/// A sighting.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sighting {
    /// What was seen.
    pub sighting_of_ref: Id,
    /// How often; nought says that it was looked for and not seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<u32>,
    /// From when on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_seen: Option<Timestamp>,
    /// Until when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_seen: Option<Timestamp>,
    /// By whom.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub where_sighted_refs: Vec<Id>,
}

impl Sighting {
    fn check(&self) -> Result<(), String> {
        if self.count.is_some_and(|count| count > MOST_COUNT) {
            return Err(format!("its count must be at most {MOST_COUNT}"));
        }
        if matches!((self.first_seen, self.last_seen), (Some(first), Some(last)) if last < first) {
            return Err("its last_seen must not be before its first_seen".into());
        }
        if self.where_sighted_refs.len() > MOST_PLACES {
            return Err(format!("it must have at most {MOST_PLACES} where_sighted_refs"));
        }
        Ok(())
    }
}

/// An identity.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// Its name.
    pub name: String,
    /// A person, a group, a system.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity_class: Option<String>,
}

/// The definition of an extension.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Extension {
    /// Its name.
    pub name: String,
    /// Where its schema is, or the schema.
    pub schema: String,
    /// Its version.
    pub version: String,
    /// What it adds.
    pub extension_types: Vec<String>,
}

/// An account on a chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// Its address: `0x` and 40 digits.
    pub address: String,
    /// The chain's number; none for every chain.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chain_id: Option<u64>,
}

impl Kind {
    pub(super) fn of(id: &Id, object: &Map<String, Value>) -> Result<Self, String> {
        fn read<T: serde::de::DeserializeOwned>(object: &Map<String, Value>) -> Result<T, String> {
            T::deserialize(Value::Object(object.clone())).map_err(|e| e.to_string())
        }
        let named = |name: &str| match name.len() {
            1..=MOST_NAME => Ok(()),
            _ => Err(format!("its name must have 1 to {MOST_NAME} bytes")),
        };
        Ok(match id.kind() {
            "indicator" => {
                let mut indicator: Indicator = read(object)?;
                indicator.check()?;
                Self::Indicator(indicator)
            }
            "sighting" => {
                let sighting: Sighting = read(object)?;
                sighting.check()?;
                Self::Sighting(sighting)
            }
            "identity" => {
                let identity: Identity = read(object)?;
                named(&identity.name)?;
                Self::Identity(identity)
            }
            "marking-definition" => Self::Marking(Marking::of(id, object)?),
            "extension-definition" => {
                let extension: Extension = read(object)?;
                named(&extension.name)?;
                Self::Extension(extension)
            }
            ACCOUNT => {
                let account: Account = read(object)?;
                if hex_address(&account.address).is_none() {
                    return Err("its address must be 0x and 40 hexadecimal digits".into());
                }
                Self::Account(account)
            }
            _ => Self::Other,
        })
    }

    /// Whether the standard wants `created` and `modified` on it.
    pub(super) fn has_versions(&self) -> bool {
        match self {
            Self::Indicator(_) | Self::Sighting(_) | Self::Identity(_) | Self::Extension(_) => true,
            Self::Marking(_) | Self::Account(_) | Self::Other => false,
        }
    }
}
