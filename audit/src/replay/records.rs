//! Posted records as numbers.

use bastion_state::data::Section;
use bastion_state::ops::Float;
use bastion_state::{Address, Fr, Index, Opening, Token};

use super::Broken;
use crate::chain::element;

/// A big-endian number of up to 16 bytes; bytes that are not there are left out.
fn number(bytes: &[u8], at: usize, len: usize) -> u128 {
    let field = bytes.iter().skip(at).take(len);
    field.fold(0, |x, byte| x << 8 | u128::from(*byte))
}

fn address(bytes: &[u8], at: usize) -> Option<Address> {
    Some(Address(bytes.get(at..at + 20)?.try_into().ok()?))
}

fn keyhash(bytes: &[u8], at: usize) -> Option<Fr> {
    element(bytes.get(at..at + 32)?.try_into().ok()?)
}

/// A record of an exit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exit {
    /// Receiver on L1.
    pub to: Address,
    /// Token.
    pub token: Token,
    /// From when on.
    pub release_time: u64,
    /// Amount.
    pub amount: u128,
    /// Account it left.
    pub index: Index,
}

impl Exit {
    /// Reads a record of 47 bytes.
    pub fn read(record: &[u8]) -> Option<Self> {
        if record.len() != Section::Exits.record_len() {
            return None;
        }
        Some(Self {
            to: address(record, 0)?,
            token: number(record, 20, 2) as Token,
            release_time: number(record, 22, 5) as u64,
            amount: number(record, 27, 16),
            index: number(record, 43, 4) as Index,
        })
    }
}

/// A record of the L1 section.
pub(super) enum Request {
    Deposit {
        token: Token,
        index: Index,
        amount: u128,
        keyhash: Fr,
        exit: Address,
    },
    ForcedExit {
        token: Token,
        index: Index,
        exit: Address,
    },
}

impl Request {
    pub(super) fn read(record: &[u8]) -> Result<Self, Broken> {
        if record.len() != Section::L1.record_len() {
            return Err(Broken::Length);
        }
        let token = number(record, 1, 2) as Token;
        let index = number(record, 3, 4) as Index;
        let amount = number(record, 7, 16);
        let keyhash = keyhash(record, 23).ok_or(Broken::KeyHash)?;
        let exit = address(record, 55).ok_or(Broken::Length)?;
        match number(record, 0, 1) as u8 {
            1 => Ok(Self::Deposit {
                token,
                index,
                amount,
                keyhash,
                exit,
            }),
            2 if amount != 0 => Err(Broken::NotZero("the amount")),
            2 if keyhash != Fr::from(0u64) => Err(Broken::NotZero("the key hash")),
            2 => Ok(Self::ForcedExit { token, index, exit }),
            kind => Err(Broken::Kind(kind)),
        }
    }
}

/// An owner record.
pub(super) fn opening(record: &[u8]) -> Result<Opening, Broken> {
    if record.len() != Section::Owners.record_len() {
        return Err(Broken::Length);
    }
    let keyhash = keyhash(record, 0).ok_or(Broken::KeyHash)?;
    Ok((keyhash, address(record, 32).ok_or(Broken::Length)?))
}

/// What a posted operation word does.
pub(super) enum Action {
    Transfer { to: Index, amount: Option<u128> },
    TransferNew { to: Index, amount: Option<u128> },
    Withdraw { amount: Option<u128> },
    ChangeKey,
    Freeze { until: u64 },
    Unfreeze,
}

/// A posted operation word. Amounts and fees that exceed 128 bits are `None`: no balance pays them.
pub(super) struct Word {
    pub(super) from: Index,
    pub(super) fee: Option<u128>,
    pub(super) action: Action,
}

impl Word {
    pub(super) fn read(record: &[u8]) -> Result<Self, Broken> {
        if record.len() != Section::L2.record_len() {
            return Err(Broken::Length);
        }
        let word = number(record, 0, 15);
        let to = (word >> 40) as Index;
        let amount40 = (word & ((1 << 40) - 1)) as u64;
        let fee12 = (word >> 104) as u64 & 0xfff;
        let amount = Float::decode(amount40).value();
        let zero = |what, value: u64| match value {
            0 => Ok(()),
            _ => Err(Broken::NotZero(what)),
        };
        let no_receiver = || zero("the receiver", u64::from(to));
        let action = match (word >> 116) as u8 {
            1 => Action::Transfer { to, amount },
            2 => Action::TransferNew { to, amount },
            3 => {
                no_receiver()?;
                Action::Withdraw { amount }
            }
            4 => {
                no_receiver()?;
                zero("the amount", amount40)?;
                Action::ChangeKey
            }
            5 => {
                no_receiver()?;
                zero("the fee", fee12)?;
                Action::Freeze { until: amount40 }
            }
            6 => {
                no_receiver()?;
                zero("the fee", fee12)?;
                zero("the amount", amount40)?;
                Action::Unfreeze
            }
            kind => return Err(Broken::Kind(kind)),
        };
        Ok(Self {
            from: (word >> 72) as Index,
            fee: Float::decode(fee12).value(),
            action,
        })
    }
}
