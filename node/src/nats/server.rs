//! The coordinator's side: publishes what waits, answers workers.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_nats::Message;
use bastion_protocol::Address;
use bastion_prover::artifact::Digest;
use futures_util::StreamExt;
use tokio::io::AsyncReadExt;
use tracing::{info, warn};

use super::messages::{Ask, Reply};
use super::{work_name, Link};
use crate::coordinator::{Assignment, Coordinator};
use crate::error::NodeError;
use crate::jobs::{JobError, JobKey};

/// Longest proof that is read; proofs have some thousand bytes.
const LONGEST_PROOF: u64 = 1 << 20;
/// How often it is checked that the stream still holds what waits.
const WATCH: Duration = Duration::from_secs(10);
/// Requests that are answered at once.
const AT_ONCE: usize = 8;

/// The coordinator's side.
pub struct NatsServer {
    link: Arc<Link>,
    coordinator: Arc<Coordinator>,
    /// Jobs that were published since the stream was last seen whole.
    published: BTreeSet<JobKey>,
    watched: Option<Instant>,
}

impl NatsServer {
    /// Connects, and begins to answer workers.
    ///
    /// # Errors
    /// [`NodeError::Nats`] if there is no server.
    pub fn start(
        url: &str,
        chain_id: u64,
        contract: Address,
        coordinator: Arc<Coordinator>,
    ) -> Result<Self, NodeError> {
        let link = Arc::new(Link::connect(url, chain_id, contract)?);
        let subject = link.subject("desk");
        let asked = link.runtime.block_on(link.client.subscribe(subject));
        let asked = asked.map_err(|e| link.failed(e))?;
        let (answering, desk) = (link.clone(), coordinator.clone());
        link.runtime.spawn(async move {
            asked.for_each_concurrent(AT_ONCE, |message| answer(&answering, &desk, message)).await;
        });
        Ok(Self { link, coordinator, published: BTreeSet::new(), watched: None })
    }

    /// Publishes the jobs that wait and were not published. From time to time it checks that the stream
    /// is there and holds them, and else publishes all of them again. To be called about once a second.
    ///
    /// # Errors
    /// [`NodeError::Nats`] if the server does not answer.
    pub fn step(&mut self) -> Result<(), NodeError> {
        let waiting: BTreeSet<JobKey> = self.coordinator.waiting().into_iter().collect();
        self.published.retain(|key| waiting.contains(key));
        if self.watched.is_none_or(|watched| watched.elapsed() > WATCH) {
            let held = self.link.runtime.block_on(self.messages());
            let held = held.inspect_err(|_| self.published.clear())?;
            if held < waiting.len() as u64 {
                self.published.clear();
            }
            self.watched = Some(Instant::now());
        }
        for key in waiting.difference(&self.published.clone()) {
            self.link.runtime.block_on(self.publish(key))?;
            self.published.insert(*key);
        }
        Ok(())
    }

    /// Messages of the stream, which is made if it is not there.
    async fn messages(&self) -> Result<u64, NodeError> {
        let mut stream = self.link.stream().await?;
        let info = stream.info().await.map_err(|e| self.link.failed(e))?;
        Ok(info.state.messages)
    }

    async fn publish(&self, key: &JobKey) -> Result<(), NodeError> {
        let subject = self.link.subject(&format!("jobs.{}", work_name(key.kind, key.circuit)));
        let sent = self.link.context.publish(subject, key.to_string().into()).await;
        let acknowledged = sent.map_err(|e| self.link.failed(e))?.await;
        acknowledged.map(drop).map_err(|e| self.link.failed(e))
    }
}

/// Answers a worker.
async fn answer(link: &Arc<Link>, coordinator: &Arc<Coordinator>, message: Message) {
    let Some(back) = message.reply.clone() else {
        return;
    };
    let reply = match serde_json::from_slice(&message.payload) {
        Ok(ask) => act(link, coordinator, ask).await,
        Err(error) => Reply::Refused(format!("not understood, is it of another version? {error}")),
    };
    let Ok(bytes) = serde_json::to_vec(&reply) else {
        return;
    };
    // The worker asks again if it hears nothing.
    let _ = link.client.publish(back, bytes.into()).await;
}

