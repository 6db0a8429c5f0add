//! What is known, in memory.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::said::{self, Said};
use crate::sharing::sign::PublicKey;
use crate::sharing::stix::{Id, Kind, Marking, Object, Subject, Timestamp};
use crate::sharing::trust::TrustList;

/// Whose an object is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Maker {
    /// The identity that signed it.
    Signer(Id),
    /// The peer that sent it, for what nobody signed.
    Peer(String),
}

/// What the versions of an object have in common. Whoever takes another's identifier makes another object.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Key {
    /// Whose it is.
    pub maker: Maker,
    /// Its identifier.
    pub id: Id,
}

/// A version of an object in a collection.
#[derive(Debug, Clone)]
pub struct Entry {
    /// The object.
    pub object: Arc<Object>,
    /// The collection.
    pub collection: Arc<str>,
    /// When it was added; no two entries have the same time.
    pub added: Timestamp,
    /// Whose it is.
    pub maker: Maker,
    /// The key that its signature holds under; none if there is no such key in the trust list.
    pub key: Option<PublicKey>,
}

impl Entry {
    /// The version that TAXII knows it by.
    pub fn version(&self) -> Timestamp {
        self.object.version().unwrap_or(self.added)
    }

    /// The version in the words of the object, which is what others compare with.
    pub fn version_text(&self) -> String {
        let text = |key| self.object.raw().get(key).and_then(serde_json::Value::as_str);
        let said = text("modified").or_else(|| text("created"));
        said.map_or_else(|| self.added.taxii(), str::to_owned)
    }

    /// What it has in common with other versions.
    pub fn of(&self) -> Key {
        Key { maker: self.maker.clone(), id: self.object.id().clone() }
    }

    /// Whether it counts: it is signed by a key that is trusted, or nobody claims that it is signed.
    pub(in crate::sharing) fn counts(&self) -> bool {
        self.key.is_some() || matches!(self.maker, Maker::Peer(_))
    }
}

/// What is known.
#[derive(Debug, Default)]
pub(in crate::sharing) struct State {
    /// In the order in which they were added.
    entries: Vec<Arc<Entry>>,
    versions: HashMap<Key, Vec<Arc<Entry>>>,
    subjects: Said<Subject>,
    sightings: Said<Id>,
    makers: HashMap<Id, BTreeSet<Maker>>,
    statements: HashSet<Id>,
    withdrawn: HashMap<Key, Timestamp>,
}

impl State {
    /// What follows from entries and what was withdrawn, at a time.
    pub fn of(
        entries: Vec<Arc<Entry>>,
        withdrawn: HashMap<Key, Timestamp>,
        now: Timestamp,
    ) -> Self {
        let mut state = Self { withdrawn, ..Self::default() };
        for entry in entries {
            state.add(entry, now);
        }
        state
    }

    pub fn add(&mut self, entry: Arc<Entry>, now: Timestamp) {
        let key = entry.of();
        if self.withdrawn.contains_key(&key) {
            return;
        }
        if entry.counts() {
            if let Kind::Marking(Marking::Statement) = entry.object.kind() {
                self.statements.insert(key.id.clone());
            }
            if let Maker::Signer(signer) = &entry.maker {
                let older = self.versions.get(&key).into_iter().flatten();
                if let Some(older) = older.rev().find(|older| older.counts()) {
                    let (object, id) = (&older.object, &key.id);
                    for subject in said::subjects(object) {
                        self.subjects.remove(subject, signer, id);
                    }
                    if let Some(indicator) = said::sighted(object) {
                        self.sightings.remove(indicator, signer, id);
                    }
                }
                for subject in said::subjects(&entry.object) {
                    self.subjects.insert(subject, signer, &entry, now);
                }
                if let Some(indicator) = said::sighted(&entry.object) {
                    self.sightings.insert(indicator, signer, &entry, now);
                }
            }
            if entry.key.is_some() {
                self.makers.entry(key.id.clone()).or_default().insert(key.maker.clone());
            }
        }
        self.versions.entry(key).or_default().push(entry.clone());
        self.entries.push(entry);
    }

    /// The same under another trust list: signatures are judged anew where the key is not known any more.
    pub fn judged(&self, trust: &TrustList, now: Timestamp) -> Self {
        let judge = |entry: &Arc<Entry>| {
            let keys = match &entry.maker {
                Maker::Peer(_) => return entry.clone(),
                Maker::Signer(signer) => trust.member(signer).map_or(&[][..], |m| &m.keys),
            };
            let key = match entry.key {
                Some(key) if keys.contains(&key) => return entry.clone(),
                Some(_) | None => {
                    let signature = entry.object.signature();
                    signature.and_then(|s| s.made_by(&entry.object.content(), keys))
                }
            };
            Arc::new(Entry { key, ..Entry::clone(entry) })
        };
        Self::of(self.entries.iter().map(judge).collect(), self.withdrawn.clone(), now)
    }

    /// The same without an object.
    pub fn without(&self, key: Key, at: Timestamp) -> Self {
        let mut withdrawn = self.withdrawn.clone();
        withdrawn.insert(key, at);
        Self::of(self.entries.clone(), withdrawn, at)
    }

    pub fn entries(&self) -> &[Arc<Entry>] {
        &self.entries
    }

    pub fn withdrawn(&self) -> &HashMap<Key, Timestamp> {
        &self.withdrawn
    }

    /// The entries of an object, in the order in which they were added.
    pub fn all(&self, key: &Key) -> &[Arc<Entry>] {
        self.versions.get(key).map_or(&[], Vec::as_slice)
    }

    /// The newest version of an object among those that count. What enters is never older than what
    /// counts, so it is the last one.
    pub fn newest(&self, key: &Key) -> Option<&Entry> {
        self.all(key).iter().rev().find(|entry| entry.counts()).map(AsRef::as_ref)
    }

    /// The newest version among those that were there at a time.
    pub fn newest_at(&self, key: &Key, at: Timestamp) -> Option<&Arc<Entry>> {
        self.all(key).iter().rev().find(|entry| entry.counts() && entry.added <= at)
    }

    /// The newest versions of signed indicators by whom they point to.
    pub fn subjects(&self) -> &Said<Subject> {
        &self.subjects
    }

    /// The newest versions of signed sightings by the indicator that was seen.
    pub fn sightings(&self) -> &Said<Id> {
        &self.sightings
    }

    /// Whether one signer alone uses an identifier.
    pub fn is_unambiguous(&self, id: &Id) -> bool {
        self.makers.get(id).is_none_or(|makers| makers.len() < 2)
    }

    /// Whether a marking is a statement, which limits nobody.
    pub fn is_statement(&self, marking: &Id) -> bool {
        self.statements.contains(marking)
    }
}
