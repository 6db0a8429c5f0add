//! The canonical binary form of operations (protocol §5): a tag, then every field at its fixed
//! width, big-endian. An operation has one encoding, and nothing else decodes to it.

use crate::field;
use crate::keys::{PublicKey, Signature};
use crate::limit::Limit;
use crate::ops::{Action, Body, Deposit, ForcedExit, Op, SignedOp};
use crate::quote::Quote;
use crate::{Address, Kind, ProtocolError};

/// Tag of padding. An L2 operation has the number of its kind in posted words.
const NOOP: u8 = 0;
/// Tags of the queue's operations: the number of their record, with the highest bit set.
const DEPOSIT: u8 = 0x81;
const FORCED_EXIT: u8 = 0x82;

fn unknown(tag: u8) -> ProtocolError {
    ProtocolError::Malformed { what: "operation", why: format!("unknown tag {tag:#04x}") }
}

impl Op {
    /// The encoding.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        match self {
            Self::Noop => vec![NOOP],
            Self::Deposit(d) => {
                let mut out = vec![DEPOSIT];
                out.extend(d.token.to_be_bytes());
                out.extend(d.amount.to_be_bytes());
                out.extend(field::to_bytes(&d.keyhash));
                out.extend(d.exit.0);
                out
            }
            Self::ForcedExit(f) => {
                let mut out = vec![FORCED_EXIT];
                out.extend(f.index.to_be_bytes());
                out.extend(f.token.to_be_bytes());
                out.extend(f.exit.0);
                out
            }
            Self::Signed(s) => s.encode(),
            Self::Quote(q) => {
                let mut out = vec![Kind::Quote.description().number];
                out.extend(q.a.to_be_bytes());
                out.extend(q.b.to_be_bytes());
                out.extend(q.value.to_be_bytes());
                out
            }
        }
    }

    /// Reads an encoding.
    ///
    /// # Errors
    /// If the tag is unknown, bytes are missing or left, or a field element, key, signature or limit
    /// is not valid. Whether amounts and times fit the wire is the executor's matter.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ProtocolError> {
        Self::from_bytes_with(bytes, PublicKey::from_bytes)
    }

    /// As [`Op::from_bytes`], for those who know most keys: that a key lies in the prime subgroup takes
    /// as long to check as a signature.
    ///
    /// # Errors
    /// As [`Op::from_bytes`], and those of `read_key`.
    pub fn from_bytes_with(
        bytes: &[u8],
        read_key: impl FnOnce(&[u8; PublicKey::LEN]) -> Result<PublicKey, ProtocolError>,
    ) -> Result<Self, ProtocolError> {
        let mut reader = Reader { rest: bytes, bytes };
        let [tag] = reader.take()?;
        let op = match tag {
            NOOP => Self::Noop,
            DEPOSIT => Self::Deposit(Deposit {
                token: u16::from_be_bytes(reader.take()?),
                amount: u128::from_be_bytes(reader.take()?),
                keyhash: field::from_bytes("keyhash", &reader.take()?)?,
                exit: Address(reader.take()?),
            }),
            FORCED_EXIT => Self::ForcedExit(ForcedExit {
                index: u32::from_be_bytes(reader.take()?),
                token: u16::from_be_bytes(reader.take()?),
                exit: Address(reader.take()?),
            }),
            tag => match Kind::l2_with(tag).ok_or_else(|| unknown(tag))? {
                Kind::Quote => Self::Quote(Quote {
                    a: u16::from_be_bytes(reader.take()?),
                    b: u16::from_be_bytes(reader.take()?),
                    value: u128::from_be_bytes(reader.take()?),
                }),
                kind => Self::Signed(reader.signed(kind, read_key)?),
            },
        };
        reader.end()?;
        Ok(op)
    }
}

/// `#[serde(with = "codec::serde_op")]`: an operation by its canonical encoding. The derived form of
/// [`Op`] is for people, and formats that do not describe themselves cannot read it.
pub mod serde_op {
    use super::Op;
    use serde::{de::Error, Deserialize, Deserializer, Serializer};

    /// Writes the operation.
    ///
    /// # Errors
    /// Those of the format.
    pub fn serialize<S: Serializer>(op: &Op, s: S) -> Result<S::Ok, S::Error> {
        match s.is_human_readable() {
            true => s.serialize_str(&format!("0x{}", hex::encode(op.to_bytes()))),
            false => s.serialize_bytes(&op.to_bytes()),
        }
    }

    /// Reads the operation.
    ///
    /// # Errors
    /// Those of the format and of [`Op::from_bytes`].
    pub fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<Op, D::Error> {
        let bytes = match d.is_human_readable() {
            true => {
                let text = String::deserialize(d)?;
                let digits = text.strip_prefix("0x").ok_or_else(|| D::Error::custom("no 0x"))?;
                hex::decode(digits).map_err(D::Error::custom)?
            }
            false => Vec::<u8>::deserialize(d)?,
        };
        Op::from_bytes(&bytes).map_err(D::Error::custom)
    }
}

