//! What people wish to do and when. The ledger turns wishes into operations.

use std::collections::BTreeSet;

use bastion_protocol::{Address, Token};

use super::cast::Person;
use super::label::Label;

/// How much.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Amount {
    /// So much.
    Exactly(u128),
    /// So many thousandths of the balance.
    Share(u64),
}

/// A deed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deed {
    /// Money comes from L1.
    Deposit {
        /// To whom.
        who: Person,
        /// Token.
        token: Token,
        /// How much.
        amount: u128,
    },
    /// One pays another, whose account is made if there is none.
    Pay {
        /// Who pays.
        from: Person,
        /// Who is paid.
        to: Person,
        /// Token.
        token: Token,
        /// How much.
        amount: Amount,
        /// What the receiver is credited beyond what the payer pays: the forged trace of a broken
        /// executor.
        forged: u128,
    },
    /// Money goes to L1.
    Leave {
        /// Whose.
        who: Person,
        /// Token.
        token: Token,
        /// To which address.
        to: Address,
        /// How much.
        amount: Amount,
    },
    /// The key of an account is replaced by one of `by`.
    Rekey {
        /// Whose account.
        who: Person,
        /// Token.
        token: Token,
        /// Whose key it is then.
        by: Person,
    },
}

impl Deed {
    /// Whose account acts, or is credited by a deposit.
    #[must_use]
    pub fn who(&self) -> Person {
        match *self {
            Self::Pay { from, .. } => from,
            Self::Deposit { who, .. } | Self::Leave { who, .. } | Self::Rekey { who, .. } => who,
        }
    }
}

/// A deed at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wish {
    /// Milliseconds since 1970.
    pub at_ms: u64,
    /// The truth about it.
    pub label: Label,
    /// The deed.
    pub deed: Deed,
    /// For [`Role::Lose`](super::Role::Lose): how much is out of reach after it, if that is not its amount.
    pub loses: Option<u128>,
}

/// All wishes, in any order.
#[derive(Debug, Clone, Default)]
pub struct Script {
    /// The wishes.
    pub wishes: Vec<Wish>,
    /// Who was robbed, and from when on he does nothing any more.
    pub robbed: Vec<(Person, u64)>,
    /// Whom a scene counts on: everyday traffic leaves them some money, and no other scene takes them.
    pub reserved: BTreeSet<Person>,
}

impl Script {
    /// Adds a wish.
    pub fn wish(&mut self, at_ms: u64, label: Label, deed: Deed) {
        self.wishes.push(Wish { at_ms, label, deed, loses: None });
    }
}
