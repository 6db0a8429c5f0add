//! What is known about somebody.

use std::collections::BTreeMap;

use serde::Serialize;

use super::list::{Member, TrustList, FULL};
use crate::sharing::stix::{Id, Indicator, Kind, Subject, Timestamp};
use crate::sharing::store::{Entry, Key, State};

/// The confidence of an object that says nothing of it, of 100.
const UNSAID: u8 = 50;

/// Somebody who says something about a subject.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Source {
    /// Who runs it.
    pub operator: String,
    /// The identity that is the surest of those of this operator.
    pub identity: Id,
    /// Its name.
    pub name: String,
    /// How far it is believed, times how sure it is: 0 to 1000.
    pub score: u16,
}

/// What is known about a subject.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Lookup {
    /// Who says so: one for each operator.
    pub sources: Vec<Source>,
    /// How sure that makes, from 0 to 1000: what is left open is what every source leaves open.
    pub confidence: u16,
    /// The indicators that match.
    pub indicators: Vec<Id>,
    /// Whether enough independent sources say so for a freeze. Below that, it may raise a score or hold
    /// an operation back, and no more.
    pub may_freeze: bool,
}

/// What is known about a subject at a time.
pub(in crate::sharing) fn look(
    state: &State,
    trust: &TrustList,
    subject: &Subject,
    at: Timestamp,
) -> Lookup {
    let mut found = Found::default();
    let everywhere = subject.everywhere();
    for subject in [Some(subject), everywhere.as_ref()].into_iter().flatten() {
        for key in state.about(subject) {
            found.indicator(state, trust, key, subject, at);
        }
    }
    found.indicators.sort();
    found.indicators.dedup();
    let sources: Vec<Source> = found.sources.into_values().collect();
    let open = sources.iter().fold(u64::from(FULL) * 1_000, |open, source| {
        open * u64::from(FULL.saturating_sub(source.score)) / u64::from(FULL)
    });
    let confidence = u64::from(FULL) - open.div_ceil(1_000);
    Lookup {
        may_freeze: sources.len() >= trust.sources(),
        confidence: u16::try_from(confidence).unwrap_or(FULL),
        indicators: found.indicators,
        sources,
    }
}

#[derive(Default)]
struct Found {
    sources: BTreeMap<String, Source>,
    indicators: Vec<Id>,
}

impl Found {
    fn indicator(
        &mut self,
        state: &State,
        trust: &TrustList,
        key: &Key,
        subject: &Subject,
        at: Timestamp,
    ) {
        let Some((entry, indicator)) = state.live(key, at) else { return };
        if !indicator.subjects.contains(subject) {
            return;
        }
        let Some(member) = believed(trust, entry) else { return };
        let confidence = entry.object.confidence().unwrap_or(UNSAID);
        self.indicators.push(entry.object.id().clone());
        self.add(member, confidence);
        // Two makers under one identifier: nobody knows which of them was seen.
        if !state.is_unambiguous(entry.object.id()) {
            return;
        }
        for key in state.sightings_of(entry.object.id()) {
            let Some(sighting) = state.newest(key) else { continue };
            let Kind::Sighting(said) = sighting.object.kind() else { continue };
            if sighting.object.revoked() || said.count == Some(0) {
                continue;
            }
            if let Some(member) = believed(trust, sighting) {
                self.add(member, sighting.object.confidence().unwrap_or(UNSAID).min(confidence));
            }
        }
    }

    fn add(&mut self, member: &Member, confidence: u8) {
        let score = u32::from(member.weight) * u32::from(confidence) / 100;
        let score = u16::try_from(score).unwrap_or(FULL);
        if score == 0 {
            return;
        }
        let Member { operator, identity, name, .. } = member.clone();
        let source = Source { operator: operator.clone(), identity, name, score };
        match self.sources.get_mut(&operator) {
            Some(known) if known.score >= score => {}
            Some(known) => *known = source,
            None => drop(self.sources.insert(operator, source)),
        }
    }
}

/// The member whose signature an entry bears.
fn believed<'a>(trust: &'a TrustList, entry: &Entry) -> Option<&'a Member> {
    let signer = entry.object.signature()?.signer();
    trust.member(signer).filter(|member| entry.key.is_some_and(|key| member.keys.contains(&key)))
}

impl State {
    /// The newest version of an indicator, if it was not taken back and holds.
    pub(in crate::sharing) fn live(
        &self,
        key: &Key,
        at: Timestamp,
    ) -> Option<(&Entry, &Indicator)> {
        let entry = self.newest(key)?;
        let Kind::Indicator(indicator) = entry.object.kind() else { return None };
        (!entry.object.revoked() && indicator.holds(at)).then_some((entry, indicator))
    }
}
