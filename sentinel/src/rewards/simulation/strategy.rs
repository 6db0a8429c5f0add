//! What an agent may do.

use std::fmt;

/// The agents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Executes, answers, reports what it sees.
    Honest,
    /// Stays away.
    Absent,
    /// Saves work.
    Lazy,
    /// Lives off the reports of others.
    Copycat,
    /// Reports blindly.
    Spammer,
    /// An operator who reports himself.
    SelfSlasher,
    /// A sequencer and a watcher.
    Colluding,
}

/// What the player does. The other watchers are honest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Strategy {
    /// Executes, answers, reports what it sees.
    Honest,
    /// Has no stake and does nothing.
    Absent,
    /// Executes and answers, and reports nothing.
    Silent,
    /// Answers with an old digest, and reports nothing.
    Stale,
    /// The same, and commits to whatever another watcher opens.
    Copycat,
    /// Honest, and reports a suspect blindly at the start of the epoch.
    Spammer,
    /// Honest, and commits to a suspect blindly, opening only if an event comes.
    Hindsight,
    /// Honest, and signs two receipts for one place after a commitment to report it.
    SelfSlasher,
    /// Honest, and has a harmless account frozen.
    Framing,
    /// Honest, and puts a commitment before each opening that the sequencer sees.
    FrontRunning,
    /// Honest, and the sequencer holds the others' commitments back until its own is in.
    Delaying,
}

impl Strategy {
    /// All deviations from honesty that the mechanism is to make unprofitable.
    pub const COVERED: [Self; 9] = [
        Self::Absent,
        Self::Silent,
        Self::Stale,
        Self::Copycat,
        Self::Spammer,
        Self::Hindsight,
        Self::SelfSlasher,
        Self::Framing,
        Self::FrontRunning,
    ];

    /// Deviations that it does not make unprofitable: they are measured, and the README names them.
    pub const OPEN: [Self; 1] = [Self::Delaying];

    /// Whose strategy it is.
    #[must_use]
    pub fn role(self) -> Role {
        match self {
            Self::Honest => Role::Honest,
            Self::Absent => Role::Absent,
            Self::Silent | Self::Stale => Role::Lazy,
            Self::Copycat => Role::Copycat,
            Self::Spammer | Self::Hindsight => Role::Spammer,
            Self::SelfSlasher => Role::SelfSlasher,
            Self::Framing | Self::FrontRunning | Self::Delaying => Role::Colluding,
        }
    }

    /// Whether it executes the chain.
    pub(super) fn executes(self) -> bool {
        !matches!(self, Self::Absent | Self::Stale | Self::Copycat)
    }

    /// Whether it reports what it sees.
    pub(super) fn reports(self) -> bool {
        self.executes() && self != Self::Silent
    }
}

impl fmt::Display for Strategy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Honest => "honest",
            Self::Absent => "absent",
            Self::Silent => "lazy: reports nothing",
            Self::Stale => "lazy: old answers",
            Self::Copycat => "copycat",
            Self::Spammer => "spammer",
            Self::Hindsight => "spammer: hindsight",
            Self::SelfSlasher => "self-slasher",
            Self::Framing => "colluding: framing",
            Self::FrontRunning => "colluding: front-running",
            Self::Delaying => "colluding: delaying",
        })
    }
}