impl SignedOp {
    fn encode(&self) -> Vec<u8> {
        let body = &self.body;
        let fields = match body.action {
            Action::Transfer { to, amount } => {
                [&to.to_be_bytes()[..], &amount.to_be_bytes()].concat()
            }
            Action::TransferNew { keyhash, exit, amount } => {
                [&field::to_bytes(&keyhash)[..], &exit.0, &amount.to_be_bytes()].concat()
            }
            Action::Withdraw { to, amount } => [&to.0[..], &amount.to_be_bytes()].concat(),
            Action::ChangeKey { keyhash } => field::to_bytes(&keyhash).to_vec(),
            Action::Freeze { until, old_until } => {
                [until.to_be_bytes(), old_until.to_be_bytes()].concat()
            }
            Action::Unfreeze { old_until } => old_until.to_be_bytes().to_vec(),
            Action::Order { to, buy, amount, limit } => {
                let (to, buy) = (to.to_be_bytes(), buy.to_be_bytes());
                let (mantissa, exponent) = (limit.mantissa().to_be_bytes(), [limit.exponent()]);
                [&to[..], &buy, &amount.to_be_bytes(), &mantissa, &exponent].concat()
            }
        };
        let tag = body.action.kind().description().number;
        let mut out = vec![tag];
        out.extend(body.account.to_be_bytes());
        out.extend(body.token.to_be_bytes());
        out.extend(body.nonce.to_be_bytes());
        out.extend(body.deadline.to_be_bytes());
        out.extend(body.fee.to_be_bytes());
        out.extend(fields);
        out.extend(self.key.to_bytes());
        out.extend(self.signature.to_bytes());
        out
    }
}

struct Reader<'a> {
    bytes: &'a [u8],
    rest: &'a [u8],
}

impl Reader<'_> {
    fn take<const N: usize>(&mut self) -> Result<[u8; N], ProtocolError> {
        let taken = self.bytes.len() - self.rest.len();
        let (head, rest) =
            self.rest.split_first_chunk::<N>().ok_or_else(|| ProtocolError::Malformed {
                what: "operation",
                why: format!("ends after {} bytes: {} are needed", self.bytes.len(), taken + N),
            })?;
        self.rest = rest;
        Ok(*head)
    }

    fn end(&self) -> Result<(), ProtocolError> {
        if self.rest.is_empty() {
            return Ok(());
        }
        Err(ProtocolError::Length {
            what: "operation",
            expected: self.bytes.len() - self.rest.len(),
            got: self.bytes.len(),
        })
    }

    fn signed(
        &mut self,
        kind: Kind,
        read_key: impl FnOnce(&[u8; PublicKey::LEN]) -> Result<PublicKey, ProtocolError>,
    ) -> Result<SignedOp, ProtocolError> {
        // Struct fields are evaluated in the order written here, which is that of the encoding.
        Ok(SignedOp {
            body: Body {
                account: u32::from_be_bytes(self.take()?),
                token: u16::from_be_bytes(self.take()?),
                nonce: u32::from_be_bytes(self.take()?),
                deadline: u64::from_be_bytes(self.take()?),
                fee: u128::from_be_bytes(self.take()?),
                action: self.action(kind)?,
            },
            key: read_key(&self.take()?)?,
            signature: Signature::from_bytes(&self.take()?)?,
        })
    }

    fn action(&mut self, kind: Kind) -> Result<Action, ProtocolError> {
        Ok(match kind {
            Kind::Transfer => Action::Transfer {
                to: u32::from_be_bytes(self.take()?),
                amount: u128::from_be_bytes(self.take()?),
            },
            Kind::TransferNew => Action::TransferNew {
                keyhash: field::from_bytes("keyhash", &self.take()?)?,
                exit: Address(self.take()?),
                amount: u128::from_be_bytes(self.take()?),
            },
            Kind::Withdraw => Action::Withdraw {
                to: Address(self.take()?),
                amount: u128::from_be_bytes(self.take()?),
            },
            Kind::ChangeKey => {
                Action::ChangeKey { keyhash: field::from_bytes("keyhash", &self.take()?)? }
            }
            Kind::Freeze => Action::Freeze {
                until: u64::from_be_bytes(self.take()?),
                old_until: u64::from_be_bytes(self.take()?),
            },
            Kind::Unfreeze => Action::Unfreeze { old_until: u64::from_be_bytes(self.take()?) },
            Kind::Order => Action::Order {
                to: u32::from_be_bytes(self.take()?),
                buy: u16::from_be_bytes(self.take()?),
                amount: u128::from_be_bytes(self.take()?),
                limit: {
                    let mantissa = u64::from_be_bytes(self.take()?);
                    let [exponent] = self.take()?;
                    Limit::new(mantissa, exponent)?
                },
            },
            Kind::Deposit
            | Kind::DepositNew
            | Kind::ForcedExit
            | Kind::ForcedExitNoop
            | Kind::Quote
            | Kind::Noop => return Err(unknown(kind.description().number)),
        })
    }
}

#[cfg(test)]
mod tests;
