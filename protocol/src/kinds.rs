//! The kinds of operations, and what each is: the one table from which flags, sections, cost, wire
//! numbers and the dispatch of replays derive (protocol sections 5 and 6).
//!
//! `docs/repo/how-to.md` lists what a new kind needs beside its line here.

use serde::{Deserialize, Serialize};

use crate::records::Section;

/// What an operation turned out to be in a state. The order is that of the circuit's flags.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Deposit to an existing account.
    Deposit,
    /// Deposit that creates.
    DepositNew,
    /// Forced exit that matches.
    ForcedExit,
    /// Forced exit that does not match.
    ForcedExitNoop,
    /// Transfer.
    Transfer,
    /// Transfer that creates.
    TransferNew,
    /// Withdraw.
    Withdraw,
    /// Change of key.
    ChangeKey,
    /// Freeze.
    Freeze,
    /// Unfreeze.
    Unfreeze,
    /// Order of an auction.
    Order,
    /// Quote of an auction.
    Quote,
    /// Padding.
    Noop,
}

/// Who asks for an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signer {
    /// Nobody: it is padding.
    Nobody,
    /// The L1 queue, which needs no signature.
    Queue,
    /// The owner of the account that acts.
    Owner,
    /// The guardian of the policy.
    Guardian,
    /// Nobody: the operator posts it, and the rules leave no choice that a signature would bind.
    Operator,
}

/// What stands in the 40-bit amount field of a posted word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AmountField {
    /// Zero.
    None,
    /// An amount that moves, as a decimal float. It is not 0.
    Float,
    /// A time.
    Time,
}

/// What stands in the `to` field of a posted word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ToField {
    /// Zero.
    None,
    /// An account that exists.
    Receiver,
    /// The account that is created. The signer does not choose it.
    Created,
    /// A token: the second one of a quote. The `from` field is a token too.
    Token,
}

/// What a kind is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Description {
    /// The kind.
    pub kind: Kind,
    /// Who asks for it.
    pub signer: Signer,
    /// Its number in posted words: of the L2 word for signed kinds and the operator's, of the L1
    /// record for those of the queue, where two kinds may share it.
    pub number: u8,
    /// Accounts that it accesses: the one that acts; receiver or limiter; fee account.
    pub accesses: [bool; 3],
    /// Sections in which it posts records: one entry for each record.
    pub sections: &'static [Section],
    /// The amount field of its posted word.
    pub amount: AmountField,
    /// The `to` field of its posted word.
    pub to: ToField,
    /// Whether it opens the owner of the account that acts.
    pub opens: bool,
    /// Elements of its message after the word.
    pub extra: usize,
    /// Look-ups of 128-bit ranges, those of signature and limiter aside.
    pub ranges128: usize,
    /// Look-ups of 40-bit ranges, that of the limiter aside.
    pub ranges40: usize,
}

const QUEUED: Description = Description {
    kind: Kind::Deposit,
    signer: Signer::Queue,
    number: 0,
    accesses: [true, false, false],
    sections: &[Section::L1],
    amount: AmountField::None,
    to: ToField::None,
    opens: true,
    extra: 0,
    ranges128: 0,
    ranges40: 0,
};

const BY_OWNER: Description = Description {
    signer: Signer::Owner,
    accesses: [true, true, true],
    sections: &[Section::L2],
    extra: 2,
    ..QUEUED
};

const BY_GUARDIAN: Description = Description {
    signer: Signer::Guardian,
    accesses: [true, false, false],
    opens: false,
    ..BY_OWNER
};

/// All kinds, in their order.
pub const KINDS: [Description; 13] = [
    Description { kind: Kind::Deposit, number: 1, ranges128: 2, ranges40: 4, ..QUEUED },
    Description { kind: Kind::DepositNew, number: 1, ranges128: 2, ranges40: 4, ..QUEUED },
    Description {
        kind: Kind::ForcedExit,
        number: 2,
        accesses: [true, true, false],
        sections: &[Section::L1, Section::Exits],
        ranges128: 1,
        ranges40: 4,
        ..QUEUED
    },
    Description { kind: Kind::ForcedExitNoop, number: 2, ranges128: 1, ranges40: 3, ..QUEUED },
    Description {
        kind: Kind::Transfer,
        number: 1,
        amount: AmountField::Float,
        to: ToField::Receiver,
        extra: 0,
        ranges128: 3,
        ranges40: 8,
        ..BY_OWNER
    },
    Description {
        kind: Kind::TransferNew,
        number: 2,
        sections: &[Section::L2, Section::Owners],
        amount: AmountField::Float,
        to: ToField::Created,
        ranges128: 3,
        ranges40: 9,
        ..BY_OWNER
    },
    Description {
        kind: Kind::Withdraw,
        number: 3,
        sections: &[Section::L2, Section::Exits],
        amount: AmountField::Float,
        ranges128: 3,
        ranges40: 9,
        ..BY_OWNER
    },
    Description {
        kind: Kind::ChangeKey,
        number: 4,
        accesses: [true, false, true],
        sections: &[Section::L2, Section::Owners],
        ranges128: 2,
        ranges40: 5,
        ..BY_OWNER
    },
    Description {
        kind: Kind::Freeze,
        number: 5,
        amount: AmountField::Time,
        ranges128: 1,
        ranges40: 6,
        ..BY_GUARDIAN
    },
    Description { kind: Kind::Unfreeze, number: 6, ranges128: 1, ranges40: 3, ..BY_GUARDIAN },
    Description {
        kind: Kind::Order,
        number: 7,
        sections: &[Section::L2, Section::L2],
        amount: AmountField::Float,
        to: ToField::Receiver,
        ranges128: 3,
        ranges40: 8,
        ..BY_OWNER
    },
    Description {
        kind: Kind::Quote,
        signer: Signer::Operator,
        number: 8,
        accesses: [false, false, true],
        sections: &[Section::L2, Section::L2],
        to: ToField::Token,
        opens: false,
        ranges128: 2,
        ranges40: 1,
        ..QUEUED
    },
    Description {
        kind: Kind::Noop,
        signer: Signer::Nobody,
        accesses: [false; 3],
        sections: &[],
        opens: false,
        ..QUEUED
    },
];

