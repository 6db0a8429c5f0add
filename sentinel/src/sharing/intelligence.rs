//! What a chain knows, shares and believes.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard};

use serde_json::Value;
use tokio::sync::watch;
use tracing::{info, warn};

use super::collection::Collection;
use super::error::SharingError;
use super::sign::Signer;
use super::stix::{Id, Object, Subject, Timestamp, Tlp};
use super::store::accept::{self, Place};
use super::store::{
    merkle, query, Accepted, Entry, Inclusion, Journal, Key, Maker, Page, Query, Quotas, Root,
    State, Writer,
};
use super::trust::{look, sees, Asked, Lookup, Reader, TrustList};

mod compact;
mod enter;
mod open;

/// The time.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// How intelligence is kept.
#[derive(Clone)]
pub struct Options {
    /// The journal's file.
    pub path: PathBuf,
    /// The collections.
    pub collections: Vec<Collection>,
    /// What a source may send.
    pub quotas: Quotas,
    /// The level of what no marking of TLP is on.
    pub unmarked: Tlp,
    /// The time.
    pub clock: Clock,
}

impl Options {
    /// The usual: TLP:AMBER for what is not marked, the system's clock.
    pub fn new(path: impl Into<PathBuf>, collections: Vec<Collection>) -> Self {
        Self {
            path: path.into(),
            collections,
            quotas: Quotas::default(),
            unmarked: Tlp::Amber,
            clock: Arc::new(Timestamp::now),
        }
    }
}

impl std::fmt::Debug for Options {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Options({})", self.path.display())
    }
}

/// What a chain knows, shares and believes. It may be read while it is written to.
pub struct Intelligence {
    known: RwLock<Known>,
    writer: Mutex<Writer>,
    collections: BTreeMap<String, Collection>,
    quotas: Quotas,
    unmarked: Tlp,
    clock: Clock,
    news: watch::Sender<u64>,
}

struct Known {
    state: State,
    trust: Arc<TrustList>,
}

impl std::fmt::Debug for Intelligence {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Intelligence({} entries)", self.known().state.entries().len())
    }
}

impl Intelligence {
    fn known(&self) -> RwLockReadGuard<'_, Known> {
        self.known.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is known about a subject now. It waits for no disk.
    pub fn lookup(&self, subject: &Subject) -> Lookup {
        let known = self.known();
        look(&known.state, &known.trust, subject, (self.clock)())
    }

    /// The collections, by identifier.
    pub fn collections(&self) -> &BTreeMap<String, Collection> {
        &self.collections
    }

    /// A collection.
    ///
    /// # Errors
    /// [`SharingError::NoCollection`].
    pub fn collection(&self, id: &str) -> Result<&Collection, SharingError> {
        let missing = || SharingError::NoCollection { id: super::error::tame(id) };
        self.collections.get(id).ok_or_else(missing)
    }

    /// The trust list in force.
    pub fn trust(&self) -> Arc<TrustList> {
        self.known().trust.clone()
    }

    /// Puts another trust list in force, at once. Objects of who is not in it count for nothing and are
    /// served to nobody, until it is in a list again.
    pub fn set_trust(&self, trust: TrustList) {
        // Nobody enters anything meanwhile that was judged by the old list.
        let _writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        let state = self.known().state.judged(&trust, (self.clock)());
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        *known = Known { state, trust: Arc::new(trust) };
    }

    /// What a reader gets of a collection.
    ///
    /// # Errors
    /// [`SharingError::NoCollection`].
    pub fn page(
        &self,
        collection: &str,
        query: &Query,
        reader: &Reader,
    ) -> Result<Page, SharingError> {
        let named = &self.collection(collection)?.named;
        let Known { state, trust } = &*self.known();
        let asked = Asked { trust, reader, named };
        let sees = |entry: &Entry| {
            let level = entry.object.tlp(self.unmarked, |marking| state.is_statement(marking));
            sees(&asked, entry, level)
        };
        Ok(query::page(state, collection, query, sees))
    }

    /// The root over the indicators that hold at a time, to be posted on L1. It stays the same for a time
    /// that is past, until something is withdrawn or forgotten, or the trust list changes.
    pub fn root(&self, at: Timestamp) -> Root {
        merkle::root(&self.known().state, at)
    }

    /// A proof that an indicator is under [`Intelligence::root`] of the same time; none if it is not.
    pub fn prove(&self, key: &Key, at: Timestamp) -> Option<Inclusion> {
        merkle::prove(&self.known().state, key, at)
    }

    /// Hears of everything that is added: the value is the time in microseconds of what was added last.
    pub fn watch(&self) -> watch::Receiver<u64> {
        self.news.subscribe()
    }

    /// The time by the clock of this chain.
    pub fn now(&self) -> Timestamp {
        (self.clock)()
    }
}

#[cfg(test)]
mod tests;
