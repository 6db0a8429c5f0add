//! Flags of the kinds and the sets that the rules speak of.

use bastion_protocol::kinds::{AmountField, Description, ToField, KINDS};
use bastion_protocol::records::Section;
use bastion_protocol::Kind;

use crate::core::Expr;
use crate::ops::cells::Cells;

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
    /// Order of an auction.
    pub order: Expr,
    /// Quote of an auction.
    pub quote: Expr,
    /// Padding.
    pub noop: Expr,
    /// From the L1 queue.
    pub l1: Expr,
    /// Signed by the account's owner.
    pub owner_signed: Expr,
    /// Signed by the guardian.
    pub guardian_signed: Expr,
    /// Signed by anybody.
    pub signed: Expr,
    /// Posts L2 records.
    pub l2: Expr,
    /// Posts two of them: part of an auction.
    pub auction: Expr,
    /// Leaves through the limiter.
    pub exits: Expr,
    /// Amount is a float.
    pub floats: Expr,
    /// Names another account in its posted word.
    pub sends: Expr,
    /// Writes an owner record.
    pub owners: Expr,
    /// Writes an owner record with the exit address that the account has.
    pub keeps_exit: Expr,
    /// With an L2 record, and nothing in its amount field.
    pub no_amount: Expr,
    /// Moves nothing.
    pub moves_nothing: Expr,
    /// Number of the kind in posted L2 words.
    pub number: Expr,
}

/// The sets over the flags of `cells`.
pub fn sets(cells: &Cells) -> Sets {
    let flag = |kind: Kind| cells.kind[kind as usize];
    // Signed kinds come first.
    let sum = |of: fn(&Description) -> bool| -> Expr {
        let signed = KINDS.iter().filter(|d| d.kind.is_signed());
        let others = KINDS.iter().filter(|d| !d.kind.is_signed());
        signed.chain(others).filter(|d| of(d)).map(|d| flag(d.kind)).sum()
    };
    let owner_signed = sum(|d| d.kind.by_owner());
    let guardian_signed = sum(|d| d.kind.by_guardian());
    let numbered = KINDS.iter().filter(|d| d.kind.is_l2());
    Sets {
        deposit: flag(Kind::Deposit),
        deposit_new: flag(Kind::DepositNew),
        forced_exit: flag(Kind::ForcedExit),
        forced_noop: flag(Kind::ForcedExitNoop),
        transfer: flag(Kind::Transfer),
        transfer_new: flag(Kind::TransferNew),
        withdraw: flag(Kind::Withdraw),
        change_key: flag(Kind::ChangeKey),
        freeze: flag(Kind::Freeze),
        unfreeze: flag(Kind::Unfreeze),
        order: flag(Kind::Order),
        quote: flag(Kind::Quote),
        noop: flag(Kind::Noop),
        l1: sum(|d| d.kind.is_l1()),
        signed: owner_signed + guardian_signed,
        l2: owner_signed + guardian_signed + flag(Kind::Quote),
        auction: sum(|d| d.kind.records(Section::L2) > 1),
        owner_signed,
        guardian_signed,
        exits: sum(|d| d.kind.exits()),
        floats: sum(|d| d.amount == AmountField::Float),
        sends: sum(|d| matches!(d.to, ToField::Receiver | ToField::Created)),
        owners: sum(|d| d.kind.posts(Section::Owners)),
        keeps_exit: flag(Kind::ChangeKey),
        no_amount: sum(|d| d.kind.is_l2() && d.amount == AmountField::None),
        moves_nothing: flag(Kind::ChangeKey)
            + guardian_signed
            + flag(Kind::ForcedExitNoop)
            + flag(Kind::Quote),
        number: numbered.map(|d| flag(d.kind) * Expr::from(u64::from(d.number))).sum(),
    }
}
