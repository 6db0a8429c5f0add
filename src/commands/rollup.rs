//! A rollup on L1, as commands that read it from there are told of it.

use alloy_primitives::Address;
use bastion_l1::{L1Error, RpcL1};

use crate::commands::l1;

/// Flags of commands that read a rollup from L1.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// URL of an L1 node.
    #[arg(long, env = "BASTION_L1", hide_env_values = true, value_name = "URL")]
    l1: String,
    #[command(flatten)]
    node: l1::Args,
    /// The rollup contract.
    #[arg(long)]
    pub(crate) contract: Address,
    /// L1 block of its deployment, to save the node the search before it.
    #[arg(long, default_value_t = 0, value_name = "L1BLOCK")]
    deployed_at: u64,
}

impl Args {
    /// Connects to the node.
    pub(crate) fn connect(&self) -> Result<RpcL1, L1Error> {
        Ok(self.node.connect(&self.l1)?.since(self.deployed_at))
    }
}
