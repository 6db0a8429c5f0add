//! Of which rollup a sentinel is.

use alloy_primitives::keccak256;
use bastion_protocol::{Address, Fr};
use bastion_sentinel::findings::{genesis, Hash};

/// Of which rollup it is.
#[derive(Debug, Clone, Copy)]
pub struct Rollup {
    /// Chain id of L1.
    pub chain_id: u64,
    /// The contract.
    pub contract: Address,
}

impl Rollup {
    /// What operations of this rollup sign.
    pub(super) fn domain(&self) -> Fr {
        bastion_protocol::header::domain(self.chain_id, self.contract)
    }

    /// The head of the log of findings when it is empty.
    ///
    /// The same is computed by whoever checks the log.
    pub fn genesis(&self) -> Hash {
        let domain = [&self.chain_id.to_be_bytes()[..], &self.contract.0].concat();
        genesis(&keccak256(domain).0)
    }
}
