//! What a screener sees of an operation.

use bastion_protocol::Policy;
use bastion_state::executor::OpTrace;
use bastion_state::State;

/// An operation that was executed on a copy and is not yet included.
#[derive(Debug, Clone, Copy)]
pub struct Candidate<'a> {
    /// The operation, and each account that it touches before and after.
    pub trace: &'a OpTrace,
    /// The accounts before it.
    pub state: &'a State,
    /// The policy in force.
    pub policy: &'a Policy,
    /// Its hash, the one of its receipt.
    pub hash: [u8; 32],
    /// Time of the batch that it would enter, in seconds. It is L1's, and coarse.
    pub time: u64,
    /// When it arrived, in milliseconds since 1970, by the sequencer's clock.
    pub arrived_ms: u64,
}
