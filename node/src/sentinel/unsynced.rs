//! What of the log of findings may not be on disk.

use bastion_sentinel::findings::Finding;
use bastion_sentinel::{Decision, Verdict};

/// How much it matters, in rising order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Unsynced {
    /// All of it is there.
    Nothing,
    /// Nobody was told of what is not.
    Alerts,
    /// Somebody will be told.
    Decisions,
}

impl Unsynced {
    /// What an entry makes of a log that was on disk.
    pub(super) fn by(finding: &Finding) -> Self {
        let alert = |verdict: &Verdict| verdict.decision == Decision::Allow;
        match finding {
            Finding::Verdict { verdict, .. } if alert(verdict) => Self::Alerts,
            Finding::Note { .. } => Self::Alerts,
            Finding::Verdict { .. }
            | Finding::Released { .. }
            | Finding::Frozen { .. }
            | Finding::Unfrozen { .. }
            | Finding::Rewards(_)
            | Finding::Rules { .. } => Self::Decisions,
        }
    }
}
