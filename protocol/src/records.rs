//! Posted records: fixed sizes, big-endian, four sections (protocol section 6).

use ark_ff::AdditiveGroup;
use serde::{Deserialize, Serialize};

use crate::field;
use crate::kinds::{AmountField, Kind, Signer, ToField};
use crate::limit::Limit;
use crate::ops::{Deposit, Float, ForcedExit, Op};
use crate::quote::{Quote, Quoted};
use crate::{Address, Fr, Index, Opening, Token};

/// The four sections of a batch's data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Section {
    /// L1 operations.
    L1,
    /// Signed operations and quotes.
    L2,
    /// Exits.
    Exits,
    /// New owners.
    Owners,
}

impl Section {
    /// All sections in their order.
    pub const ALL: [Self; 4] = [Self::L1, Self::L2, Self::Exits, Self::Owners];

    /// Widths in bytes of the words of a record.
    #[must_use]
    pub fn words(self) -> &'static [usize] {
        match self {
            Self::L1 => &[23, 32, 20],
            Self::L2 => &[15],
            Self::Exits => &[27, 20],
            Self::Owners => &[32, 20],
        }
    }

    /// Bytes of a record.
    #[must_use]
    pub fn record_len(self) -> usize {
        self.words().iter().sum()
    }

    /// The words of a record; a record that is too short gives short ones.
    #[must_use]
    pub fn split(self, record: &[u8]) -> Vec<Word> {
        let mut rest = record;
        let word = |len: &usize| {
            let (word, tail) = rest.split_at((*len).min(rest.len()));
            rest = tail;
            Word { bytes: word.to_vec() }
        };
        self.words().iter().map(word).collect()
    }
}

/// A posted word: an integer of its width, below `p`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    /// Big-endian bytes.
    pub bytes: Vec<u8>,
}

impl Word {
    /// The word as an element.
    #[must_use]
    pub fn to_fr(&self) -> Fr {
        let mut wide = [0u8; 32];
        wide[32 - self.bytes.len()..].copy_from_slice(&self.bytes);
        field::reduce(&wide)
    }
}

/// Why bytes are no record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// Another length.
    #[error("a record of {got} bytes, not {expected}")]
    Length {
        /// What records of the section have.
        expected: usize,
        /// What it has.
        got: usize,
    },
    /// No operation has this number.
    #[error("kind {0}, which does not exist")]
    Kind(u8),
    /// A key hash that is not below `p`.
    #[error("a key hash that is not below the field modulus")]
    KeyHash,
    /// A field that the kind does not use.
    #[error("{0} is not 0 where the kind has none")]
    NotZero(&'static str),
    /// A field that should be a token and is larger.
    #[error("{0} is no token")]
    Token(Index),
    /// A second word that its kind does not have.
    #[error("the word {0:#x} after it is none of its kind")]
    Value(u128),
    /// The last record of the section lacks its second word.
    #[error("the word after it is missing")]
    NoValue,
}

/// A record's bytes, taken from the front.
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    fn of(section: Section, record: &'a [u8]) -> Result<Self, RecordError> {
        let (expected, got) = (section.record_len(), record.len());
        match expected == got {
            true => Ok(Self(record)),
            false => Err(RecordError::Length { expected, got }),
        }
    }

    /// The next `N` bytes. The length was checked: zeros never come out of it.
    fn take<const N: usize>(&mut self) -> [u8; N] {
        match self.0.split_first_chunk::<N>() {
            Some((head, rest)) => {
                self.0 = rest;
                *head
            }
            None => [0; N],
        }
    }

    /// The next `N` bytes as a number; `N` is at most 16.
    fn number<const N: usize>(&mut self) -> u128 {
        let bytes = self.take::<N>();
        bytes.iter().fold(0, |x, b| x << 8 | u128::from(*b))
    }

    fn keyhash(&mut self) -> Result<Fr, RecordError> {
        field::from_bytes("keyhash", &self.take()).map_err(|_| RecordError::KeyHash)
    }
}

/// A record of the L1 section: an operation of the queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum L1Record {
    /// A deposit.
    Deposit {
        /// Token.
        token: Token,
        /// The account that is credited or created; 0 in the queue, which does not know it.
        index: Index,
        /// Amount.
        amount: u128,
        /// Hash of the owner's key.
        keyhash: Fr,
        /// Exit address of the owner.
        exit: Address,
    },
    /// A forced exit.
    ForcedExit {
        /// Token that the account should hold.
        token: Token,
        /// The account.
        index: Index,
        /// Who asked.
        exit: Address,
    },
}

impl L1Record {
    const DEPOSIT: u8 = 1;
    const FORCED_EXIT: u8 = 2;