impl Kind {
    /// All kinds, in the order of the circuit's flags.
    pub const ALL: [Self; KINDS.len()] = {
        let mut all = [Self::Noop; KINDS.len()];
        let mut i = 0;
        while i < KINDS.len() {
            all[i] = KINDS[i].kind;
            i += 1;
        }
        all
    };

    /// Its line in the table.
    #[must_use]
    pub fn description(self) -> &'static Description {
        &KINDS[self as usize]
    }

    /// The kind of L2 operation with a number in posted words.
    #[must_use]
    pub fn l2_with(number: u8) -> Option<Self> {
        let mut l2 = KINDS.iter().filter(|d| d.kind.is_l2());
        l2.find(|d| d.number == number).map(|d| d.kind)
    }

    /// Whether it comes from the L1 queue.
    #[must_use]
    pub fn is_l1(self) -> bool {
        self.description().signer == Signer::Queue
    }

    /// Whether it is an L2 operation: signed, or posted by the operator.
    #[must_use]
    pub fn is_l2(self) -> bool {
        self.is_signed() || self.by_operator()
    }

    /// Whether the operator posts it, and nobody signs it.
    #[must_use]
    pub fn by_operator(self) -> bool {
        self.description().signer == Signer::Operator
    }

    /// Whether a key signs it, the owner's or the guardian's.
    #[must_use]
    pub fn is_signed(self) -> bool {
        self.by_owner() || self.by_guardian()
    }

    /// Whether the owner of the account that acts signs it.
    #[must_use]
    pub fn by_owner(self) -> bool {
        self.description().signer == Signer::Owner
    }

    /// Whether the guardian signs it.
    #[must_use]
    pub fn by_guardian(self) -> bool {
        self.description().signer == Signer::Guardian
    }

    /// Whether it posts a record in a section.
    #[must_use]
    pub fn posts(self, section: Section) -> bool {
        self.records(section) > 0
    }

    /// Records that it posts in a section.
    #[must_use]
    pub fn records(self, section: Section) -> usize {
        self.description().sections.iter().filter(|s| **s == section).count()
    }

    /// Whether it leaves through the limiter.
    #[must_use]
    pub fn exits(self) -> bool {
        self.posts(Section::Exits)
    }

    /// Whether it writes an owner record.
    #[must_use]
    pub fn writes_owner(self) -> bool {
        self.posts(Section::Owners)
    }

    /// Words that it posts.
    #[must_use]
    pub fn words(self) -> usize {
        self.description().sections.iter().map(|s| s.words().len()).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_the_order_of_the_kinds() {
        for (i, kind) in Kind::ALL.into_iter().enumerate() {
            assert_eq!(kind as usize, i);
            assert_eq!(kind.description().kind, kind);
        }
    }

    #[test]
    fn numbers_of_l2_kinds_are_theirs_alone() {
        for number in 0..=15 {
            let with = |d: &&Description| d.kind.is_l2() && d.number == number;
            assert!(KINDS.iter().filter(with).count() <= 1);
            let known = Kind::l2_with(number);
            assert_eq!(known.is_some(), (1..=8).contains(&number));
            assert!(known.is_none_or(|kind| kind.description().number == number));
        }
    }

    /// A posted word has 4 bits for it, and each operation is of the queue, of layer 2, or padding.
    #[test]
    fn l2_operations_post_l2_records() {
        for kind in Kind::ALL {
            assert_eq!(kind.is_l2(), kind.posts(Section::L2), "{kind:?}");
            assert_eq!(kind.is_l1(), kind.posts(Section::L1), "{kind:?}");
            let values = usize::from(matches!(kind, Kind::Order | Kind::Quote));
            assert_eq!(kind.records(Section::L2), usize::from(kind.is_l2()) + values);
        }
    }
}
