//! Reports, their commitments, and what becomes of them.

use bastion_protocol::{hash::keccak, Index};
use serde::{Deserialize, Serialize};
use std::fmt;

/// Number of a commitment: commitments are numbered in the order of the chain.
pub type ReportId = u64;

/// What a report is about: the hash of an account, an operation or a receipt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Subject(pub [u8; 32]);

impl Subject {
    /// An account: `keccak256("bastion.subject.account.v1" || index)`.
    #[must_use]
    pub fn account(index: Index) -> Self {
        Self(keccak(&[b"bastion.subject.account.v1", &index.to_be_bytes()]))
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "0x")?;
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// What a watcher claims. The watcher is part of it, so nobody else can open a copied commitment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Report {
    /// Who reports, and where a reward goes.
    pub watcher: Index,
    /// What is reported.
    pub subject: Subject,
    /// Whether the watcher asks for a freeze, and answers for it.
    pub asks_freeze: bool,
    /// Hash of the evidence.
    pub evidence: [u8; 32],
}

impl Report {
    /// `keccak256("bastion.report.v1" || watcher || subject || asks_freeze || evidence || salt)`.
    /// The salt must be random, or others guess the subject.
    #[must_use]
    pub fn commitment(&self, salt: &[u8; 32]) -> [u8; 32] {
        let flag = [u8::from(self.asks_freeze)];
        let Self { watcher, subject, evidence, .. } = self;
        keccak(&[b"bastion.report.v1", &watcher.to_be_bytes(), &subject.0, &flag, evidence, salt])
    }
}

/// Where a report stands. Closed ones are forgotten.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Committed.
    Sealed,
    /// Opened.
    Open {
        /// What it is about.
        subject: Subject,
        /// Whether its watcher answers for a freeze.
        asks_freeze: bool,
    },
    /// Opened, and the subject was frozen because of it.
    Frozen {
        /// What it is about.
        subject: Subject,
        /// Who was frozen.
        victim: Index,
        /// When the freeze ends.
        until: u64,
    },
}

impl Stage {
    /// Its name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Sealed => "sealed",
            Self::Open { .. } => "open",
            Self::Frozen { .. } => "frozen",
        }
    }

    /// The subject, once it is opened.
    #[must_use]
    pub fn subject(&self) -> Option<Subject> {
        match self {
            Self::Sealed => None,
            Self::Open { subject, .. } | Self::Frozen { subject, .. } => Some(*subject),
        }
    }
}

/// A commitment that is not closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// Who committed.
    pub watcher: Index,
    /// When.
    pub committed: u64,
    /// To what.
    pub commitment: [u8; 32],
    /// What it locks.
    pub bond: u128,
    /// Where it stands.
    pub stage: Stage,
}

/// Why money left the registry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// The earliest report about an event.
    Reward,
    /// A right answer.
    Diligence,
    /// A freeze for nothing.
    Compensation,
    /// A stake.
    Withdrawal,
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Reward => "reward",
            Self::Diligence => "diligence",
            Self::Compensation => "compensation",
            Self::Withdrawal => "withdrawal",
        })
    }
}

/// Money that leaves the registry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Payment {
    /// To whom.
    pub to: Index,
    /// How much.
    pub amount: u128,
    /// Why.
    pub cause: Cause,
}
