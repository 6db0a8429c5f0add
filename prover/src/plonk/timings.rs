//! Where the time of proofs goes.

use std::sync::Mutex;
use std::time::{Duration, Instant};

/// Time on the clock of the parts of proofs. Proofs that are made side by side are added up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Timings {
    /// The circuit's own work: assigning the witness.
    pub synthesis: Duration,
    /// Commitments to columns, and their transforms to coefficients.
    pub commit: Duration,
    /// The quotient, and the commitments to its pieces.
    pub quotient: Duration,
    /// Evaluations and the opening argument.
    pub open: Duration,
}

static TOTAL: Mutex<Timings> = Mutex::new(Timings {
    synthesis: Duration::ZERO,
    commit: Duration::ZERO,
    quotient: Duration::ZERO,
    open: Duration::ZERO,
});

impl Timings {
    /// What the proofs of this process have taken since the last call.
    pub fn take() -> Self {
        TOTAL.lock().map(|mut total| std::mem::take(&mut *total)).unwrap_or_default()
    }

    /// Adds a proof.
    pub(super) fn record(self) {
        tracing::debug!(?self.synthesis, ?self.commit, ?self.quotient, ?self.open, "proof");
        if let Ok(mut total) = TOTAL.lock() {
            total.synthesis += self.synthesis;
            total.commit += self.commit;
            total.quotient += self.quotient;
            total.open += self.open;
        }
    }
}

/// Time since the last lap.
pub(super) struct Laps(Instant);

impl Laps {
    pub(super) fn start() -> Self {
        Self(Instant::now())
    }

    pub(super) fn lap(&mut self) -> Duration {
        let now = Instant::now();
        now - std::mem::replace(&mut self.0, now)
    }
}
