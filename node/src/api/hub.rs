//! Events, made once for all who watch.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use serde::Serialize;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::broadcast::{self, Receiver, Sender};
use tokio::time::{interval, MissedTickBehavior};
use tracing::warn;

use super::problem::{Code, Fault};
use super::shares::{Share, Shares};
use super::views::job::progress;
use super::{metrics, Backend};
use crate::coordinator::events::Event;

/// Events that a slow watcher may be behind.
const BEHIND: usize = 256;
/// Streams of one client.
const OF_ONE: usize = 8;
/// How often the status is told.
const STATUS: Duration = Duration::from_secs(2);
/// Blocks that are told of at once, at most.
const AT_ONCE: u64 = 16;

/// An event as it is sent.
#[derive(Debug, Clone)]
pub struct Frame {
    /// Its name.
    pub name: &'static str,
    /// Its data, as JSON.
    pub data: Arc<str>,
}

/// Tells events to those who watch.
#[derive(Debug)]
pub struct Hub {
    frames: Sender<Frame>,
    shares: Shares,
    seen: Mutex<Seen>,
}

/// How far blocks had come when the status was told last. Nobody else tells of these changes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Seen {
    newest: u64,
    committed: u64,
    proven: u64,
    finalized: u64,
}

impl Default for Hub {
    fn default() -> Self {
        Self {
            frames: broadcast::channel(BEHIND).0,
            shares: Shares::new(OF_ONE),
            seen: Mutex::default(),
        }
    }
}

/// Somebody who watches.
#[derive(Debug)]
pub struct Watcher {
    frames: Receiver<Frame>,
    /// Its place among those of its client.
    _share: Option<Share>,
}

impl Hub {
    /// Watches from now on.
    ///
    /// # Errors
    /// [`Code::TooManyWatchers`] if there are `most` already, or the client has its part of them.
    pub fn watch(&self, most: usize, client: Option<IpAddr>) -> Result<Watcher, Fault> {
        let full = |count: usize, whose: &str| {
            let detail =
                format!("{count} streams of events {whose} are open: ask for /v1/status instead");
            Fault::new(Code::TooManyWatchers, detail)
        };
        if self.frames.receiver_count() >= most {
            return Err(full(most, "in all"));
        }
        let share =
            client.map(|client| self.shares.take(client).ok_or_else(|| full(OF_ONE, "of yours")));
        Ok(Watcher { frames: self.frames.subscribe(), _share: share.transpose()? })
    }

    fn tell(&self, name: &'static str, value: &impl Serialize) {
        match serde_json::to_string(value) {
            // Nobody may be watching any more.
            Ok(data) => drop(self.frames.send(Frame { name, data: data.into() })),
            Err(error) => warn!(%error, name, "an event cannot be written"),
        }
    }
}

impl Watcher {
    /// The next event; none when the node ends.
    pub async fn next(&mut self) -> Option<Frame> {
        loop {
            match self.frames.recv().await {
                Ok(frame) => return Some(frame),
                Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => return None,
            }
        }
    }
}

/// Starts the task that makes events. It ends when the backend is gone.
pub(super) fn start(backend: &Arc<Backend>) {
    let events = backend.parts.coordinator.subscribe();
    tokio::spawn(run(Arc::downgrade(backend), events));
}

async fn run(backend: Weak<Backend>, mut events: Receiver<Event>) {
    let mut ticks = interval(STATUS);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let event = tokio::select! {
            _ = ticks.tick() => None,
            event = events.recv() => match event {
                Ok(event) => Some(event),
                Err(RecvError::Lagged(_)) => continue,
                Err(RecvError::Closed) => return,
            },
        };
        let Some(backend) = backend.upgrade() else {
            return;
        };
        if event.is_some() && backend.hub.frames.receiver_count() == 0 {
            continue;
        }
        let told = tokio::task::spawn_blocking(move || backend.tell(event)).await;
        if let Err(error) = told {
            warn!(%error, "an event was not told");
        }
    }
}

impl Backend {
    /// Tells of an event, or of the status.
    fn tell(&self, event: Option<Event>) {
        let told = match event {
            None => {
                metrics::keep_up();
                // Asked for even if nobody watches: the rate of operations is taken by it.
                self.status().and_then(|status| {
                    self.hub.tell("status", &status);
                    self.tell_of_blocks()
                })
            }
            Some(Event::Batch(number)) => {
                self.batch(number).map(|batch| self.hub.tell("batch", &batch))
            }
            Some(Event::Block(number)) => {
                self.block(number).map(|block| self.hub.tell("block", &block))
            }
            Some(Event::Job(key)) => {
                if let Some(job) = self.job(&key) {
                    self.hub.tell("job", &job);
                }
                Ok(())
            }
            Some(Event::Progress { job, worker, progress: how_far }) => {
                self.hub.tell("progress", &progress(&job, &worker, &how_far));
                Ok(())
            }
        };
        if let Err(error) = told {
            warn!(%error, "an event was not told");
        }
    }

    /// Tells of blocks that were opened, or came further on L1.
    fn tell_of_blocks(&self) -> Result<(), Fault> {
        let newest = self.newest()?;
        let now = {
            let l1 = self.l1();
            let (committed, proven, finalized) = (l1.committed, l1.proven, l1.finalized);
            Seen { newest, committed, proven, finalized }
        };
        let mut seen = self.hub.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let before = std::mem::replace(&mut *seen, now);
        drop(seen);
        let steps = [
            (before.newest, now.newest),
            (before.committed, now.committed),
            (before.proven, now.proven),
            (before.finalized, now.finalized),
        ];
        let changed = steps.into_iter().flat_map(|(before, now)| {
            let first = before.max(now.saturating_sub(AT_ONCE)) + 1;
            first..=now
        });
        if self.hub.frames.receiver_count() == 0 {
            return Ok(());
        }
        for number in changed.collect::<BTreeSet<u64>>() {
            // L1 may have blocks that this node has not made.
            if let Ok(block) = self.block(number) {
                self.hub.tell("block", &block);
            }
        }
        Ok(())
    }
}
