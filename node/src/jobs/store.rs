//! The coordinator's database of jobs.
//!
//! | column family | key | value |
//! |---|---|---|
//! | `jobs` | kind (1), number (8, big-endian), circuit (32) | [`Job`] |
//! | `meta` | `schema`, `lease`, `failures` | version (4); last lease (8); failures in a row by kind |
//!
//! Each transition is one synced write, made before anybody acts on it. After a crash a job is where it
//! was before the transition or after it; [`Jobs::open`] says what follows from that.

use std::collections::BTreeMap;
use std::path::Path;

use bastion_prover::artifact::Digest;
use rocksdb::{ColumnFamily, IteratorMode, Options, WriteBatch, WriteOptions, DB};
use serde::Serialize;

use super::{Artifacts, Doubt, Job, JobError, JobKey, JobKind, JobState};

const SCHEMA: u32 = 1;
const JOBS: &str = "jobs";
const META: &str = "meta";
/// Attempts at a job; the operator can grant more ([`Jobs::retry`]).
pub const ATTEMPTS: u32 = 5;
/// Causes of failures that a job keeps.
pub const CAUSES: usize = 8;
/// Failures of one kind in a row after which nothing more should be sealed.
pub const BREAKER: u32 = 5;
/// Seconds that a lease lasts at most, whatever is heard of its worker. The largest proof takes less on a
/// slow machine.
const LONGEST: u64 = 4 * 3_600;
/// Seconds until the second attempt; each later one waits twice as long.
const PATIENCE: u64 = 5;

/// A job in the hands of a worker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// The job.
    pub job: Job,
    /// Names the lease in every report.
    pub lease: u64,
    /// When it ends, unless the worker is heard of.
    pub until: u64,
}

/// The jobs.
pub struct Jobs {
    db: DB,
    path: String,
    jobs: BTreeMap<JobKey, Job>,
    lease: u64,
    failures: BTreeMap<JobKind, u32>,
}

impl std::fmt::Debug for Jobs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Jobs({}, {})", self.path, self.jobs.len())
    }
}

impl Jobs {
    /// Opens or creates the database. Leases of an earlier run go on: their workers may be alive. Proofs
    /// that were not verified yet are found by [`Jobs::unverified`].
    ///
    /// # Errors
    /// [`JobError::Storage`] if it cannot be opened, or is not what was written.
    pub fn open(path: &Path) -> Result<Self, JobError> {
        let shown = path.display().to_string();
        let failed = |why: String| JobError::Storage { path: shown.clone(), why };
        let mut options = Options::default();
        options.create_if_missing(true);
        options.create_missing_column_families(true);
        let db = DB::open_cf(&options, path, [JOBS, META]).map_err(|e| {
            failed(match e.to_string().contains("lock") {
                true => format!(
                    "in use by another process, is another node running? Stop it first ({e})"
                ),
                false => e.to_string(),
            })
        })?;
        let mut jobs = Self {
            db,
            path: shown.clone(),
            jobs: BTreeMap::new(),
            lease: 0,
            failures: BTreeMap::new(),
        };
        match jobs.meta("schema")? {
            None => jobs.write(|jobs, batch| {
                batch.put_cf(jobs.family(META)?, "schema", SCHEMA.to_be_bytes());
                Ok(())
            })?,
            Some(schema) if schema == SCHEMA.to_be_bytes() => {}
            Some(schema) => {
                return Err(failed(format!(
                    "schema {schema:?}, this version reads {SCHEMA}: use the version that wrote it"
                )))
            }
        }
        if let Some(lease) = jobs.meta("lease")? {
            let bytes = lease.try_into().map_err(|_| failed("its lease is no number".into()))?;
            jobs.lease = u64::from_be_bytes(bytes);
        }
        if let Some(failures) = jobs.meta("failures")? {
            jobs.failures = postcard::from_bytes(&failures).map_err(|e| failed(e.to_string()))?;
        }
        let mut found = BTreeMap::new();
        for row in jobs.db.iterator_cf(jobs.family(JOBS)?, IteratorMode::Start) {
            let (_, value) = row.map_err(|e| failed(e.to_string()))?;
            let job: Job = postcard::from_bytes(&value).map_err(|e| failed(e.to_string()))?;
            found.insert(job.key, job);
        }
        jobs.jobs = found;
        Ok(jobs)
    }

