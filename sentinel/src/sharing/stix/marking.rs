//! The Traffic Light Protocol: with whom a thing may be shared.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::id::Id;

/// The extension through which STIX 2.1 carries TLP 2.0.
pub const TLP_2_EXTENSION: &str = "extension-definition--60a3c5c5-0d10-413e-aab3-9e08dde9e88d";

/// With whom a thing may be shared, from everybody to nobody.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum Tlp {
    /// Everybody; TLP 1.0 calls it white.
    #[default]
    Clear,
    /// The community: whoever is trusted that far.
    Green,
    /// Whoever it was sent to, and those who need it there.
    Amber,
    /// Those alone who are named.
    AmberStrict,
    /// Nobody else.
    Red,
}

/// The markings that the standards define, of TLP 1.0 and 2.0.
const KNOWN: [(Tlp, &str); 9] = [
    (Tlp::Clear, "marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487"),
    (Tlp::Green, "marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb"),
    (Tlp::Amber, "marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421"),
    (Tlp::AmberStrict, "marking-definition--939a9414-2ddd-4d32-a0cd-375ea402b003"),
    (Tlp::Red, "marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1"),
    (Tlp::Clear, "marking-definition--613f2e26-407d-48c7-9eca-b8e91df99dc9"),
    (Tlp::Green, "marking-definition--34098fce-860f-48ae-8e50-ebd3cc5e41da"),
    (Tlp::Amber, "marking-definition--f88d31f6-486f-44da-b317-01333bde0b82"),
    (Tlp::Red, "marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed"),
];

impl Tlp {
    /// The level that a marking stands for, if it is one of TLP.
    pub fn of(marking: &Id) -> Option<Self> {
        KNOWN.iter().find(|(_, id)| *id == marking.as_str()).map(|(level, _)| *level)
    }

    /// The marking of TLP 2.0 for this level.
    pub fn marking(self) -> &'static str {
        KNOWN.iter().find(|(level, _)| *level == self).map_or("", |(_, id)| id)
    }

    /// The name that TLP 2.0 gives it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Clear => "clear",
            Self::Green => "green",
            Self::Amber => "amber",
            Self::AmberStrict => "amber+strict",
            Self::Red => "red",
        }
    }

    fn named(name: &str) -> Option<Self> {
        Some(match name {
            "clear" | "white" => Self::Clear,
            "green" => Self::Green,
            "amber" => Self::Amber,
            "amber+strict" => Self::AmberStrict,
            "red" => Self::Red,
            _ => return None,
        })
    }
}

impl fmt::Display for Tlp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TLP:{}", self.name().to_uppercase())
    }
}

/// What a marking definition says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Marking {
    /// A level of TLP.
    Tlp(Tlp),
    /// A statement, such as a copyright. It limits nobody.
    Statement,
    /// Something that this version does not know. What bears it is not passed on.
    Other,
}

impl Marking {
    /// Reads a marking definition.
    ///
    /// # Errors
    /// A level of TLP under another identifier than the standard's, or the reverse.
    pub(super) fn of(id: &Id, object: &Map<String, Value>) -> Result<Self, String> {
        let text = |value: Option<&Value>| value.and_then(Value::as_str).map(str::to_owned);
        let second = object.get("extensions").and_then(|all| all.get(TLP_2_EXTENSION));
        let second = text(second.and_then(|extension| extension.get("tlp_2_0")));
        let kind = text(object.get("definition_type"));
        let definition = object.get("definition");
        let says = match (second, kind.as_deref()) {
            (Some(level), _) => Some(level),
            (None, Some("tlp")) => text(definition.and_then(|d| d.get("tlp"))),
            (None, _) => None,
        };
        let known = Tlp::of(id);
        match (says.as_deref().map(Tlp::named), known) {
            (Some(Some(level)), Some(known)) if level == known => Ok(Self::Tlp(level)),
            (None, None) if kind.as_deref() == Some("statement") => Ok(Self::Statement),
            (None, None) => Ok(Self::Other),
            (_, Some(known)) => Err(format!("the identifier is the one of {known}")),
            (Some(_), None) => Err("the identifier is none of those that TLP has".into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(value: Value) -> Result<Marking, String> {
        let id: Id = value["id"].as_str().unwrap().parse().unwrap();
        Marking::of(&id, value.as_object().unwrap())
    }

    #[test]
    fn levels_are_ordered_and_known_by_their_markings() {
        let levels = [Tlp::Clear, Tlp::Green, Tlp::Amber, Tlp::AmberStrict, Tlp::Red];
        assert!(levels.windows(2).all(|pair| pair[0] < pair[1]));
        for level in levels {
            assert_eq!(Tlp::of(&level.marking().parse().unwrap()), Some(level));
        }
    }

    #[test]
    fn both_versions_are_read() {
        let second = json!({"id": Tlp::AmberStrict.marking(),
            "extensions": {TLP_2_EXTENSION: {"extension_type": "property-extension", "tlp_2_0": "amber+strict"}}});
        assert_eq!(read(second), Ok(Marking::Tlp(Tlp::AmberStrict)));
        let first = json!({"id": "marking-definition--613f2e26-407d-48c7-9eca-b8e91df99dc9",
            "definition_type": "tlp", "definition": {"tlp": "white"}});
        assert_eq!(read(first), Ok(Marking::Tlp(Tlp::Clear)));
    }

    #[test]
    fn a_level_under_another_identifier_is_refused() {
        let red_as_white = json!({"id": "marking-definition--613f2e26-407d-48c7-9eca-b8e91df99dc9",
            "definition_type": "tlp", "definition": {"tlp": "red"}});
        assert!(read(red_as_white).is_err());
        let own = json!({"id": "marking-definition--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f",
            "definition_type": "tlp", "definition": {"tlp": "white"}});
        assert!(read(own).is_err());
    }
}
