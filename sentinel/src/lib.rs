//! Detection of attacks before inclusion, bounded response, and intelligence that is shared between chains.
//!
//! What this crate decides is never needed for validity: the circuit enforces exit lane, expiry, cooldown
//! and limits whatever it says.
//!
//! | module | content |
//! |---|---|
//! | [`screener`] | all detectors, their memory, and how a verdict is made |
//! | [`invariants`] | what holds for every operation |
//! | [`rules`], [`features`] | known attacks as data, and the values that they are about |
//! | [`bundle`] | signed sets of rules |
//! | [`model`] | learned models, in integers |
//! | [`graph`] | taint |
//! | [`findings`] | the log of findings, as a hash chain |

#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

pub mod bundle;
mod candidate;
pub mod error;
mod explain;
pub mod features;
pub mod findings;
pub mod fixed;
pub mod graph;
mod input;
pub mod invariants;
pub mod ledger;
pub mod model;
pub mod profile;
pub mod replay;
pub mod rules;
pub mod screener;
#[cfg(feature = "simulate")]
pub mod simulate;
pub mod table;
mod verdict;

pub use candidate::Candidate;
pub use error::SentinelError;
pub use explain::explain;
pub use input::Input;
pub use screener::{Config, Screener};
pub use verdict::{Decision, Reason, Verdict};
