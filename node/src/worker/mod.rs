//! A worker: takes jobs from a [`Desk`], proves them, and brings the proofs.
//!
//! | module | content |
//! |---|---|
//! | [`desk`] | what a worker asks and reports, and of whom |
//! | [`keys`] | the keys, and proving with them |
//! | [`admission`] | how many jobs the memory holds |
//! | `beat` | signs of life while a proof is made |

pub mod admission;
mod beat;
pub mod desk;
pub mod keys;

use std::panic::{catch_unwind, AssertUnwindSafe};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tracing::{info, warn};

use crate::coordinator::Assignment;
use crate::error::NodeError;
use crate::jobs::JobKind;
use admission::Admission;
use beat::Beat;
use desk::{Desk, DeskError};
use keys::WorkerKeys;

/// How long a worker waits for work before it looks again.
const WAIT: Duration = Duration::from_secs(2);
/// How long it waits when nobody answers, at first and at last.
const PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(15);

/// A worker.
pub struct Worker {
    name: String,
    desk: Arc<dyn Desk>,
    keys: Arc<WorkerKeys>,
    admission: Admission,
    stop: Arc<AtomicBool>,
}

impl Worker {
    /// A worker of a name that no other worker of the coordinator has.
    pub fn new(
        name: impl Into<String>,
        desk: Arc<dyn Desk>,
        keys: Arc<WorkerKeys>,
        admission: Admission,
        stop: Arc<AtomicBool>,
    ) -> Self {
        Self { name: name.into(), desk, keys, admission, stop }
    }

    /// Works until it is told to stop, on as many jobs at once as the memory holds. What it is at then,
    /// it finishes.
    pub fn run(&self) {
        std::thread::scope(|scope| {
            for slot in 0..self.admission.slots() {
                let name = format!("worker {slot}");
                let spawned =
                    std::thread::Builder::new().name(name).spawn_scoped(scope, || self.work());
                if let Err(error) = spawned {
                    warn!(%error, "a thread of the worker cannot be started");
                }
            }
        });
    }

    fn work(&self) {
        let mut pause = PAUSE;
        while !self.stop.load(Ordering::Relaxed) {
            match self.next() {
                Ok(true) => pause = PAUSE,
                Ok(false) => {
                    pause = PAUSE;
                    self.desk.wait(WAIT);
                }
                Err(error) => {
                    warn!(worker = self.name, %error, "no job could be asked for");
                    std::thread::sleep(pause);
                    pause = LONGEST_PAUSE.min(pause * 2);
                }
            }
        }
    }

    /// Does one job, if there is one that the memory holds now.
    fn next(&self) -> Result<bool, DeskError> {
        let Some(room) = self.admission.enter() else {
            return Ok(false);
        };
        let fits = room.kinds();
        let circuits = self.keys.circuits();
        let circuits: Vec<_> =
            circuits.into_iter().filter(|(kind, _)| fits.contains(kind)).collect();
        let Some(job) = self.desk.lease(&self.name, &circuits)? else {
            return Ok(false);
        };
        let _held = room.take(job.key.kind);
        self.prove(&job);
        Ok(true)
    }

    fn prove(&self, job: &Assignment) {
        let start = Instant::now();
        let beat = Beat::start(
            self.desk.clone(),
            self.name.clone(),
            job.clone(),
            self.keys.usual(job.key.kind),
        );
        let outcome = self.make(job);
        let lost = beat.stop();
        let seconds = start.elapsed().as_secs_f64();
        let reported = match outcome {
            Ok(proof) => {
                self.keys.took(job.key.kind, seconds);
                info!(job = %job.key, seconds, "proved");
                // Also under a lease that was lost: what holds, holds.
                self.desk.complete(&self.name, &job.key, job.lease, proof)
            }
            Err((cause, retryable)) if !lost => {
                warn!(job = %job.key, cause, "cannot be proven");
                self.desk.fail(&self.name, &job.key, job.lease, &cause, retryable)
            }
            Err(_) => Ok(()),
        };
        if let Err(error) = reported {
            warn!(job = %job.key, %error, "the coordinator did not take the report");
        }
    }

    /// A proof, or why there is none and whether another attempt may help.
    fn make(&self, job: &Assignment) -> Result<Vec<u8>, (String, bool)> {
        let input = self.desk.input(&job.input).map_err(|e| (e.to_string(), true))?;
        let proved = catch_unwind(AssertUnwindSafe(|| self.keys.prove(&job.key, &input)));
        match proved {
            Ok(Ok(proof)) => Ok(proof),
            // What no proof exists of has none on another machine either.
            Ok(Err(error @ (NodeError::Unprovable { .. } | NodeError::JobInput { .. }))) => {
                Err((error.to_string(), false))
            }
            Ok(Err(error)) => Err((error.to_string(), true)),
            Err(panic) => {
                let text = panic.downcast_ref::<String>().cloned();
                let text = text.or_else(|| panic.downcast_ref::<&str>().map(|s| (*s).to_string()));
                Err((format!("the prover panicked: {}", text.unwrap_or_default()), true))
            }
        }
    }
}

/// What a worker does for a job of a kind, in a word.
pub(crate) fn kind_name(kind: JobKind) -> &'static str {
    match kind {
        JobKind::ProveBlock => "aggregate",
        JobKind::ProveBatch => "prove",
    }
}
