//! Who says what about whom: what can count and no more, so that a lookup is short whatever is sent.

use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;
use std::sync::Arc;

use super::state::Entry;
use crate::sharing::stix::{Id, Kind, Object, Subject, Timestamp};

/// Objects of one signer about the same thing at most, as long as they hold or will hold.
pub(in crate::sharing) const MOST_SAID: usize = 16;
/// The confidence of an object that says nothing of it, of 100.
const UNSAID: u8 = 50;

/// How sure an object is, of 100.
pub(in crate::sharing) fn confidence(object: &Object) -> u8 {
    object.confidence().unwrap_or(UNSAID)
}

/// Whom an object points to, unless it was taken back.
pub(in crate::sharing) fn subjects(object: &Object) -> &[Subject] {
    match object.kind() {
        Kind::Indicator(indicator) if !object.revoked() => &indicator.subjects,
        Kind::Indicator(_)
        | Kind::Sighting(_)
        | Kind::Identity(_)
        | Kind::Marking(_)
        | Kind::Extension(_)
        | Kind::Account(_)
        | Kind::Other => &[],
    }
}

/// The indicator that an object has seen, unless it was taken back or says that it has not.
pub(in crate::sharing) fn sighted(object: &Object) -> Option<&Id> {
    match object.kind() {
        Kind::Sighting(said) if !object.revoked() && said.count != Some(0) => {
            Some(&said.sighting_of_ref)
        }
        Kind::Sighting(_)
        | Kind::Indicator(_)
        | Kind::Identity(_)
        | Kind::Marking(_)
        | Kind::Extension(_)
        | Kind::Account(_)
        | Kind::Other => None,
    }
}

/// When an object ends, if it does.
fn end(object: &Object) -> Option<Timestamp> {
    match object.kind() {
        Kind::Indicator(indicator) => indicator.valid_until,
        Kind::Sighting(_)
        | Kind::Identity(_)
        | Kind::Marking(_)
        | Kind::Extension(_)
        | Kind::Account(_)
        | Kind::Other => None,
    }
}

/// Whether an object holds no more.
pub(in crate::sharing) fn is_past(object: &Object, now: Timestamp) -> bool {
    end(object).is_some_and(|end| end <= now)
}

/// The newest versions of signed objects by what they are about and by who signed: [`MOST_SAID`] for each,
/// the surest first. What is accepted always fits; a journal may have more, and then the surest stay.
#[derive(Debug)]
pub(in crate::sharing) struct Said<T>(HashMap<T, BTreeMap<Id, Vec<Arc<Entry>>>>);

impl<T> Default for Said<T> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

impl<T: Clone + Eq + Hash> Said<T> {
    /// Who says something about it, and what.
    pub fn about(&self, what: &T) -> impl Iterator<Item = (&Id, &[Arc<Entry>])> {
        let signers = self.0.get(what).into_iter().flatten();
        signers.map(|(signer, said)| (signer, said.as_slice()))
    }

    /// How many objects of a signer about it hold or will hold; `None` if one of them is `id`, whose new
    /// version takes its place.
    pub fn places(&self, what: &T, signer: &Id, id: &Id, now: Timestamp) -> Option<usize> {
        let said = self.0.get(what).and_then(|signers| signers.get(signer));
        let said = said.map_or(&[][..], Vec::as_slice);
        match said.iter().any(|entry| entry.object.id() == id) {
            true => None,
            false => Some(said.iter().filter(|entry| !is_past(&entry.object, now)).count()),
        }
    }

    pub fn insert(&mut self, what: &T, signer: &Id, entry: &Arc<Entry>, now: Timestamp) {
        let signers = self.0.entry(what.clone()).or_default();
        let said = signers.entry(signer.clone()).or_default();
        said.retain(|other| other.object.id() != entry.object.id());
        let rank = |entry: &Entry| {
            let end = end(&entry.object).map_or(u64::MAX, Timestamp::micros);
            (confidence(&entry.object), end)
        };
        let place = said.partition_point(|other| rank(other) >= rank(entry));
        said.insert(place, entry.clone());
        // What has ended stays while there is room: the clock may have been wrong.
        if said.len() > MOST_SAID {
            said.retain(|entry| !is_past(&entry.object, now));
            said.truncate(MOST_SAID);
        }
    }

    pub fn remove(&mut self, what: &T, signer: &Id, id: &Id) {
        let Some(signers) = self.0.get_mut(what) else { return };
        if let Some(said) = signers.get_mut(signer) {
            said.retain(|entry| entry.object.id() != id);
            if said.is_empty() {
                signers.remove(signer);
            }
        }
        if signers.is_empty() {
            self.0.remove(what);
        }
    }
}
