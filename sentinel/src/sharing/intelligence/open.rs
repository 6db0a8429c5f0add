//! Opening.

use super::*;
use crate::sharing::store::accept::source;
use crate::sharing::store::Ledger;
use crate::sharing::store::Record;

impl Intelligence {
    /// Opens the journal and judges all that is in it by the trust list.
    ///
    /// # Errors
    /// [`SharingError::Setting`] for collections that cannot be; what the journal says.
    pub fn open(options: Options, trust: TrustList) -> Result<Arc<Self>, SharingError> {
        let Options { path, collections, quotas, unmarked, clock } = options;
        let mut by_id = BTreeMap::new();
        for collection in collections {
            collection.check()?;
            let id = collection.id.clone();
            if by_id.insert(id.clone(), collection).is_some() {
                return Err(SharingError::setting("collection", format!("{id} is there twice")));
            }
        }
        let (journal, records) = Journal::open(&path)?;
        let damaged = |line: usize, why: String| SharingError::Damaged {
            path: path.clone(),
            line: line as u64 + 1,
            why,
        };
        let (mut entries, mut withdrawn, mut last) = (Vec::new(), HashMap::new(), 0);
        for (line, record) in records.into_iter().enumerate() {
            match record {
                Record::Withdraw { key, at } => {
                    withdrawn.insert(key, Timestamp::from_micros(at));
                }
                Record::Add { added, .. } if added <= last => {
                    return Err(damaged(line, "it is not later than the one before".into()));
                }
                Record::Add { collection, added, maker, object } => {
                    let object = Object::from_value(object);
                    let object = Arc::new(object.map_err(|e| damaged(line, e.to_string()))?);
                    let (collection, key) = (collection.into(), None);
                    last = added;
                    let added = Timestamp::from_micros(added);
                    entries.push(Arc::new(Entry { object, collection, added, maker, key }));
                }
            }
        }
        let now = clock();
        let state = State::of(entries, withdrawn, now).judged(&trust, now);
        let mut ledger = Ledger::new(quotas);
        for entry in state.entries() {
            let bytes = entry.object.size();
            ledger.count(&source(&trust, &entry.maker), bytes, entry.added);
        }
        info!(path = %path.display(), entries = state.entries().len(), "intelligence is open");
        Ok(Arc::new(Self {
            known: RwLock::new(Known { state, trust: Arc::new(trust) }),
            writer: Mutex::new(Writer { journal, ledger, last }),
            collections: by_id,
            quotas,
            unmarked,
            clock,
            news: watch::Sender::new(last),
        }))
    }
}
