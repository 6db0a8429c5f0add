//! Signs of life while a proof is made, from a thread of the operating system: the prover takes all
//! threads of rayon, and a task of an executor could wait behind it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{channel, RecvTimeoutError, Sender};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tracing::warn;

use super::desk::{Desk, DeskError};
use super::kind_name;
use crate::coordinator::events::JobProgress;
use crate::coordinator::Assignment;

/// Time between two signs: a lease survives several that are lost.
const EVERY: Duration = Duration::from_secs(5);
/// Most of a job that is called done while it is not: the estimate may be short.
const MOST: u32 = 990;

/// The thread.
pub(super) struct Beat {
    stop: Sender<()>,
    lost: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Beat {
    /// Begins. `usual` is how long such a job took before, in seconds.
    pub(super) fn start(
        desk: Arc<dyn Desk>,
        worker: String,
        job: Assignment,
        usual: Option<f64>,
    ) -> Self {
        let (stop, stopped) = channel();
        let lost = Arc::new(AtomicBool::new(false));
        let noted = lost.clone();
        let begun = Instant::now();
        let beat = move || {
            let mut wait = Duration::from_millis(200);
            loop {
                match stopped.recv_timeout(wait) {
                    Err(RecvTimeoutError::Timeout) => {}
                    Ok(()) | Err(RecvTimeoutError::Disconnected) => return,
                }
                wait = EVERY;
                let progress = progress(job.key.kind, begun.elapsed().as_secs_f64(), usual);
                match desk.heartbeat(&worker, &job.key, job.lease, progress) {
                    Ok(()) => {}
                    Err(DeskError::Refused(why)) => {
                        warn!(job = %job.key, why, "the lease is lost");
                        noted.store(true, Ordering::Relaxed);
                        return;
                    }
                    Err(error) => warn!(job = %job.key, %error, "no sign of life could be given"),
                }
            }
        };
        let thread = std::thread::Builder::new().name("heartbeat".into()).spawn(beat);
        if let Err(error) = &thread {
            warn!(%error, "no heartbeat: the lease may end before the proof is made");
        }
        Self { stop, lost, thread: thread.ok() }
    }

    /// Ends; whether the lease was lost meanwhile.
    pub(super) fn stop(mut self) -> bool {
        let _ = self.stop.send(());
        if let Some(thread) = self.thread.take() {
            // A panic there is a fault of this code, and no reason to lose a proof.
            let _ = thread.join();
        }
        self.lost.load(Ordering::Relaxed)
    }
}

fn progress(kind: crate::jobs::JobKind, elapsed: f64, usual: Option<f64>) -> JobProgress {
    let part = |usual: f64| ((elapsed / usual * 1_000.0) as u32).min(MOST);
    JobProgress {
        stage: kind_name(kind).into(),
        per_mille: usual.map_or(0, part),
        eta_seconds: usual.map(|usual| (usual - elapsed).max(0.0).ceil() as u64),
    }
}
