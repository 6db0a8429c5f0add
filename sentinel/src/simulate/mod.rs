#![doc = include_str!("README.md")]

mod attacks;
mod base;
mod baseline;
mod bench;
mod cast;
mod clock;
mod detector;
mod error;
mod evaluate;
mod label;
mod ledger;
mod look_alikes;
mod player;
mod random;
mod rows;
mod screening;
mod script;
mod splits;
mod stage;
mod traffic;

pub use baseline::AmountQuantile;
pub use bench::{bench, Bench, Named, SplitReport, Subject, HOLD_SECONDS};
pub use cast::{KeyId, Person};
pub use detector::{tail, Detector, Finding, FromFns, Threshold};
pub use error::SimulateError;
pub use evaluate::{evaluate, Delay, FamilyReport, Latency, LookAlikeReport, Report, Scores};
pub use label::{Family, Label, LookAlike, Part, Role};
pub use ledger::{Draft, Planned};
pub use player::{play, policy, Step, BLOCK_SECONDS};
pub use random::Random;
pub use rows::{Row, Rows, SAMPLE};
pub use screening::{Built, Screening};
pub use splits::{Split, Splits};
pub use traffic::{Plan, Traffic, START_MS};

#[cfg(test)]
mod tests;
