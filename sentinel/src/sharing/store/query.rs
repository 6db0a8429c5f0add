//! What is asked for of a collection.

use std::sync::Arc;

use super::state::{Entry, State};
use crate::sharing::stix::{Id, Timestamp};

/// Which versions of each object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Versions {
    /// All of them.
    pub all: bool,
    /// The first one.
    pub first: bool,
    /// The last one.
    pub last: bool,
    /// These ones.
    pub exact: Vec<Timestamp>,
}

impl Versions {
    /// All versions.
    pub const ALL: Self = Self { all: true, first: false, last: false, exact: Vec::new() };
    /// The last version.
    pub const LAST: Self = Self { all: false, first: false, last: true, exact: Vec::new() };
}

/// What is asked for. Nothing said means nothing excluded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    /// What was added after this time.
    pub added_after: Option<Timestamp>,
    /// Objects.
    pub ids: Option<Vec<Id>>,
    /// Kinds of objects.
    pub types: Option<Vec<String>>,
    /// Versions of each object.
    pub versions: Versions,
    /// Whether objects of STIX 2.1 are wanted at all; there are no others.
    pub stix_2_1: bool,
    /// How many at most.
    pub limit: usize,
}

impl Query {
    /// All versions of everything.
    pub fn all(added_after: Option<Timestamp>, limit: usize) -> Self {
        let versions = Versions::ALL;
        Self { added_after, ids: None, types: None, versions, stix_2_1: true, limit }
    }

    fn takes(&self, state: &State, entry: &Entry) -> bool {
        let id = entry.object.id();
        self.ids.as_ref().is_none_or(|ids| ids.contains(id))
            && self.types.as_ref().is_none_or(|types| types.iter().any(|kind| kind == id.kind()))
            && self.takes_version(state, entry)
    }

    fn takes_version(&self, state: &State, entry: &Entry) -> bool {
        let Versions { all, first, last, exact } = &self.versions;
        let here = || {
            let versions = state.all(&entry.of()).iter();
            versions.filter(|other| other.collection == entry.collection && other.counts())
        };
        let is = |other: Option<&Arc<Entry>>| other.is_some_and(|o| o.added == entry.added);
        *all || exact.contains(&entry.version())
            || (*last && is(here().next_back()))
            || (*first && is(here().next()))
    }
}

/// Some of what was asked for, in the order in which it was added.
#[derive(Debug, Clone, Default)]
pub struct Page {
    /// The entries.
    pub entries: Vec<Arc<Entry>>,
    /// Whether there are more.
    pub more: bool,
}

/// What somebody gets who asks.
pub(in crate::sharing) fn page(
    state: &State,
    collection: &str,
    query: &Query,
    sees: impl Fn(&Entry) -> bool,
) -> Page {
    let entries = state.entries();
    let after = query.added_after.unwrap_or(Timestamp::ZERO);
    let from = entries.partition_point(|entry| entry.added <= after);
    let mut found = Page::default();
    if !query.stix_2_1 {
        return found;
    }
    for entry in &entries[from..] {
        let here = *entry.collection == *collection && entry.counts();
        if !here || !query.takes(state, entry) || !sees(entry) {
            continue;
        }
        if found.entries.len() == query.limit {
            found.more = true;
            break;
        }
        found.entries.push(entry.clone());
    }
    found
}
