//! Every answer of a node's API, version 1.
//!
//! Amounts are decimal strings, hashes and elements `0x` and hex digits, times seconds since 1970.
//!
//! | module | content |
//! |---|---|
//! | [`text`] | hashes, elements, amounts, bytes |
//! | [`operation`] | operations, answers to them, where they stand |
//! | [`block`] | batches and blocks |
//! | [`account`] | accounts with their proofs |
//! | [`status`] | the node, its fees, its workers |
//! | [`job`] | proving jobs, L1 transactions |
//! | [`sentinel`] | what was found, and what is held back |
//! | [`rewards`] | watchers, their stakes, reports and rewards |
//! | [`problem`] | errors |
//! | [`event`] | what happens, as it happens |

pub mod account;
pub mod block;
pub mod event;
pub mod job;
pub mod operation;
#[cfg(feature = "schema")]
pub mod policy;
pub mod problem;
pub mod rewards;
pub mod sentinel;
pub mod status;
pub mod text;

pub use account::{AccountProof, Accounts, Pending};
pub use block::{Batch, Batches, Block, Blocks, Stage, Transactions, Tx};
pub use event::Event;
pub use job::{Intent, Intents, Job, JobState, Jobs, Progress, ProofKind};
pub use operation::{
    Answer, Answers, Filled, Inclusion, Operation, Operations, Progressed, Submission,
};
pub use problem::Problem;
pub use sentinel::{Evidence, Findings, FreezeRequest, Held, Quarantine, Reason, SentinelStatus};
pub use status::{FeeEstimate, Health, Status, Version};
pub use text::{Amount, Bytes, Element, Hash};