    /// All jobs, blocks first, by number.
    pub fn all(&self) -> impl Iterator<Item = &Job> {
        self.jobs.values()
    }

    /// A job.
    ///
    /// # Errors
    /// [`JobError::Unknown`].
    pub fn get(&self, key: &JobKey) -> Result<&Job, JobError> {
        self.jobs.get(key).ok_or_else(|| JobError::Unknown { job: key.to_string() })
    }

    /// Whether so many jobs of a kind failed in a row that nothing more should be sealed: what is wrong
    /// with one is likely wrong with the next.
    pub fn breaker_is_open(&self, kind: JobKind) -> bool {
        self.failures.get(&kind).is_some_and(|count| *count >= BREAKER)
    }

    /// Asks for a job. Asking again for the same changes nothing.
    ///
    /// # Errors
    /// [`JobError::OtherInput`], [`JobError::Storage`].
    pub fn add(&mut self, key: JobKey, input: Digest) -> Result<(), JobError> {
        match self.jobs.get(&key) {
            Some(job) if job.input == input => Ok(()),
            Some(_) => Err(JobError::OtherInput { job: key.to_string() }),
            None => {
                let (state, causes) = (JobState::Queued, Vec::new());
                self.put(Job { key, input, state, attempts: 0, causes })
            }
        }
    }

    /// Gives a worker the first job that waits and that he accepts, for `seconds`.
    ///
    /// # Errors
    /// [`JobError::Storage`].
    pub fn lease(
        &mut self,
        worker: &str,
        accepts: impl Fn(&Job) -> bool,
        now: u64,
        seconds: u64,
    ) -> Result<Option<Lease>, JobError> {
        let Some(job) = self.jobs.values().filter(|job| job.waits(now)).find(|job| accepts(job))
        else {
            return Ok(None);
        };
        let (mut job, lease, until) = (job.clone(), self.lease + 1, now.saturating_add(seconds));
        let longest = now.saturating_add(LONGEST);
        job.state = JobState::Leased { worker: worker.into(), lease, until, longest };
        // In one write with the job: no lease is ever given twice.
        self.write(|jobs, batch| {
            batch.put_cf(jobs.family(META)?, "lease", lease.to_be_bytes());
            jobs.put_into(batch, &job)
        })?;
        self.lease = lease;
        self.jobs.insert(job.key, job.clone());
        Ok(Some(Lease { job, lease, until }))
    }

    /// Takes a sign of life; gives the new end of the lease, which no sign puts off for ever.
    ///
    /// # Errors
    /// [`JobError::StaleLease`] if the job is not the worker's any more.
    pub fn heartbeat(
        &mut self,
        key: &JobKey,
        lease: u64,
        now: u64,
        seconds: u64,
    ) -> Result<u64, JobError> {
        let mut job = self.leased(key, lease)?;
        let mut end = now.saturating_add(seconds);
        if let JobState::Leased { until, longest, .. } = &mut job.state {
            end = end.max(*until).min(*longest);
            *until = end;
        }
        self.put(job)?;
        Ok(end)
    }

