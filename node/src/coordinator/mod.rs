//! The coordinator: turns sealed batches into proven blocks.
//!
//! ```text
//! sealed batch -> trace kept -> (last of its block) -> data and header -> a job for each batch
//!   -> all their proofs hold -> a job for the block -> its proof holds -> the settler
//! ```
//!
//! Every step is written before the next one, and can be repeated: [`Coordinator::open`] does again
//! what a crash may have left out.
//!
//! | module | content |
//! |---|---|
//! | [`blocks`] | batches and blocks on disk |
//! | [`input`] | what a worker is given |
//! | [`events`] | what happens, for those who watch |
//! | `finish` | what is let go when a block is final |
//! | [`verifiers`] | what checks the proofs |

pub mod blocks;
pub mod events;
mod finish;
pub mod input;
pub mod verifiers;
mod watch;

use std::collections::BTreeMap;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bastion_protocol::data::DataMode;
use bastion_prover::artifact::{write_bytes_atomic, Digest};
use bastion_state::executor::BatchTrace;
use tokio::sync::broadcast;
use tracing::{error, info, warn};

use crate::blobs::Keep;
use crate::block::bind;
use crate::error::NodeError;
use crate::jobs::{Artifacts, Doubt, Job, JobError, JobKey, JobKind, JobState, Jobs};
use crate::sequencer::Sealed;
use crate::settle::block_hash;
use blocks::{BatchInfo, BlockInfo, Blocks, Element, Statement};
use events::{Event, JobProgress};
use input::{block_input, BatchInput};
use verifiers::Verifiers;

/// Seconds of a lease. A worker is heard of more often.
pub const LEASE_SECONDS: u64 = 30;
/// Bytes of a worker's name, and of what it says, at most.
const NAME: usize = 64;
const WORDS: usize = 1_024;
/// Workers that are remembered at most, and for how long after they were heard of, in seconds.
const WORKERS: usize = 256;
const REMEMBERED: u64 = 3_600;
/// Events that a slow watcher may be behind; he loses the older ones.
const EVENTS: usize = 1_024;

/// Tells the time in seconds.
pub type Clock = Arc<dyn Fn() -> u64 + Send + Sync>;

/// A job in the hands of a worker.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Assignment {
    /// The job.
    pub key: JobKey,
    /// Names the lease in every report.
    pub lease: u64,
    /// The input among the artifacts.
    pub input: Digest,
}

/// A worker as the coordinator knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkerInfo {
    /// When it was heard of last, in seconds.
    pub heard: u64,
}

/// The coordinator. It is shared by the sealer, workers, settler and API.
pub struct Coordinator {
    inner: Mutex<Inner>,
    artifacts: Artifacts,
    /// What workers bring has a folder of its own: a refused proof is removed, and must not be able to be
    /// the bytes of something that is needed.
    proofs: Artifacts,
    /// Blobs that were posted. They are never removed: L1 drops its own.
    blobs: Keep,
    /// Where the L2 and owner records of the blocks are posted that are sealed from now on.
    mode: DataMode,
    bundles: PathBuf,
    verifiers: Verifiers,
    clock: Clock,
    work: Condvar,
    events: broadcast::Sender<Event>,
    changes: watch::Changes,
}

struct Inner {
    jobs: Jobs,
    blocks: Blocks,
    workers: BTreeMap<String, WorkerInfo>,
    progress: BTreeMap<JobKey, JobProgress>,
}

impl std::fmt::Debug for Coordinator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Coordinator")
    }
}

impl Coordinator {
    /// Opens the coordinator of the data folder `dir`, and does what an earlier one left undone.
    ///
    /// # Errors
    /// If a database cannot be opened or does not fit the others.
    pub fn open(dir: &Path, verifiers: Verifiers, clock: Clock) -> Result<Self, NodeError> {
        let opened = clock();
        let inner = Inner {
            jobs: Jobs::open(&dir.join("jobs"))?,
            blocks: Blocks::open(&dir.join("blocks"))?,
            workers: BTreeMap::new(),
            progress: BTreeMap::new(),
        };
        let coordinator = Self {
            inner: Mutex::new(inner),
            artifacts: Artifacts::new(dir.join("artifacts")),
            proofs: Artifacts::new(dir.join("proofs")),
            blobs: Keep::new(dir.join("blobs")),
            mode: DataMode::Calldata,
            bundles: dir.join("bundles"),
            verifiers,
            clock,
            work: Condvar::new(),
            events: broadcast::channel(EVENTS).0,
            changes: watch::Changes::new(opened),
        };
        coordinator.reconcile()?;
        Ok(coordinator)
    }

