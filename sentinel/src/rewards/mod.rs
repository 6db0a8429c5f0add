//! What watchers earn and lose: a registry of stakes and sealed reports, and a simulation that shows for
//! which parameters honesty pays best. The README beside this file explains the model.

mod diligence;
mod error;
mod filing;
mod outcome;
mod params;
#[cfg(test)]
mod props;
mod registry;
mod report;
pub mod simulation;
#[cfg(test)]
mod tests;
mod treasury;

pub use diligence::{answer, Grades};
pub use error::RewardError;
pub use outcome::Settlement;
pub use params::Params;
pub use registry::{Books, Registry, Stake};
pub use report::{Cause, Entry, Payment, Report, ReportId, Stage, Subject};
pub use treasury::{
    audit, Call, Done, Opening, Pay, Reckoning, Record, Treasury, TreasuryError, PAYMENT_GRACE,
};
