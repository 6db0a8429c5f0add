//! Following a collection of another chain: catching up by pages, then by the stream, and again by pages
//! where the stream ends or there is none.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::time::{sleep, timeout, Instant};
use tracing::{debug, info, warn};

use super::requests::Filter;
use super::transport::Client;
use crate::sharing::error::SharingError;
use crate::sharing::intelligence::Intelligence;
use crate::sharing::stix::{json, Timestamp};

/// Pages at once at most: a peer that always has more is not followed for ever.
const MOST_PAGES: usize = 10_000;

/// What is followed.
#[derive(Debug, Clone)]
pub struct Feed {
    /// The peer.
    pub client: Client,
    /// Its collection.
    pub collection: String,
    /// The collection here that objects go into.
    pub into: String,
    /// The name here of who brings them.
    pub sender: String,
}

/// How a feed is followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// Objects of a page.
    pub page: usize,
    /// How often a peer without a stream is asked.
    pub poll: Duration,
    /// Until the first attempt after a failure; each further one waits twice as long, and a minute at most.
    pub patience: Duration,
    /// How long a stream may be silent. Servers show every 15 seconds that they are alive.
    pub silence: Duration,
    /// How often everything is asked for again: what was refused before may be welcome since, as quotas
    /// pass and the trust list changes.
    pub again: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            page: 200,
            poll: Duration::from_secs(60),
            patience: Duration::from_secs(1),
            silence: Duration::from_secs(45),
            again: Duration::from_secs(6 * 3_600),
        }
    }
}

/// What became of what a feed brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Taken {
    /// Versions that are new here.
    pub new: u64,
    /// Versions that were known.
    pub known: u64,
    /// Versions that were refused.
    pub refused: u64,
}

/// Follows a feed.
#[derive(Debug)]
pub struct Follower {
    feed: Feed,
    here: Arc<Intelligence>,
    pace: Pace,
    after: Timestamp,
    taken: Taken,
}

impl Follower {
    /// A follower that begins after a time of the peer's, or at the beginning.
    pub fn new(feed: Feed, here: Arc<Intelligence>, pace: Pace, after: Option<Timestamp>) -> Self {
        let after = after.unwrap_or(Timestamp::ZERO);
        Self { feed, here, pace, after, taken: Taken::default() }
    }

    /// How far it has come, in the peer's time.
    pub fn after(&self) -> Timestamp {
        self.after
    }

    /// What became of everything so far.
    pub fn taken(&self) -> Taken {
        self.taken
    }

    /// Takes everything that the peer has and that was not asked for before.
    ///
    /// # Errors
    /// What the peer does wrong. What came before that is taken.
    pub async fn catch_up(&mut self) -> Result<(), SharingError> {
        let versions = vec!["all".to_owned()];
        let mut filter = Filter { limit: Some(self.pace.page), versions, ..Filter::default() };
        filter.added_after = (self.after > Timestamp::ZERO).then_some(self.after);
        let mut last = self.after;
        for _ in 0..MOST_PAGES {
            let page = self.feed.client.objects(&self.feed.collection, &filter).await?;
            let is_empty = page.envelope.objects.is_empty();
            self.take(page.envelope.objects).await?;
            last = page.last.unwrap_or(last).max(last);
            match page.envelope.next {
                // With other servers, objects of one time may be on several pages: only at the end is it
                // known that none of that time is left.
                Some(next) if page.envelope.more == Some(true) && !is_empty => {
                    filter.next = Some(next);
                }
                None if page.envelope.more == Some(true) && last > self.after => {
                    self.after = last;
                    (filter.added_after, filter.next) = (Some(last), None);
                }
                Some(_) | None => {
                    self.after = last;
                    return Ok(());
                }
            }
        }
        let (peer, request) = (self.feed.client.peer(), self.feed.collection.clone());
        Err(SharingError::Answer { peer, request, why: "there is always more".into() })
    }

    async fn take(&mut self, objects: Vec<Value>) -> Result<(), SharingError> {
        if objects.is_empty() {
            return Ok(());
        }
        let (here, feed) = (self.here.clone(), self.feed.clone());
        // It waits for the disk.
        let work = move || here.accept(&feed.into, &feed.sender, objects);
        let outcomes = tokio::task::spawn_blocking(work).await;
        let outcomes = outcomes.map_err(|e| SharingError::Interrupted { why: e.to_string() })?;
        for outcome in outcomes {
            match outcome {
                Ok(accepted) if accepted.is_new => self.taken.new += 1,
                Ok(_) => self.taken.known += 1,
                // To go on would leave them out until everything is asked for again.
                Err(error @ SharingError::Interrupted { .. }) => return Err(error),
                Err(error) => {
                    self.taken.refused += 1;
                    debug!(peer = self.feed.client.peer(), %error, "an object is refused");
                }
            }
        }
        Ok(())
    }

    /// Follows until `shutdown` is done.
    pub async fn run(&mut self, shutdown: impl Future<Output = ()>) {
        tokio::pin!(shutdown);
        tokio::select! {
            () = self.follow() => {}
            () = &mut shutdown => {}
        }
    }

    async fn follow(&mut self) {
        let longest = Duration::from_secs(60);
        let mut pause = self.pace.patience;
        let mut again = Instant::now() + self.pace.again;
        loop {
            if Instant::now() >= again {
                self.after = Timestamp::ZERO;
                again = Instant::now() + self.pace.again;
            }
            let before = self.taken;
            let wait = match self.once(again).await {
                // There is no stream.
                Ok(false) => {
                    pause = self.pace.patience;
                    self.pace.poll
                }
                Ok(true) if self.taken != before => {
                    pause = self.pace.patience;
                    Duration::ZERO
                }
                Ok(true) => pause,
                Err(error) => {
                    warn!(%error, "a feed cannot be followed for now");
                    pause
                }
            };
            if wait == pause {
                pause = pause.saturating_mul(2).min(longest);
            }
            sleep(wait).await;
        }
    }

    /// Catches up and follows the stream to its end. Says whether there is one.
    async fn once(&mut self, until: Instant) -> Result<bool, SharingError> {
        self.catch_up().await?;
        let stream = self.feed.client.stream(&self.feed.collection, self.after).await;
        let mut events = match stream {
            Ok(events) => events,
            Err(SharingError::Refused { status: 400 | 404..=406, .. }) => return Ok(false),
            Err(error) => return Err(error),
        };
        info!(peer = self.feed.client.peer(), after = %self.after, "a feed is followed");
        while Instant::now() < until {
            let left = until.saturating_duration_since(Instant::now());
            let next = timeout(self.pace.silence.min(left), events.next()).await;
            let event = match next {
                Ok(next) => next?,
                Err(_) => return Ok(true),
            };
            match event {
                None => return Ok(true),
                Some(Some(event)) if event.name == "object" => {
                    self.take(json::read(event.data.as_bytes()).into_iter().collect()).await?;
                    let added = event.id.and_then(|id| id.parse().ok());
                    self.after = added.unwrap_or(self.after).max(self.after);
                }
                Some(Some(_) | None) => {}
            }
        }
        Ok(true)
    }
}
