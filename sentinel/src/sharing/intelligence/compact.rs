//! Making room.

use super::*;
use crate::sharing::stix::{Indicator, Kind};
use crate::sharing::store::accept::{record, source};
use crate::sharing::store::Ledger;
use crate::sharing::store::Record;

/// How long what has expired is kept, in microseconds: 30 days.
const KEPT: u64 = 30 * 86_400 * 1_000_000;

impl Intelligence {
    /// Forgets indicators that expired 30 days ago, so that their sources may send again. What ever had a
    /// second version is kept: an old version of it must not come back and hold longer. Says how many
    /// entries were forgotten.
    ///
    /// # Errors
    /// What the journal says; nothing is forgotten then.
    pub fn compact(&self) -> Result<usize, SharingError> {
        let mut writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        let now = (self.clock)();
        let (kept, withdrawn, trust, before) = {
            let known = self.known();
            let entries = known.state.entries();
            let kept: Vec<_> = entries
                .iter()
                .filter(|entry| past(&entry.object, now).is_none())
                .cloned()
                .collect();
            (kept, known.state.withdrawn().clone(), known.trust.clone(), entries.len())
        };
        if kept.len() == before {
            return Ok(0);
        }
        let gone = withdrawn
            .iter()
            .map(|(key, at)| Record::Withdraw { key: key.clone(), at: at.micros() });
        let records: Vec<Record> = gone.chain(kept.iter().map(|entry| record(entry))).collect();
        writer.journal.replace(&records)?;
        let mut ledger = Ledger::new(self.quotas);
        for entry in &kept {
            let bytes = entry.object.size();
            ledger.count(&source(&trust, &entry.maker), bytes, entry.added);
        }
        writer.ledger = ledger;
        let forgotten = before - kept.len();
        let state = State::of(kept, withdrawn, now);
        self.known.write().unwrap_or_else(PoisonError::into_inner).state = state;
        Ok(forgotten)
    }
}

/// Until when an indicator held that is forgotten. It has one version, or another could be found elsewhere.
fn past(object: &Object, now: Timestamp) -> Option<Timestamp> {
    let Kind::Indicator(Indicator { valid_until: Some(until), .. }) = object.kind() else {
        return None;
    };
    let is_only_version = object.version() == object.created() && !object.revoked();
    (is_only_version && until.micros().saturating_add(KEPT) < now.micros()).then_some(*until)
}

/// What would be forgotten at once is not taken.
pub(super) fn check_age(object: &Object, now: Timestamp) -> Result<(), SharingError> {
    match past(object, now) {
        Some(until) => {
            Err(SharingError::Past { id: object.id().to_string(), until: until.to_string() })
        }
        None => Ok(()),
    }
}
