//! What the screener remembers: of accounts, of L1 addresses, of tokens, and of the network.

mod account;
mod network;
mod ring;
mod target;
mod token;

pub use account::{hour, Profile};
pub(crate) use account::{DAY_MS, HOUR_MS};
pub use network::{Counter, Network};
pub use ring::{Event, Ring, RING};
pub use target::Target;
pub use token::TokenStats;

use bastion_protocol::Address;

/// How an L1 address looks at a glance: its first two bytes and its last two, as wallets shorten it.
#[must_use]
pub fn look(address: Address) -> [u8; 4] {
    let a = address.0;
    [a[0], a[1], a[18], a[19]]
}

/// Whether two addresses look the same and are not.
#[must_use]
pub fn alike(a: Address, b: Address) -> bool {
    a != b && look(a) == look(b)
}
