//! The canonical binary form of operations (protocol §5): a tag, then every field at its fixed
//! width, big-endian. An operation has one encoding, and nothing else decodes to it.

use crate::field;
use crate::keys::{PublicKey, Signature};
use crate::ops::{Action, Body, Deposit, ForcedExit, Op, SignedOp};
use crate::{Address, ProtocolError};

const NOOP: u8 = 0;
const TRANSFER: u8 = 1;
const TRANSFER_NEW: u8 = 2;
const WITHDRAW: u8 = 3;
const CHANGE_KEY: u8 = 4;
const FREEZE: u8 = 5;
const UNFREEZE: u8 = 6;
const DEPOSIT: u8 = 0x81;
const FORCED_EXIT: u8 = 0x82;

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
        }
    }

    /// Reads an encoding.
    ///
    /// # Errors
    /// If the tag is unknown, bytes are missing or left, or a field element, key or signature is
    /// not valid. Whether amounts and times fit the wire is the executor's matter.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ProtocolError> {
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
            TRANSFER..=UNFREEZE => Self::Signed(reader.signed(tag)?),
            other => {
                return Err(ProtocolError::Malformed {
                    what: "operation",
                    why: format!("unknown tag {other:#04x}"),
                })
            }
        };
        reader.end()?;
        Ok(op)
    }
}

impl SignedOp {
    fn encode(&self) -> Vec<u8> {
        let body = &self.body;
        let (tag, fields) = match body.action {
            Action::Transfer { to, amount } => {
                (TRANSFER, [&to.to_be_bytes()[..], &amount.to_be_bytes()].concat())
            }
            Action::TransferNew { keyhash, exit, amount } => (
                TRANSFER_NEW,
                [&field::to_bytes(&keyhash)[..], &exit.0, &amount.to_be_bytes()].concat(),
            ),
            Action::Withdraw { to, amount } => {
                (WITHDRAW, [&to.0[..], &amount.to_be_bytes()].concat())
            }
            Action::ChangeKey { keyhash } => (CHANGE_KEY, field::to_bytes(&keyhash).to_vec()),
            Action::Freeze { until, old_until } => {
                (FREEZE, [until.to_be_bytes(), old_until.to_be_bytes()].concat())
            }
            Action::Unfreeze { old_until } => (UNFREEZE, old_until.to_be_bytes().to_vec()),
        };
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

    fn signed(&mut self, tag: u8) -> Result<SignedOp, ProtocolError> {
        // Struct fields are evaluated in the order written here, which is that of the encoding.
        Ok(SignedOp {
            body: Body {
                account: u32::from_be_bytes(self.take()?),
                token: u16::from_be_bytes(self.take()?),
                nonce: u32::from_be_bytes(self.take()?),
                deadline: u64::from_be_bytes(self.take()?),
                fee: u128::from_be_bytes(self.take()?),
                action: self.action(tag)?,
            },
            key: PublicKey::from_bytes(&self.take()?)?,
            signature: Signature::from_bytes(&self.take()?)?,
        })
    }

    fn action(&mut self, tag: u8) -> Result<Action, ProtocolError> {
        Ok(match tag {
            TRANSFER => Action::Transfer {
                to: u32::from_be_bytes(self.take()?),
                amount: u128::from_be_bytes(self.take()?),
            },
            TRANSFER_NEW => Action::TransferNew {
                keyhash: field::from_bytes("keyhash", &self.take()?)?,
                exit: Address(self.take()?),
                amount: u128::from_be_bytes(self.take()?),
            },
            WITHDRAW => Action::Withdraw {
                to: Address(self.take()?),
                amount: u128::from_be_bytes(self.take()?),
            },
            CHANGE_KEY => {
                Action::ChangeKey { keyhash: field::from_bytes("keyhash", &self.take()?)? }
            }
            FREEZE => Action::Freeze {
                until: u64::from_be_bytes(self.take()?),
                old_until: u64::from_be_bytes(self.take()?),
            },
            _ => Action::Unfreeze { old_until: u64::from_be_bytes(self.take()?) },
        })
    }
}

#[cfg(test)]
mod tests;