    /// The record of an operation of the queue; `credited` is the account of a deposit.
    #[must_use]
    pub fn of(op: &Op, credited: Index) -> Option<Self> {
        match op {
            Op::Deposit(d) => Some(Self::Deposit {
                token: d.token,
                index: credited,
                amount: d.amount,
                keyhash: d.keyhash,
                exit: d.exit,
            }),
            Op::ForcedExit(f) => {
                Some(Self::ForcedExit { token: f.token, index: f.index, exit: f.exit })
            }
            Op::Signed(_) | Op::Quote(_) | Op::Noop => None,
        }
    }

    /// The operation of the queue.
    #[must_use]
    pub fn op(&self) -> Op {
        match *self {
            Self::Deposit { token, amount, keyhash, exit, .. } => {
                Op::Deposit(Deposit { token, amount, keyhash, exit })
            }
            Self::ForcedExit { token, index, exit } => {
                Op::ForcedExit(ForcedExit { index, token, exit })
            }
        }
    }

    /// The 75 posted bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let (kind, token, index, amount, keyhash, exit) = match *self {
            Self::Deposit { token, index, amount, keyhash, exit } => {
                (Self::DEPOSIT, token, index, amount, keyhash, exit)
            }
            Self::ForcedExit { token, index, exit } => {
                (Self::FORCED_EXIT, token, index, 0, Fr::ZERO, exit)
            }
        };
        let mut out = vec![kind];
        out.extend(token.to_be_bytes());
        out.extend(index.to_be_bytes());
        out.extend(amount.to_be_bytes());
        out.extend(field::to_bytes(&keyhash));
        out.extend(exit.0);
        out
    }

    /// Reads what [`L1Record::to_bytes`] wrote.
    ///
    /// # Errors
    /// [`RecordError`].
    pub fn read(record: &[u8]) -> Result<Self, RecordError> {
        let mut fields = Fields::of(Section::L1, record)?;
        let [kind] = fields.take();
        let token = Token::from_be_bytes(fields.take());
        let index = Index::from_be_bytes(fields.take());
        let amount = u128::from_be_bytes(fields.take());
        let keyhash = fields.keyhash()?;
        let exit = Address(fields.take());
        match kind {
            Self::DEPOSIT => Ok(Self::Deposit { token, index, amount, keyhash, exit }),
            Self::FORCED_EXIT if amount != 0 => Err(RecordError::NotZero("the amount")),
            Self::FORCED_EXIT if keyhash != Fr::ZERO => Err(RecordError::NotZero("the key hash")),
            Self::FORCED_EXIT => Ok(Self::ForcedExit { token, index, exit }),
            kind => Err(RecordError::Kind(kind)),
        }
    }
}

/// A record of the exit section.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExitRecord {
    /// Who gets it on L1.
    pub to: Address,
    /// Token.
    pub token: Token,
    /// From when on (u40).
    pub release_time: u64,
    /// Amount.
    #[serde(with = "crate::field::serde_decimal")]
    pub amount: u128,
    /// Account it left.
    pub index: Index,
}

impl ExitRecord {
    /// The 47 posted bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = self.to.0.to_vec();
        out.extend(self.token.to_be_bytes());
        out.extend(&self.release_time.to_be_bytes()[3..]);
        out.extend(self.amount.to_be_bytes());
        out.extend(self.index.to_be_bytes());
        out
    }

    /// Reads what [`ExitRecord::to_bytes`] wrote.
    ///
    /// # Errors
    /// [`RecordError::Length`].
    pub fn read(record: &[u8]) -> Result<Self, RecordError> {
        let mut fields = Fields::of(Section::Exits, record)?;
        Ok(Self {
            to: Address(fields.take()),
            token: Token::from_be_bytes(fields.take()),
            release_time: fields.number::<5>() as u64,
            amount: fields.number::<16>(),
            index: Index::from_be_bytes(fields.take()),
        })
    }
}

/// The 52 posted bytes of a new owner.
#[must_use]
pub fn owner_record((keyhash, exit): &Opening) -> Vec<u8> {
    [&field::to_bytes(keyhash)[..], &exit.0].concat()
}

/// Reads what [`owner_record`] wrote.
///
/// # Errors
/// [`RecordError::Length`] or [`RecordError::KeyHash`].
pub fn read_owner(record: &[u8]) -> Result<Opening, RecordError> {
    let mut fields = Fields::of(Section::Owners, record)?;
    Ok((fields.keyhash()?, Address(fields.take())))
}

/// A record of the L2 section: `kind << 116 | fee12 << 104 | from << 72 | to << 40 | amount40`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct L2Record {
    /// Number of the kind.
    pub kind: u8,
    /// Encoded fee, below `2^12`.
    pub fee12: u64,
    /// The account that acts, or the target of the guardian.
    pub from: Index,
    /// Receiver, created account, or 0.
    pub to: Index,
    /// Amount or time, below `2^40`.
    pub amount40: u64,
}

