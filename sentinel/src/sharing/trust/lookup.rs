//! What is known about somebody.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use serde::Serialize;

use super::list::{Member, TrustList, FULL};
use crate::sharing::stix::{Id, Kind, Object, Subject, Timestamp};
use crate::sharing::store::said::confidence;
use crate::sharing::store::State;

/// Indicators that a lookup names at most.
const SHOWN: usize = 8;

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
    /// The indicators that match: of more than eight, the eight with the highest scores.
    pub indicators: Vec<Id>,
    /// Whether enough independent sources say so for a freeze. Below that, it may raise a score or hold
    /// an operation back, and no more.
    pub may_freeze: bool,
}

/// What is known about a subject at a time. It takes as long as the members who speak of it are many, and no
/// longer however much they say.
pub(in crate::sharing) fn look(
    state: &State,
    trust: &TrustList,
    subject: &Subject,
    at: Timestamp,
) -> Lookup {
    let mut found = Found::default();
    let everywhere = subject.everywhere();
    for subject in [Some(subject), everywhere.as_ref()].into_iter().flatten() {
        for (signer, said) in state.subjects().about(subject) {
            let Some(member) = believed(trust, signer) else { continue };
            for entry in said.iter().filter(|entry| holds(&entry.object, at)) {
                found.indicator(state, trust, member, &entry.object);
            }
        }
    }
    let sources: Vec<Source> =
        found.sources.values().map(|(member, score)| member.source(*score)).collect();
    let open = sources.iter().fold(u64::from(FULL) * 1_000, |open, source| {
        open * u64::from(FULL.saturating_sub(source.score)) / u64::from(FULL)
    });
    let confidence = u64::from(FULL) - open.div_ceil(1_000);
    Lookup {
        may_freeze: sources.len() >= trust.sources(),
        confidence: u16::try_from(confidence).unwrap_or(FULL),
        indicators: found.shown(),
        sources,
    }
}

#[derive(Default)]
struct Found<'a> {
    /// The surest member of each operator.
    sources: BTreeMap<&'a str, (&'a Member, u16)>,
    indicators: Vec<(&'a Id, u16)>,
}

impl<'a> Found<'a> {
    fn indicator(
        &mut self,
        state: &'a State,
        trust: &'a TrustList,
        member: &'a Member,
        object: &'a Object,
    ) {
        let (id, sure) = (object.id(), confidence(object));
        let score = self.add(member, sure);
        if score > 0 {
            self.indicators.push((id, score));
        }
        // Two makers under one identifier: nobody knows which of them was seen.
        if !state.is_unambiguous(id) {
            return;
        }
        for (signer, said) in state.sightings().about(id) {
            // The surest comes first.
            let (Some(member), Some(seen)) = (believed(trust, signer), said.first()) else {
                continue;
            };
            self.add(member, confidence(&seen.object).min(sure));
        }
    }

    fn add(&mut self, member: &'a Member, confidence: u8) -> u16 {
        let score = u32::from(member.weight) * u32::from(confidence) / 100;
        let score = u16::try_from(score).unwrap_or(FULL);
        if score > 0 {
            let known = self.sources.entry(&member.operator).or_insert((member, score));
            if known.1 < score {
                *known = (member, score);
            }
        }
        score
    }

    /// The indicators that are named, in order.
    fn shown(mut self) -> Vec<Id> {
        self.indicators.sort_unstable_by(|a, b| (a.0, b.1).cmp(&(b.0, a.1)));
        self.indicators.dedup_by_key(|(id, _)| *id);
        self.indicators.sort_by_key(|(_, score)| Reverse(*score));
        self.indicators.truncate(SHOWN);
        let mut shown: Vec<Id> = self.indicators.into_iter().map(|(id, _)| id.clone()).collect();
        shown.sort();
        shown
    }
}

impl Member {
    fn source(&self, score: u16) -> Source {
        let Self { operator, identity, name, .. } = self.clone();
        Source { operator, identity, name, score }
    }
}

/// The member that signs as an identity, if anything that it says counts. What is known was judged by the
/// same trust list: what has a signer is signed by one of its keys.
fn believed<'a>(trust: &'a TrustList, signer: &Id) -> Option<&'a Member> {
    trust.member(signer).filter(|member| member.weight > 0)
}

/// Whether an object is an indicator that holds.
fn holds(object: &Object, at: Timestamp) -> bool {
    matches!(object.kind(), Kind::Indicator(indicator) if indicator.holds(at))
}
