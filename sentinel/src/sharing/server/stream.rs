//! What is added, as it is added. TAXII knows polling alone; this is beside it.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Path, Query as Parsed, State};
use axum::http::HeaderMap;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures_util::stream::{self, Stream};
use serde_json::Value;
use tokio::sync::{watch, OwnedSemaphorePermit};

use super::fault::Fault;
use super::filter::Parameters;
use super::{Session, Shared, Who};
use crate::sharing::stix::Timestamp;
use crate::sharing::store::{Entry, Query};

/// How often a silent stream shows that it is alive.
const ALIVE: Duration = Duration::from_secs(15);
/// Entries that are fetched at once.
const AT_ONCE: usize = 64;

/// Server-sent events: `object` for each version that the peer may read, with the time when it was added
/// as the event's id and the object as its data. It begins after `added_after` or the header
/// `Last-Event-ID`, whichever is later, or with what is added from now on. Nothing is left out however
/// slowly it is read: what waits, waits in the store.
pub(super) async fn stream(
    State(shared): State<Arc<Shared>>,
    session: Who,
    Path(collection): Path<String>,
    Parsed(parameters): Parsed<Parameters>,
    headers: HeaderMap,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Fault> {
    shared.readable(&session, &collection)?;
    let time = |text: &str| text.parse::<Timestamp>().map_err(Fault::body);
    let asked = parameters.iter().find(|(name, _)| name == "added_after");
    let asked = asked.map(|(_, value)| time(value)).transpose()?;
    let seen = headers.get("last-event-id").and_then(|value| value.to_str().ok());
    let seen = seen.map(time).transpose()?;
    let news = shared.intelligence.watch();
    let now = Timestamp::from_micros(*news.borrow());
    let permits = permits(&shared, &session)?;
    let after = asked.max(seen).unwrap_or(now);
    let session = session.0;
    let watcher = Watcher {
        shared,
        session,
        collection,
        after,
        news,
        waiting: VecDeque::new(),
        _permits: permits,
    };
    let events = stream::unfold(watcher, |mut watcher| async move {
        let entry = watcher.next().await?;
        Some((Ok(event(&entry)), watcher))
    });
    Ok(Sse::new(events).keep_alive(KeepAlive::new().interval(ALIVE)))
}

fn permits(shared: &Shared, session: &Session) -> Result<[OwnedSemaphorePermit; 2], Fault> {
    let name = session.peer.as_ref().map(|peer| peer.name.clone());
    let of_one = shared.streams_of.get(&name).ok_or_else(Fault::full)?;
    let take = |permits: &Arc<tokio::sync::Semaphore>| {
        permits.clone().try_acquire_owned().map_err(|_| Fault::full())
    };
    Ok([take(of_one)?, take(&shared.streams)?])
}

fn event(entry: &Entry) -> Event {
    let data = Value::Object(entry.object.raw().clone()).to_string();
    Event::default().event("object").id(entry.added.taxii()).data(data)
}

/// Somebody who follows.
struct Watcher {
    shared: Arc<Shared>,
    session: Session,
    collection: String,
    after: Timestamp,
    news: watch::Receiver<u64>,
    waiting: VecDeque<Arc<Entry>>,
    _permits: [OwnedSemaphorePermit; 2],
}

impl Watcher {
    async fn next(&mut self) -> Option<Arc<Entry>> {
        loop {
            if let Some(entry) = self.waiting.pop_front() {
                self.after = entry.added;
                return Some(entry);
            }
            // What is added from here on is news again.
            let newest = Timestamp::from_micros(*self.news.borrow_and_update());
            let query = Query::all(Some(self.after), AT_ONCE);
            let page =
                self.shared.intelligence.page(&self.collection, &query, &self.session.reader);
            self.waiting = page.ok()?.entries.into();
            if self.waiting.is_empty() {
                // What lies in between is not for this reader, and is not looked at again.
                self.after = self.after.max(newest);
                self.news.changed().await.ok()?;
            }
        }
    }
}
