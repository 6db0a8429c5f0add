//! Automatic, bounded response: what happens after something was found.
//!
//! - [`Quarantine`] holds operations back for a while, and lets each of them go.
//! - [`Engine`] turns findings into [`Action`]s by playbooks, within a budget. What is beyond the budget
//!   is a question to a person.
//! - [`tightened`] is the one change of a policy that it may ask for.
//! - [`alerts`] tells people.
//!
//! Nothing here acts by itself: the engine returns data, and the caller does it. Times are arguments.

pub mod alerts;

mod action;
mod budget;
mod engine;
mod error;
mod finding;
mod held;
mod journal;
mod playbook;
mod quarantine;
mod record;

pub use action::{tightened, Action};
pub use budget::Budget;
pub use engine::{Decided, Engine, EngineState, Outcome, MAX_WINDOWS};
pub use error::ResponseError;
pub use finding::{Finding, Subject};
pub use held::{Ending, Full, Held};
pub use journal::{Journal, Replay, MAX_FILE, MAX_FRAME};
pub use playbook::{
    Glob, On, Playbook, Playbooks, Source, Step, When, MAX_COUNT, MAX_FREEZE, MAX_PLAYBOOKS,
    MAX_QUARANTINE, MAX_WITHIN,
};
pub use quarantine::{Limits, Quarantine, HARD_LIMIT_MS};
