#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod class;
mod clearing;
mod error;
pub mod meter;
mod order;
mod posted;
mod rule;
pub mod sample;
mod solve;
mod terms;
mod verify;

pub use bastion_protocol::quote::{PRICE_BITS, WHOLE};
pub use bastion_protocol::Limit;
pub use class::Class;
pub use clearing::{Clearing, Fill, TokenQuote};
pub use error::AuctionError;
pub use order::{Auction, Order, AMOUNT_BITS, MAX_ORDERS, MAX_TOKENS};
pub use posted::{post, Posted};
pub use rule::{rule, RuleError, Ruling, PAYMENT_BITS};
pub use solve::solve;
pub use terms::{Terms, ONE};
pub use verify::verify;
