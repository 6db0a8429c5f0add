//! Entering and withdrawing.

use super::*;
use crate::sharing::store::accept::Candidate;
use crate::sharing::store::Record;

type Outcome = Result<Accepted, SharingError>;

/// Entries that wait for the disk, each with its place among the outcomes.
#[derive(Default)]
struct Staged {
    entries: Vec<(usize, Arc<Entry>)>,
    waiting: accept::Waiting,
}

impl Intelligence {
    /// Takes objects that a sender brings into a collection. Each is judged on its own; what is accepted is
    /// on disk and counts when this returns. It waits for the disk: in async code, call it where that is
    /// allowed.
    ///
    /// # Errors
    /// Each outcome has its own.
    pub fn accept(&self, collection: &str, sender: &str, objects: Vec<Value>) -> Vec<Outcome> {
        let mut writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        let mut outcomes = Vec::with_capacity(objects.len());
        let mut staged = Staged::default();
        for value in objects {
            let outcome = self.judged(collection, sender, value).and_then(|candidate| {
                if staged.entries.iter().any(|(_, entry)| entry.of() == candidate.of()) {
                    self.settle(&mut writer, &mut staged, &mut outcomes);
                }
                self.stage(&mut writer, &mut staged, outcomes.len(), &candidate, collection)
            });
            outcomes.push(outcome);
        }
        self.settle(&mut writer, &mut staged, &mut outcomes);
        outcomes
    }

    fn judged(
        &self,
        collection: &str,
        sender: &str,
        value: Value,
    ) -> Result<Candidate, SharingError> {
        let collection = self.collection(collection)?;
        let trust = self.trust();
        accept::judge(&trust, collection, sender, value, (self.clock)())
    }

    fn stage(
        &self,
        writer: &mut Writer,
        staged: &mut Staged,
        place: usize,
        candidate: &Candidate,
        collection: &str,
    ) -> Outcome {
        let Candidate { object, maker, key, source } = candidate;
        let known = self.known();
        let accepted = |version, is_new| {
            let (id, is_observable) = (object.id().clone(), object.version().is_none());
            Accepted { id, version, is_new, is_observable }
        };
        let collections = match accept::place(&known.state, candidate, collection)? {
            Place::Known(version) => return Ok(accepted(version, false)),
            Place::New(collections) => collections,
        };
        let (now, bytes) = ((self.clock)(), object.size());
        compact::check_age(object, now)?;
        // Who takes something back is never made to wait. Each object can be taken back once.
        let takes_back = object.revoked() && known.state.newest(&candidate.of()).is_some();
        if !takes_back {
            writer.ledger.check(source, bytes, now)?;
        }
        for place in accept::room(&known.state, candidate, &staged.waiting, now)? {
            *staged.waiting.entry(place).or_default() += 1;
        }
        let mut version = object.version();
        for collection in collections {
            let added = writer.stamp(now);
            version = version.or(Some(added));
            writer.ledger.count(source, bytes, added);
            let (object, maker, key) = (object.clone(), maker.clone(), *key);
            staged.entries.push((place, Arc::new(Entry { object, collection, added, maker, key })));
        }
        Ok(accepted(version.unwrap_or(now), true))
    }

    /// Writes what is staged, and lets it count.
    fn settle(&self, writer: &mut Writer, staged: &mut Staged, outcomes: &mut [Outcome]) {
        let Staged { entries, .. } = std::mem::take(staged);
        if entries.is_empty() {
            return;
        }
        let records: Vec<Record> = entries.iter().map(|(_, entry)| accept::record(entry)).collect();
        if let Err(error) = writer.journal.append(&records) {
            warn!(%error, "intelligence could not be written");
            let why = error.to_string();
            for (place, _) in &entries {
                if let Some(outcome) = outcomes.get_mut(*place) {
                    *outcome = Err(SharingError::Interrupted { why: why.clone() });
                }
            }
            return;
        }
        let now = (self.clock)();
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        for (_, entry) in entries {
            known.state.add(entry, now);
        }
        drop(known);
        self.news.send_replace(writer.last);
    }

    /// Signs an object and publishes it.
    ///
    /// # Errors
    /// As [`Signer::sign`], and as its outcome says.
    pub fn publish(&self, signer: &Signer, collection: &str, object: Value) -> Outcome {
        let object = signer.sign(object)?;
        let sender = signer.identity().as_str();
        let raw = Value::Object(object.raw().clone());
        let outcome = self.accept(collection, sender, vec![raw]).pop();
        outcome.unwrap_or_else(|| Err(SharingError::Interrupted { why: "nothing was done".into() }))
    }

    /// Withdraws an object with all its versions, from every collection. It never comes back: whoever holds
    /// an old version cannot bring it in again. Says whether there was one.
    ///
    /// # Errors
    /// What the journal says.
    pub fn withdraw(&self, key: &Key) -> Result<bool, SharingError> {
        let mut writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        if self.known().state.all(key).is_empty() {
            return Ok(false);
        }
        let at = (self.clock)();
        let record = Record::Withdraw { key: key.clone(), at: at.micros() };
        writer.journal.append(&[record])?;
        // Nobody else writes, and whoever looks something up meanwhile need not wait.
        let state = self.known().state.without(key.clone(), at);
        self.known.write().unwrap_or_else(PoisonError::into_inner).state = state;
        Ok(true)
    }

    /// The key of an object that a peer has made, and so may withdraw; none if it has made none with this
    /// identifier.
    pub fn made_by(&self, id: &Id, reader: &Reader) -> Option<Key> {
        let Reader::Peer { name, identity } = reader else { return None };
        let signer = identity.clone().map(Maker::Signer);
        let known = self.known();
        let keys = [signer, Some(Maker::Peer(name.clone()))].into_iter().flatten();
        keys.map(|maker| Key { maker, id: id.clone() }).find(|key| !known.state.all(key).is_empty())
    }
}