async fn act(link: &Arc<Link>, coordinator: &Arc<Coordinator>, ask: Ask) -> Reply {
    match ask {
        Ask::Lease { worker, circuits } => {
            let accepts = move |key: &JobKey| circuits.contains(&(key.kind, key.circuit));
            let given = blocking(coordinator, move |c| c.lease(&worker, accepts)).await;
            match given {
                Ok(Some(job)) => {
                    // The worker asks for it again if this fails.
                    if let Err(error) = upload(link, coordinator, job.input).await {
                        warn!(job = %job.key, %error, "its input cannot be put into the store");
                    }
                    Reply::Done(Some(job))
                }
                other => reply(other.map_err(NodeError::from)),
            }
        }
        Ask::Input { input } => {
            let done = upload(link, coordinator, input).await;
            reply(done.map(|()| None))
        }
        Ask::Heartbeat { worker, job, lease, progress } => {
            let heard =
                blocking(coordinator, move |c| c.heartbeat(&worker, &job, lease, Some(progress)));
            reply(heard.await.map(|()| None).map_err(NodeError::from))
        }
        Ask::Complete { worker, job, lease, proof } => {
            let bytes = match download(link, proof).await {
                Ok(bytes) => bytes,
                Err(error) => return Reply::Failed(error.to_string()),
            };
            let done =
                blocking(coordinator, move |c| c.complete(&worker, &job, lease, &bytes)).await;
            if done.is_ok() {
                remove(link, proof).await;
                if let Some(input) = coordinator.input_of(&job) {
                    remove(link, input).await;
                }
            }
            reply(done.map(|()| None))
        }
        Ask::Fail { worker, job, lease, cause, retryable } => {
            let done =
                blocking(coordinator, move |c| c.fail(&worker, &job, lease, &cause, retryable));
            reply(done.await.map(|()| None).map_err(NodeError::from))
        }
    }
}

/// Does what waits for the disk or takes the processor, away from the connection's threads.
async fn blocking<T: Send + 'static, E: From<JobError> + Send + 'static>(
    coordinator: &Arc<Coordinator>,
    act: impl FnOnce(&Coordinator) -> Result<T, E> + Send + 'static,
) -> Result<T, E> {
    let coordinator = coordinator.clone();
    let done = tokio::task::spawn_blocking(move || act(&coordinator)).await;
    done.unwrap_or_else(|_| {
        let (path, why) = ("the coordinator".into(), "it panicked: see its log".into());
        Err(JobError::Storage { path, why }.into())
    })
}

fn reply(done: Result<Option<Assignment>, NodeError>) -> Reply {
    match done {
        Ok(job) => Reply::Done(job),
        Err(NodeError::Job(JobError::Storage { path, why })) => {
            Reply::Failed(format!("{path}: {why}"))
        }
        Err(NodeError::Job(refusal)) => Reply::Refused(refusal.to_string()),
        Err(other) => Reply::Failed(other.to_string()),
    }
}

/// Puts an input into the store, unless it is there.
async fn upload(
    link: &Arc<Link>,
    coordinator: &Arc<Coordinator>,
    digest: Digest,
) -> Result<(), NodeError> {
    let store = link.store().await?;
    let name = digest.to_string();
    if store.info(&name).await.is_ok() {
        return Ok(());
    }
    let bytes = blocking(coordinator, move |c| c.artifact(&digest)).await?;
    let length = bytes.len();
    store.put(name.as_str(), &mut &bytes[..]).await.map_err(|e| link.failed(e))?;
    info!(bytes = length, digest = digest.short(), "input put into the store");
    Ok(())
}

async fn download(link: &Arc<Link>, digest: Digest) -> Result<Vec<u8>, NodeError> {
    let store = link.store().await?;
    let object = store.get(digest.to_string()).await.map_err(|e| link.failed(e))?;
    let mut bytes = Vec::new();
    object.take(LONGEST_PROOF).read_to_end(&mut bytes).await.map_err(|e| link.failed(e))?;
    match Digest::of(&bytes) == digest {
        true => Ok(bytes),
        false => Err(link.failed(format!("proof {} is not what the worker named", digest.short()))),
    }
}

async fn remove(link: &Arc<Link>, digest: Digest) {
    if let Ok(store) = link.store().await {
        // What stays costs room only.
        let _ = store.delete(digest.to_string()).await;
    }
}
