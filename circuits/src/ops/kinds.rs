//! Kinds of operations and the sets that the rules speak of.

use bastion_state::executor::ResolvedKind;

use crate::core::Expr;
use crate::ops::cells::{Cells, KINDS};

/// Kinds as the circuit tells them apart, in the order of their flags.
pub const ORDER: [ResolvedKind; KINDS] = [
    ResolvedKind::Deposit,
    ResolvedKind::DepositNew,
    ResolvedKind::ForcedExit,
    ResolvedKind::ForcedExitNoop,
    ResolvedKind::Transfer,
    ResolvedKind::TransferNew,
    ResolvedKind::Withdraw,
    ResolvedKind::ChangeKey,
    ResolvedKind::Freeze,
    ResolvedKind::Unfreeze,
    ResolvedKind::Noop,
];

/// Flags and sums of flags (each 0 or 1, as the kind is one-hot).
#[derive(Clone, Copy, Debug)]
pub struct Sets {
    /// Deposit to an existing account.
    pub deposit: Expr,
    /// Deposit that creates.
    pub deposit_new: Expr,
    /// Forced exit that matches.
    pub forced_exit: Expr,
    /// Forced exit that does not match.
    pub forced_noop: Expr,
    /// Transfer.
    pub transfer: Expr,
    /// Transfer that creates.
    pub transfer_new: Expr,
    /// Withdraw.
    pub withdraw: Expr,
    /// Change of key.
    pub change_key: Expr,
    /// Freeze.
    pub freeze: Expr,
    /// Unfreeze.
    pub unfreeze: Expr,
    /// Padding.
    pub noop: Expr,
    /// From the L1 queue.
    pub l1: Expr,
    /// Signed by the account's owner.
    pub owner_signed: Expr,
    /// Signed by the guardian.
    pub guardian_signed: Expr,
    /// Signed by anybody.
    pub l2: Expr,
    /// Leaves through the limiter.
    pub exits: Expr,
    /// Amount is a float.
    pub floats: Expr,
    /// Writes an owner record.
    pub owners: Expr,
}

/// The sets over the flags of `cells`.
pub fn sets(cells: &Cells) -> Sets {
    let [deposit, deposit_new, forced_exit, forced_noop, transfer, transfer_new, withdraw, change_key, freeze, unfreeze, noop] =
        cells.kind;
    let sum = |xs: &[&Expr]| xs.iter().map(|x| *(*x)).sum::<Expr>();
    let owner_signed = sum(&[&transfer, &transfer_new, &withdraw, &change_key]);
    let guardian_signed = sum(&[&freeze, &unfreeze]);
    Sets {
        l1: sum(&[&deposit, &deposit_new, &forced_exit, &forced_noop]),
        l2: sum(&[&owner_signed, &guardian_signed]),
        exits: sum(&[&withdraw, &forced_exit]),
        floats: sum(&[&transfer, &transfer_new, &withdraw]),
        owners: sum(&[&transfer_new, &change_key]),
        owner_signed,
        guardian_signed,
        deposit,
        deposit_new,
        forced_exit,
        forced_noop,
        transfer,
        transfer_new,
        withdraw,
        change_key,
        freeze,
        unfreeze,
        noop,
    }
}
