//! Why the registry refuses.

use super::{ReportId, Subject};
use bastion_protocol::Index;
use thiserror::Error;

/// Why the registry refuses. A refused call changes nothing.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum RewardError {
    /// Parameters that contradict one another.
    #[error("{name} is {value}: {why}; {remedy}")]
    Parameter {
        /// Which parameter.
        name: &'static str,
        /// Its value.
        value: u128,
        /// What is wrong with it.
        why: &'static str,
        /// What to set instead.
        remedy: &'static str,
    },
    /// A time before one that the registry has seen.
    #[error("time {now} is before {last}, which was seen already; pass the chain's time")]
    TimeBackwards {
        /// The time passed.
        now: u64,
        /// The latest time before it.
        last: u64,
    },
    /// More money than 128 bits count.
    #[error("{amount} more than {came_in} overflows 128 bits; use a larger unit")]
    Overflow {
        /// What has come in before.
        came_in: u128,
        /// What was to come in.
        amount: u128,
    },
    /// Nobody registered with this account.
    #[error("account {watcher} is not a watcher; register it with a stake")]
    UnknownWatcher {
        /// The account.
        watcher: Index,
    },
    /// Too little stake for what was asked.
    #[error("account {watcher} has {free} of free stake and needs {needed}; add stake or wait until bonds come back")]
    Stake {
        /// Whose stake.
        watcher: Index,
        /// What is free.
        free: u128,
        /// What is needed.
        needed: u128,
    },
    /// A withdrawal was announced lately.
    #[error("account {watcher} announced a withdrawal within the hour; announce another one from {again} on, it is {now}")]
    Announced {
        /// Whose stake.
        watcher: Index,
        /// When another one may be announced.
        again: u64,
        /// The time.
        now: u64,
    },
    /// The stake has no withdrawal that is ready.
    #[error(
        "account {watcher} can withdraw at {ready}, and it is {now}; announce with `leave`, then wait"
    )]
    NotReady {
        /// Whose stake.
        watcher: Index,
        /// When the announced amount is free, `u64::MAX` if none is announced.
        ready: u64,
        /// The time.
        now: u64,
    },
    /// No such report, or it is closed.
    #[error("report {id} is unknown or closed; look it up with `report`")]
    UnknownReport {
        /// The report.
        id: ReportId,
    },
    /// A report in another state than the call needs.
    #[error("report {id} is {found}, and must be {needed}")]
    State {
        /// The report.
        id: ReportId,
        /// Its state.
        found: &'static str,
        /// The state that the call needs.
        needed: &'static str,
    },
    /// The opening is not that of the commitment.
    #[error("report {id}: report and salt do not hash to the commitment; pass both unchanged")]
    Opening {
        /// The report.
        id: ReportId,
    },
    /// The call comes too late.
    #[error("{what}: it is {now}, and the last time was {last}")]
    Late {
        /// What was asked.
        what: &'static str,
        /// The time.
        now: u64,
        /// The last time for it.
        last: u64,
    },
    /// The call comes too early.
    #[error("{what}: it is {now}; call again at {first} or later")]
    Early {
        /// What was asked.
        what: &'static str,
        /// The time.
        now: u64,
        /// The first time for it.
        first: u64,
    },
    /// A second report by the same watcher about the same subject in the same epoch.
    #[error(
        "account {watcher} has already reported {subject} in epoch {epoch}; one report counts"
    )]
    Repeated {
        /// Who.
        watcher: Index,
        /// About what.
        subject: Subject,
        /// The epoch of the commitment.
        epoch: u64,
    },
    /// The report did not ask for a freeze.
    #[error("report {id} did not ask for a freeze; its watcher does not answer for one")]
    NotAsked {
        /// The report.
        id: ReportId,
    },
    /// Another report answers for a freeze of the subject already.
    #[error("{subject} is frozen by report {by}; one report answers for a freeze")]
    FrozenAlready {
        /// The subject.
        subject: Subject,
        /// The report that answers.
        by: ReportId,
    },
    /// An event on the subject stands in this epoch already.
    #[error("{subject} has an event in epoch {epoch} already; put the money in with `fund`")]
    EventStands {
        /// The subject.
        subject: Subject,
        /// The epoch.
        epoch: u64,
    },
    /// No event of this subject and epoch, or it was settled.
    #[error("{subject} has no open event in epoch {epoch}; an event is settled once")]
    NoEvent {
        /// The subject.
        subject: Subject,
        /// The epoch.
        epoch: u64,
    },
    /// An event confirms the report, so it cannot end as a false one.
    #[error("report {id} is confirmed by the event of epoch {epoch}; settle that")]
    Confirmed {
        /// The report.
        id: ReportId,
        /// The epoch of the event.
        epoch: u64,
    },
    /// An answer or a grade for an epoch at the wrong time.
    #[error("epoch {epoch} takes {what} in epoch {expected} (grades: or later), and it is {now}")]
    Epoch {
        /// What was given.
        what: &'static str,
        /// The epoch that it is about.
        epoch: u64,
        /// The epoch in which it is taken.
        expected: u64,
        /// The epoch now.
        now: u64,
    },
    /// A second answer.
    #[error("account {watcher} has answered for epoch {epoch}; the first answer counts")]
    Answered {
        /// Who.
        watcher: Index,
        /// The epoch.
        epoch: u64,
    },
    /// A second grading.
    #[error("epoch {epoch} is graded, or a later one is; grade epochs in order")]
    Graded {
        /// The epoch.
        epoch: u64,
    },
}
