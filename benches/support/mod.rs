//! What several benches need: blocks from the demo's story, and cached keys.
#![allow(dead_code, clippy::unwrap_used)]

use std::path::Path;

use bastion_circuits::witness::ChainedInputs;
use bastion_circuits::Shape;
use bastion_node::block::{next_block, Block};
use bastion_node::devnet::{dev_policy, DemoSource};
use bastion_node::pipeline::{BlockProver, Cache};
use bastion_protocol::data::DataMode;
use bastion_protocol::Fr;
use bastion_prover::progress::Progress;
use bastion_prover::srs::SrsChoice;
use bastion_state::executor::{BatchContext, BatchTrace};
use bastion_state::state::State;

pub const TIME: u64 = 1_800_000_000;

pub fn context() -> BatchContext {
    BatchContext { domain: Fr::from(1u64), time: TIME, policy: dev_policy() }
}

/// A block of one tiny batch with operations that use every table.
pub fn block() -> Block {
    let context = context();
    let mut source = DemoSource::short(context.domain, TIME);
    let shape = Shape::tiny();
    let (mut state, mut refused) = (State::new(), Vec::new());
    next_block(&mut state, &context, &shape, 1, DataMode::Calldata, &mut source, &mut refused)
        .unwrap()
        .unwrap()
}

/// Its batch, and how it hangs on the block.
pub fn batch() -> (BatchTrace, ChainedInputs) {
    let block = block();
    let link = block.links().unwrap()[0];
    (block.batches.into_iter().next().unwrap(), link)
}

/// Reference string and keys for [`block`], shared with the tests of whole blocks.
pub fn prover() -> (Cache, BlockProver) {
    let cache = Cache::new(Path::new(env!("CARGO_TARGET_TMPDIR")).join("bastion-cache"));
    let prover = BlockProver::open(
        &Shape::tiny(),
        1,
        &cache,
        SrsChoice::HeldOrUnsafeDev,
        &Progress::silent(),
    )
    .unwrap();
    (cache, prover)
}
