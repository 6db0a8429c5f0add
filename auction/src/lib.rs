#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod class;
mod clearing;
mod error;
mod limit;
pub mod meter;
mod order;
pub mod sample;
mod solve;
mod terms;
mod verify;

pub use class::Class;
pub use clearing::{Clearing, Fill, Quote, PRICE_BITS, WHOLE};
pub use error::AuctionError;
pub use limit::Limit;
pub use order::{Auction, Order, AMOUNT_BITS, MAX_ORDERS, MAX_TOKENS};
pub use solve::solve;
pub use terms::{Terms, ONE};
pub use verify::verify;
