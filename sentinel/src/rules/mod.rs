//! Rules: what is known about attacks, as data.
//!
//! A rule is a YAML file ([`Spec`]) with a condition over named features, an action, and examples that
//! prove it. A set of rules loads whole or not at all.

mod example;
pub mod expr;
mod lists;
mod plan;
mod set;
mod spec;
mod stage;

#[cfg(test)]
mod tests;

pub use example::check_examples;
pub use lists::{Lists, MAX_LISTED};
pub use plan::MAX_COST;
pub use set::{Rule, RuleSet, LISTS_FILE, MAX_FILE, MAX_RULES};
pub use spec::{Action, Example, Examples, Severity, Spec, Status};
pub use stage::{Stage, Step, STAGE_START_MS};

use bastion_protocol::Kind;

/// The name of a kind in conditions.
#[must_use]
pub fn kind_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Deposit => "deposit",
        Kind::DepositNew => "deposit_new",
        Kind::ForcedExit => "forced_exit",
        Kind::ForcedExitNoop => "forced_exit_noop",
        Kind::Transfer => "transfer",
        Kind::TransferNew => "transfer_new",
        Kind::Withdraw => "withdraw",
        Kind::ChangeKey => "change_key",
        Kind::Freeze => "freeze",
        Kind::Unfreeze => "unfreeze",
        Kind::Order => "order",
        Kind::Quote => "quote",
        Kind::Noop => "noop",
    }
}
