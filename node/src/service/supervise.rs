//! Keeps the parts of a node running: each is a thread with a name. A failure that may pass is tried
//! again after a while, one that does not pass stops the node.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{channel, Receiver, Sender};
use std::sync::Arc;
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

use bastion_l1::L1Error;
use tracing::{error, warn};

use crate::error::NodeError;

/// Longest pause after failures in a row.
const LONGEST: Duration = Duration::from_secs(60);
/// How often a pause looks whether the node stops.
const LOOK: Duration = Duration::from_millis(100);

/// What a part says after a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// There is more to do at once.
    Again,
    /// Nothing for a while.
    Rest(Duration),
    /// It is done.
    End,
}

/// The parts.
pub struct Supervisor {
    stop: Arc<AtomicBool>,
    parts: Vec<(String, JoinHandle<()>)>,
    failures: Receiver<NodeError>,
    failed: Sender<NodeError>,
}

impl Supervisor {
    /// A supervisor whose parts end when `stop` is set.
    pub fn new(stop: Arc<AtomicBool>) -> Self {
        let (failed, failures) = channel();
        Self { stop, parts: Vec::new(), failures, failed }
    }

    /// Starts a part that takes steps.
    ///
    /// # Errors
    /// If its thread cannot be started.
    pub fn start(
        &mut self,
        name: &str,
        mut step: impl FnMut() -> Result<Next, NodeError> + Send + 'static,
    ) -> Result<(), NodeError> {
        let (stop, failed, own) = (self.stop.clone(), self.failed.clone(), name.to_owned());
        let work = move || {
            let mut failures = 0_u32;
            while !stop.load(Ordering::Relaxed) {
                match step() {
                    Ok(next) => {
                        failures = 0;
                        match next {
                            Next::Again => {}
                            Next::Rest(pause) => rest(&stop, pause),
                            Next::End => return,
                        }
                    }
                    Err(error) if passes(&error) => {
                        let pause = LONGEST.min(Duration::from_secs(1 << failures.min(6)));
                        failures += 1;
                        warn!(part = own, %error, seconds = pause.as_secs(), "tried again after a pause");
                        rest(&stop, pause);
                    }
                    Err(error) => {
                        error!(part = own, %error, "the node stops");
                        // Whoever waits for it may have gone.
                        let _ = failed.send(error);
                        stop.store(true, Ordering::Relaxed);
                        return;
                    }
                }
            }
        };
        let thread = Builder::new().name(name.into()).spawn(work);
        let thread =
            thread.map_err(|source| NodeError::Io { path: format!("thread {name}"), source })?;
        self.parts.push((name.into(), thread));
        Ok(())
    }

    /// Waits until all parts have ended, and gives what stopped the node, if it was a failure. A panic
    /// of a part is one: [`NodeError::Panicked`].
    ///
    /// # Errors
    /// The first failure.
    pub fn join(self) -> Result<(), NodeError> {
        let mut panicked = None;
        for (part, thread) in self.parts {
            while !thread.is_finished() {
                std::thread::sleep(LOOK);
            }
            if thread.join().is_err() {
                self.stop.store(true, Ordering::Relaxed);
                panicked.get_or_insert(NodeError::Panicked { part });
            }
        }
        match self.failures.try_recv().ok().or(panicked) {
            Some(error) => Err(error),
            None => Ok(()),
        }
    }

    /// Whether a part has ended though nobody stopped the node.
    pub fn a_part_has_ended(&self) -> bool {
        self.parts.iter().any(|(_, thread)| thread.is_finished())
    }
}

fn rest(stop: &AtomicBool, pause: Duration) {
    let mut left = pause;
    while !left.is_zero() && !stop.load(Ordering::Relaxed) {
        let now = left.min(LOOK);
        std::thread::sleep(now);
        left -= now;
    }
}

/// Whether a failure may pass. What L1 does not answer today it may answer tomorrow; what is wrong with a
/// database or with the contract is for the operator.
fn passes(error: &NodeError) -> bool {
    match error {
        NodeError::L1(L1Error::Storage { .. } | L1Error::Reorg { .. }) => false,
        NodeError::L1(_)
        | NodeError::Incomplete { .. }
        | NodeError::History { .. }
        | NodeError::Nats { .. } => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn supervisor() -> (Supervisor, Arc<AtomicBool>) {
        let stop = Arc::new(AtomicBool::new(false));
        (Supervisor::new(stop.clone()), stop)
    }

    #[test]
    fn a_failure_for_good_stops_all_parts() {
        let (mut parts, stop) = supervisor();
        parts.start("patient", || Ok(Next::Rest(Duration::from_secs(3_600)))).unwrap();
        parts.start("broken", || Err(NodeError::Stopped)).unwrap();
        assert!(matches!(parts.join(), Err(NodeError::Stopped)));
        assert!(stop.load(Ordering::Relaxed));
    }

    #[test]
    fn a_failure_that_may_pass_is_tried_again() {
        let (mut parts, stop) = supervisor();
        let mut tries = 0;
        let step = move || {
            tries += 1;
            match tries {
                1 => Err(L1Error::NoNode.into()),
                2 => Ok(Next::Again),
                _ => Ok(Next::End),
            }
        };
        parts.start("l1", step).unwrap();
        parts.join().unwrap();
        assert!(!stop.load(Ordering::Relaxed));
    }

    #[test]
    fn a_panic_is_noticed() {
        let (mut parts, stop) = supervisor();
        parts.start("wild", || panic!("a fault")).unwrap();
        while !parts.a_part_has_ended() {
            std::thread::sleep(LOOK);
        }
        assert!(matches!(parts.join(), Err(NodeError::Panicked { part }) if part == "wild"));
        assert!(stop.load(Ordering::Relaxed));
    }
}
