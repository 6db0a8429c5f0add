//! Queues, tasks and repetitions.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde::Serialize;
use tokio::runtime::Handle;
use tokio::sync::{broadcast, mpsc, watch};
use tokio::task::JoinSet;

use super::channel::Channel;
use super::gate::{Gate, Pass};
use super::{Alert, AlertsConfig, Patience};
use crate::response::ResponseError;

/// Alerts that a slow listener of the feed may be behind.
const FEED: usize = 256;

/// What became of an alert that was handed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sent {
    /// It is on its way.
    Queued,
    /// It is a repetition, and was dropped.
    Repeated,
    /// There were too many within the minute, and it was dropped. The next one says how many were.
    Limited,
}

/// What a channel did so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Counts {
    /// Delivered.
    pub delivered: u64,
    /// Not delivered, after all attempts.
    pub failed: u64,
    /// Repetitions that were dropped.
    pub repeated: u64,
    /// Dropped since there were too many within a minute.
    pub limited: u64,
    /// Dropped since the queue was full.
    pub full: u64,
}

#[derive(Debug, Default)]
struct Counters([AtomicU64; 5]);

const DELIVERED: usize = 0;
const FAILED: usize = 1;
const REPEATED: usize = 2;
const LIMITED: usize = 3;
const FULL: usize = 4;

impl Counters {
    fn add(&self, which: usize) {
        self.0[which].fetch_add(1, Ordering::Relaxed);
    }
}

/// A channel, from the side of those who send.
#[derive(Debug)]
struct Line {
    name: String,
    gate: Mutex<Gate>,
    counters: Counters,
    capacity: usize,
}

impl Line {
    fn gate(&self) -> std::sync::MutexGuard<'_, Gate> {
        self.gate.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Takes alerts.
#[derive(Debug)]
pub struct Alerts {
    /// A feed has no queue.
    lines: BTreeMap<String, (Arc<Line>, Option<mpsc::Sender<Alert>>)>,
    feed: broadcast::Sender<Arc<Alert>>,
}

/// The tasks that deliver.
#[derive(Debug)]
pub struct Deliveries {
    tasks: JoinSet<()>,
    stop: watch::Sender<bool>,
}

impl Alerts {
    /// Reads the secrets, and starts a task for each channel.
    ///
    /// # Errors
    /// [`ResponseError::Channel`] and [`ResponseError::Secret`].
    pub fn start(
        config: &AlertsConfig,
        patience: Patience,
        runtime: &Handle,
    ) -> Result<(Self, Deliveries), ResponseError> {
        config.check()?;
        let mut ready = Vec::new();
        for channel in &config.channel {
            ready.push((channel, Channel::new(&channel.name, &channel.to, patience)?));
        }
        let (stop, stopped) = watch::channel(false);
        let mut deliveries = Deliveries { tasks: JoinSet::new(), stop };
        let mut lines = BTreeMap::new();
        for (config, channel) in ready {
            let line = Arc::new(Line {
                name: config.name.clone(),
                gate: Mutex::new(Gate::new(config.quiet, config.per_minute)),
                counters: Counters::default(),
                capacity: config.queue,
            });
            let queue = channel.map(|channel| {
                let (queue, waiting) = mpsc::channel(config.queue);
                let task = work(Arc::clone(&line), channel, waiting, stopped.clone(), patience);
                deliveries.tasks.spawn_on(task, runtime);
                queue
            });
            lines.insert(config.name.clone(), (line, queue));
        }
        Ok((Self { lines, feed: broadcast::channel(FEED).0 }, deliveries))
    }

