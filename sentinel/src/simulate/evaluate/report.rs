//! The figures of one detector on one split.

use std::collections::BTreeMap;

use serde::Serialize;

use super::precision::Scores;

/// Everything that is measured of a detector.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// By family of attacks.
    pub families: BTreeMap<&'static str, FamilyReport>,
    /// All families together. The means over attacks weigh each attack the same.
    pub all: FamilyReport,
    /// By kind of honest event.
    pub look_alikes: BTreeMap<&'static str, LookAlikeReport>,
    /// Signed honest operations that were measured.
    pub honest_operations: u64,
    /// Honest operations that were held or refused, of a million signed honest ones.
    pub false_quarantines_per_million: f64,
    /// Who had to wait, and how long.
    pub honest_delayed: Delay,
    /// Operations of the L1 queue that it wanted to hold. They cannot be: they count nowhere else.
    pub queue_alerts: u64,
    /// Time of `screen` and `observe` together, for each measured operation.
    pub latency_us: Latency,
    /// How many honest operations had each score.
    #[serde(skip)]
    pub honest_scores: Scores,
}

/// The figures of a family.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct FamilyReport {
    /// How many attacks there were.
    pub attacks: u64,
    /// Signed operations of them, bystanders aside.
    pub operations: u64,
    /// Operation level: of what was held, the part that belongs to the family, against honest operations
    /// of the whole run. It depends on how frequent attacks are. 0 if nothing was held.
    pub precision: f64,
    /// Attack level: the part of attacks of which an operation was held no later than the one after which
    /// the last money was gone.
    pub recall: f64,
    /// Operation level: the part of the attacks' operations that were held.
    pub operation_recall: f64,
    /// Operation level, by score alone: [`Scores::average_precision`] against all honest operations.
    pub average_precision: f64,
    /// Median over the attacks that were caught: operations of the attack from the first held one to the
    /// one after which the last money is gone. 0 means that this very one was held.
    pub lead_operations: f64,
    /// The same in seconds.
    pub lead_seconds: f64,
    /// Mean over attacks of the part of the value at stake that a hold kept in reach, from 0 to 1.
    pub money_saved: f64,
}

/// What happened to an honest event that looks like an attack.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct LookAlikeReport {
    /// Signed operations.
    pub operations: u64,
    /// How many were held.
    pub held: u64,
}

/// Delays of honest people.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Delay {
    /// How many honest people had an operation held.
    pub users: u64,
    /// Of how many who sent one.
    pub of_users: u64,
    /// Operations that were held for a time.
    pub held: u64,
    /// Operations that were refused for good.
    pub rejected: u64,
    /// Operations that came while one of the same account was held, and had to wait behind it.
    pub behind: u64,
    /// Median of the time that held operations waited, in seconds.
    pub median_seconds: u64,
    /// The longest.
    pub longest_seconds: u64,
}

/// Microseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Latency {
    /// Half of the operations took less.
    pub median: f64,
    /// 99 of a hundred took less.
    pub p99: f64,
}