    /// Takes over a block that is final on L1 and was made elsewhere.
    ///
    /// # Errors
    /// [`NodeError::Database`].
    pub fn adopt(&self, number: u64, block: &BlockInfo) -> Result<(), NodeError> {
        self.lock().blocks.put_block(number, block)
    }

    /// Verifies proofs that were kept and not verified, and adds the jobs that follow from what holds.
    fn reconcile(&self) -> Result<(), NodeError> {
        let now = (self.clock)();
        let mut inner = self.lock();
        let inner = &mut *inner;
        inner.jobs.clamp(now, LEASE_SECONDS)?;
        self.verify_kept(inner, now)?;
        for number in inner.blocks.last_final()? + 1..=inner.blocks.last_block()? {
            if let Some(block) = inner.blocks.block(number)? {
                self.add_batch_jobs(inner, &block)?;
                self.advance(inner, number, now)?;
            }
        }
        Ok(())
    }

    /// Verifies proofs that were kept and could not be verified when they came.
    fn verify_kept(&self, inner: &mut Inner, now: u64) -> Result<(), JobError> {
        for job in inner.jobs.unverified() {
            let blocks = &inner.blocks;
            let verify = |job: &Job, proof: &[u8]| self.holds(blocks, &job.key, proof);
            match inner.jobs.reconcile(&self.proofs, &job.key, now, verify) {
                Ok(()) => self.tell(Event::Job(job.key)),
                // It is tried again; a node that cannot read one proof still has others to serve.
                Err(error @ JobError::Storage { .. }) => {
                    warn!(job = %job.key, %error, "its proof cannot be checked now");
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Keeps a sealed batch; the last one of a block makes the block and its jobs. It may come again
    /// after a crash, which changes nothing.
    ///
    /// # Errors
    /// If something cannot be written.
    pub fn keep(&self, sealed: &Sealed) -> Result<(), NodeError> {
        let Sealed { number, row, trace } = sealed;
        // After a crash the last batch comes again: its block may be there already, and even final.
        if self.lock().blocks.block(row.block)?.is_some() {
            return Ok(());
        }
        let bytes =
            postcard::to_stdvec(trace).map_err(|e| NodeError::JobInput { why: e.to_string() })?;
        let batch = BatchInfo {
            block: row.block,
            batch: row.batch,
            first: row.first,
            operations: trace.ops.len() as u32,
            time: row.context.time,
            old_root: trace.old_root,
            new_root: trace.new_root,
            trace: self.artifacts.put(&bytes)?,
        };
        let mut inner = self.lock();
        // Quotes come last, and have no entries.
        let entries = trace.ops.iter().filter(|op| op.quote.is_none()).zip(row.first..);
        let touched = entries.flat_map(|(op, entry)| {
            let accesses = op.accesses.iter().flatten();
            accesses.map(move |access| (access.index, entry))
        });
        inner.blocks.put_batch(*number, &batch, touched)?;
        self.tell(Event::Batch(*number));
        if row.ends_block {
            let first = number.saturating_sub(u64::from(row.batch));
            self.assemble(&mut inner, row.block, first, *number)?;
        }
        Ok(())
    }

    /// Makes block `number` of the batches `first` to `last`.
    fn assemble(
        &self,
        inner: &mut Inner,
        number: u64,
        first: u64,
        last: u64,
    ) -> Result<(), NodeError> {
        if inner.blocks.block(number)?.is_some() {
            return Ok(());
        }
        let traces = (first..=last).map(|batch| self.trace(inner, batch));
        let traces: Vec<BatchTrace> = traces.collect::<Result<_, _>>()?;
        let (Some(start), Some(count)) = (traces.first(), u32::try_from(traces.len()).ok()) else {
            return Err(inner.blocks.broken(format!("block {number} has no batches")));
        };
        let (batch_circuit, block_circuit) = self.verifiers.circuits(count)?;
        let (old_root, context) = (start.old_root, start.context.clone());
        let block = bind(old_root, &context, traces, self.mode)?;
        let links = block.links()?;
        let statements = block.statements(&links)?.into_iter();
        // Before anything names them: whoever finds the block finds its blobs.
        for sidecar in block.blobs.iter() {
            self.blobs.put(&sidecar.versioned_hash().0, sidecar.blob())?;
        }
        let statement =
            |s: bastion_protocol::PublicInputs<_>| Statement(s.into_array().map(Element).to_vec());
        let info = BlockInfo {
            header: block.header,
            first_batch: first,
            operations: block.batches.iter().map(|b| b.ops.len() as u32).sum(),
            hash: block_hash(&block.posted().public_inputs(&block.header)?).0,
            data: self.artifacts.put(&block.data)?,
            data_bytes: block.data.len() as u64,
            blobs: block.posted().versioned_hashes(),
            statements: statements.map(statement).collect(),
            inputs: Vec::new(),
            batch_circuit,
            block_circuit,
            sealed_at: (self.clock)(),
            proven_at: None,
            final_at: None,
        };
        let inputs = block.batches.into_iter().zip(links);
        let inputs = inputs.map(|(trace, link)| {
            Ok(self.artifacts.put(&BatchInput::new(trace, link).to_bytes()?)?)
        });
        let info = BlockInfo { inputs: inputs.collect::<Result<_, NodeError>>()?, ..info };
        inner.blocks.put_block(number, &info)?;
        self.add_batch_jobs(inner, &info)?;
        info!(block = number, batches = count, operations = info.operations, "block sealed");
        self.tell(Event::Block(number));
        Ok(())
    }

    fn trace(&self, inner: &Inner, batch: u64) -> Result<BatchTrace, NodeError> {
        let info = inner.blocks.batch(batch)?;
        let info = info.ok_or_else(|| inner.blocks.broken(format!("batch {batch} is missing")))?;
        let bytes = self.artifacts.get(&info.trace)?;
        postcard::from_bytes(&bytes).map_err(|e| NodeError::JobInput { why: e.to_string() })
    }

    /// Adds the jobs of a block's batches, unless they are there.
    fn add_batch_jobs(&self, inner: &mut Inner, block: &BlockInfo) -> Result<(), NodeError> {
        for (batch, input) in (block.first_batch..).zip(&block.inputs) {
            let key = block.batch_job(batch);
            if inner.jobs.get(&key).is_err() {
                inner.jobs.add(key, *input)?;
                self.tell(Event::Job(key));
            }
        }
        self.work.notify_all();
        Ok(())
    }

    /// Adds the job of a block when the proofs of its batches hold, and notes when its own does.
    fn advance(&self, inner: &mut Inner, number: u64, now: u64) -> Result<(), NodeError> {
        let Some(mut block) = inner.blocks.block(number)? else {
            return Ok(());
        };
        let key = block.block_job(number);
        if inner.jobs.get(&key).is_err() {
            let mut proofs = Vec::with_capacity(block.inputs.len());
            for (batch, _) in (block.first_batch..).zip(&block.inputs) {
                match inner.jobs.get(&block.batch_job(batch))?.proof() {
                    Some(proof) => proofs.push(self.proofs.get(&proof)?),
                    None => return Ok(()),
                }
            }
            let input = self.artifacts.put(&block_input(&proofs)?)?;
            inner.jobs.add(key, input)?;
            self.tell(Event::Job(key));
            self.tell(Event::Block(number));
            self.work.notify_all();
        } else if block.proven_at.is_none() && inner.jobs.get(&key)?.proof().is_some() {
            block.proven_at = Some(now);
            inner.blocks.put_block(number, &block)?;
            info!(block = number, seconds = now.saturating_sub(block.sealed_at), "block proven");
            self.tell(Event::Block(number));
        }
        Ok(())
    }

    /// Gives a worker a job whose kind and circuit it `accepts`.
    ///
    /// # Errors
    /// [`JobError::Storage`].
    pub fn lease(
        &self,
        worker: &str,
        accepts: impl Fn(&JobKey) -> bool,
    ) -> Result<Option<Assignment>, JobError> {
        let now = (self.clock)();
        if worker.len() > NAME {
            let (job, state) =
                (worker.chars().take(NAME).collect(), "asked for by a name that is too long");
            return Err(JobError::Over { job, state });
        }
        let mut inner = self.lock();
        inner.hear(worker, now);
        let lease = inner.jobs.lease(worker, |job| accepts(&job.key), now, LEASE_SECONDS)?;
        let given = lease.map(|lease| Assignment {
            key: lease.job.key,
            lease: lease.lease,
            input: lease.job.input,
        });
        if let Some(given) = &given {
            info!(job = %given.key, worker, lease = given.lease, "job leased");
            self.tell(Event::Job(given.key));
        }
        Ok(given)
    }

    /// Takes a worker's sign of life, and how far it is.
    ///
    /// # Errors
    /// [`JobError::StaleLease`] if the job is not the worker's any more: it should stop.
    pub fn heartbeat(
        &self,
        worker: &str,
        key: &JobKey,
        lease: u64,
        progress: Option<JobProgress>,
    ) -> Result<(), JobError> {
        let now = (self.clock)();
        let mut inner = self.lock();
        inner.hear(worker, now);
        inner.jobs.heartbeat(key, lease, now, LEASE_SECONDS)?;
        if let Some(mut progress) = progress {
            progress.stage = progress.stage.chars().take(NAME).collect();
            inner.progress.insert(*key, progress.clone());
            self.tell(Event::Progress { job: *key, worker: worker.into(), progress });
        }
        Ok(())
    }

    /// Takes a proof ([`Jobs::complete`]).
    ///
    /// # Errors
    /// Those of [`Jobs::complete`].
    pub fn complete(
        &self,
        worker: &str,
        key: &JobKey,
        lease: u64,
        proof: &[u8],
    ) -> Result<(), NodeError> {
        let now = (self.clock)();
        let mut inner = self.lock();
        let inner = &mut *inner;
        inner.hear(worker, now);
        let blocks = &inner.blocks;
        let verify = |job: &Job, proof: &[u8]| self.holds(blocks, &job.key, proof);
        let leased = self.since(key);
        let done = inner.jobs.complete(&self.proofs, key, lease, proof, now, verify);
        inner.progress.remove(key);
        self.tell(Event::Job(*key));
        if let Err(error) = &done {
            warn!(job = %key, worker, %error, "proof refused");
            self.bundle(inner, key);
        }
        if done.is_err() {
            watch::count_failure("refused");
        }
        done?;
        watch::count_proof(key.kind, now.saturating_sub(leased));
        info!(job = %key, worker, "proof verified");
        if let Some(block) = inner.block_of(key)? {
            self.advance(inner, block, now)?;
        }
        Ok(())
    }

    /// Takes a worker's report that it failed ([`Jobs::fail`]).
    ///
    /// # Errors
    /// Those of [`Jobs::fail`].
    pub fn fail(
        &self,
        worker: &str,
        key: &JobKey,
        lease: u64,
        cause: &str,
        retryable: bool,
    ) -> Result<(), JobError> {
        let now = (self.clock)();
        let mut inner = self.lock();
        inner.hear(worker, now);
        let cause: String = cause.chars().take(WORDS).collect();
        inner.jobs.fail(key, lease, &cause, retryable, now)?;
        watch::count_failure(if retryable { "worker" } else { "fatal" });
        inner.progress.remove(key);
        warn!(job = %key, worker, cause, "attempt failed");
        self.bundle(&inner, key);
        self.tell(Event::Job(*key));
        Ok(())
    }

    /// Ends the leases of workers that were not heard of, and takes up what could not be done before. To be
    /// called every few seconds.
    ///
    /// # Errors
    /// If something cannot be read or written.
    pub fn tick(&self) -> Result<(), NodeError> {
        let now = (self.clock)();
        let mut inner = self.lock();
        let inner = &mut *inner;
        if !inner.jobs.unverified().is_empty() {
            self.verify_kept(inner, now)?;
            for number in inner.blocks.last_final()? + 1..=inner.blocks.last_block()? {
                self.advance(inner, number, now)?;
            }
        }
        for key in inner.jobs.expire(now)? {
            warn!(job = %key, "its worker was not heard of");
            watch::count_lease_loss();
            inner.progress.remove(&key);
            self.bundle(inner, &key);
            self.tell(Event::Job(key));
        }
        self.work.notify_all();
        Ok(())
    }

    /// Grants a job new attempts ([`Jobs::retry`]).
    ///
    /// # Errors
    /// Those of [`Jobs::retry`].
    pub fn retry(&self, key: &JobKey) -> Result<(), JobError> {
        self.lock().jobs.retry(key)?;
        self.tell(Event::Job(*key));
        self.work.notify_all();
        Ok(())
    }

    /// Takes a job back ([`Jobs::cancel`]).
    ///
    /// # Errors
    /// Those of [`Jobs::cancel`].
    pub fn cancel(&self, key: &JobKey) -> Result<(), JobError> {
        self.lock().jobs.cancel(key)?;
        self.tell(Event::Job(*key));
        Ok(())
    }

    /// Waits until there may be work, at most for a time.
    pub fn wait_for_work(&self, most: Duration) {
        let inner = self.lock();
        // Whoever waits looks again anyway.
        let _ = self.work.wait_timeout(inner, most);
    }

    /// Reads an artifact.
    ///
    /// # Errors
    /// [`JobError::Storage`] if it is missing or damaged.
    pub fn artifact(&self, digest: &Digest) -> Result<Vec<u8>, JobError> {
        self.artifacts.get(digest)
    }

    /// Posts the data of further blocks in a mode.
    #[must_use]
    pub fn posting(mut self, mode: DataMode) -> Self {
        self.mode = mode;
        self
    }

    /// What happens from now on.
    pub fn subscribe(&self) -> broadcast::Receiver<Event> {
        self.events.subscribe()
    }

    /// Tells those who watch.
    pub fn tell(&self, event: Event) {
        if let Event::Job(key) = &event {
            self.changes.note(*key, (self.clock)());
        }
        // Nobody may be watching.
        let _ = self.events.send(event);
    }

    /// Whether a proof holds.
    fn holds(&self, blocks: &Blocks, key: &JobKey, proof: &[u8]) -> Result<(), Doubt> {
        let unchecked = |error: NodeError| {
            let (path, why) = (format!("the verifier of job {key}"), error.to_string());
            Doubt::Unchecked(JobError::Storage { path, why })
        };
        let found = match key.kind {
            JobKind::ProveBlock => blocks.block(key.number).map(|b| b.map(|b| (key.number, b))),
            JobKind::ProveBatch => blocks.block_of_batch(key.number),
        };
        let none = || Doubt::Refused(format!("there is no block of job {key}"));
        let (_, block) = found.map_err(unchecked)?.ok_or_else(none)?;
        // A panic is a fault of the verifier. It must not come again with each start.
        let checked = catch_unwind(AssertUnwindSafe(|| match key.kind {
            JobKind::ProveBlock => self.verifiers.check_block(&block, proof),
            JobKind::ProveBatch => self.verifiers.check_batch(&block, key.number, proof),
        }));
        checked.unwrap_or_else(|_| Err("the verifier panicked".into())).map_err(Doubt::Refused)
    }

    /// Keeps what a failed job needs to be proven again elsewhere.
    fn bundle(&self, inner: &Inner, key: &JobKey) {
        let Ok(job) = inner.jobs.get(key) else {
            return;
        };
        if !matches!(job.state, JobState::Failed { .. }) {
            return;
        }
        let folder = self.bundles.join(key.to_string());
        let written = self.artifacts.get(&job.input).map_err(NodeError::from).and_then(|input| {
            let json =
                serde_json::to_vec_pretty(job).map_err(|e| inner.blocks.broken(e.to_string()))?;
            write_bytes_atomic(&folder.join("input.bin"), &input)?;
            Ok(write_bytes_atomic(&folder.join("job.json"), &json)?)
        });
        let bundle = folder.display();
        match written {
            Ok(()) => {
                error!(job = %key, %bundle, "job failed: `bastion job reprove` proves its bundle again")
            }
            Err(error) => {
                error!(job = %key, %error, "job failed, and its bundle cannot be written")
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // Every transition is written before memory changes: what a panic left is what is on disk.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn hear(&mut self, worker: &str, now: u64) {
        if worker.len() > NAME {
            return;
        }
        self.workers.retain(|_, info| info.heard.saturating_add(REMEMBERED) > now);
        if self.workers.len() < WORKERS || self.workers.contains_key(worker) {
            self.workers.insert(worker.into(), WorkerInfo { heard: now });
        }
    }

    /// The block that a job belongs to.
    fn block_of(&self, key: &JobKey) -> Result<Option<u64>, NodeError> {
        Ok(match key.kind {
            JobKind::ProveBlock => Some(key.number),
            JobKind::ProveBatch => {
                self.blocks.block_of_batch(key.number)?.map(|(number, _)| number)
            }
        })
    }
}
