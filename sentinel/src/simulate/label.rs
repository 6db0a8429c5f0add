//! What is known about each operation of simulated traffic.

use serde::{Deserialize, Serialize};

/// Kinds of attack.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Family {
    /// A stolen key moves everything of a wallet, token by token, and leaves.
    Drain,
    /// A thief replaces the key of an account, waits, and moves the money.
    KeyTheft,
    /// A ring trades with itself until somebody believes the price and pays.
    WashTrading,
    /// Money that no deposit backs leaves over the bridge.
    BridgeForgery,
    /// Dust to many, and some of them are phished.
    Dusting,
    /// An address that resembles a known one gets the payment.
    AddressPoisoning,
    /// A stolen key takes a little every few hours.
    SlowLeak,
    /// Withdrawals that grow until a limit is found, then stay below it.
    LimitProbing,
    /// Payments to a pool just before and just after a large one.
    Sandwich,
    /// Loot that passes through many new accounts, each of which sheds a part.
    PeelChain,
}

impl Family {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::Drain,
        Self::KeyTheft,
        Self::WashTrading,
        Self::BridgeForgery,
        Self::Dusting,
        Self::AddressPoisoning,
        Self::SlowLeak,
        Self::LimitProbing,
        Self::Sandwich,
        Self::PeelChain,
    ];

    /// Its name in reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Drain => "drain",
            Self::KeyTheft => "key_theft",
            Self::WashTrading => "wash_trading",
            Self::BridgeForgery => "bridge_forgery",
            Self::Dusting => "dusting",
            Self::AddressPoisoning => "address_poisoning",
            Self::SlowLeak => "slow_leak",
            Self::LimitProbing => "limit_probing",
            Self::Sandwich => "sandwich",
            Self::PeelChain => "peel_chain",
        }
    }
}

/// Kinds of honest events that look like an attack.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LookAlike {
    /// Many pay one within minutes.
    FlashCrowd,
    /// One pays many the same small amount.
    Airdrop,
    /// An exchange moves most of a wallet between its own accounts and L1.
    Rebalancing,
    /// An employer pays its people at the same hour.
    Payroll,
    /// Many owners replace their keys after a wallet's update.
    KeyMigration,
    /// A rich owner moves everything to a new account.
    WhaleMove,
    /// Merchants withdraw the day's takings.
    MerchantClose,
}

impl LookAlike {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::FlashCrowd,
        Self::Airdrop,
        Self::Rebalancing,
        Self::Payroll,
        Self::KeyMigration,
        Self::WhaleMove,
        Self::MerchantClose,
    ];

    /// Its name in reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::FlashCrowd => "flash_crowd",
            Self::Airdrop => "airdrop",
            Self::Rebalancing => "rebalancing",
            Self::Payroll => "payroll",
            Self::KeyMigration => "key_migration",
            Self::WhaleMove => "whale_move",
            Self::MerchantClose => "merchant_close",
        }
    }
}

/// What an operation is in an attack.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Nothing of the victim's moves yet.
    Prepare,
    /// The victim's money moves, by the thief's hand or by the victim's own; it could still be stopped.
    Take,
    /// After it, money is out of reach: it left to L1, or a pool has paid it out.
    Lose,
    /// An honest operation that the attack needs. Holding it is neither right nor wrong.
    Bystander,
}

/// The part of an operation in an attack.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Part {
    /// Kind of attack.
    pub family: Family,
    /// Which attack of the traffic.
    pub id: u32,
    /// Branch of the attack. A hold stops what follows on its branch; on branch 0, the trunk, it stops
    /// all that follows.
    pub lane: u16,
    /// What it does.
    pub role: Role,
}

/// The truth about an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Label {
    /// Everyday traffic.
    Ordinary,
    /// Honest, and looks like an attack.
    LookAlike(LookAlike),
    /// Part of an attack.
    Attack(Part),
}

impl Label {
    /// Its part in an attack, if it has one.
    #[must_use]
    pub fn part(&self) -> Option<Part> {
        match *self {
            Self::Attack(part) => Some(part),
            Self::Ordinary | Self::LookAlike(_) => None,
        }
    }
}