    /// Takes a proof. It is kept before it is verified, so that a crash does not cost it; and it counts
    /// if `verify` accepts it, also under a lease that has ended: what holds, holds.
    ///
    /// # Errors
    /// [`JobError::Over`] if the job needs none, [`JobError::Refused`] if the proof does not hold (under
    /// the present lease that is a failed attempt), [`JobError::Storage`].
    pub fn complete(
        &mut self,
        artifacts: &Artifacts,
        key: &JobKey,
        lease: u64,
        proof: &[u8],
        now: u64,
        verify: impl FnOnce(&Job, &[u8]) -> Result<(), Doubt>,
    ) -> Result<(), JobError> {
        let mut job = self.get(key)?.clone();
        if let Some(state) = over(&job.state) {
            return Err(JobError::Over { job: key.to_string(), state });
        }
        let digest = artifacts.put(proof)?;
        let own = self.leased(key, lease).is_ok();
        if own {
            job.state = JobState::Proved { proof: digest };
            self.put(job.clone())?;
        }
        match verify(&job, proof) {
            Ok(()) => self.verified(job, digest),
            // A proof under the lease stays, and is checked again by [`Jobs::reconcile`].
            Err(Doubt::Unchecked(error)) => Err(error),
            Err(Doubt::Refused(why)) => {
                if own {
                    self.failed_attempt(
                        job,
                        format!("the verifier refuses the proof: {why}"),
                        true,
                        now,
                    )?;
                }
                self.drop_unused(artifacts, &digest)?;
                Err(JobError::Refused { job: key.to_string(), why })
            }
        }
    }

    /// Jobs whose proof was kept, but not verified, when the coordinator ended.
    pub fn unverified(&self) -> Vec<Job> {
        let proved = |job: &&Job| matches!(job.state, JobState::Proved { .. });
        self.jobs.values().filter(proved).cloned().collect()
    }

    /// Verifies what [`Jobs::unverified`] found.
    ///
    /// # Errors
    /// [`JobError::Over`] if the job has no such proof (any more), [`JobError::Storage`].
    pub fn reconcile(
        &mut self,
        artifacts: &Artifacts,
        key: &JobKey,
        now: u64,
        verify: impl FnOnce(&Job, &[u8]) -> Result<(), Doubt>,
    ) -> Result<(), JobError> {
        let job = self.get(key)?.clone();
        let JobState::Proved { proof } = job.state else {
            return Err(JobError::Over {
                job: key.to_string(),
                state: "not waiting for a verifier",
            });
        };
        // A proof that is lost or damaged is made again.
        let held = artifacts.get(&proof).map_err(|e| Doubt::Refused(e.to_string()));
        match held.and_then(|bytes| verify(&job, &bytes)) {
            Ok(()) => self.verified(job, proof),
            Err(Doubt::Unchecked(error)) => Err(error),
            Err(Doubt::Refused(why)) => self.failed_attempt(job, why, true, now),
        }
    }

    /// Ends waits that are longer than any that begins `now`: the clock stood ahead when they were written.
    ///
    /// # Errors
    /// [`JobError::Storage`].
    pub fn clamp(&mut self, now: u64, seconds: u64) -> Result<(), JobError> {
        let jobs: Vec<Job> = self.jobs.values().cloned().collect();
        for mut job in jobs {
            let (ends, most) = match &mut job.state {
                JobState::Leased { until, longest, .. } => {
                    *longest = (*longest).min(now.saturating_add(LONGEST));
                    (until, now.saturating_add(seconds))
                }
                JobState::Retryable { after, .. } => {
                    (after, now.saturating_add(PATIENCE << (ATTEMPTS - 1)))
                }
                JobState::Queued
                | JobState::Proved { .. }
                | JobState::Verified { .. }
                | JobState::Done { .. }
                | JobState::Failed { .. }
                | JobState::Cancelled => continue,
            };
            if *ends > most {
                *ends = most;
                self.put(job)?;
            }
        }
        Ok(())
    }

    /// Forgets a job that is over: its row is not needed any more.
    ///
    /// # Errors
    /// [`JobError::Over`] if it is not over, [`JobError::Storage`].
    pub fn forget(&mut self, key: &JobKey) -> Result<(), JobError> {
        let Some(job) = self.jobs.get(key) else {
            return Ok(());
        };
        if !matches!(job.state, JobState::Done { .. } | JobState::Cancelled) {
            return Err(JobError::Over { job: key.to_string(), state: "needed" });
        }
        self.write(|jobs, batch| {
            batch.delete_cf(jobs.family(JOBS)?, row_key(key));
            Ok(())
        })?;
        self.jobs.remove(key);
        Ok(())
    }

