//! Checks a record of verdicts by making them again.

use serde::{Deserialize, Serialize};

use crate::{explain, Input, Screener, Verdict};

/// One step of a record. It serializes to JSON: a verdict needs a format that describes itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recorded {
    /// The operation and its circumstances.
    pub input: Input,
    /// The verdict, if it was judged in this step. One that is released from quarantine is not judged
    /// again.
    pub verdict: Option<Verdict>,
    /// Whether it was included then, so that the screener observed it.
    pub included: bool,
}

/// Where a record and its replay part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Number of the step, from 0.
    pub position: usize,
    /// The operation.
    pub hash: [u8; 32],
    /// What the record says.
    pub recorded: Verdict,
    /// What the replay says.
    pub computed: Verdict,
}

impl std::fmt::Display for Difference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "step {}, operation {}\nrecorded: {}computed: {}",
            self.position,
            hex::encode(self.hash),
            explain(&self.recorded),
            explain(&self.computed)
        )
    }
}

/// Judges and observes again what was recorded, with a screener that stands where the record begins, and
/// returns the first difference. Afterwards, if there is none, the screener stands where it ends.
#[must_use]
pub fn replay<'a>(
    screener: &mut Screener,
    record: impl IntoIterator<Item = &'a Recorded>,
) -> Option<Difference> {
    for (position, step) in record.into_iter().enumerate() {
        if let Some(recorded) = &step.verdict {
            let computed = screener.judge(&step.input);
            if computed != *recorded {
                let (hash, recorded) = (step.input.hash, recorded.clone());
                return Some(Difference { position, hash, recorded, computed });
            }
        }
        if step.included {
            screener.learn(&step.input);
        }
    }
    None
}