impl L2Record {
    /// The kind that it is of, if there is nothing in fields that the kind has no use for.
    ///
    /// # Errors
    /// [`RecordError::Kind`], [`RecordError::NotZero`] and [`RecordError::Token`].
    pub fn known_kind(&self) -> Result<Kind, RecordError> {
        let kind = Kind::l2_with(self.kind).ok_or(RecordError::Kind(self.kind))?;
        let d = kind.description();
        match d.to {
            ToField::None if self.to != 0 => return Err(RecordError::NotZero("the receiver")),
            ToField::Token => {
                token(self.from)?;
                token(self.to)?;
            }
            ToField::None | ToField::Receiver | ToField::Created => {}
        }
        if d.signer != Signer::Owner && self.fee12 != 0 {
            return Err(RecordError::NotZero("the fee"));
        }
        if d.amount == AmountField::None && self.amount40 != 0 {
            return Err(RecordError::NotZero("the amount"));
        }
        Ok(kind)
    }

    /// The fee; `None` if it exceeds 128 bits, which no balance pays.
    #[must_use]
    pub fn fee(&self) -> Option<u128> {
        Float::decode(self.fee12).value()
    }

    /// The amount field as a float; `None` if it exceeds 128 bits, which no balance pays.
    #[must_use]
    pub fn amount(&self) -> Option<u128> {
        Float::decode(self.amount40).value()
    }

    /// The posted 120-bit word.
    #[must_use]
    pub fn word(&self) -> u128 {
        u128::from(self.kind) << 116
            | u128::from(self.fee12) << 104
            | u128::from(self.from) << 72
            | u128::from(self.to) << 40
            | u128::from(self.amount40)
    }

    /// The 15 posted bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        self.word().to_be_bytes()[1..].to_vec()
    }

    /// Reads what [`L2Record::to_bytes`] wrote; what the fields mean is the kind's matter.
    ///
    /// # Errors
    /// [`RecordError::Length`].
    pub fn read(record: &[u8]) -> Result<Self, RecordError> {
        let mut fields = Fields::of(Section::L2, record)?;
        Ok(Self::of_word(fields.number::<15>()))
    }

    /// The record of a posted word; what is above its 120 bits is not looked at.
    #[must_use]
    pub fn of_word(word: u128) -> Self {
        Self {
            kind: (word >> 116) as u8 & 0xf,
            fee12: (word >> 104) as u64 & 0xfff,
            from: (word >> 72) as Index,
            to: (word >> 40) as Index,
            amount40: word as u64 & ((1 << 40) - 1),
        }
    }
}

fn token(field: Index) -> Result<Token, RecordError> {
    Token::try_from(field).map_err(|_| RecordError::Token(field))
}

/// The 15 posted bytes of a second word, which is below `2^120`.
#[must_use]
pub fn value_record(value: u128) -> Vec<u8> {
    value.to_be_bytes()[1..].to_vec()
}

/// An operation of the L2 section: its first record, and the second one if its kind has two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct L2Posted {
    /// The first record.
    pub main: L2Record,
    /// Its kind.
    pub kind: Kind,
    /// The word of the second record; 0 if there is none.
    pub value: u128,
}

impl L2Posted {
    /// Takes the records of an operation from the front of a section.
    ///
    /// # Errors
    /// Those of [`L2Record::read`] and [`L2Record::known_kind`], and [`RecordError::NoValue`].
    pub fn take(section: &mut &[Vec<u8>]) -> Result<Option<Self>, RecordError> {
        let Some((first, rest)) = section.split_first() else {
            return Ok(None);
        };
        let main = L2Record::read(first)?;
        let kind = main.known_kind()?;
        *section = rest;
        let mut value = 0;
        if kind.records(Section::L2) > 1 {
            let (second, rest) = rest.split_first().ok_or(RecordError::NoValue)?;
            value = Fields::of(Section::L2, second)?.number::<15>();
            *section = rest;
        }
        Ok(Some(Self { main, kind, value }))
    }

    /// The limit of an order.
    ///
    /// # Errors
    /// [`RecordError::Value`].
    pub fn limit(&self) -> Result<Limit, RecordError> {
        Limit::from_word(self.value).map_err(|_| RecordError::Value(self.value))
    }

    /// The quote, and what it says.
    ///
    /// # Errors
    /// [`RecordError::Token`] and [`RecordError::Value`].
    pub fn quote(&self) -> Result<(Quote, Quoted), RecordError> {
        let (a, b) = (token(self.main.from)?, token(self.main.to)?);
        let quote = Quote { a, b, value: self.value };
        let content = quote.content().map_err(|_| RecordError::Value(self.value))?;
        Ok((quote, content))
    }
}

#[cfg(test)]
mod tests;
