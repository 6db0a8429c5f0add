//! What may enter.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::Value;

use super::journal::{Journal, Record};
use super::quota::Ledger;
use super::said::{is_past, sighted, subjects, MOST_SAID};
use super::state::{Entry, Key, Maker, State};
use crate::sharing::collection::Collection;
use crate::sharing::error::SharingError;
use crate::sharing::sign::PublicKey;
use crate::sharing::stix::{Id, Object, Subject, Timestamp};
use crate::sharing::trust::TrustList;

/// How far the clock of another may be ahead, in microseconds.
const SKEW: u64 = 300_000_000;

/// What became of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accepted {
    /// The object.
    pub id: Id,
    /// The version.
    pub version: Timestamp,
    /// Whether it is new here.
    pub is_new: bool,
    /// Whether it has no version of its own, so that the time when it was added stands for it.
    pub is_observable: bool,
}

/// What only one may do at a time.
#[derive(Debug)]
pub(in crate::sharing) struct Writer {
    pub journal: Journal,
    pub ledger: Ledger,
    /// When the last entry was added, in microseconds.
    pub last: u64,
}

impl Writer {
    /// A time that no entry has.
    pub fn stamp(&mut self, now: Timestamp) -> Timestamp {
        self.last = now.micros().max(self.last + 1);
        Timestamp::from_micros(self.last)
    }
}

/// An object whose signature was judged.
#[derive(Debug)]
pub(in crate::sharing) struct Candidate {
    pub object: Arc<Object>,
    pub maker: Maker,
    pub key: Option<PublicKey>,
    /// Whose quota it uses.
    pub source: String,
}

impl Candidate {
    pub fn of(&self) -> Key {
        Key { maker: self.maker.clone(), id: self.object.id().clone() }
    }
}

/// Whose quota a maker's objects use.
pub(in crate::sharing) fn source(trust: &TrustList, maker: &Maker) -> String {
    match maker {
        Maker::Signer(id) => {
            trust.member(id).map_or_else(|| id.to_string(), |m| m.operator.clone())
        }
        Maker::Peer(name) => format!("the peer {name}"),
    }
}

/// Reads an object and judges its signature.
pub(in crate::sharing) fn judge(
    trust: &TrustList,
    collection: &Collection,
    sender: &str,
    value: Value,
    now: Timestamp,
) -> Result<Candidate, SharingError> {
    let object = Object::from_value(value)?;
    let id = || object.id().to_string();
    let (maker, key) = match object.signature() {
        None if collection.unsigned => (Maker::Peer(sender.into()), None),
        None => return Err(SharingError::Unsigned { id: id() }),
        Some(signature) => {
            let bad = |why: &str| SharingError::Signature { id: id(), why: why.into() };
            let signer = signature.signer();
            let member = trust.member(signer).ok_or_else(|| SharingError::UnknownSigner {
                id: id(),
                signer: signer.to_string(),
            })?;
            if object.created_by().is_some_and(|maker| maker != signer) {
                return Err(bad("its maker is another than who signed"));
            }
            let key = signature.made_by(&object.content(), &member.keys);
            let key = key.ok_or_else(|| bad("it is not of any key of its signer"))?;
            (Maker::Signer(signer.clone()), Some(key))
        }
    };
    if let Some(version) = object.version() {
        if version.micros() > now.micros().saturating_add(SKEW) {
            return Err(SharingError::Future { id: id(), modified: version.to_string() });
        }
    }
    let source = source(trust, &maker);
    Ok(Candidate { object: Arc::new(object), maker, key, source })
}

/// Where a candidate goes.
#[derive(Debug)]
pub(in crate::sharing) enum Place {
    /// It is there already.
    Known(Timestamp),
    /// It is new in these collections.
    New(Vec<Arc<str>>),
}

/// Compares a candidate with what is known under its key.
pub(in crate::sharing) fn place(
    state: &State,
    candidate: &Candidate,
    collection: &str,
) -> Result<Place, SharingError> {
    let object = &candidate.object;
    let key = candidate.of();
    let id = || key.id.to_string();
    if state.withdrawn().contains_key(&key) {
        return Err(SharingError::Withdrawn { id: id() });
    }
    let counting = || state.all(&key).iter().filter(|entry| entry.counts());
    let mut collections: Vec<Arc<str>> = vec![collection.into()];
    let Some(newest) = state.newest(&key) else {
        return Ok(Place::New(collections));
    };
    let version = object.version();
    if let Some(same) = counting().find(|entry| entry.object.version() == version) {
        if same.object.content() != object.content() {
            let modified = version.map_or_else(|| "of an observable".into(), |v| v.to_string());
            return Err(SharingError::Conflict { id: id(), modified });
        }
        let mut here = counting().filter(|entry| entry.object.version() == version);
        let is_here = here.any(|entry| *entry.collection == *collection);
        let is_newest = newest.object.version() == version;
        return Ok(if is_here || !is_newest {
            Place::Known(same.version())
        } else {
            Place::New(collections)
        });
    }
    if newest.object.revoked() {
        return Err(SharingError::Withdrawn { id: id() });
    }
    if version < newest.object.version() {
        let text = |version: Option<Timestamp>| version.map(|v| v.to_string()).unwrap_or_default();
        let (modified, newest) = (text(version), text(newest.object.version()));
        return Err(SharingError::Stale { id: id(), modified, newest });
    }
    // A new version goes wherever an older one is: nobody is left with the old one alone.
    for entry in counting() {
        if !collections.contains(&entry.collection) {
            collections.push(entry.collection.clone());
        }
    }
    Ok(Place::New(collections))
}

/// How many objects wait for the disk, by who signed them and what they are about.
pub(in crate::sharing) type Waiting = HashMap<(Id, String), usize>;

/// Checks that a signer says no more about a thing than is kept of it. Gives the places in [`Waiting`] that
/// the candidate takes up.
pub(in crate::sharing) fn room(
    state: &State,
    candidate: &Candidate,
    waiting: &Waiting,
    now: Timestamp,
) -> Result<Vec<(Id, String)>, SharingError> {
    let Candidate { object, maker, .. } = candidate;
    let Maker::Signer(signer) = maker else { return Ok(Vec::new()) };
    if is_past(object, now) {
        return Ok(Vec::new());
    }
    let id = object.id();
    let places = |what: &Subject| state.subjects().places(what, signer, id, now);
    let about = subjects(object).iter().map(|what| (what.to_string(), places(what)));
    let seen = sighted(object)
        .map(|what| (what.to_string(), state.sightings().places(what, signer, id, now)));
    let mut taken = Vec::new();
    for (about, places) in about.chain(seen) {
        let Some(places) = places else { continue };
        let place = (signer.clone(), about);
        if places + waiting.get(&place).copied().unwrap_or(0) >= MOST_SAID {
            let (id, about, most) = (id.to_string(), place.1, MOST_SAID);
            return Err(SharingError::Crowded { id, signer: signer.to_string(), about, most });
        }
        if !taken.contains(&place) {
            taken.push(place);
        }
    }
    Ok(taken)
}

/// The record of an entry.
pub(in crate::sharing) fn record(entry: &Entry) -> Record {
    Record::Add {
        collection: entry.collection.to_string(),
        added: entry.added.micros(),
        maker: entry.maker.clone(),
        object: Value::Object(entry.object.raw().clone()),
    }
}
