//! What posted operation words do.

use bastion_protocol::ops::Float;
use bastion_protocol::records::{L2Record, RecordError};
use bastion_protocol::Index;

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
    pub(super) fn read(record: &[u8]) -> Result<Self, RecordError> {
        let L2Record { kind, fee12, from, to, amount40 } = L2Record::read(record)?;
        let amount = Float::decode(amount40).value();
        let zero = |what, value: u64| match value {
            0 => Ok(()),
            _ => Err(RecordError::NotZero(what)),
        };
        let no_receiver = || zero("the receiver", u64::from(to));
        let action = match kind {
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
            kind => return Err(RecordError::Kind(kind)),
        };
        Ok(Self { from, fee: Float::decode(fee12).value(), action })
    }
}
