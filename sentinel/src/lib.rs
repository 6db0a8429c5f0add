//! Detection of attacks before inclusion, bounded response, and intelligence that is shared between chains.
//!
//! What this crate decides is never needed for validity: the circuit enforces exit lane, expiry, cooldown
//! and limits whatever it says.

#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod candidate;
#[cfg(feature = "simulate")]
pub mod simulate;
mod verdict;

pub use candidate::Candidate;
pub use verdict::{Decision, Reason, Verdict};
