//! Collections: what is shared with whom, apart from what markings say.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::error::SharingError;
use super::stix::id::is_uuid;
use super::stix::Id;

/// A collection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Collection {
    /// Its identifier, a UUID.
    pub id: String,
    /// Its title.
    pub title: String,
    /// What is in it.
    #[serde(default)]
    pub description: Option<String>,
    /// Whether whoever does not log in may read what is of TLP:CLEAR.
    #[serde(default)]
    pub public: bool,
    /// Whether objects are taken that nobody signed. They are passed on, and never count for anything.
    #[serde(default)]
    pub unsigned: bool,
    /// To whom what is of TLP:AMBER+STRICT goes.
    #[serde(default)]
    pub named: BTreeSet<Id>,
}

impl Collection {
    pub(super) fn check(&self) -> Result<(), SharingError> {
        let Self { id, title, .. } = self;
        if !is_uuid(id) {
            return Err(SharingError::setting("collection", format!("{id:?} is no UUID")));
        }
        if title.trim().is_empty() {
            return Err(SharingError::setting("collection", format!("{id} needs a title")));
        }
        Ok(())
    }
}
