//! The workers' side: a [`Desk`] whose coordinator is on another machine.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use async_nats::jetstream::consumer::{pull, AckPolicy, PullConsumer};
use async_nats::jetstream::{AckKind, Message};
use bastion_protocol::{Address, CircuitId};
use bastion_prover::artifact::Digest;
use futures_util::stream::FuturesUnordered;
use futures_util::StreamExt;
use tokio::io::AsyncReadExt;
use tracing::debug;

use super::messages::{Ask, Reply};
use super::{work_name, Link, ACK_WAIT, DELIVERIES};
use crate::coordinator::events::JobProgress;
use crate::coordinator::Assignment;
use crate::error::NodeError;
use crate::jobs::{JobKey, JobKind};
use crate::worker::desk::{Desk, DeskError};

/// Time that a request may take; a proof is verified within it.
const PATIENCE: Duration = Duration::from_secs(20);
/// Longest input that is read.
const LONGEST_INPUT: u64 = 1 << 30;

/// A coordinator over NATS.
pub struct NatsDesk {
    link: Link,
    work: Vec<String>,
    /// Wake-ups that no job was leased for yet.
    woken: Mutex<Vec<Message>>,
    /// The wake-ups of the jobs that are being done.
    kept: Mutex<HashMap<JobKey, Message>>,
}

impl NatsDesk {
    /// Connects; `circuits` are those that the worker has the keys of.
    ///
    /// # Errors
    /// [`NodeError::Nats`] if there is no server.
    pub fn connect(
        url: &str,
        chain_id: u64,
        contract: Address,
        circuits: &[(JobKind, CircuitId)],
    ) -> Result<Self, NodeError> {
        let link = Link::connect(url, chain_id, contract)?;
        let work = circuits.iter().map(|(kind, circuit)| work_name(*kind, *circuit)).collect();
        Ok(Self { link, work, woken: Mutex::default(), kept: Mutex::default() })
    }

    fn ask(&self, ask: &Ask) -> Result<Option<Assignment>, DeskError> {
        let away = |why: String| DeskError::Unreachable(why);
        let bytes = serde_json::to_vec(ask).map_err(|e| away(e.to_string()))?;
        let subject = self.link.subject("desk");
        let request = self.link.client.request(subject, bytes.into());
        let answer =
            self.link.runtime.block_on(async { tokio::time::timeout(PATIENCE, request).await });
        let answer = answer.map_err(|_| away("it took too long".into()))?;
        let answer = answer.map_err(|e| away(e.to_string()))?;
        match serde_json::from_slice(&answer.payload).map_err(|e| away(e.to_string()))? {
            Reply::Done(job) => Ok(job),
            Reply::Refused(why) => Err(DeskError::Refused(why)),
            Reply::Failed(why) => Err(DeskError::Unreachable(why)),
        }
    }

    async fn consumer(&self, work: &str) -> Result<PullConsumer, NodeError> {
        let stream = self.link.stream().await?;
        let config = pull::Config {
            durable_name: Some(work.replace('.', "-")),
            ack_policy: AckPolicy::Explicit,
            ack_wait: ACK_WAIT,
            max_deliver: DELIVERIES,
            filter_subject: self.link.subject(&format!("jobs.{work}")),
            ..pull::Config::default()
        };
        let name = work.replace('.', "-");
        stream.get_or_create_consumer(&name, config).await.map_err(|e| self.link.failed(e))
    }

    /// The next wake-up for a kind of work, within a time.
    async fn wake_up(&self, work: &str, most: Duration) -> Result<Option<Message>, NodeError> {
        let consumer = self.consumer(work).await?;
        let fetched = consumer.fetch().max_messages(1).expires(most).messages().await;
        let mut messages = fetched.map_err(|e| self.link.failed(e))?;
        match tokio::time::timeout(most + Duration::from_secs(1), messages.next()).await {
            Ok(Some(Ok(message))) => Ok(Some(message)),
            Ok(Some(Err(error))) => Err(self.link.failed(error)),
            Ok(None) | Err(_) => Ok(None),
        }
    }

    fn acknowledge(&self, message: Option<Message>, kind: AckKind) {
        if let Some(message) = message {
            // A lost acknowledgement brings a wake-up for nothing.
            let _ = self.link.runtime.block_on(message.ack_with(kind));
        }
    }