    /// Takes a worker's report that he failed. One that will fail again wherever it is tried is not
    /// `retryable`.
    ///
    /// # Errors
    /// [`JobError::StaleLease`] if the job is not his any more.
    pub fn fail(
        &mut self,
        key: &JobKey,
        lease: u64,
        cause: &str,
        retryable: bool,
        now: u64,
    ) -> Result<(), JobError> {
        let job = self.leased(key, lease)?;
        self.failed_attempt(job, cause.into(), retryable, now)
    }

    /// Ends the leases of workers who were not heard of; gives the jobs.
    ///
    /// # Errors
    /// [`JobError::Storage`].
    pub fn expire(&mut self, now: u64) -> Result<Vec<JobKey>, JobError> {
        let late = |job: &&Job| matches!(job.state, JobState::Leased { until, .. } if until < now);
        let late: Vec<Job> = self.jobs.values().filter(late).cloned().collect();
        for job in &late {
            let JobState::Leased { worker, .. } = &job.state else {
                continue;
            };
            let cause = format!("worker {worker} was not heard of");
            self.failed_attempt(job.clone(), cause, true, now)?;
        }
        Ok(late.into_iter().map(|job| job.key).collect())
    }

    /// Queues a job that failed or was cancelled once more, with all its attempts, and closes the breaker
    /// of its kind.
    ///
    /// # Errors
    /// [`JobError::Over`] if it is neither.
    pub fn retry(&mut self, key: &JobKey) -> Result<(), JobError> {
        let mut job = self.get(key)?.clone();
        let state = match job.state {
            JobState::Failed { .. } | JobState::Cancelled | JobState::Retryable { .. } => {
                job.state = JobState::Queued;
                job.attempts = 0;
                return self.put_counted(job, 0);
            }
            JobState::Queued => "queued",
            JobState::Leased { .. } => "being proven",
            JobState::Proved { .. } => "being verified",
            JobState::Verified { .. } => "verified",
            JobState::Done { .. } => "done",
        };
        Err(JobError::Over { job: key.to_string(), state })
    }

    /// Takes a job back. A worker who is at it finds out by his next report.
    ///
    /// # Errors
    /// [`JobError::Over`] if it has a proof.
    pub fn cancel(&mut self, key: &JobKey) -> Result<(), JobError> {
        let mut job = self.get(key)?.clone();
        if job.proof().is_some() {
            return Err(JobError::Over { job: key.to_string(), state: "verified" });
        }
        job.state = JobState::Cancelled;
        self.put(job)
    }

    /// Ends a job whose proof has done its work. Until then input and proof stay.
    ///
    /// # Errors
    /// [`JobError::Over`] if its proof is not verified.
    pub fn done(
        &mut self,
        inputs: &Artifacts,
        proofs: &Artifacts,
        key: &JobKey,
    ) -> Result<(), JobError> {
        let mut job = self.get(key)?.clone();
        let Some(proof) = job.proof() else {
            return Err(JobError::Over { job: key.to_string(), state: "not verified" });
        };
        job.state = JobState::Done { proof };
        let input = job.input;
        self.put(job)?;
        self.drop_unused(inputs, &input)?;
        self.drop_unused(proofs, &proof)
    }

    /// Removes an artifact that no job needs: another may have the same input, and whoever sends the
    /// bytes of an input as a proof must not destroy it.
    fn drop_unused(&self, artifacts: &Artifacts, digest: &Digest) -> Result<(), JobError> {
        let needs = |job: &Job| match &job.state {
            JobState::Done { .. } => false,
            JobState::Proved { proof } | JobState::Verified { proof } => {
                job.input == *digest || proof == digest
            }
            JobState::Queued
            | JobState::Leased { .. }
            | JobState::Retryable { .. }
            | JobState::Failed { .. }
            | JobState::Cancelled => job.input == *digest,
        };
        match self.jobs.values().any(needs) {
            true => Ok(()),
            false => artifacts.remove(digest),
        }
    }