    /// Hands over an alert. It never waits.
    ///
    /// # Errors
    /// [`ResponseError::UnknownChannel`]; [`ResponseError::QueueFull`], also after the end of the tasks.
    pub fn send(&self, channel: &str, alert: &Alert) -> Result<Sent, ResponseError> {
        let (line, queue) = self
            .lines
            .get(channel)
            .ok_or_else(|| ResponseError::UnknownChannel { channel: channel.to_owned() })?;
        let mut alert = alert.bounded();
        match line.gate().pass(&alert) {
            Pass::Repeated => {
                line.counters.add(REPEATED);
                return Ok(Sent::Repeated);
            }
            Pass::Limited => {
                line.counters.add(LIMITED);
                return Ok(Sent::Limited);
            }
            Pass::Go(0) => {}
            Pass::Go(dropped) => alert.fields.push(("dropped before".into(), dropped.to_string())),
        }
        let Some(queue) = queue else {
            line.counters.add(DELIVERED);
            // Without a listener there is nobody to tell.
            let _ = self.feed.send(Arc::new(alert));
            return Ok(Sent::Queued);
        };
        queue.try_send(alert).map_err(|e| {
            line.counters.add(FULL);
            line.gate().forget(&e.into_inner());
            ResponseError::QueueFull { channel: channel.to_owned(), capacity: line.capacity }
        })?;
        Ok(Sent::Queued)
    }

    /// Listens to the channels of kind `feed`, from now on. A listener that is too slow misses alerts, and is
    /// told how many.
    #[must_use]
    pub fn subscribe(&self) -> broadcast::Receiver<Arc<Alert>> {
        self.feed.subscribe()
    }

    /// What each channel did so far.
    #[must_use]
    pub fn counts(&self) -> BTreeMap<String, Counts> {
        let one = |(name, (line, _)): (&String, &(Arc<Line>, Option<mpsc::Sender<Alert>>))| {
            let at = |i: usize| line.counters.0[i].load(Ordering::Relaxed);
            let counts = Counts {
                delivered: at(DELIVERED),
                failed: at(FAILED),
                repeated: at(REPEATED),
                limited: at(LIMITED),
                full: at(FULL),
            };
            (name.clone(), counts)
        };
        self.lines.iter().map(one).collect()
    }
}

impl Deliveries {
    /// Takes no more alerts, delivers those that wait, and ends. After `patience` the rest is given up: returns
    /// whether there was none.
    pub async fn finish(mut self, patience: Duration) -> bool {
        self.stop.send_replace(true);
        let all = async { while self.tasks.join_next().await.is_some() {} };
        tokio::time::timeout(patience, all).await.is_ok()
    }
}

/// Delivers what waits, one after another.
async fn work(
    line: Arc<Line>,
    channel: Channel,
    mut waiting: mpsc::Receiver<Alert>,
    mut stop: watch::Receiver<bool>,
    patience: Patience,
) {
    loop {
        let stopped = *stop.borrow_and_update();
        if stopped {
            waiting.close();
        }
        let next = tokio::select! {
            next = waiting.recv() => next,
            changed = stop.changed(), if !stopped => match changed {
                Ok(()) => continue,
                // Nobody is there who could stop it in order.
                Err(_) => return,
            },
        };
        let Some(alert) = next else { return };
        match attempts(&line.name, &channel, &alert, patience).await {
            Ok(()) => line.counters.add(DELIVERED),
            Err(error) => {
                line.counters.add(FAILED);
                line.gate().forget(&alert);
                tracing::error!(%error, key = alert.key, "an alert was not delivered");
            }
        }
    }
}

async fn attempts(
    name: &str,
    channel: &Channel,
    alert: &Alert,
    patience: Patience,
) -> Result<(), ResponseError> {
    let mut pause = patience.first;
    let mut attempts = 1;
    loop {
        let failure = match channel.deliver(alert).await {
            Ok(()) => return Ok(()),
            Err(failure) => failure,
        };
        if !failure.again || attempts >= patience.attempts {
            return Err(ResponseError::Delivery {
                channel: name.to_owned(),
                attempts,
                why: failure.why,
            });
        }
        tracing::warn!(channel = name, attempts, why = failure.why, "an alert is tried again");
        tokio::time::sleep(pause.max(failure.after.unwrap_or_default()).min(patience.longest))
            .await;
        pause = pause.saturating_mul(2);
        attempts += 1;
    }
}
