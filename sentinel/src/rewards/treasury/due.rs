//! What nobody needs to ask for: events are settled, freezes expire, reports lapse.

use super::{Call, Treasury};
use crate::rewards::Stage;

/// Calls that are given at once at most.
const MOST: usize = 64;

impl Treasury {
    /// What is to be called at a time; more may be due after it. Events come first: they keep a report that
    /// they confirm from ending as a false one.
    #[must_use]
    pub fn due(&self, now: u64) -> Vec<Call> {
        self.due_by(now.max(self.at))
    }

    /// The same by a time that may lie before the latest.
    pub(super) fn due_by(&self, now: u64) -> Vec<Call> {
        let params = self.registry.params();
        let settled = self.events.iter().filter_map(|((subject, epoch), at)| {
            let due = now > at.saturating_add(params.reveal_window);
            due.then_some(Call::Settle { subject: *subject, epoch: *epoch })
        });
        let ended = self.registry.reports().filter_map(|(report, entry)| {
            let (last, call) = match entry.stage {
                Stage::Sealed => {
                    (entry.committed.saturating_add(params.reveal_window), Call::Lapse { report })
                }
                Stage::Open { .. } => {
                    (entry.committed.saturating_add(params.event_window), Call::Lapse { report })
                }
                Stage::Frozen { until, .. } => (until, Call::Expire { report }),
            };
            let open = |subject| self.registry.unconfirmed(report, entry, subject).is_ok();
            (now > last && entry.stage.subject().is_none_or(open)).then_some(call)
        });
        settled.chain(ended).take(MOST).collect()
    }
}