    /// The job, if the lease is its present one.
    fn leased(&self, key: &JobKey, lease: u64) -> Result<Job, JobError> {
        let job = self.get(key)?;
        match job.state {
            JobState::Leased { lease: own, .. } if own == lease => Ok(job.clone()),
            _ => Err(JobError::StaleLease { job: key.to_string(), lease }),
        }
    }

    fn verified(&mut self, mut job: Job, proof: Digest) -> Result<(), JobError> {
        job.state = JobState::Verified { proof };
        self.put_counted(job, 0)
    }

    fn failed_attempt(
        &mut self,
        mut job: Job,
        cause: String,
        retryable: bool,
        now: u64,
    ) -> Result<(), JobError> {
        job.attempts += 1;
        job.causes.insert(0, cause.clone());
        job.causes.truncate(CAUSES);
        job.state = match retryable && job.attempts < ATTEMPTS {
            true => {
                let wait = PATIENCE << (job.attempts - 1);
                JobState::Retryable { cause, after: now.saturating_add(wait) }
            }
            false => JobState::Failed { cause },
        };
        let failures = self.failures.get(&job.key.kind).copied().unwrap_or(0);
        self.put_counted(job, failures.saturating_add(1))
    }

    /// Writes a job together with the failures of its kind in a row.
    fn put_counted(&mut self, job: Job, failures: u32) -> Result<(), JobError> {
        let mut counted = self.failures.clone();
        counted.insert(job.key.kind, failures);
        self.write(|jobs, batch| {
            batch.put_cf(jobs.family(META)?, "failures", jobs.encode(&counted)?);
            jobs.put_into(batch, &job)
        })?;
        self.failures = counted;
        self.jobs.insert(job.key, job);
        Ok(())
    }

    fn put(&mut self, job: Job) -> Result<(), JobError> {
        self.write(|jobs, batch| jobs.put_into(batch, &job))?;
        self.jobs.insert(job.key, job);
        Ok(())
    }

    fn put_into(&self, batch: &mut WriteBatch, job: &Job) -> Result<(), JobError> {
        batch.put_cf(self.family(JOBS)?, row_key(&job.key), self.encode(job)?);
        Ok(())
    }

    fn write(
        &self,
        fill: impl FnOnce(&Self, &mut WriteBatch) -> Result<(), JobError>,
    ) -> Result<(), JobError> {
        let mut batch = WriteBatch::default();
        fill(self, &mut batch)?;
        let mut options = WriteOptions::default();
        // RocksDB's default leaves the write in the page cache, where a power cut takes it.
        options.set_sync(true);
        self.db.write_opt(batch, &options).map_err(|e| self.failed(e))
    }

    fn meta(&self, key: &str) -> Result<Option<Vec<u8>>, JobError> {
        self.db.get_cf(self.family(META)?, key).map_err(|e| self.failed(e))
    }

    fn encode(&self, value: &impl Serialize) -> Result<Vec<u8>, JobError> {
        postcard::to_stdvec(value).map_err(|e| self.failed(e))
    }

    fn family(&self, name: &str) -> Result<&ColumnFamily, JobError> {
        let family = self.db.cf_handle(name);
        family.ok_or_else(|| self.failed(format!("column family {name} is missing")))
    }

    fn failed(&self, why: impl ToString) -> JobError {
        JobError::Storage { path: self.path.clone(), why: why.to_string() }
    }
}

/// The key of a job's row.
fn row_key(key: &JobKey) -> Vec<u8> {
    let JobKey { kind, number, circuit } = key;
    let kind = match kind {
        JobKind::ProveBlock => 0,
        JobKind::ProveBatch => 1,
    };
    [&[kind][..], &number.to_be_bytes(), &circuit.to_bytes()].concat()
}

/// What a job is that takes no proof.
fn over(state: &JobState) -> Option<&'static str> {
    match state {
        JobState::Verified { .. } => Some("verified"),
        JobState::Done { .. } => Some("done"),
        JobState::Cancelled => Some("cancelled"),
        JobState::Queued
        | JobState::Leased { .. }
        | JobState::Proved { .. }
        | JobState::Retryable { .. }
        | JobState::Failed { .. } => None,
    }
}
