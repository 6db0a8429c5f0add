//! The meter of sandwiches and front-running: what an operation took from the others, by replaying the trace
//! without it, a simulation of one flow on three kinds of venues, and one of traders and an operator who abuses its
//! place ([`market()`]).
//!
//! The price at which gains are counted, the mark, comes from outside: in the simulation it is the fair price
//! that users and makers stand around.

mod attack;
mod book;
mod flow;
mod harm;
mod market;
mod pattern;
mod pool;
mod simulation;
#[cfg(test)]
mod tests;
mod trace;
mod uniform;
mod venue;

pub use attack::{attacks, Accounts, Attack, Attacks};
pub use book::Book;
pub use harm::{each, harm, sandwiches, Harm};
pub use market::{market, MarketReport, Place, Row, Strategy};
pub use pattern::{pattern, Sandwich};
pub use pool::Pool;
pub use simulation::{simulate, Found, Outcome, Report, Scenario};
pub use trace::{Mark, Swap, Trader, BASE, QUOTE};
pub use uniform::Uniform;
pub use venue::Venue;
