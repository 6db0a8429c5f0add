//! How a command reaches an L1 node.

use bastion_l1::{L1Error, Options, RpcL1};
use bastion_prover::schedule::MemoryBudget;

/// Flags of commands that ask a node. URLs may hold keys: they are not shown, not even in the help.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Args {
    /// How often a request that only reads is repeated when the node is busy, fails or hangs up.
    #[arg(long, default_value_t = 5, value_name = "N", value_parser = clap::value_parser!(u32).range(0..=100))]
    l1_retries: u32,
    /// Longest answer with logs, receipts, traces or a transaction that is read, such as 4GiB; other
    /// answers have at most 32MiB.
    #[arg(long, default_value = "1GiB", value_name = "SIZE", value_parser = size)]
    l1_max_answer: u64,
}

fn size(text: &str) -> Result<u64, String> {
    let size = MemoryBudget::parse(text).map_err(|e| e.to_string())?;
    Ok(size.0)
}

impl Args {
    /// Connects to a node.
    pub(crate) fn connect(&self, url: &str) -> Result<RpcL1, L1Error> {
        let options = Options { retries: self.l1_retries, max_answer: self.l1_max_answer };
        RpcL1::with(url, options)
    }
}