    fn release(&self, job: &JobKey) {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner).remove(job);
        self.acknowledge(kept, AckKind::Ack);
    }

    async fn read(&self, digest: &Digest) -> Result<Vec<u8>, NodeError> {
        let store = self.link.store().await?;
        let object = store.get(digest.to_string()).await.map_err(|e| self.link.failed(e))?;
        let mut bytes = Vec::new();
        let read = object.take(LONGEST_INPUT).read_to_end(&mut bytes).await;
        read.map_err(|e| self.link.failed(e))?;
        match Digest::of(&bytes) == *digest {
            true => Ok(bytes),
            false => Err(self.link.failed(format!("input {} is damaged", digest.short()))),
        }
    }

    async fn write(&self, bytes: &[u8]) -> Result<Digest, NodeError> {
        let digest = Digest::of(bytes);
        let store = self.link.store().await?;
        let name = digest.to_string();
        store.put(name.as_str(), &mut &bytes[..]).await.map_err(|e| self.link.failed(e))?;
        Ok(digest)
    }
}

impl Desk for NatsDesk {
    fn lease(
        &self,
        worker: &str,
        circuits: &[(JobKind, CircuitId)],
    ) -> Result<Option<Assignment>, DeskError> {
        let ask = Ask::Lease { worker: worker.into(), circuits: circuits.to_vec() };
        let job = self.ask(&ask)?;
        let woken = self.woken.lock().unwrap_or_else(PoisonError::into_inner).pop();
        match (&job, woken) {
            (Some(job), Some(message)) => {
                let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
                kept.insert(job.key, message);
            }
            // Somebody else has done it.
            (None, message) => self.acknowledge(message, AckKind::Ack),
            (Some(_), None) => {}
        }
        Ok(job)
    }

    fn input(&self, input: &Digest) -> Result<Vec<u8>, DeskError> {
        let away = |e: NodeError| DeskError::Unreachable(e.to_string());
        match self.link.runtime.block_on(self.read(input)) {
            Ok(bytes) => Ok(bytes),
            Err(error) => {
                debug!(%error, "the input is asked for again");
                self.ask(&Ask::Input { input: *input })?;
                self.link.runtime.block_on(self.read(input)).map_err(away)
            }
        }
    }

    fn heartbeat(
        &self,
        worker: &str,
        job: &JobKey,
        lease: u64,
        progress: JobProgress,
    ) -> Result<(), DeskError> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner).get(job).cloned();
        self.acknowledge(kept, AckKind::Progress);
        self.ask(&Ask::Heartbeat { worker: worker.into(), job: *job, lease, progress }).map(drop)
    }

    fn complete(
        &self,
        worker: &str,
        job: &JobKey,
        lease: u64,
        proof: Vec<u8>,
    ) -> Result<(), DeskError> {
        let mut tried = 0;
        let done = loop {
            let written = self.link.runtime.block_on(self.write(&proof));
            let done =
                written.map_err(|e| DeskError::Unreachable(e.to_string())).and_then(|proof| {
                    self.ask(&Ask::Complete { worker: worker.into(), job: *job, lease, proof })
                });
            match done {
                // Minutes of work are not thrown away because the server is restarted.
                Err(DeskError::Unreachable(_)) if tried < RETRIES => {
                    tried += 1;
                    std::thread::sleep(RETRY * tried);
                }
                other => break other.map(drop),
            }
        };
        self.release(job);
        done
    }

    fn fail(
        &self,
        worker: &str,
        job: &JobKey,
        lease: u64,
        cause: &str,
        retryable: bool,
    ) -> Result<(), DeskError> {
        self.release(job);
        let (worker, cause) = (worker.into(), cause.into());
        self.ask(&Ask::Fail { worker, job: *job, lease, cause, retryable }).map(drop)
    }

    /// Waits for whatever work comes first. A wake-up of another kind that comes in the same moment may be lost:
    /// jobs are asked for after every wait.
    fn wait(&self, most: Duration) {
        let first = async {
            let waits = self.work.iter().map(|work| self.wake_up(work, most));
            let mut waits: FuturesUnordered<_> = waits.collect();
            while let Some(woken) = waits.next().await {
                match woken {
                    Ok(Some(message)) => return Some(message),
                    Ok(None) => {}
                    Err(error) => debug!(%error, "no wake-up"),
                }
            }
            None
        };
        let start = Instant::now();
        match self.link.runtime.block_on(first) {
            Some(message) => {
                self.woken.lock().unwrap_or_else(PoisonError::into_inner).push(message);
            }
            // If the server is away, all of them fail at once.
            None => std::thread::sleep(most.saturating_sub(start.elapsed())),
        }
    }
}

/// How often a proof is brought again, and the pause before, which grows.
const RETRIES: u32 = 20;
const RETRY: Duration = Duration::from_secs(1);
